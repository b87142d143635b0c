import { Activity, Eye, type LucideIcon, Mail, Route, UserRound, Users } from 'lucide-react'
import { type Schemas, useList } from '@/api'
import { useT, word } from '@/i18n'
import { useUrlState } from '@/lib/route'
import { Button, Card, EmptyState, ErrorState, FilterBar, FilterChip, Json, LoadingState, Time } from '@/ui'
import { Sealed } from './Sealed'
import css from './EventTimeline.module.css'

type Event = Schemas['PersonEvent']

const types = [
  'track',
  'page',
  'screen',
  'identify',
  'message',
  'segment',
  'journey',
  'consent',
  'invoice',
  'standing',
  'identity',
] as const
type EventType = (typeof types)[number]

const icons: Record<string, LucideIcon> = { page: Eye, screen: Eye, message: Mail, segment: Users, journey: Route, identify: UserRound }

function about(e: Event): string {
  const p = (e.properties ?? {}) as Record<string, unknown>
  const what =
    p.title ??
    p.segment_name ??
    p.subject ??
    p.name ??
    p.url ??
    p.reason ??
    (e.type === 'journey' && p.why ? word('status', String(p.why)) : '')
  const total = p.total !== undefined && p.currency ? `${p.total} ${p.currency}` : ''
  return [String(what), total].filter(Boolean).join(' · ')
}

/** Everything that happened to one person, newest first. */
export function EventTimeline({ id }: { id: string }) {
  const t = useT()
  const [filter, setFilter] = useUrlState({ type: '' })
  const events = useList(
    '/api/v1/people/{id}/events',
    { path: { id }, query: filter.type ? { type: filter.type as EventType } : {} },
    { size: 30 },
  )
  if (events.loading)
    return (
      <Card>
        <LoadingState rows={8} />
      </Card>
    )
  if (events.error && events.items.length === 0)
    return (
      <Card>
        <ErrorState error={events.error} onRetry={events.reload} />
      </Card>
    )
  const bar = (
    <FilterBar active={filter.type !== ''} onClear={() => setFilter({ type: '' })}>
      <FilterChip
        label={t('field.kind')}
        value={filter.type}
        choices={types.map((value) => ({ value, label: word('event_type', value) }))}
        onChange={(type) => setFilter({ type })}
      />
    </FilterBar>
  )
  if (events.items.length === 0)
    return (
      <Card>
        {filter.type ? bar : null}
        <EmptyState icon={Activity} title={t('person.no_events')} />
      </Card>
    )
  return (
    <Card>
      {bar}
      <ol className={css.line}>
        {events.items.map((e) => {
          const Icon = icons[e.type] ?? Activity
          return (
            <li key={e.message_id} className={css.item} data-kind={e.type}>
              <span className={css.icon}>
                <Icon size={14} />
              </span>
              <details className={css.body}>
                <summary>
                  <span className={css.name}>{e.name || e.type}</span>
                  {about(e) === e.name ? null : <span className={css.about}>{about(e)}</span>}
                  <span className={css.time}>
                    <Time at={e.time} />
                  </span>
                </summary>
                <Json value={{ message_id: e.message_id, ...((e.properties ?? {}) as object) }} />
                {e.encrypted?.length ? <Sealed person={id} messageId={e.message_id} fields={e.encrypted} /> : null}
              </details>
            </li>
          )
        })}
      </ol>
      {events.more ? (
        <Button variant="subtle" loading={events.loadingMore} onClick={events.loadMore}>
          {t('list.more')}
        </Button>
      ) : null}
    </Card>
  )
}
