import { useState } from 'react'
import { useRead } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, formatPercent, useT } from '@/i18n'
import { Card, DataTable, EmptyState, Loaded, UnstyledButton } from '@/ui'
import { daysBefore } from './compare'
import { PeopleOfReport, type ReportFigure } from './PeopleBehind'
import figures from './Figures.module.css'

/** Which links of a campaign's mail were followed: the more people, the warmer. */
export function LinkHeat({ campaign, since }: { campaign: string; since: string }) {
  const t = useT()
  const can = useCan()
  const [figure, setFigure] = useState<ReportFigure | null>(null)
  const [today] = useState(() => new Date().toISOString().slice(0, 10))
  const oldest = daysBefore(today, 398)
  const begun = daysBefore(since.slice(0, 10), 1)
  const params = { campaign, from: begun > oldest ? begun : oldest }
  const links = useRead('/api/v1/reports/{key}', { path: { key: 'links' }, query: { ...params, limit: 50 } })
  const count = (r: { key: string; label: string; counts: Record<string, number> }, metric: 'people' | 'clicks') => {
    const n = formatNumber(r.counts[metric] ?? 0)
    return can('people.read') ? (
      <UnstyledButton
        data-finger
        className={figures.link}
        onClick={() => setFigure({ title: `${r.label || r.key} · ${t(`metric.${metric}`)}`, metric, row: r.key })}
      >
        {n}
      </UnstyledButton>
    ) : (
      n
    )
  }
  return (
    <Card title={t('heat.title')} help={t('heat.lead')} flush>
      <Loaded of={links} rows={4}>
        {(d) => {
          const rows = d.rows ?? []
          const most = Math.max(1, ...rows.map((r) => r.counts.people ?? 0))
          const all = d.total.counts.people ?? 0
          return (
            <DataTable
              bare
              name="link-heat"
              label={t('heat.title')}
              rows={rows}
              rowId={(r) => r.key}
              columns={[
                {
                  id: 'link',
                  title: t('heat.link'),
                  cell: (r) => (
                    <div style={{ minWidth: 0 }}>
                      <div style={{ overflowWrap: 'anywhere' }}>{r.label || r.key || t('report.none')}</div>
                      <div
                        aria-hidden
                        style={{
                          height: 5,
                          borderRadius: 3,
                          marginTop: 4,
                          width: `${((r.counts.people ?? 0) / most) * 100}%`,
                          background: 'var(--ui-chart-1)',
                        }}
                      />
                    </div>
                  ),
                  text: (r) => r.label || r.key,
                },
                {
                  id: 'people',
                  title: t('field.people'),
                  num: true,
                  cell: (r) => count(r, 'people'),
                  text: (r) => r.counts.people,
                },
                {
                  id: 'share',
                  title: t('heat.share'),
                  num: true,
                  cell: (r) => (all ? formatPercent((r.counts.people ?? 0) / all, 0) : '–'),
                },
                {
                  id: 'clicks',
                  title: t('metric.clicks'),
                  num: true,
                  cell: (r) => count(r, 'clicks'),
                  text: (r) => r.counts.clicks,
                },
              ]}
              empty={<EmptyState title={t('heat.empty')} />}
            />
          )
        }}
      </Loaded>
      <PeopleOfReport report="links" params={params} figure={figure} onClose={() => setFigure(null)} />
    </Card>
  )
}
