import { Activity, Eye, type LucideIcon, Mail, Route, UserRound, Users } from 'lucide-react'
import { type Schemas, useList } from '@/api'
import { formatClock, formatDayInFull, formatTime, useT, word } from '@/i18n'
import { useNames } from '@/journeys/useThings'
import { useUrlState } from '@/lib/route'
import { Button, Card, EmptyState, ErrorState, FilterBar, FilterChip, Json, Link, LoadingState, SearchBox } from '@/ui'
import { about, happening } from './happening'
import { Sealed } from './Sealed'
import css from './EventTimeline.module.css'

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
  'task',
] as const
type EventType = (typeof types)[number]

const icons: Record<string, LucideIcon> = { page: Eye, screen: Eye, message: Mail, segment: Users, journey: Route, identify: UserRound }

type Event = Schemas['PersonEvent']

/** What happened on each of the reader's days. */
function days(list: Event[]): Event[][] {
  const out: Event[][] = []
  for (const e of list) {
    const last = out.at(-1)
    if (last && new Date(last[0]!.time).toDateString() === new Date(e.time).toDateString()) last.push(e)
    else out.push([e])
  }
  return out
}

/** Everything that happened to one person, newest first. */
export function EventTimeline({ id }: { id: string }) {
  const t = useT()
  const [filter, setFilter] = useUrlState({ type: '', q: '' })
  const names = useNames()
  const filtered = filter.type !== '' || filter.q !== ''
  const events = useList(
    '/api/v1/people/{id}/events',
    { path: { id }, query: { ...(filter.type ? { type: filter.type as EventType } : {}), ...(filter.q ? { q: filter.q } : {}) } },
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
    <FilterBar active={filtered} onClear={() => setFilter({ type: '', q: '' })}>
      <SearchBox value={filter.q} onChange={(q) => setFilter({ q })} placeholder={t('person.search_events')} />
      <FilterChip
        label={t('field.kind')}
        value={filter.type}
        choices={types.map((value) => ({ value, label: word('event_type', value) }))}
        onChange={(type) => setFilter({ type })}
      />
    </FilterBar>
  )
  const more = events.more ? (
    <Button variant="subtle" loading={events.loadingMore} onClick={events.loadMore}>
      {t('list.more')}
    </Button>
  ) : null
  if (events.items.length === 0)
    return (
      <Card>
        {filtered ? bar : null}
        {events.more ? (
          <EmptyState icon={Activity} title={t('person.no_events_yet')} action={more} />
        ) : filtered ? (
          <EmptyState icon={Activity} title={t('state.nothing_found')} text={t('state.nothing_found_help')} />
        ) : (
          <EmptyState icon={Activity} title={t('person.no_events')} />
        )}
      </Card>
    )
  return (
    <Card>
      {bar}
      {days(events.items).map((day) => (
        <section key={day[0]!.message_id}>
          <h3 className={css.day}>{formatDayInFull(day[0]!.time)}</h3>
          <ol>
            {day.map((e) => (
              <Happening key={e.message_id} person={id} event={e} names={names} />
            ))}
          </ol>
        </section>
      ))}
      {more}
    </Card>
  )
}

/** The message that an event tells of. */
function messageOf(e: Event): string {
  const id = ((e.properties ?? {}) as Record<string, unknown>).message_id
  return typeof id === 'string' ? id : ''
}

function Happening({ person, event: e, names }: { person: string; event: Event; names: Record<string, string> }) {
  const t = useT()
  const Icon = icons[e.type] ?? Activity
  return (
    <li className={css.item} data-kind={e.type}>
      <span className={css.icon}>
        <Icon size={14} />
      </span>
      <details className={css.body}>
        <summary data-finger>
          <span className={css.what}>
            <span className={css.name}>{happening(e)}</span>
            <span className={css.about}>{about(e, names)}</span>
          </span>
          <time className={css.time} dateTime={e.time} title={formatTime(e.time)}>
            {formatClock(e.time)}
          </time>
        </summary>
        {e.type === 'message' && messageOf(e) ? (
          <Link to={`/people/why?person=${person}&message=${messageOf(e)}`}>{t('why.ask')}</Link>
        ) : null}
        <Json value={{ message_id: e.message_id, ...((e.properties ?? {}) as object) }} />
        {e.encrypted?.length ? <Sealed person={person} messageId={e.message_id} fields={e.encrypted} /> : null}
      </details>
    </li>
  )
}
