import { type ReactNode, useMemo, useState } from 'react'
import { type Schemas, useAll, useRead } from '@/api'
import { useCan } from '@/app/session'
import { formatDate, formatDay, formatDays, formatMoney, formatNumber, formatPercent, formatZone, useT, word } from '@/i18n'
import { Button, Card, Chart, type Column, DataTable, EmptyState, FilterBar, FilterChip, Loaded, SearchBox, UnstyledButton } from '@/ui'
import { chartOf } from './compare'
import { Delta, RateDelta } from './Delta'
import { EffectOf } from './EffectCard'
import { Forgotten } from './Forgotten'
import { PeopleOfReport, type ReportFigure } from './PeopleBehind'
import { Period } from './Period'
import { useCurrency } from './useCurrency'
import deltas from './Delta.module.css'
import figures from './Figures.module.css'

type Row = Schemas['ReportRow']
type ReportTable = Schemas['ReportTable']

/** What a report is asked with; '' leaves a parameter out. */
export type Params = {
  from: string
  to: string
  channel: string
  topic: string
  campaign: string
  journey: string
  template: string
  domain: string
  node: string
}
export const noParams: Params = { from: '', to: '', channel: '', topic: '', campaign: '', journey: '', template: '', domain: '', node: '' }

/** The parameters that are set. */
export const given = (p: Params): Record<string, string> => Object.fromEntries(Object.entries(p).filter(([, v]) => v !== ''))

export const reportTitle = (key: string) => word('report.title', key)

/** One report: filters, chart, table; every figure leads to its people. */
export function ReportView({ report, params, onChange }: { report: string; params: Params; onChange: (p: Partial<Params>) => void }) {
  const t = useT()
  const can = useCan()
  const [figure, setFigure] = useState<ReportFigure | null>(null)
  const query = given(params)
  const [cursors, setCursors] = useState<string[]>([])
  const asked = JSON.stringify([report, query])
  const [shown, setShown] = useState(asked)
  if (shown !== asked) {
    setShown(asked)
    setCursors([])
  }
  const table = useRead(
    '/api/v1/reports/{key}',
    { path: { key: report }, query: { ...query, limit: 100, cursor: cursors.at(-1) } as never },
    { keep: true },
  )
  // Campaigns and journeys have an effect of their own on their pages.
  const { channel, topic, template, domain } = query
  const some = (channel || topic || template || domain) && !query.campaign && !query.journey ? { channel, topic, template, domain } : null
  const csv = `/api/v1/reports/${report}/csv?${new URLSearchParams({ ...query, bom: 'true' })}`
  return (
    <>
      {table.isLoading ? null : <Filters params={params} heeds={table.data?.parameters ?? []} onChange={onChange} />}
      <Loaded of={table}>
        {(d) =>
          d.rows?.length || cursors.length ? (
            <>
              {report === 'links' ? <Forgotten from={d.previous_from} counts={(g) => g.type === 'message'} /> : null}
              <Drawing table={d} onOpen={can('people.read') ? setFigure : undefined} />
              <Card
                title={t('report.figures')}
                help={t('report.compared', {
                  now: formatDays(d.from, d.to),
                  before: formatDays(d.previous_from, d.previous_to),
                  zone: formatZone(d.zone),
                })}
                actions={
                  <Button component="a" href={csv} download>
                    {t('chart.csv')}
                  </Button>
                }
                flush
              >
                <Figures table={d} onOpen={can('people.read') ? setFigure : undefined} />
                {cursors.length || d.next_cursor ? (
                  <div style={{ display: 'flex', gap: 8, padding: 12, justifyContent: 'flex-end' }}>
                    <Button disabled={!cursors.length} onClick={() => setCursors(cursors.slice(0, -1))}>
                      {t('report.page_before')}
                    </Button>
                    <Button disabled={!d.next_cursor} onClick={() => setCursors([...cursors, d.next_cursor])}>
                      {t('report.page_next')}
                    </Button>
                  </div>
                ) : null}
              </Card>
            </>
          ) : (
            <Card>
              <EmptyState title={t('report.empty')} text={t('report.empty_help', { period: formatDays(d.from, d.to) })} />
            </Card>
          )
        }
      </Loaded>
      {some ? (
        <EffectOf query={{ from: query.from, to: query.to, ...some }} title={t('effect.some_title')} help={t('effect.some_lead')} />
      ) : null}
      <PeopleOfReport report={report} params={query} figure={figure} onClose={() => setFigure(null)} />
    </>
  )
}

