import { ActionIcon, Button, Group, Menu, Popover, TextInput } from '@mantine/core'
import { BookmarkPlus, EllipsisVertical } from 'lucide-react'
import { useState } from 'react'
import { useT } from '@/i18n'
import { composing } from '@/lib/keys'
import { usePreference } from '@/lib/preferences'
import { toastRetry, toastUndo } from './toast'
import css from './views.module.css'

export interface SavedView {
  name: string
  /** The filters of the list, as they stand in the address. */
  state: Record<string, string>
}

const same = (a: Record<string, string>, b: Record<string, string>) =>
  Object.keys({ ...a, ...b }).every((k) => (a[k] ?? '') === (b[k] ?? ''))

/** Saved views of one list: its filters under a name, kept for the reader. `state` and `onApply` are those of useUrlState. */
export function SavedViews({
  list,
  state,
  defaults,
  onApply,
}: {
  list: string
  state: Record<string, string>
  defaults: Record<string, string>
  onApply: (state: Record<string, string>) => void
}) {
  const t = useT()
  const [views, setViews, ready] = usePreference<SavedView[]>(`views.${list}`, [], toastRetry)
  const [naming, setNaming] = useState(false)
  const [name, setName] = useState('')
  const plain = same(state, defaults)
  const current = views.find((v) => same({ ...defaults, ...v.state }, state))
  if (views.length === 0 && plain) return null
  const save = () => {
    const wanted = name.trim()
    if (!wanted || !ready) return
    setViews([...views.filter((v) => v.name !== wanted), { name: wanted, state }])
    setNaming(false)
    setName('')
  }
  const remove = (v: SavedView) => {
    setViews(views.filter((x) => x !== v))
    toastUndo(t('views.removed', { name: v.name }), () => setViews(views))
  }
  return (
    <nav className={css.views} aria-label={t('views.label')}>
      <button type="button" className={css.view} aria-current={plain ? 'true' : undefined} onClick={() => onApply(defaults)}>
        {t('filter.all')}
      </button>
      {views.map((v) => (
        <span key={v.name} className={css.pair} data-current={v === current || undefined}>
          <button
            type="button"
            className={css.view}
            aria-current={v === current ? 'true' : undefined}
            onClick={() => onApply({ ...defaults, ...v.state })}
          >
            {v.name}
          </button>
          {v === current ? (
            <Menu>
              <Menu.Target>
                <ActionIcon size="sm" aria-label={t('views.options', { name: v.name })}>
                  <EllipsisVertical size={14} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item onClick={() => remove(v)}>{t('action.remove')}</Menu.Item>
              </Menu.Dropdown>
            </Menu>
          ) : null}
        </span>
      ))}
      {!plain && !current ? (
        <Popover opened={naming} onChange={setNaming} trapFocus position="bottom-start" shadow="md">
          <Popover.Target>
            <Button size="compact-sm" variant="subtle" leftSection={<BookmarkPlus size={14} />} onClick={() => setNaming(true)}>
              {t('views.save')}
            </Button>
          </Popover.Target>
          <Popover.Dropdown>
            <Group gap="xs" align="end" wrap="nowrap">
              <TextInput
                label={t('views.name')}
                value={name}
                maxLength={80}
                data-autofocus
                onChange={(e) => setName(e.currentTarget.value)}
                onKeyDown={(e) => e.key === 'Enter' && !composing(e) && save()}
              />
              <Button variant="filled" disabled={!name.trim()} loading={!ready} onClick={save}>
                {t('action.save')}
              </Button>
            </Group>
          </Popover.Dropdown>
        </Popover>
      ) : null}
    </nav>
  )
}
