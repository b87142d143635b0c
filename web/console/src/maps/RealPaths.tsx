// The plan beside what people really did.
import { useState } from 'react'
import { type Schemas, useAll, useList, useRead } from '@/api'
import { useCan } from '@/app/session'
import { formatDays, formatNumber, formatPercent, formatSpan, useT } from '@/i18n'
import { useUrlState } from '@/lib/route'
import { Period } from '@/report/Period'
import { useSegmentNames } from '@/segments/names'
import {
  Ago,
  Alert,
  Card,
  Chart,
  DataTable,
  EmptyState,
  FilterBar,
  Loaded,
  Note,
  PersonLink,
  Select,
  Sheet,
  Stat,
  StatRow,
  Tag,
  useShownScheme,
} from '@/ui'
import css from './maps.module.css'
import type { Plan } from './plan'
import { type Colours, columnsOf, drawing, type Flow, type FlowLink, fontSize, heightOf, leastWidth, sankeyOption } from './sankey'

type Figure = 'all' | 'off' | 'reached' | 'next' | 'dropped' | 'link' | 'path'
interface Pick {
  title: string
  people: number
  query: { figure: Figure; stage?: number; step?: number; next?: number; path?: string; more?: boolean }
}

function useColours(): Colours {
  useShownScheme()
  const style = getComputedStyle(document.documentElement)
  const v = (name: string) => style.getPropertyValue(`--ui-${name}`).trim()
  return {
    stage: v('text-secondary'),
    end: v('chart-8'),
    planned: v('chart-1'),
    off: v('chart-2'),
    text: v('text-primary'),
    ground: v('bg-surface'),
  }
}

export default function RealPaths({ id, ready, plan }: { id: string; ready: boolean; plan: Plan }) {
  const t = useT()
  const [url, setUrl] = useUrlState({ from: '', to: '', segment: '' })
  const segments = useAll('/api/v1/segments')
  const names = useSegmentNames()
  const period = { from: url.from || undefined, to: url.to || undefined, segment: url.segment || undefined }
  const flow = useRead('/api/v1/journey-maps/{id}/flow', { path: { id }, query: period }, { keep: true, enabled: ready })
  const [pick, setPick] = useState<Pick | null>(null)
  const people = useCan()('people.read')
  const look = people ? setPick : undefined
  const linked = plan.stages.some((s) => s.touchpoints?.some((p) => p.signals?.length))
  if (!linked)
    return (
      <Card>
        <EmptyState title={t('maps.nothing_linked')} text={t('maps.nothing_linked_text')} />
      </Card>
    )
  return (
    <div className={css.real}>
      <FilterBar>
        <Period from={url.from} to={url.to} onChange={setUrl} />
        <Select
          aria-label={t('maps.segment')}
          searchable
          allowDeselect={false}
          value={url.segment}
          onChange={(segment) => setUrl({ segment: segment ?? '' })}
          data={[
            { value: '', label: t('maps.whose_default') },
            { value: 'everyone', label: t('maps.everyone') },
            ...(segments.data?.items ?? []).map((s) => ({ value: s.id, label: s.name })),
          ]}
        />
      </FilterBar>
      <Loaded of={flow}>
        {(f) => (
          <>
            <Note>
              {t('maps.whose', {
                who: f.segment_id ? (names[f.segment_id] ?? t('maps.a_list')) : t('maps.everyone'),
                days: formatDays(f.from, f.to),
              })}
            </Note>
            {f.people === 0 ? (
              <Card>
                <EmptyState title={t('maps.nobody')} text={t('maps.nobody_text')} />
              </Card>
            ) : (
              <Findings flow={f} look={look} />
            )}
          </>
        )}
      </Loaded>
      <Sheet title={pick?.title} opened={pick !== null} onClose={() => setPick(null)} wide>
        {pick ? <Behind id={id} count={pick.people} query={{ ...period, ...pick.query }} /> : null}
      </Sheet>
    </div>
  )
}

