import { Users } from 'lucide-react'
import { useRead } from '@/api'
import { formatDay, formatNumber, useT } from '@/i18n'
import {
  Ago,
  Amounts,
  Card,
  Chart,
  DashboardPage,
  DataTable,
  EmptyState,
  Link,
  LinkButton,
  Loaded,
  Num,
  PartialState,
  Stat,
  Status,
} from '@/ui'
import { Onboarding } from './Onboarding'

const sum = <K extends string>(days: Record<K, number>[] | null, figure: K) => (days ?? []).reduce((n, d) => n + d[figure], 0)

/** The loop at a glance: who is there, what they do, what reached them. */
export default function HomePage() {
  const t = useT()
  const overview = useRead('/api/v1/reports/overview', {})
  const names = useRead('/api/v1/event-names', { query: { limit: 8 } })
  const segments = useRead('/api/v1/segments', { query: { limit: 6 } })
  const journeys = useRead('/api/v1/journeys', { query: { limit: 6 } })
  const campaigns = useRead('/api/v1/campaigns', { query: { limit: 6 } })
  const o = overview.data
  const days = o?.days ?? []
  const labels = days.map((d) => formatDay(`${d.date}T12:00:00`))
  if (o && o.people === 0)
    return (
      <DashboardPage title={t('nav.home')} lead={t('home.lead')}>
        <Onboarding />
        <Card wide>
          <EmptyState
            icon={Users}
            title={t('home.empty')}
            text={t('overview.no_events')}
            action={
              <LinkButton to="/settings/sources" variant="filled">
                {t('home.connect')}
              </LinkButton>
            }
          />
        </Card>
      </DashboardPage>
    )
  return (
    <DashboardPage
      title={t('nav.home')}
      lead={t('home.lead')}
      meta={
        o?.latest_event_at ? (
          <span>
            {t('home.last_event')} <Ago at={o.latest_event_at} />
          </span>
        ) : null
      }
      kpis={
        <>
          <Stat to="/people" label={t('home.people')} value={<Num value={o?.people} />} />
          <Stat label={t('home.events')} value={<Num value={o?.events} />} />
          <Stat to="/campaigns" label={t('home.sent')} value={<Num value={o ? sum(days, 'sent') : undefined} />} />
          <Stat to="/campaigns" label={t('home.refused')} value={<Num value={o ? sum(days, 'refused') : undefined} />} />
          <Stat to="/journeys" label={t('home.goals')} value={<Num value={o ? sum(days, 'journey_goals') : undefined} />} />
          <Stat label={t('home.orders')} value={<Num value={o?.orders} />} note={<Amounts of={o?.revenue} />} />
        </>
      }
    >
      <Onboarding />
      {overview.error && !o ? <PartialState error={overview.error} onRetry={() => void overview.refetch()} /> : null}
      <Card title={t('home.activity')}>
        <Chart
          kind="area"
          title={t('home.activity')}
          data={{
            labels,
            series: [
              { name: t('home.active_people'), values: days.map((d) => d.active_people) },
              { name: t('home.events'), values: days.map((d) => d.events) },
            ],
          }}
        />
      </Card>
      <Card title={t('home.messages')}>
        <Chart
          kind="bar"
          title={t('home.messages')}
          data={{
            labels,
            series: (['sent', 'opened', 'clicked'] as const).map((m) => ({ name: t(`metric.${m}`), values: days.map((d) => d[m]) })),
          }}
        />
      </Card>
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
      <Card title={t('nav.journeys')} flush actions={<Link to="/journeys">{t('home.all')}</Link>}>
        <Loaded of={journeys}>
          {(d) => (
            <DataTable
              bare
              plain
              name="home.journeys"
              label={t('nav.journeys')}
              rows={d.items ?? []}
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
              columns={[
                { id: 'name', title: t('field.event'), cell: (n) => n.name || n.type },
                { id: 'count', title: t('field.count'), num: true, cell: (n) => formatNumber(n.count) },
              ]}
            />
          )}
        </Loaded>
      </Card>
    </DashboardPage>
  )
}
