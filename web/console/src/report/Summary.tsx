// The parts of the summary of a period; the home of those who decide shows some of them.
import { lazy, type ReactNode, Suspense, useState } from 'react'
import type { Schemas } from '@/api'
import { useCan } from '@/app/session'
import { formatMoney, formatNumber, formatPercent, useT } from '@/i18n'
import { Alert, Card, Chart, DataTable, EmptyState, Link, Note, Num, Stack, Stat, Tag, type Tone, UnstyledButton } from '@/ui'
import { Delta } from './Delta'
import { Share } from './Figures'
import type { PlainFigure } from './PeopleBehind'
import { useCurrency } from './useCurrency'
import figures from './Figures.module.css'
import css from './Summary.module.css'

const PeopleOf = lazy(() => import('./PeopleBehind').then((m) => ({ default: m.PeopleOf })))

type Summary = Schemas['Summary']

/** The figures of the period beside those of the one before. */
export function SummaryKey({ of: s }: { of: Summary | undefined }) {
  const t = useT()
  const n = s?.now
  const b = s?.before
  const [open, sheet] = usePeople(s)
  const count = (figure: 'reached' | 'opened' | 'clicked' | 'active_people' | 'new_people' | 'orders') => (
    <Stat
      onClick={open && (() => open(t(`summary.${figure}`), { metric: figure }))}
      label={t(`summary.${figure}`)}
      value={<Num value={n?.[figure]} />}
      note={n && b ? <Delta figure={figure} now={n[figure]} before={b[figure]} /> : null}
    />
  )
  const money = (name: 'earned' | 'credited') => (
    <Stat
      wide
      onClick={open && (() => open(t(`summary.${name}`), { metric: name }))}
      label={t(`summary.${name}`)}
      value={
        <span className={css.money}>
          {n?.[name]?.length ? null : '–'}
          {(n?.[name] ?? []).map((m) => (
            <span key={m.currency} className={css.amount}>
              {formatMoney(m.minor, m.currency)}
              <Delta
                figure="revenue"
                now={m.minor}
                before={b?.[name]?.find((x) => x.currency === m.currency)?.minor ?? 0}
                format={(x) => formatMoney(x, m.currency)}
              />
            </span>
          ))}
        </span>
      }
    />
  )
  return (
    <>
      {count('reached')}
      {count('opened')}
      {count('clicked')}
      {count('active_people')}
      {count('new_people')}
      {count('orders')}
      {money('earned')}
      {money('credited')}
      {sheet}
    </>
  )
}

/** What opens the people behind a figure of the summary, for who may see people, and where they show. */
function usePeople(s: Summary | undefined) {
  const can = useCan()
  const [figure, setFigure] = useState<PlainFigure | null>(null)
  const open = (title: string, query: PlainFigure['query']) => s && setFigure({ title, query: { from: s.from, to: s.to, ...query } })
  const sheet = figure ? (
    <Suspense>
      <PeopleOf path="/api/v1/reports/summary/people" figure={figure} onClose={() => setFigure(null)} />
    </Suspense>
  ) : null
  return [can('people.read') && s ? open : undefined, sheet] as const
}

const shares = (figure: string) => figure.endsWith('_rate') || figure === 'click_to_open'

/** What is not as it was, in words. */
export function Anomalies({ of: s }: { of: Summary }) {
  const t = useT()
  const write = (figure: string, x: number) => (shares(figure) ? formatPercent(x, 2) : formatNumber(x, { maximumFractionDigits: 1 }))
  return (
    <Card title={t('summary.anomalies')} help={t('summary.anomalies_help')}>
      <Stack gap="xs">
        {(s.anomalies ?? []).map((a) => {
          const good = ['bounce_rate', 'complaint_rate', 'unsubscribe_rate'].includes(a.figure) ? a.now < a.before : a.now > a.before
          return (
            <Alert key={a.figure} color={good ? 'success' : 'warning'}>
              {t(`summary.${shares(a.figure) ? 'share' : 'day'}_${a.now > a.before ? 'rose' : 'fell'}`, {
                figure: t(`metric.${a.figure}`),
                now: write(a.figure, a.now),
                before: write(a.figure, a.before),
                by: a.relative ? formatPercent(Math.abs(a.relative), 0) : '–',
              })}
            </Alert>
          )
        })}
        {s.anomalies?.length ? null : <EmptyState title={t('summary.no_anomalies')} />}
      </Stack>
    </Card>
  )
}

const healthTones: Record<string, Tone> = { well: 'success', watch: 'warning', act: 'danger', too_few: 'gray' }