function Findings({ flow: f, look }: { flow: Flow; look?: (p: Pick) => void }) {
  const t = useT()
  const colours = useColours()
  const name = (stage: number) => (stage < 0 ? t('maps.left') : f.stages[stage]?.name || t('maps.stage_n', { n: stage + 1 }))
  const n = (people: number) => t('personas.people', { count: people, n: formatNumber(people) })
  const d = drawing(f)
  const way = (l: FlowLink) => t('maps.from_to', { from: name(l.from), to: name(l.to) })
  const linkText = (l: FlowLink) =>
    [way(l), n(l.people), l.to >= 0 ? t('maps.after', { time: formatSpan(l.median_ms) }) : '', l.planned ? '' : t('maps.off_plan')]
      .filter(Boolean)
      .join('\n')
  // A way that goes on beyond what is shown may leave the plan there only.
  const off = new Set(f.links.filter((l) => !l.planned).map((l) => `${l.from} ${l.to}`))
  const shownOff = (stages: number[]) => stages[0] !== 0 || stages.some((s, i) => off.has(`${s} ${stages[i + 1]}`))
  const lookLink = (l: FlowLink) =>
    look?.({ title: way(l), people: l.people, query: { figure: 'link', step: l.step, stage: l.from, next: l.to } })
  const lookNode = ({ stage }: { stage: number }) => {
    if (stage >= 0) look?.({ title: name(stage), people: f.stages[stage]!.reached, query: { figure: 'reached', stage } })
  }
  const first = f.stages.findIndex((s) => s.seen)
  const last = f.stages.findLastIndex((s) => s.seen)
  const unseen = f.stages.filter((s) => !s.seen)
  return (
    <>
      <StatRow>
        <Stat
          label={t('maps.people')}
          value={formatNumber(f.people)}
          onClick={look && (() => look({ title: t('maps.people'), people: f.people, query: { figure: 'all' } }))}
        />
        <Stat
          label={t('maps.off_share')}
          value={formatPercent(f.off_plan / f.people)}
          note={n(f.off_plan)}
          onClick={look && (() => look({ title: t('maps.off_plan'), people: f.off_plan, query: { figure: 'off' } }))}
        />
        {last > first ? (
          <Stat
            label={t('maps.came_to', { name: name(last) })}
            value={formatPercent(f.stages[last]!.reached / f.people)}
            note={n(f.stages[last]!.reached)}
            onClick={
              look && (() => look({ title: name(last), people: f.stages[last]!.reached, query: { figure: 'reached', stage: last } }))
            }
          />
        ) : null}
      </StatRow>
      {unseen.length ? (
        <Alert color="info">{t('maps.unseen', { names: unseen.map((s) => s.name).join(t('personas.comma')) })}</Alert>
      ) : null}
      <Card title={t('maps.ways')} help={t('maps.ways_help')}>
        <Chart
          title={t('maps.ways')}
          kind="bar"
          height={heightOf(d)}
          least={leastWidth(d)}
          heads={Array.from({ length: columnsOf(d) }, (_, i) => t('maps.column', { n: i + 1 }))}
          legend={
            <>
              <Tone chart={1}>{t('maps.as_planned')}</Tone>
              <Tone chart={2}>{t('maps.off_plan')}</Tone>
              <Tone chart={8}>{t('maps.left')}</Tone>
            </>
          }
          data={{
            labels: d.links.map((l) => `${l.link.step}. ${way(l.link)}`),
            series: [{ name: t('field.people'), values: d.links.map((l) => l.value) }],
          }}
          option={(width) =>
            sankeyOption(d, width, { name, node: (x) => `${name(x.stage)}\n${n(x.people)}`, link: linkText }, colours, textWidth)
          }
          onPick={
            look &&
            ((index, part) => {
              if (part === 'edge') lookLink(d.links[index]!.link)
              else lookNode(d.nodes[index]!)
            })
          }
        />
      </Card>
      <Card title={t('maps.stage_by_stage')} help={t('maps.stage_by_stage_help')} flush>
        <DataTable
          bare
          name="map-stages"
          label={t('maps.stage_by_stage')}
          rows={f.stages.map((s, i) => ({ ...s, i }))}
          rowId={(s) => s.id}
          columns={[
            { id: 'stage', title: t('maps.stage'), cell: (s) => name(s.i), text: (s) => s.name },
            {
              id: 'reached',
              title: t('maps.reached'),
              num: true,
              cell: (s) => (
                <Look
                  n={s.seen ? s.reached : undefined}
                  on={look && (() => look({ title: name(s.i), people: s.reached, query: { figure: 'reached', stage: s.i } }))}
                />
              ),
              text: (s) => s.reached,
            },
            {
              id: 'next',
              title: t('maps.next'),
              num: true,
              cell: (s) =>
                s.i + 1 < f.stages.length && s.reached > 0 ? (
                  <Look
                    n={s.next}
                    of={s.reached}
                    on={
                      look &&
                      (() =>
                        look({
                          title: t('maps.from_to', { from: name(s.i), to: name(s.i + 1) }),
                          people: s.next,
                          query: { figure: 'next', stage: s.i },
                        }))
                    }
                  />
                ) : (
                  '–'
                ),
              text: (s) => s.next,
            },
            {
              id: 'dropped',
              title: t('maps.dropped'),
              num: true,
              cell: (s) =>
                s.i + 1 < f.stages.length && s.reached > 0 ? (
                  <Look
                    n={s.dropped}
                    of={s.reached}
                    on={
                      look &&
                      (() =>
                        look({
                          title: t('maps.dropped_at', { name: name(s.i) }),
                          people: s.dropped,
                          query: { figure: 'dropped', stage: s.i },
                        }))
                    }
                  />
                ) : (
                  '–'
                ),
              text: (s) => s.dropped,
            },
            {
              id: 'time',
              title: t('maps.median'),
              num: true,
              cell: (s) => (s.next > 0 ? formatSpan(s.median_ms) : '–'),
              text: (s) => s.median_ms,
            },
          ]}
        />
      </Card>
      <Card title={t('maps.paths')} help={t('maps.paths_help')} flush>
        <DataTable
          bare
          name="map-paths"
          label={t('maps.paths')}
          sums={f.other > 0 ? 1 : 0}
          rows={[...f.paths, ...(f.other > 0 ? [{ stages: [], more: false, off_plan: false, people: f.other }] : [])]}
          rowId={(p) => `${p.stages.join(',')} ${p.more} ${p.off_plan}`}
          columns={[
            {
              id: 'way',
              title: t('maps.way'),
              cell: (p) =>
                p.stages.length === 0 ? (
                  t('maps.other_ways')
                ) : (
                  <>
                    {p.stages.map(name).join(' → ')}
                    {p.more ? ' → …' : ''}
                  </>
                ),
              text: (p) => p.stages.map(name).join(' > '),
            },
            {
              id: 'plan',
              title: t('maps.plan'),
              cell: (p) =>
                p.stages.length === 0 ? null : (
                  <Tag tone={p.off_plan ? 'warning' : 'success'}>
                    {t(!p.off_plan ? 'maps.as_planned' : shownOff(p.stages) ? 'maps.off_plan' : 'maps.off_later')}
                  </Tag>
                ),
              text: (p) => (p.off_plan ? 'off' : 'on'),
            },
            {
              id: 'people',
              title: t('field.people'),
              num: true,
              cell: (p) => (
                <Look
                  n={p.people}
                  of={f.people}
                  on={
                    look && p.stages.length > 0
                      ? () =>
                          look({
                            title: p.stages.map(name).join(' → '),
                            people: p.people,
                            query: { figure: 'path', path: p.stages.join(','), more: p.more },
                          })
                      : undefined
                  }
                />
              ),
              text: (p) => p.people,
            },
          ]}
        />
      </Card>
    </>
  )
}

