import { FileChartColumn } from 'lucide-react'
import { type Schemas, useList, useRead } from '@/api'
import { formatMoney, formatNumber, formatPercent, useT } from '@/i18n'
import { useUrlState } from '@/lib/route'
import {
  Ago,
  Alert,
  Amounts,
  Card,
  Chart,
  DashboardPage,
  DataTable,
  EmptyState,
  Link,
  Loaded,
  Note,
  Num,
  PartialState,
  Stack,
  Stat,
  Tag,
  type Tone,
} from '@/ui'
import { Delta } from './Delta'
import { Share } from './Figures'
import { Period, span } from './Period'
import { reportTitle } from './ReportView'

type Summary = Schemas['Summary']

/** How a period went, for those who have one minute; below it the catalogue and what was saved. */
export default function ReportsPage() {
  const t = useT()
  const [period, setPeriod] = useUrlState({ from: '', to: '' })
  const query = { from: period.from || undefined, to: period.to || undefined }
  const summary = useRead('/api/v1/reports/summary', { query }, { keep: true })
  const s = summary.data
  return (
    <DashboardPage
      title={t('nav.reports')}
      lead={t('report.lead')}
      meta={
        s ? (
          <span>{t('report.compared', { now: span(s.from, s.to), before: span(s.previous_from, s.previous_to), zone: s.zone })}</span>
        ) : null
      }
      actions={<Period from={period.from} to={period.to} onChange={setPeriod} />}
      kpis={<Key of={s} />}
    >
      {summary.error && !s ? (
        <Card wide>
          <PartialState error={summary.error} onRetry={() => void summary.refetch()} />
        </Card>
      ) : null}
      {s ? <Anomalies of={s} /> : null}
      {s ? <Health of={s} /> : null}
      {s ? <Revenue of={s} /> : null}
      <Catalogue query={new URLSearchParams(Object.entries(period).filter(([, v]) => v)).toString()} />
      <Saved />
    </DashboardPage>
  )
}

