import { useState } from 'react'
import { type Schemas, useList, useRead, useSend } from '@/api'
import { formatNumber, hasText, t as text, useT, word } from '@/i18n'
import { Button, confirm, EmptyState, Loaded, Sheet, Tag, Time, toast, toastError, UnstyledButton, DangerButton } from '@/ui'
import css from './content.module.css'

/** The versions of a mail: what has changed since one, and going back to it. */
export function Versions({
  template,
  write,
  dirty,
  onClose,
}: {
  template: Schemas['Template']
  write: boolean
  dirty: boolean
  onClose: () => void
}) {
  const t = useT()
  const [chosen, setChosen] = useState(0)
  const versions = useList('/api/v1/templates/{id}/versions', { path: { id: template.id } })
  const revert = useSend('post', '/api/v1/templates/{id}/revert', { refresh: ['/api/v1/templates'] })
  const back = async (version: number) => {
    const n = formatNumber(version)
    if (
      !(await confirm({
        title: t('content.revert_title', { n }),
        text: t(dirty ? 'content.revert_dirty' : 'content.revert_text'),
        action: t('content.revert'),
        danger: dirty,
      }))
    )
      return
    revert.mutate(
      { path: { id: template.id }, body: { version } },
      {
        onSuccess: (saved) => {
          toast(t('content.saved', { n: formatNumber(saved.version) }))
          onClose()
        },
        onError: toastError,
      },
    )
  }
  const Back = dirty ? DangerButton : Button // takes what is not saved with it
  return (
    <Sheet title={t('content.versions')} opened onClose={onClose}>
      <ul className={css.versions}>
        {versions.items.map((v) => (
          <li key={v.version}>
            <UnstyledButton
              className={css.version}
              aria-expanded={chosen === v.version}
              onClick={() => setChosen(chosen === v.version ? 0 : v.version)}
            >
              <b>{t('content.version', { n: formatNumber(v.version) })}</b>
              <Time at={v.updated_at} />
            </UnstyledButton>
            {chosen === v.version ? (
              v.version === template.version ? (
                <p className={css.hint}>{t('content.current_version')}</p>
              ) : (
                <>
                  <Changes id={template.id} from={v.version} />
                  {write ? (
                    <Back size="xs" loading={revert.isPending} onClick={() => void back(v.version)}>
                      {t('content.revert')}
                    </Back>
                  ) : null}
                </>
              )
            ) : null}
          </li>
        ))}
      </ul>
      {versions.more ? <Button onClick={versions.loadMore}>{t('action.more')}</Button> : null}
    </Sheet>
  )
}

/** "Subject", "Button: Link": what a path of the server's comparison is called here. */
function nameOf(c: Schemas['Change']): string {
  const field = c.path.split('.').at(-1) ?? c.path
  const keys = [`content.${field}`, `purpose.${field}`, `block.field.${field}`, `content.field_${field}`]
  const key = keys.find(hasText)
  const name = key ? text(key) : field
  if (!c.block) return name
  const kind = c.block === 'section' ? text('content.section_name') : word('block.kind', c.block)
  return c.kind === 'changed' ? `${kind}: ${name}` : kind
}

function Changes({ id, from }: { id: string; from: number }) {
  const t = useT()
  const changes = useRead('/api/v1/templates/{id}/changes', { path: { id }, query: { from } })
  return (
    <Loaded of={changes} rows={3}>
      {(c) =>
        c.items.length === 0 ? (
          <EmptyState title={t('content.no_changes')} />
        ) : (
          <ul className={css.changes}>
            {c.items.map((x) => (
              <li key={x.path}>
                <span>
                  {nameOf(x)}{' '}
                  <Tag tone={x.kind === 'removed' ? 'danger' : x.kind === 'added' ? 'success' : 'gray'}>
                    {t(`content.change_${x.kind}`)}
                  </Tag>
                </span>
                {x.kind !== 'moved' && x.was ? <del>{x.was}</del> : null}
                {x.kind !== 'moved' && x.now ? <ins>{x.now}</ins> : null}
              </li>
            ))}
          </ul>
        )
      }
    </Loaded>
  )
}
