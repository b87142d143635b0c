// The cards that homes are made of.
import { CircleAlert, CircleCheck } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { useRead } from '@/api'
import { useAttention } from '@/app/attention'
import { useCan } from '@/app/session'
import { formatDay, formatNumber, useT } from '@/i18n'
import { eventName, happening } from '@/people/happening'
import { useGo } from '@/lib/route'
import type { PlainFigure } from '@/report/PeopleBehind'
import { Anomalies, Health, Revenue } from '@/report/Summary'
import { Ago, Card, Chart, DataTable, EmptyState, Link, Loaded, Pending, PersonLink, SearchBox, Status, Time } from '@/ui'
import css from './Onboarding.module.css'

const PreviewPeople = lazy(() => import('@/segments/PreviewPeople').then((m) => ({ default: m.PreviewPeople })))
const PeopleOf = lazy(() => import('@/report/PeopleBehind').then((m) => ({ default: m.PeopleOf })))

/** What a chart of days needs for its figures to lead to their people; `figures` are the names of its series, in their order. */
function useDays(days: { date: string }[], figures: { name: string; metric: string }[]) {
  const read = useCan()('people.read')
  const [figure, setFigure] = useState<PlainFigure | null>(null)
  const onPick = (day: number, _?: string, series = 0) => {
    const d = days[day]
    const f = figures[series]
    if (d && f) setFigure({ title: `${f.name} · ${formatDay(`${d.date}T12:00:00`)}`, query: { metric: f.metric, day: d.date } })
  }
  const people = figure ? (
    <Suspense>
      <PeopleOf path="/api/v1/reports/overview/people" figure={figure} onClose={() => setFigure(null)} />
    </Suspense>
  ) : null
  return { onPick: read ? onPick : undefined, people }
}

/** In whose days the figures of the workspace are. */
const useZone = () => useRead('/api/v1/workspace', {}).data?.timezone

/** Who is active and what they do, day by day. */
export function ActivityCard() {
  const t = useT()
  const overview = useRead('/api/v1/reports/overview', {})
  const zone = useZone()
  const days = overview.data?.days ?? []
  const labels = days.map((d) => formatDay(`${d.date}T12:00:00`))
  const { onPick, people } = useDays(days, [
    { name: t('home.active_people'), metric: 'active_people' },
    { name: t('home.events'), metric: 'events' },
  ])
  return (
    <Card title={t('home.activity')}>
      <Chart
        kind="area"
        title={t('home.activity')}
        zone={zone}
        onPick={onPick}
        data={{
          labels,
          series: [
            { name: t('home.active_people'), values: days.map((d) => d.active_people) },
            { name: t('home.events'), values: days.map((d) => d.events) },
          ],
        }}
      />
      {people}
    </Card>
  )
}

/** What was sent and what came of it, day by day. */
export function MessagesCard() {
  const t = useT()
  const overview = useRead('/api/v1/reports/overview', {})
  const zone = useZone()
  const days = overview.data?.days ?? []
  const labels = days.map((d) => formatDay(`${d.date}T12:00:00`))
  const metrics = ['sent', 'opened', 'clicked'] as const
  const { onPick, people } = useDays(
    days,
    metrics.map((metric) => ({ name: t(`metric.${metric}`), metric })),
  )
  return (
    <Card title={t('home.messages')}>
      <Chart
        kind="bar"
        title={t('home.messages')}
        zone={zone}
        onPick={onPick}
        data={{
          labels,
          series: metrics.map((m) => ({ name: t(`metric.${m}`), values: days.map((d) => d[m]) })),
        }}
      />
      {people}
    </Card>
  )
}

/** The newest segments and how many are in them. */
export function SegmentsCard() {
  const t = useT()
  const segments = useRead('/api/v1/segments', { query: { limit: 6 } })
  return (
    <Card title={t('nav.segments')} flush actions={<Link to="/segments">{t('home.all')}</Link>}>
      <Loaded of={segments}>
        {(d) => (
          <DataTable
            bare
            plain
            name="home.segments"
            label={t('nav.segments')}
            rows={d.items ?? []}
            rowId={(s) => s.id}
            columns={[
              { id: 'name', title: t('field.name'), cell: (s) => <Link to={`/segments/${s.id}`}>{s.name}</Link> },
              { id: 'size', title: t('field.people'), num: true, cell: (s) => formatNumber(s.size) },
            ]}
            empty={<EmptyState title={t('segments.empty')} />}
          />
        )}
      </Loaded>
    </Card>
  )
}

/** How journeys go, those that run before drafts. */
export function JourneysCard() {
  const t = useT()
  const journeys = useRead('/api/v1/journeys', { query: { limit: 200 } })
  return (
    <Card title={t('nav.journeys')} flush actions={<Link to="/journeys">{t('home.all')}</Link>}>
      <Loaded of={journeys}>
        {(d) => (
          <DataTable
            bare
            plain
            name="home.journeys"
            label={t('nav.journeys')}
            rows={(d.items ?? []).toSorted((a, b) => Number(b.status === 'live') - Number(a.status === 'live')).slice(0, 6)}
            rowId={(j) => j.id}
            columns={[
              { id: 'name', title: t('field.name'), cell: (j) => <Link to={`/journeys/${j.id}`}>{j.name}</Link> },
              { id: 'status', title: t('field.status'), cell: (j) => <Status value={j.status} /> },
              { id: 'active', title: t('journeys.inside'), num: true, cell: (j) => formatNumber(j.active) },
              { id: 'goals', title: t('journeys.goal'), num: true, cell: (j) => formatNumber(j.goals) },
            ]}
            empty={<EmptyState title={t('journeys.empty')} />}
          />
        )}
      </Loaded>
    </Card>
  )
}

