import { useState } from 'react'
import { type Listing, type Schemas, useList } from '@/api'
import { formatNumber, useT } from '@/i18n'
import { Button, EmptyState, ErrorState, LoadingState, Note, Sheet, Stack, Tag, Time, toast } from '@/ui'
import { Both, type Difference } from './ClashNotice'

interface Props<T> {
  path:
    | '/api/v1/segments/{id}/versions'
    | '/api/v1/campaigns/{id}/versions'
    | '/api/v1/series/{id}/versions'
    | '/api/v1/journey-maps/{id}/versions'
    | '/api/v1/personas/{id}/versions'
  id: string
  /** The revision that is saved now; without it the newest version is. */
  now?: number
  /** What is said once a version was put into the editor; without it that it is there and not saved yet. */
  taken?: (n: string) => string
  /** Where a version differs from what is in the editor. */
  differences: (then: T) => Difference[]
  /** Puts a version into the editor, where it can be looked at and saved as the newest. */
  onTake: (then: T) => void
}

/** Leads to what a thing said each time it was saved. */
export function PastVersions<T>(props: Props<T>) {
  const t = useT()
  const [opened, setOpened] = useState(false)
  return (
    <>
      <Button onClick={() => setOpened(true)}>{t('content.versions')}</Button>
      {opened ? <VersionsSheet {...props} onClose={() => setOpened(false)} /> : null}
    </>
  )
}

/** They themselves, where something else leads to them. */
export function VersionsSheet<T>({ path, id, now, taken, differences, onTake, onClose }: Props<T> & { onClose: () => void }) {
  const t = useT()
  const [open, setOpen] = useState(0)
  // One shape, whichever of the paths it is.
  const versions = useList(path as '/api/v1/segments/{id}/versions', { path: { id } }) as Listing<Schemas['ThingVersion']>
  return (
    <Sheet title={t('content.versions')} opened wide onClose={onClose}>
      {versions.loading ? <LoadingState rows={4} /> : null}
      {versions.error ? <ErrorState error={versions.error} onRetry={versions.reload} /> : null}
      <Stack gap="lg">
        {versions.items.map((v, place) => {
          const then = v.document as T
          return (
            <section key={v.revision} aria-label={t('content.version', { n: formatNumber(v.revision) })}>
              <Stack gap="xs" align="flex-start">
                <b>{t('content.version', { n: formatNumber(v.revision) })}</b>
                <Note>
                  {v.saved_by ? `${v.saved_by} · ` : ''}
                  <Time at={v.saved_at} />
                </Note>
                {(now === undefined ? place === 0 : v.revision === now) ? <Tag tone="success">{t('snippets.current')}</Tag> : null}
                {open === v.revision ? (
                  <Both differences={differences(then)} theirs={t('versions.then')} mine={t('versions.editor')} />
                ) : null}
                <span>
                  {open === v.revision ? null : (
                    <Button size="xs" onClick={() => setOpen(v.revision)}>
                      {t('versions.compare')}
                    </Button>
                  )}{' '}
                  <Button
                    size="xs"
                    onClick={() => {
                      onTake(then)
                      onClose()
                      const n = formatNumber(v.revision)
                      toast(taken?.(n) ?? t('versions.taken', { n }))
                    }}
                  >
                    {t('snippets.take')}
                  </Button>
                </span>
              </Stack>
            </section>
          )
        })}
      </Stack>
      {!versions.loading && !versions.error && versions.items.length === 0 ? <EmptyState title={t('snippets.no_past')} /> : null}
      {versions.more ? <Button onClick={versions.loadMore}>{t('list.more')}</Button> : null}
    </Sheet>
  )
}