function Key({ of: s }: { of: Summary | undefined }) {
  const t = useT()
  const n = s?.now
  const b = s?.before
  const count = (figure: 'reached' | 'opened' | 'clicked' | 'active_people' | 'new_people' | 'orders', to?: string) => (
    <Stat
      to={to}
      label={t(`summary.${figure}`)}
      value={<Num value={n?.[figure]} />}
      note={n && b ? <Delta figure={figure} now={n[figure]} before={b[figure]} /> : null}
    />
  )
  const money = (name: 'earned' | 'credited') => (
    <Stat
      label={t(`summary.${name}`)}
      value={
        <span style={{ fontSize: 16, lineHeight: 1.7, display: 'flex', flexDirection: 'column' }}>
          {n?.[name]?.length ? null : '–'}
          {(n?.[name] ?? []).map((m) => (
            <span key={m.currency} style={{ display: 'flex', gap: 8, alignItems: 'baseline', flexWrap: 'wrap' }}>
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
      {count('reached', '/reports/trend')}
      {count('opened', '/reports/trend')}
      {count('clicked', '/reports/links')}
      {count('active_people', '/people')}
      {count('new_people', '/people')}
      {count('orders')}
      {money('earned')}
      {money('credited')}
    </>
  )
}

const shares = (figure: string) => figure.endsWith('_rate') || figure === 'click_to_open'

/** What is not as it was, in words. */
function Anomalies({ of: s }: { of: Summary }) {
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

function Health({ of: s }: { of: Summary }) {
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
                {t(`metric.${h.figure}`)} {h.domain ? <Note>{h.domain}</Note> : null}
              </>
            ),
          },
          { id: 'rate', title: t('summary.share'), num: true, cell: (h) => (h.rate.n ? <Share rate={h.rate} /> : '–') },
          {
            id: 'limits',
            title: t('summary.limits'),
            num: true,
            cell: (h) => t('summary.limit', { watch: formatPercent(h.watch, 2), act: formatPercent(h.act, 2) }),
          },
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

/** Money by what earned it; each currency is a picture of its own, since adding them would say nothing. */
function Revenue({ of: s }: { of: Summary }) {
  const t = useT()
  const rows = s.revenue_by_source ?? []
  const name = (r: Schemas['SummaryRevenue']) => r.name || t(`summary.kind_${r.kind}`)
  const currencies = [...new Set(rows.flatMap((r) => (r.net ?? []).map((m) => m.currency)))]
  return (
    <Card wide title={t('summary.revenue')} help={t('summary.revenue_help')}>
      {rows.length === 0 ? <EmptyState title={t('summary.no_revenue')} /> : null}
      {currencies.map((c) => {
        const of = rows
          .map((r) => ({ r, minor: (r.net ?? []).find((m) => m.currency === c)?.minor ?? 0 }))
          .filter((x) => x.minor !== 0)
          .toSorted((a, b) => b.minor - a.minor)
          .slice(0, 12)
        return (
          <Chart
            key={c}
            title={`${t('summary.revenue')} · ${c}`}
            kind="horizontal"
            height={Math.max(120, of.length * 34 + 30)}
            data={{ labels: of.map((x) => name(x.r)), series: [{ name: c, values: of.map((x) => x.minor) }] }}
            format={(n) => formatMoney(n, c)}
            axis={(n) => formatMoney(n, c, { notation: 'compact', maximumFractionDigits: 1 })}
          />
        )
      })}
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
              title: t('field.source'),
              cell: (r) =>
                r.name && (r.kind === 'campaign' || r.kind === 'journey') ? <Link to={`/${r.kind}s/${r.id}`}>{r.name}</Link> : name(r),
              text: name,
            },
            { id: 'kind', title: t('field.kind'), cell: (r) => t(`summary.kind_${r.kind}`), text: (r) => r.kind },
            { id: 'orders', title: t('summary.orders'), num: true, cell: (r) => formatNumber(r.orders), text: (r) => r.orders },
            { id: 'net', title: t('summary.net'), num: true, cell: (r) => <Amounts of={r.net} /> },
            { id: 'refunded', title: t('summary.refunded'), num: true, cell: (r) => <Amounts of={r.refunded} /> },
          ]}
        />
      ) : null}
    </Card>
  )
}

function Catalogue({ query }: { query: string }) {
  const t = useT()
  const catalogue = useRead('/api/v1/report-catalog', {})
  return (
    <Card title={t('report.catalogue')} flush>
      <Loaded of={catalogue}>
        {(d) => (
          <DataTable
            bare
            plain
            name="report-catalogue"
            label={t('report.catalogue')}
            rows={d.items ?? []}
            rowId={(r) => r.key}
            columns={[
              {
                id: 'name',
                title: t('report.report'),
                cell: (r) => (
                  <>
                    <Link to={`/reports/${r.key}${query ? `?${query}` : ''}`}>{reportTitle(r.key)}</Link>
                  </>
                ),
              },
            ]}
          />
        )}
      </Loaded>
    </Card>
  )
}

function Saved() {
  const t = useT()
  const saved = useList('/api/v1/saved-reports', {})
  return (
    <Card title={t('report.saved')} flush>
      <DataTable
        bare
        plain
        name="saved-reports"
        label={t('report.saved')}
        rows={saved.items}
        rowId={(r) => r.id}
        loading={saved.loading}
        error={saved.error}
        onRetry={saved.reload}
        more={saved.more}
        loadingMore={saved.loadingMore}
        onMore={saved.loadMore}
        columns={[
          { id: 'name', title: t('field.name'), cell: (r) => <Link to={`/reports/saved/${r.id}`}>{r.name}</Link> },
          { id: 'report', title: t('report.report'), cell: (r) => reportTitle(r.report) },
          { id: 'changed', title: t('field.changed'), num: true, cell: (r) => <Ago at={r.updated_at} /> },
        ]}
        empty={<EmptyState icon={FileChartColumn} title={t('report.no_saved')} text={t('report.no_saved_help')} />}
      />
    </Card>
  )
}
