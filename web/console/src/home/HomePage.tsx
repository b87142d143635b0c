import { Users } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { useRead } from '@/api'
import { useCan, useSession } from '@/app/session'
import { useT } from '@/i18n'
import type { PlainFigure } from '@/report/PeopleBehind'
import { SummaryKey } from '@/report/Summary'
import { Ago, Amounts, Card, DashboardPage, EmptyState, Group, LinkButton, Num, PartialState, Stat } from '@/ui'
import {
  ActivityCard,
  AttentionCard,
  CampaignsCard,
  EventsCard,
  FindCard,
  JourneysCard,
  MessagesCard,
  SegmentsCard,
  SummaryCards,
  TasksCard,
} from './cards'
import { Onboarding } from './Onboarding'
import { SampleCard, SampleMark } from './SampleCard'

const PeopleOf = lazy(() => import('@/report/PeopleBehind').then((m) => ({ default: m.PeopleOf })))

const sum = <K extends string>(days: Record<K, number>[] | null, figure: K) => (days ?? []).reduce((n, d) => n + d[figure], 0)

// What each role comes for, first things first. Who decides sees how the month went; who works sees what waits.
const cards = {
  attention: AttentionCard,
  summary: SummaryCards,
  activity: ActivityCard,
  messages: MessagesCard,
  campaigns: CampaignsCard,
  journeys: JourneysCard,
  segments: SegmentsCard,
  events: EventsCard,
  find: FindCard,
  tasks: TasksCard,
}
const deciders: (keyof typeof cards)[] = ['attention', 'summary', 'activity', 'messages', 'campaigns', 'journeys']
const homes: Record<string, typeof deciders> = {
  owner: deciders,
  admin: deciders,
  viewer: ['summary', 'activity', 'messages'],
  marketer: ['attention', 'campaigns', 'journeys', 'messages', 'segments', 'events'],
  analyst: ['summary', 'activity', 'messages', 'segments', 'events'],
  agent: ['find', 'tasks'],
}
const bySummary = ['owner', 'admin', 'viewer', 'analyst']

/** Where everybody begins; what stands here depends on what the reader does. */
export default function HomePage() {
  const t = useT()
  const can = useCan()
  const role = useSession().role || 'owner'
  const reports = can('reports.read')
  const overview = useRead('/api/v1/reports/overview', {}, { enabled: reports })
  const decides = bySummary.includes(role)
  const summary = useRead('/api/v1/reports/summary', { query: {} }, { enabled: reports && decides })
  const o = overview.data
  const days = o?.days ?? []
  const [figure, setFigure] = useState<PlainFigure | null>(null)
  const behind = (name: string, metric: string) =>
    o && can('people.read') ? () => setFigure({ title: t(`home.${name}`), query: { metric } }) : undefined
  const lead = t(`home.lead_${decides ? 'decide' : role === 'agent' ? 'agent' : 'work'}`)
  if (o && o.people === 0)
    return (
      <DashboardPage title={t('nav.home')} lead={lead}>
        <Onboarding />
        <SampleCard />
        <Card wide>
          <EmptyState
            icon={Users}
            title={t('home.empty')}
            text={t('overview.no_events')}
            action={
              <Group gap="xs" justify="center">
                {can('import.write') ? <LinkButton to="/people/import">{t('imports.title')}</LinkButton> : null}
                {can('settings.write') ? (
                  <LinkButton to="/settings/sources" variant="filled">
                    {t('home.connect')}
                  </LinkButton>
                ) : null}
              </Group>
            }
          />
        </Card>
      </DashboardPage>
    )
  return (
    <DashboardPage
      title={t('nav.home')}
      status={<SampleMark />}
      lead={lead}
      meta={
        o?.latest_event_at ? (
          <span>
            {t('home.last_event')}
            {t('links.colon')}
            <Ago at={o.latest_event_at} />
          </span>
        ) : null
      }
      loading={reports && ((!o && !overview.error) || (decides && !summary.data && !summary.error))}
      kpis={
        decides ? (
          <SummaryKey of={summary.data} />
        ) : reports ? (
          <>
            <Stat to="/people" label={t('home.people')} value={<Num value={o?.people} />} />
            <Stat onClick={behind('sent', 'sent')} label={t('home.sent')} value={<Num value={o ? sum(days, 'sent') : undefined} />} />
            <Stat
              onClick={behind('refused', 'refused')}
              label={t('home.refused')}
              value={<Num value={o ? sum(days, 'refused') : undefined} />}
            />
            <Stat
              onClick={behind('goals', 'journey_goals')}
              label={t('home.goals')}
              value={<Num value={o ? sum(days, 'journey_goals') : undefined} />}
            />
            <Stat
              onClick={behind('orders', 'orders')}
              label={t('home.orders')}
              value={<Num value={o?.orders} />}
              note={<Amounts of={o?.revenue} />}
            />
            {figure ? (
              <Suspense>
                <PeopleOf path="/api/v1/reports/overview/people" figure={figure} onClose={() => setFigure(null)} />
              </Suspense>
            ) : null}
          </>
        ) : null
      }
    >
      <Onboarding />
      {overview.error && !o ? <PartialState error={overview.error} onRetry={() => void overview.refetch()} /> : null}
      {summary.error && !summary.data ? <PartialState error={summary.error} onRetry={() => void summary.refetch()} /> : null}
      {(homes[role] ?? deciders).map((name) => {
        const C = cards[name]
        return <C key={name} />
      })}
    </DashboardPage>
  )
}