/** The newest campaigns and how far they are. */
export function CampaignsCard() {
  const t = useT()
  const campaigns = useRead('/api/v1/campaigns', { query: { limit: 6 } })
  return (
    <Card title={t('nav.campaigns')} flush actions={<Link to="/campaigns">{t('home.all')}</Link>}>
      <Loaded of={campaigns}>
        {(d) => (
          <DataTable
            bare
            plain
            name="home.campaigns"
            label={t('nav.campaigns')}
            rows={d.items ?? []}
            rowId={(c) => c.id}
            columns={[
              { id: 'name', title: t('field.name'), cell: (c) => <Link to={`/campaigns/${c.id}`}>{c.name}</Link> },
              { id: 'status', title: t('field.status'), cell: (c) => <Status value={c.status} /> },
              { id: 'at', title: t('field.time'), num: true, cell: (c) => <Ago at={c.launched_at ?? c.created_at} /> },
            ]}
            empty={<EmptyState title={t('campaigns.empty')} />}
          />
        )}
      </Loaded>
    </Card>
  )
}

/** What happens most; each leads to the people who did it. */
export function EventsCard() {
  const t = useT()
  const names = useRead('/api/v1/event-names', { query: { limit: 8 } })
  const [open, setOpen] = useState<{ type: string; name: string } | null>(null)
  return (
    <Card title={t('overview.what_happens')} flush>
      <Loaded of={names}>
        {(d) => (
          <DataTable
            bare
            plain
            name="home.events"
            label={t('overview.what_happens')}
            rows={d.items ?? []}
            rowId={(n) => `${n.type} ${n.name}`}
            onOpen={setOpen}
            columns={[
              {
                id: 'name',
                title: t('field.event'),
                opens: true,
                cell: (n) => [happening(n), ...(happening(n) === eventName(n) ? [] : [eventName(n)])].join(' · '),
              },
              { id: 'count', title: t('field.count'), num: true, cell: (n) => formatNumber(n.count) },
            ]}
          />
        )}
      </Loaded>
      {open ? (
        <Suspense>
          <PreviewPeople
            rule={{ event: open.name ? { type: open.type, name: open.name } : { type: open.type } }}
            part={{ title: happening(open) }}
            onClose={() => setOpen(null)}
          />
        </Suspense>
      ) : null}
    </Card>
  )
}

/** What waits for the reader. */
export function AttentionCard() {
  const t = useT()
  const notices = useAttention()
  if (!notices) return <Pending />
  return (
    <Card wide title={t('attention.title')}>
      {notices.length === 0 ? (
        <div className={css.step} data-done>
          <CircleCheck size={18} aria-hidden />
          {t('attention.none')}
        </div>
      ) : (
        <ul className={css.steps}>
          {notices.map((n) => (
            <li key={n.id} className={css.step}>
              <CircleAlert size={18} aria-hidden color={n.urgent ? 'var(--ui-danger-text)' : 'var(--ui-text-muted)'} />
              <Link to={n.to}>{n.text}</Link>
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}

/** How the last thirty days went, for those who decide. */
export function SummaryCards() {
  const summary = useRead('/api/v1/reports/summary', { query: {} })
  const s = summary.data
  if (!s) return summary.isLoading ? <Pending /> : null
  return (
    <>
      <Anomalies of={s} />
      <Health of={s} />
      <Revenue of={s} />
    </>
  )
}

/** Straight to a person. */
export function FindCard() {
  const t = useT()
  const go = useGo()
  const [q, setQ] = useState('')
  const found = useRead('/api/v1/people', { query: { q, limit: 6 } }, { enabled: q !== '', keep: true })
  return (
    <Card wide title={t('home.find')}>
      <SearchBox value={q} onChange={setQ} placeholder={t('people.search')} />
      {q ? (
        <Loaded of={found}>
          {(d) => (
            <DataTable
              bare
              plain
              name="home.people"
              label={t('nav.people')}
              rows={d.items ?? []}
              rowId={(p) => p.id}
              onOpen={(p) => go(`/people/${p.id}`)}
              columns={[
                { id: 'person', title: t('field.person'), cell: (p) => <PersonLink person={p} /> },
                { id: 'seen', title: t('field.last_seen'), num: true, cell: (p) => <Ago at={p.last_seen} /> },
              ]}
              empty={<EmptyState title={t('list.nobody')} />}
            />
          )}
        </Loaded>
      ) : null}
    </Card>
  )
}

/** What staff are asked to do. */
export function TasksCard() {
  const t = useT()
  const tasks = useRead('/api/v1/tasks', { query: { status: 'open', limit: 12 } })
  return (
    <Card wide title={t('home.tasks')} flush>
      <Loaded of={tasks}>
        {(d) => (
          <DataTable
            bare
            plain
            name="home.tasks"
            label={t('home.tasks')}
            rows={d.items ?? []}
            rowId={(x) => x.id}
            columns={[
              {
                id: 'title',
                title: t('home.task'),
                cell: (x) => (x.person_id ? <Link to={`/people/${x.person_id}`}>{x.title}</Link> : x.title),
              },
              { id: 'due', title: t('home.due'), num: true, cell: (x) => (x.due_at ? <Time at={x.due_at} /> : '–') },
              { id: 'made', title: t('field.time'), num: true, cell: (x) => <Ago at={x.created_at} /> },
            ]}
            empty={<EmptyState title={t('home.no_tasks')} text={t('home.no_tasks_help')} />}
          />
        )}
      </Loaded>
    </Card>
  )
}
