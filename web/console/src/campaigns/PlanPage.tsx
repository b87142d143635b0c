import { useState } from 'react'
import { type Schemas, useRead } from '@/api'
import { formatDate, formatNumber, useT } from '@/i18n'
import { useUrlState } from '@/lib/route'
import { usePreference } from '@/lib/preferences'
import { daysBefore } from '@/report/compare'
import { span } from '@/report/Period'
import { weekday } from '@/series/rhythm'
import { Button, Card, Chart, DataTable, EmptyState, Group, Link, ListPage, Loaded, NumberInput, SegmentedControl, Tag } from '@/ui'
import { CampaignTabs } from './CampaignTabs'
import css from './PlanPage.module.css'

type Plan = Schemas['Plan']
type Cadence = { least: number; most: number }

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
  const [now] = useState(() => new Intl.DateTimeFormat('en-CA').format(new Date()))
  const [state, setState] = useUrlState({ view: 'month', at: '' })
  const at = state.at || now
  const days = daysOf(state.view, at)
  const plan = useRead('/api/v1/plan', { query: days }, { keep: true })
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
          <Button onClick={() => step(-1)}>{t('plan.before')}</Button>
          <Button onClick={() => setState({ at: '' })}>{t('plan.today')}</Button>
          <Button onClick={() => step(1)}>{t('plan.after')}</Button>
          <strong>{span(days.from, days.to)}</strong>
        </Group>
      }
    >
      <Loaded of={plan}>
        {(p) => (
          <div style={{ display: 'grid', gap: 16 }}>
            <Calendar plan={p} today={now} />
            <Rhythm plan={p} />
            <Conflicts plan={p} />
            <Pressure plan={p} />
          </div>
        )}
      </Loaded>
    </ListPage>
  )
}

const address = (e: Schemas['PlanEntry']) => (e.campaign ? `/campaigns/${e.campaign}` : `/campaigns/series/${e.series}`)

function Calendar({ plan: p, today }: { plan: Plan; today: string }) {
  const t = useT()
  const days: string[] = []
  for (let d = p.from; d <= p.to; d = daysBefore(d, -1)) days.push(d)
  return (
    <div className={css.grid}>
      {[1, 2, 3, 4, 5, 6, 0].map((d) => (
        <div key={d} className={css.head}>
          {weekday(d, 'short')}
        </div>
      ))}
      {days.map((d) => {
        const entries = (p.entries ?? []).filter((e) => e.date === d)
        const journeys = (p.journeys ?? []).filter((j) => j.date === d)
        const clashes = (p.conflicts ?? []).filter((c) => c.date === d).length
        return (
          <div key={d} className={`${css.day} ${d === today ? css.today : ''} ${entries.length + journeys.length ? '' : css.empty}`}>
            <div className={css.date}>{formatDate(`${d}T12:00:00`)}</div>
            {entries.map((e) => (
              <Link key={`${e.campaign}${e.series}${e.at}`} to={address(e)} className={css.entry}>
                {e.name} · {formatNumber(e.people)}
              </Link>
            ))}
            {journeys.map((j) => (
              <Link key={j.journey} to={`/journeys/${j.journey}`} className={`${css.entry} ${css.soft}`}>
                {j.name || t('report.none')} · {formatNumber(j.sent)}
              </Link>
            ))}
            {clashes ? <div className={css.clash}>{t('plan.clashes', { count: clashes })}</div> : null}
          </div>
        )
      })}
    </div>
  )
}

/** Sends a week beside the cadence that the reader aims at. */
function Rhythm({ plan: p }: { plan: Plan }) {
  const t = useT()
  const [cadence, setCadence] = usePreference<Cadence>('plan.cadence', { least: 1, most: 3 })
  const weeks: string[] = []
  for (let d = p.from; d <= p.to; d = daysBefore(d, -7)) weeks.push(d)
  return (
    <Card
      title={t('plan.cadence')}
      help={t('plan.cadence_help')}
      actions={
        <>
          <NumberInput
            w={90}
            min={0}
            aria-label={t('plan.least')}
            value={cadence.least}
            onChange={(n) => setCadence({ ...cadence, least: Number(n) || 0 })}
          />
          <span>–</span>
          <NumberInput
            w={90}
            min={0}
            aria-label={t('plan.most')}
            value={cadence.most}
            onChange={(n) => setCadence({ ...cadence, most: Number(n) || 0 })}
          />
        </>
      }
      flush
    >
      <DataTable
        bare
        plain
        name="plan-cadence"
        label={t('plan.cadence')}
        rows={weeks.map((w) => ({ week: w, sends: (p.entries ?? []).filter((e) => e.date >= w && e.date <= daysBefore(w, -6)).length }))}
        rowId={(w) => w.week}
        columns={[
          { id: 'week', title: t('plan.week'), cell: (w) => span(w.week, daysBefore(w.week, -6)) },
          { id: 'sends', title: t('plan.sends'), num: true, cell: (w) => formatNumber(w.sends) },
          {
            id: 'verdict',
            title: t('field.status'),
            cell: (w) =>
              w.sends < cadence.least ? (
                <Tag tone="warning">{t('plan.quiet')}</Tag>
              ) : w.sends > cadence.most ? (
                <Tag tone="danger">{t('plan.busy')}</Tag>
              ) : (
                <Tag tone="success">{t('plan.kept')}</Tag>
              ),
          },
        ]}
      />
    </Card>
  )
}

function Conflicts({ plan: p }: { plan: Plan }) {
  const t = useT()
  const entry = (i: number) => {
    const e = p.entries?.[i]
    return e ? <Link to={address(e)}>{e.name}</Link> : null
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
          { id: 'people', title: t('plan.both'), num: true, cell: (c) => formatNumber(c.people) },
        ]}
        empty={<EmptyState title={t('plan.no_conflicts')} />}
      />
    </Card>
  )
}

function Pressure({ plan: p }: { plan: Plan }) {
  const t = useT()
  const weeks = p.pressure ?? []
  const most = Math.max(0, ...weeks.flatMap((w) => (w.spread ?? []).map((s) => s.messages)))
  const counts = Array.from({ length: Math.min(most, 12) }, (_, i) => i + 1)
  return (
    <Card title={t('plan.pressure')} help={t('plan.pressure_help')}>
      {most === 0 ? (
        <EmptyState title={t('plan.no_pressure')} />
      ) : (
        <Chart
          kind="bar"
          title={t('plan.pressure')}
          data={{
            labels: counts.map((n) => t('plan.messages', { count: n })),
            series: weeks.map((w) => ({
              name: span(w.from, w.to),
              values: counts.map((n) =>
                (w.spread ?? []).reduce((sum, s) => sum + (s.messages === n || (n === 12 && s.messages > 12) ? s.people : 0), 0),
              ),
            })),
          }}
        />
      )}
    </Card>
  )
}
