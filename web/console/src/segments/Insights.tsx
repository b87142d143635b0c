// What a segment's page says beside its members: growth, overlap with another set, and what uses it.
import { useState } from 'react'
import { useAll, useRead } from '@/api'
import { formatDay, formatList, formatNumber, formatPercent, t as text, useT } from '@/i18n'
import { Alert, Card, Chart, EmptyState, Link, Loaded, Note, SegmentedControl, Select, Status, Tag } from '@/ui'
import css from './Insights.module.css'

const spans = ['7', '30', '90', '365']

export function Growth({ id }: { id: string }) {
  const t = useT()
  const [days, setDays] = useState('30')
  const growth = useRead('/api/v1/segments/{id}/growth', { path: { id }, query: { days: Number(days) } }, { keep: true })
  return (
    <div className={css.stack}>
      <SegmentedControl
        aria-label={t('segments.growth')}
        value={days}
        onChange={setDays}
        data={spans.map((value) => ({ value, label: t('segments.days', { n: value }) }))}
      />
      <Loaded of={growth}>
        {({ items }) => {
          const labels = items.map((d) => formatDay(`${d.day}T12:00:00Z`))
          return (
            <>
              <Card title={t('segments.size')} help={items.length < 2 ? t('segments.growth_begins') : undefined}>
                <Chart
                  title={t('segments.size')}
                  kind="area"
                  zone="UTC"
                  data={{ labels, series: [{ name: t('segments.size'), values: items.map((d) => d.size) }] }}
                />
              </Card>
              <Card title={t('segments.history')}>
                <Chart
                  title={t('segments.history')}
                  kind="bar"
                  height={200}
                  zone="UTC"
                  data={{
                    labels,
                    series: [
                      { name: t('segments.entered'), values: items.map((d) => d.entered) },
                      { name: t('segments.left'), values: items.map((d) => d.left) },
                    ],
                  }}
                />
              </Card>
            </>
          )
        }}
      </Loaded>
    </div>
  )
}

/** Shares of the three parts as they are drawn; a part that exists is never too thin to be seen. */
export function parts(size: number, other: number, both: number): [number, number, number] {
  const counts: [number, number, number] = [size - both, both, other - both]
  const all = counts[0] + counts[1] + counts[2]
  if (all === 0) return [0, 0, 0]
  const wide = counts.map((n) => (n === 0 ? 0 : Math.max(n / all, 0.02)))
  const sum = wide[0]! + wide[1]! + wide[2]!
  return [wide[0]! / sum, wide[1]! / sum, wide[2]! / sum]
}

export function Overlap({ id, name }: { id: string; name: string }) {
  const t = useT()
  const [other, setOther] = useState<string | null>(null)
  const segments = useAll('/api/v1/segments')
  const lists = useAll('/api/v1/lists')
  const all = [...(segments.data?.items ?? []), ...(lists.data?.items ?? [])].filter((s) => s.id !== id)
  const overlap = useRead('/api/v1/segments/{id}/overlap', { path: { id }, query: { with: other ?? '' } }, { enabled: other !== null })
  const otherName = all.find((s) => s.id === other)?.name ?? ''
  return (
    <Card title={t('segments.overlap')} help={t('segments.overlap_help')}>
      <div className={css.stack}>
        <Select
          label={t('segments.overlap_with')}
          searchable
          value={other}
          onChange={setOther}
          data={all.map((s) => ({ value: s.id, label: `${s.name} (${formatNumber(s.size)})` }))}
        />
        {other ? (
          <Loaded of={overlap}>
            {(o) => {
              const wide = parts(o.size, o.other, o.both)
              const said = [
                { name: t('segments.only', { name }), n: o.size - o.both, tone: 'a' },
                { name: t('segments.both'), n: o.both, tone: 'both' },
                { name: t('segments.only', { name: otherName }), n: o.other - o.both, tone: 'b' },
              ]
              return (
                <>
                  <div className={css.bar} role="img" aria-label={formatList(said.map((s) => `${s.name}: ${formatNumber(s.n)}`))}>
                    {said.map((s, i) => (wide[i] ? <span key={s.tone} data-tone={s.tone} style={{ flexGrow: wide[i] }} /> : null))}
                  </div>
                  <dl className={css.legend}>
                    {said.map((s) => (
                      <div key={s.tone} data-tone={s.tone}>
                        <dt>{s.name}</dt>
                        <dd>{formatNumber(s.n)}</dd>
                      </div>
                    ))}
                  </dl>
                  {o.size > 0 && o.other > 0 ? (
                    <Note>
                      {t('segments.of_each', {
                        a: formatPercent(o.both / o.size),
                        nameA: name,
                        b: formatPercent(o.both / o.other),
                        nameB: otherName,
                      })}
                    </Note>
                  ) : null}
                </>
              )
            }}
          </Loaded>
        ) : null}
      </div>
    </Card>
  )
}

const places: Record<string, string> = {
  segment: '/segments/',
  campaign: '/campaigns/',
  series: '/campaigns/series/',
  journey: '/journeys/',
  persona: '/personas/',
  journey_map: '/journey-maps/',
  template: '/content/',
}

/** What names a segment or list, the page that shows it left out. */
export function Users({ id, except }: { id: string; except?: string }) {
  const t = useT()
  const users = useRead('/api/v1/segments/{id}/users', { path: { id } })
  if (users.error) return <Alert color="danger">{t('segments.users_error')}</Alert>
  return (
    <Card title={t('segments.users')}>
      <Loaded of={users}>
        {({ items }) =>
          items.every((u) => u.id === except) ? (
            <EmptyState title={t('segments.no_users')} />
          ) : (
            <ul className={css.users}>
              {items
                .filter((u) => u.id !== except)
                .map((u) => (
                  <li key={u.id}>
                    <Tag>{text(`segments.noun.${u.noun}`)}</Tag>
                    {places[u.noun] ? <Link to={`${places[u.noun]}${u.id}`}>{u.name}</Link> : <span>{u.name}</span>}
                    {u.status ? <Status value={u.status} /> : null}
                  </li>
                ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  )
}
