import { ChevronLeft, ChevronRight } from 'lucide-react'
import { useState } from 'react'
import { type Schemas, useRead } from '@/api'
import { formatClock, formatDate, formatDay, formatDays, formatNearDay, formatNumber, formatZone, hereZone, useT } from '@/i18n'
import { useUrlState } from '@/lib/route'
import { useCan } from '@/app/session'
import { daysBefore } from '@/report/compare'
import figures from '@/report/Figures.module.css'
import { PeopleOf, type PlainFigure } from '@/report/PeopleBehind'
import { weekday } from '@/series/rhythm'
import {
  Button,
  Card,
  DataTable,
  EmptyState,
  Group,
  IconButton,
  Link,
  ListPage,
  Loaded,
  Note,
  SegmentedControl,
  Stack,
  UnstyledButton,
} from '@/ui'
import { Cadence } from './Cadence'
import { CampaignTabs } from './CampaignTabs'
import { Pressure } from './Pressure'
import css from './PlanPage.module.css'

type Plan = Schemas['Plan']

/** The Monday of a day's week. */
const monday = (day: string) => daysBefore(day, (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7)

/** The days that a view shows: whole weeks, from Monday. */
function daysOf(view: string, at: string): { from: string; to: string } {
  if (view === 'week') return { from: monday(at), to: daysBefore(monday(at), -6) }
  const first = `${at.slice(0, 8)}01`
  const next = `${daysBefore(first, -31).slice(0, 8)}01`
  return { from: monday(first), to: daysBefore(monday(daysBefore(next, 1)), -6) }
}

/** What went and what will go, day by day: where it collides, how it stands to the cadence, and what it comes to for one person. */
export default function PlanPage() {
  const t = useT()
  const can = useCan()
  const [figure, setFigure] = useState<PlainFigure | null>(null)
  const [now] = useState(() => new Intl.DateTimeFormat('en-CA').format(new Date()))
  const [state, setState] = useUrlState({ view: 'month', at: '' })
  const at = state.at || now
  const days = daysOf(state.view, at)
  const plan = useRead('/api/v1/plan', { query: days }, { keep: true })
  const zone = plan.data?.zone
  const step = (n: number) =>
    setState({
      at:
        state.view === 'week'
          ? daysBefore(at, -7 * n)
          : n > 0
            ? `${daysBefore(`${at.slice(0, 8)}01`, -31).slice(0, 8)}01`
            : `${daysBefore(`${at.slice(0, 8)}01`, 1).slice(0, 8)}01`,
    })
  return (
    <ListPage
      title={t('plan.title')}
      lead={t('plan.lead')}
      views={<CampaignTabs at="plan" />}
      filters={
        <Group gap="xs" mb="md">
          <SegmentedControl
            aria-label={t('plan.view')}
            value={state.view}
            onChange={(view) => setState({ view })}
            data={['month', 'week'].map((v) => ({ value: v, label: t(`plan.${v}`) }))}
          />
          <Group gap={4}>
            <IconButton label={t('plan.before')} variant="default" onClick={() => step(-1)}>
              <ChevronLeft size={16} />
            </IconButton>
            <Button onClick={() => setState({ at: '' })}>{t('plan.today')}</Button>
            <IconButton label={t('plan.after')} variant="default" onClick={() => step(1)}>
              <ChevronRight size={16} />
            </IconButton>
          </Group>
          <strong>{formatDays(days.from, days.to)}</strong>
          {zone && zone !== hereZone() ? <Note>{t('plan.zone', { zone: formatZone(zone) })}</Note> : null}
        </Group>
      }
    >
      <Loaded of={plan}>
        {(p) => (
          <Stack gap="md">
            <Calendar plan={p} />
            <Cadence plan={p} />
            <Conflicts plan={p} onOpen={can('people.read') ? setFigure : undefined} />
            <Pressure plan={p} onOpen={can('people.read') ? setFigure : undefined} />
          </Stack>
        )}
      </Loaded>
      <PeopleOf path="/api/v1/plan/people" figure={figure} onClose={() => setFigure(null)} />
    </ListPage>
  )
}

const address = (e: Schemas['PlanEntry']) => (e.campaign ? `/campaigns/${e.campaign}` : `/campaigns/series/${e.series}`)

function Calendar({ plan: p }: { plan: Plan }) {
  const t = useT()
  const [today] = useState(() => new Intl.DateTimeFormat('en-CA', { timeZone: p.zone }).format(new Date()))
  const days: string[] = []
  for (let d = p.from; d <= p.to; d = daysBefore(d, -1)) days.push(d)
  return (
    <div className={css.grid}>
      {[1, 2, 3, 4, 5, 6, 0].map((d) => (
        <div key={d} className={css.head}>
          {weekday(d, 'short')}
        </div>
      ))}
      {days.map((d, i) => {
        const entries = (p.entries ?? []).filter((e) => e.date === d)
        const journeys = (p.journeys ?? []).filter((j) => j.date === d)
        const clashes = (p.conflicts ?? []).filter((c) => c.date === d).length
        return (
          <div key={d} className={`${css.day} ${d === today ? css.today : ''} ${entries.length + journeys.length ? '' : css.empty}`}>
            <time dateTime={d} className={css.date} aria-current={d === today ? 'date' : undefined}>
              <span className={css.long}>{formatNearDay(`${d}T12:00:00`)}</span>
              <span className={css.short} aria-hidden>
                {i === 0 || d.endsWith('-01') ? formatDay(`${d}T12:00:00`) : Number(d.slice(8))}
              </span>
            </time>
            {entries.map((e) => (
              <Link key={`${e.campaign}${e.series}${e.at}`} to={address(e)} className={css.entry}>
                <span className={css.name}>{e.name}</span>
                <span className={css.detail}>
                  {e.shown ? e.shown.slice(11, 16) : formatClock(e.at, p.zone)} ·{' '}
                  {t('plan.to_people', { count: e.people, n: formatNumber(e.people) })}
                </span>
              </Link>
            ))}
            {journeys.map((j) => (
              <Link key={j.journey} to={`/journeys/${j.journey}`} className={`${css.entry} ${css.soft}`}>
                <span className={css.name}>{j.name || t('report.none')}</span>
                <span className={css.detail}>{t('plan.sent', { count: j.sent, n: formatNumber(j.sent) })}</span>
              </Link>
            ))}
            {clashes ? <div className={css.clash}>{t('plan.clashes', { count: clashes })}</div> : null}
          </div>
        )
      })}
    </div>
  )
}

function Conflicts({ plan: p, onOpen }: { plan: Plan; onOpen?: (f: PlainFigure) => void }) {
  const t = useT()
  const entry = (i: number) => {
    const e = p.entries?.[i]
    return e ? <Link to={address(e)}>{e.name}</Link> : null
  }
  const behind = (c: Schemas['PlanConflict']) => {
    const [a, b] = [p.entries?.[c.a], p.entries?.[c.b]]
    if (!onOpen || !a || !b) return formatNumber(c.people)
    const id = (e: Schemas['PlanEntry']) => (e.campaign || e.series) ?? ''
    return (
      <UnstyledButton
        className={figures.link}
        onClick={() => onOpen({ title: `${a.name} · ${b.name}`, query: { metric: 'conflict', a: id(a), b: id(b) } })}
      >
        {formatNumber(c.people)}
      </UnstyledButton>
    )
  }
  return (
    <Card title={t('plan.conflicts')} help={t('plan.conflicts_help')} flush>
      <DataTable
        bare
        plain
        name="plan-conflicts"
        label={t('plan.conflicts')}
        rows={p.conflicts ?? []}
        rowId={(c) => `${c.a} ${c.b}`}
        columns={[
          { id: 'day', title: t('report.label_day'), cell: (c) => formatDate(`${c.date}T12:00:00`) },
          { id: 'a', title: t('plan.one'), cell: (c) => entry(c.a) },
          { id: 'b', title: t('plan.other'), cell: (c) => entry(c.b) },
          { id: 'people', title: t('plan.both'), num: true, cell: behind },
        ]}
        empty={<EmptyState title={t('plan.no_conflicts')} />}
      />
    </Card>
  )
}
