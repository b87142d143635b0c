import { type Schemas, useList } from '@/api'
import { formatNumber, useT } from '@/i18n'
import { Button, EmptyState, ErrorState, LoadingState, Sheet, Tag, Time } from '@/ui'
import css from './content.module.css'

/** The words of a version, to tell it from the others. */
export function gist(v: Pick<Schemas['Snippet'], 'blocks'>): string {
  const found: string[] = []
  const look = (x: unknown, key: string) => {
    if (typeof x === 'string' && ['text', 'label', 'title', 'html', 'caption'].includes(key)) found.push(x.replace(/<[^>]*>/g, ' '))
    else if (Array.isArray(x)) for (const one of x) look(one, key)
    else if (typeof x === 'object' && x !== null) for (const [k, one] of Object.entries(x)) look(one, k)
  }
  look(v.blocks, '')
  return found.join(' · ').replace(/\s+/g, ' ').trim().slice(0, 160)
}

/** What a snippet said before. An earlier version is put into the editor, where it can be looked at, undone or saved as the newest. */
export function SnippetVersions({
  snippet,
  onTake,
  onClose,
}: {
  snippet: Schemas['Snippet']
  onTake?: (v: Schemas['Snippet']) => void
  onClose: () => void
}) {
  const t = useT()
  const versions = useList('/api/v1/snippets/{key}/versions', { path: { key: snippet.key } })
  return (
    <Sheet title={t('content.versions')} opened onClose={onClose}>
      {versions.loading ? <LoadingState rows={4} /> : null}
      {versions.error ? <ErrorState error={versions.error} onRetry={versions.reload} /> : null}
      <ul className={css.versions}>
        {versions.items.map((v) => (
          <li key={v.version} className={css.past}>
            <div className={css.pastHead}>
              <b>{t('content.version', { n: formatNumber(v.version) })}</b>
              <Time at={v.updated_at} />
            </div>
            <p className={css.hint} lang={v.locale}>
              {gist(v)}
            </p>
            {v.version === snippet.version ? (
              <Tag tone="success">{t('snippets.current')}</Tag>
            ) : onTake ? (
              <Button size="xs" onClick={() => onTake(v)}>
                {t('snippets.take')}
              </Button>
            ) : null}
          </li>
        ))}
      </ul>
      {versions.items.length === 1 ? <EmptyState title={t('snippets.no_past')} /> : null}
      {versions.more ? <Button onClick={versions.loadMore}>{t('list.more')}</Button> : null}
    </Sheet>
  )
}