function rowName(t: (k: string) => string, table: ReportTable, r: Row): string {
  const first = table.columns?.[0]
  if (first?.kind === 'day') return formatDay(`${r.label}T12:00:00`)
  if (table.key === 'channels') return word('channel', r.key)
  return r.label || r.key || t('report.none')
}

/** What tells one link from another where there is little room: the way on the site, without its name. */
const pathOf = (url: string): string | undefined => {
  const link = URL.canParse(url) ? new URL(url) : undefined
  return link && link.pathname !== '/' ? decodeURI(link.pathname + link.search) : link?.host
}

function Drawing({ table, onOpen }: { table: ReportTable; onOpen?: (f: ReportFigure) => void }) {
  const t = useT()
  const c = chartOf(
    table,
    (r) => (table.key === 'links' ? (pathOf(r.label) ?? rowName(t, table, r)) : rowName(t, table, r)),
    (x) => t(`metric.${x}`),
  )
  // Figures that lead nowhere, such as shares, lead where the first does.
  const leads = (name?: string) => (table.columns ?? []).find((x) => x.name === name && x.people)?.name
  const metricOf = (series = 0) => leads(c.columns[series]) ?? leads(table.chart.y?.[0])
  if (!c.data.series.length) return null
  return (
    <Card title={reportTitle(table.key)}>
      <Chart
        title={reportTitle(table.key)}
        kind={c.kind}
        data={c.data}
        zone={table.columns?.[0]?.kind === 'day' ? table.zone : undefined}
        height={c.kind === 'horizontal' ? Math.max(260, c.rows.length * 18 * Math.min(3, c.data.series.length)) : 280}
        format={c.share ? (n) => formatPercent(n) : formatNumber}
        axis={c.share ? (n) => formatPercent(n, 0) : undefined}
        onPick={
          onOpen && metricOf()
            ? (i, _, series) => {
                const r = c.rows[i]
                const metric = metricOf(series)
                if (r && metric) onOpen({ title: `${rowName(t, table, r)} · ${t(`metric.${metric}`)}`, metric, row: r.key })
              }
            : undefined
        }
      />
    </Card>
  )
}

const always = new Set(['sent', 'delivered', 'opened', 'clicked', 'converted', 'open_rate', 'click_rate', 'conversion_rate', 'revenue'])

