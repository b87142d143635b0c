import { ChevronRight, FileChartColumn } from 'lucide-react'
import { useList, useRead } from '@/api'
import { formatDays, formatZone, useT } from '@/i18n'
import { useUrlState } from '@/lib/route'
import { Ago, Card, DashboardPage, DataTable, EmptyState, Link, ListTable, Loaded, PartialState } from '@/ui'
import { EffectOf } from './EffectCard'
import { Forgotten } from './Forgotten'
import { Period } from './Period'
import { reportTitle } from './ReportView'
import { Anomalies, Health, Revenue, SummaryKey } from './Summary'

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
          <span>
            {t('report.compared', {
              now: formatDays(s.from, s.to),
              before: formatDays(s.previous_from, s.previous_to),
              zone: formatZone(s.zone),
            })}
          </span>
        ) : null
      }
      actions={<Period from={period.from} to={period.to} onChange={setPeriod} />}
      loading={!s && !summary.error}
      kpis={<SummaryKey of={s} />}
    >
      {summary.error && !s ? (
        <Card wide>
          <PartialState error={summary.error} onRetry={() => void summary.refetch()} />
        </Card>
      ) : null}
      {s ? <Forgotten from={s.previous_from} counts={(g) => ['track', 'page', 'screen'].includes(g.type)} /> : null}
      {s ? <Anomalies of={s} /> : null}
      {s ? <Health of={s} /> : null}
      {s ? <Revenue of={s} /> : null}
      <EffectOf query={query} title={t('effect.all_title')} help={t('effect.all_lead')} />
      <Catalogue query={new URLSearchParams(Object.entries(period).filter(([, v]) => v)).toString()} />
      <Saved />
    </DashboardPage>
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
                  <Link to={`/reports/${r.key}${query ? `?${query}` : ''}`}>
                    {reportTitle(r.key)} <ChevronRight size={14} aria-hidden style={{ verticalAlign: 'middle' }} />
                  </Link>
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
      <ListTable
        bare
        plain
        name="saved-reports"
        label={t('report.saved')}
        of={saved}
        rowId={(r) => r.id}
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