/** What a colour of the chart means. */
const Tone = ({ chart, children }: { chart: number; children: string }) => (
  <span className={css.tone} style={{ ['--tone' as string]: `var(--ui-chart-${chart})` }}>
    {children}
  </span>
)

/** How wide a name is in the chart, in pixels. */
function textWidth(s: string): number {
  const pen = document.createElement('canvas').getContext('2d')
  if (!pen) return s.length * fontSize
  pen.font = `${fontSize}px ${getComputedStyle(document.body).fontFamily}`
  return pen.measureText(s).width
}

/** A figure that leads to the people behind it. */
function Look({ n, of, on }: { n?: number; of?: number; on?: () => void }) {
  if (n === undefined) return <>–</>
  const words = of ? `${formatNumber(n)} (${formatPercent(n / of)})` : formatNumber(n)
  return on && n > 0 ? (
    <button type="button" className={css.look} onClick={on}>
      {words}
    </button>
  ) : (
    <>{words}</>
  )
}

function Behind({
  id,
  count,
  query,
}: {
  id: string
  count: number
  query: Pick['query'] & { from?: string; to?: string; segment?: string }
}) {
  const t = useT()
  const people = useList('/api/v1/journey-maps/{id}/people', { path: { id }, query })
  return (
    <DataTable<Schemas['Person']>
      name="map-people"
      people
      label={t('field.people')}
      rows={people.items}
      rowId={(p) => p.id}
      loading={people.loading}
      error={people.error}
      onRetry={people.reload}
      more={people.more}
      total={people.more ? count : undefined}
      loadingMore={people.loadingMore}
      onMore={people.loadMore}
      columns={[
        { id: 'person', title: t('field.person'), cell: (p) => <PersonLink person={p} />, text: (p) => p.name ?? p.id },
        { id: 'email', title: t('field.email'), cell: (p) => p.email ?? '', text: (p) => p.email },
        { id: 'seen', title: t('field.last_seen'), num: true, cell: (p) => <Ago at={p.last_seen} />, text: (p) => p.last_seen },
      ]}
      empty={<EmptyState title={t('list.nobody')} />}
    />
  )
}