function Figures({ table, onOpen }: { table: ReportTable; onOpen?: (f: ReportFigure) => void }) {
  const t = useT()
  const many = (table.columns ?? []).length > 10
  const rows = useMemo(() => [...(table.rows ?? []), { ...table.total, key: '\u0000' }], [table])
  const [currency, choice] = useCurrency(Object.values(table.total.money).flatMap((m) => m ?? []))
  const isTotal = (r: Row) => r.key === '\u0000'
  const columns: Column<Row>[] = (table.columns ?? []).map((c) => {
    const title = t(c.kind === 'text' || c.kind === 'day' ? `report.label_${c.kind}` : `metric.${c.name}`)
    const leads = (r: Row, figure: ReactNode) =>
      c.people && onOpen ? (
        <UnstyledButton
          data-finger
          className={figures.link}
          onClick={() =>
            onOpen({
              title: `${isTotal(r) ? t('report.total') : rowName(t, table, r)} · ${title}`,
              metric: c.name,
              row: isTotal(r) ? undefined : r.key,
            })
          }
        >
          {figure}
        </UnstyledButton>
      ) : (
        figure
      )
    const base = { id: c.name, title, optional: many && c.kind !== 'text' && c.kind !== 'day' && !always.has(c.name) }
    if (c.kind === 'text' || c.kind === 'day')
      return {
        ...base,
        main: true,
        cell: (r) =>
          isTotal(r) ? (
            <strong>{t('report.total')}</strong>
          ) : c.kind === 'day' ? (
            <span className={figures.part}>{formatDate(`${r.label}T12:00:00`)}</span>
          ) : (
            rowName(t, table, r)
          ),
      }
    if (c.kind === 'count')
      return {
        ...base,
        num: true,
        cell: (r) => (
          <span className={deltas.cell}>
            {r.counts[c.name] ? leads(r, formatNumber(r.counts[c.name] ?? 0)) : formatNumber(0)}
            <Delta figure={c.name} now={r.counts[c.name] ?? 0} before={r.previous?.counts[c.name]} />
          </span>
        ),
      }
    if (c.kind === 'share')
      return {
        ...base,
        num: true,
        cell: (r) => {
          const x = r.rates[c.name]
          if (!x?.n) return '–'
          return (
            <span className={deltas.cell}>
              {t('report.share_of', { share: formatPercent(x.share), n: formatNumber(x.n) })}
              <span className={deltas.range} title={t('report.interval_help')}>
                {t('report.range', { low: formatPercent(x.low), high: formatPercent(x.high) })}
              </span>
              <RateDelta figure={c.name} now={x} before={r.previous?.rates[c.name]} />
            </span>
          )
        },
      }
    return {
      ...base,
      num: true,
      cell: (r) => {
        const amounts = (r.money[c.name] ?? []).filter((m) => m.currency === currency)
        const each = (
          <span className={deltas.cell}>
            {amounts.map((m) => (
              <span key={m.currency} className={deltas.amount}>
                <Delta
                  figure={c.name}
                  now={m.minor}
                  before={r.previous?.money[c.name]?.find((x) => x.currency === m.currency)?.minor}
                  format={(n) => formatMoney(n, m.currency)}
                />
                {formatMoney(m.minor, m.currency)}
              </span>
            ))}
          </span>
        )
        return amounts.length ? leads(r, each) : '–'
      },
    }
  })
  return (
    <>
      {choice ? <div className={figures.choice}>{choice}</div> : null}
      <DataTable
        sums={1}
        bare
        grid={table.columns?.[0]?.kind === 'day'}
        name={`report-${table.key}`}
        label={reportTitle(table.key)}
        rows={rows}
        rowId={(r) => r.key}
        columns={columns}
      />
    </>
  )
}

function Filters({ params, heeds, onChange }: { params: Params; heeds: string[]; onChange: (p: Partial<Params>) => void }) {
  const t = useT()
  const can = useCan()
  const topics = useRead('/api/v1/topics', {}, { enabled: heeds.includes('topic') })
  const channels = useRead('/api/v1/channels', {}, { enabled: heeds.includes('channel') && can('settings.read') })
  const campaigns = useAll('/api/v1/campaigns', { enabled: heeds.includes('campaign') && can('campaigns.read') })
  const journeys = useAll('/api/v1/journeys', { enabled: heeds.includes('journey') && can('journeys.read') })
  const templates = useAll('/api/v1/templates', { enabled: heeds.includes('template') && can('content.read') })
  const named = (d: { items: { id: string; name: string }[] | null } | undefined) =>
    d && (d.items ?? []).map((x) => ({ value: x.id, label: x.name }))
  const choices = {
    channel: channels.data && (channels.data.items ?? []).map((c) => ({ value: c.kind, label: word('channel', c.kind) })),
    topic: named(topics.data),
    campaign: named(campaigns.data),
    journey: named(journeys.data),
    template: named(templates.data),
  }
  return (
    <FilterBar
      active={Object.keys(given(params)).some((k) => k !== 'from' && k !== 'to')}
      onClear={() => onChange({ ...noParams, from: params.from, to: params.to })}
    >
      <Period from={params.from} to={params.to} onChange={onChange} />
      {(['channel', 'topic', 'campaign', 'journey', 'template'] as const)
        .filter((f) => heeds.includes(f) && (choices[f]?.length !== 0 || params[f])) // its place is kept until it is known that there is nothing to choose
        .map((f) => (
          <FilterChip
            key={f}
            label={t(`report.filter_${f}`)}
            value={params[f]}
            choices={choices[f] ?? []}
            onChange={(v) => onChange({ [f]: v })}
          />
        ))}
      {heeds.includes('domain') ? (
        <SearchBox
          value={params.domain}
          onChange={(domain) => onChange({ domain: domain.trim() })}
          placeholder={t('report.filter_domain')}
        />
      ) : null}
    </FilterBar>
  )
}