/** Whether mail still arrives. */
export function Health({ of: s }: { of: Summary }) {
  const t = useT()
  return (
    <Card title={t('summary.health')} help={t('summary.health_help')} flush>
      <DataTable
        bare
        plain
        name="summary-health"
        label={t('summary.health')}
        rows={s.health ?? []}
        rowId={(h) => `${h.figure} ${h.domain ?? ''}`}
        columns={[
          {
            id: 'figure',
            title: t('summary.sign'),
            cell: (h) => (
              <>
                <span className={css.figure}>{t(`metric.${h.figure}`)}</span> {h.domain ? <Note>{h.domain}</Note> : null}
                <Note>{t('summary.limit', { watch: formatPercent(h.watch, 2), act: formatPercent(h.act, 2) })}</Note>
              </>
            ),
          },
          { id: 'rate', title: t('summary.share'), num: true, cell: (h) => <Share rate={h.rate} /> },
          {
            id: 'status',
            title: t('field.status'),
            cell: (h) => <Tag tone={healthTones[h.status]}>{t(`summary.health_${h.status}`)}</Tag>,
          },
        ]}
        empty={<EmptyState title={t('summary.no_mail')} />}
      />
    </Card>
  )
}

/** Money by what earned it, a currency at a time, since adding them would say nothing. */
export function Revenue({ of: s }: { of: Summary }) {
  const t = useT()
  const rows = s.revenue_by_source ?? []
  const [open, sheet] = usePeople(s)
  const behind = (r: Schemas['SummaryRevenue'], metric: 'credited' | 'refunded', title: string, shown: ReactNode) =>
    open ? (
      <UnstyledButton
        data-finger
        className={figures.link}
        onClick={() => open(`${name(r)} · ${title}`, { metric, kind: r.kind, ...(r.id ? { source: r.id } : {}) })}
      >
        {shown}
      </UnstyledButton>
    ) : (
      shown
    )
  const name = (r: Schemas['SummaryRevenue']) => r.name || t(`summary.kind_${r.kind}`)
  const bars = (c: string) =>
    rows
      .map((r) => ({ r, minor: (r.net ?? []).find((m) => m.currency === c)?.minor ?? 0 }))
      .filter((x) => x.minor !== 0)
      .toSorted((x, y) => y.minor - x.minor)
      .slice(0, 12)
  const [currency, choice] = useCurrency(rows.flatMap((r) => [...(r.net ?? []), ...(r.refunded ?? [])]))
  const of = currency ? bars(currency) : []
  const amount = (all: Schemas['SummaryRevenue']['net'], r: Schemas['SummaryRevenue'], metric: 'credited' | 'refunded', title: string) => {
    const m = all?.find((x) => x.currency === currency)
    return m ? behind(r, metric, title, formatMoney(m.minor, m.currency)) : '–'
  }
  return (
    <Card wide title={t('summary.revenue')} help={t('summary.revenue_help')}>
      {rows.length === 0 ? <EmptyState title={t('summary.no_revenue')} /> : null}
      {choice}
      {/* One bar compares with nothing; the table says it. */}
      {currency && of.length > 1 ? (
        <div className={css.chart}>
          <Chart
            key={currency}
            title={`${t('summary.revenue')} · ${currency}`}
            kind="horizontal"
            height={Math.max(148, of.length * 34 + 58)}
            data={{
              labels: of.map((x) => name(x.r)),
              series: [{ name: `${t('summary.net')} · ${currency}`, values: of.map((x) => x.minor) }],
            }}
            format={(n) => formatMoney(n, currency)}
            axis={(n) => formatMoney(n, currency, { notation: 'compact', maximumFractionDigits: 1, useGrouping: 'always' })}
          />
        </div>
      ) : null}
      {rows.length ? (
        <DataTable
          bare
          name="summary-revenue"
          label={t('summary.revenue')}
          rows={rows}
          rowId={(r) => `${r.kind} ${r.id}`}
          columns={[
            {
              id: 'source',
              title: t('report.revenue_of'),
              cell: (r) =>
                r.name && (r.kind === 'campaign' || r.kind === 'journey') ? <Link to={`/${r.kind}s/${r.id}`}>{r.name}</Link> : name(r),
              text: name,
            },
            { id: 'kind', title: t('field.kind'), cell: (r) => t(`summary.kind_${r.kind}`), text: (r) => r.kind },
            {
              id: 'orders',
              title: t(choice ? 'summary.orders_all' : 'summary.orders'),
              num: true,
              cell: (r) => behind(r, 'credited', t('summary.orders'), formatNumber(r.orders)),
              text: (r) => r.orders,
            },
            { id: 'net', title: t('summary.net'), num: true, cell: (r) => amount(r.net, r, 'credited', t('summary.net')) },
            {
              id: 'refunded',
              title: t('summary.refunded'),
              num: true,
              cell: (r) => amount(r.refunded, r, 'refunded', t('summary.refunded')),
            },
          ]}
        />
      ) : null}
      {sheet}
    </Card>
  )
}
