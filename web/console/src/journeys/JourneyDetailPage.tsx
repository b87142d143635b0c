import { lazy, Suspense, useMemo, useState } from 'react'
import { becomes, type Schemas, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, language, useT } from '@/i18n'
import { useLooked } from '@/lib/preferences'
import { useGo, useParam, useUrlState } from '@/lib/route'
import { EffectCard } from '@/report/EffectCard'
import { Figures, Share } from '@/report/Figures'
import { NotePanel } from '@/report/NotePanel'
import { type Behind, PeopleBehind } from '@/report/PeopleBehind'
import {
  Alert,
  Amounts,
  Button,
  Card,
  confirm,
  DataTable,
  Definition,
  DetailPage,
  EmptyState,
  LinkButton,
  Loaded,
  LoadingState,
  Num,
  PageTabs,
  Pending,
  Stat,
  StatRow,
  Status,
  Time,
  toast,
  toastError,
  toastUndo,
  useAtOnce,
  useMediaQuery,
} from '@/ui'
import type { Face } from './CardFace'
import { Entering } from './Entering'
import { useFaces } from './faces'
import { entrance, readGraph } from './graph'
import { told } from './faults'
import css from './JourneyDetailPage.module.css'
import { Changes, PublishSheet } from './PublishSheet'
import { StepList } from './StepList'
import { Stuck } from './Stuck'
import { Tests } from './Tests'
import { useThings } from './useThings'
import { outputText, stepTitle } from './words'

const Canvas = lazy(() => import('./Canvas'))
const live = ['/api/v1/journeys']

export default function JourneyDetailPage() {
  const t = useT()
  const id = useParam('id')
  const can = useCan()
  const go = useGo()
  const [behind, setBehind] = useState<Behind | null>(null)
  const [publishing, setPublishing] = useState(false)
  const [url, setUrl] = useUrlState({ tab: 'overview' })
  const journey = useRead('/api/v1/journeys/{id}', { path: { id } })
  useLooked('journey', (journey.data?.published_version ?? 0) > 0)
  const report = useRead('/api/v1/journeys/{id}/report', { path: { id } }, { every: 10_000 })
  const versions = useRead('/api/v1/journeys/{id}/versions', { path: { id } })
  const verbs = {
    stop: useSend('post', '/api/v1/journeys/{id}/stop', { refresh: live }),
    'exit-all': useSend('post', '/api/v1/journeys/{id}/exit-all', { refresh: live }),
  }
  const archive = useSend('post', '/api/v1/journeys/{id}/archive', { refresh: live })
  const restore = useSend('post', '/api/v1/journeys/{id}/restore', { refresh: live })
  const bringBack = () => restore.mutate({ path: { id } }, { onError: toastError })
  const now = (status: string) => ({ refresh: live, shows: () => [becomes('/api/v1/journeys', id, { status })] })
  const turns = {
    pause: useAtOnce('post', '/api/v1/journeys/{id}/pause', now('paused')),
    resume: useAtOnce('post', '/api/v1/journeys/{id}/resume', now('live')),
  }
  const retry = useSend('post', '/api/v1/journeys/{id}/retry', { refresh: live })
  const act = async (verb: keyof typeof verbs, j: Schemas['Journey']) => {
    if (
      !(await confirm({
        title: t(`journeys.${verb}_title`, { name: j.name }),
        text: t(`journeys.${verb}_text`, { n: formatNumber(j.active) }),
        action: t(`journeys.${verb}`),
        danger: verb === 'exit-all', // a journey that was stopped is published anew
      }))
    )
      return
    verbs[verb].mutate({ path: { id } }, { onError: toastError })
  }
  return (
    <Loaded of={journey}>
      {(j) => {
        const published = versions.data?.items?.find((v) => v.version === j.published_version)
        const runs = j.status === 'live' || j.status === 'paused'
        return (
          <DetailPage
            title={j.name}
            crumbs={[{ to: '/journeys', label: t('nav.journeys') }]}
            status={<Status value={j.status} />}
            meta={j.published_version ? <span>{t('journeys.version', { n: j.published_version })}</span> : null}
            more={
              j.status === 'archived'
                ? []
                : [
                    { label: t('journeys.simulate'), to: `/journeys/${id}/simulate` },
                    ...(can('journeys.publish')
                      ? [
                          j.status === 'live' && { label: t('journeys.pause'), run: () => void turns.pause({ path: { id } }), rare: true },
                          runs && { label: t('journeys.stop'), run: () => void act('stop', j), rare: true },
                          (runs || j.active > 0) && {
                            label: t('journeys.exit-all'),
                            run: () => void act('exit-all', j),
                            red: true,
                            rare: true,
                          },
                          {
                            label: t('action.archive'),
                            run: () =>
                              archive.mutate(
                                { path: { id } },
                                { onSuccess: () => toastUndo(t('journeys.archived', { name: j.name }), bringBack), onError: toastError },
                              ),
                            rare: true,
                          },
                        ]
                      : []),
                  ]
            }
            actions={
              <>
                {can('journeys.publish') && j.status === 'archived' ? <Button onClick={bringBack}>{t('action.restore')}</Button> : null}
                {can('journeys.write') && j.status !== 'archived' ? (
                  <LinkButton to={`/journeys/${id}/edit`}>{t('journeys.edit')}</LinkButton>
                ) : null}
                {can('journeys.publish') && j.status === 'paused' ? (
                  <Button onClick={() => void turns.resume({ path: { id } })}>{t('journeys.resume')}</Button>
                ) : null}
                {can('journeys.publish') && j.status !== 'archived' ? (
                  <Button variant="filled" onClick={() => setPublishing(true)}>
                    {t('journeys.publish')}
                  </Button>
                ) : null}
              </>
            }
            tabs={
              <PageTabs
                label={j.name}
                tabs={['overview', 'entering', 'messages', 'effect', 'versions'].map((x) => ({ id: x, label: t(`journeys.tab_${x}`) }))}
                value={url.tab}
                onChange={(tab) => setUrl({ tab })}
              />
            }
          >
            <Loaded of={report}>
              {(r) =>
                url.tab === 'versions' ? (
                  <Versions id={id} published={j.published_version} />
                ) : url.tab === 'entering' ? (
                  <Entering journey={j} />
                ) : url.tab === 'effect' ? (
                  <>
                    {j.key ? <Aim of={j.key} rate={r.goal_rate} /> : null}
                    {can('reports.read') && j.published_version ? <EffectCard of="journeys" id={id} /> : null}
                    <NotePanel of="journeys" id={id} />
                  </>
                ) : url.tab === 'messages' ? (
                  <Figures of={r.messages} onOpen={setBehind} />
                ) : (
                  <>
                    <Broken id={id} graph={published?.graph} />
                    {r.parked > 0 ? (
                      <Alert color="danger" title={t('journeys.parked_title', { count: r.parked })}>
                        <Button
                          loading={retry.isPending}
                          disabled={!can('journeys.publish')}
                          onClick={() =>
                            retry.mutate(
                              { path: { id } },
                              { onSuccess: (a) => toast(t('journeys.retried', { count: a.count })), onError: toastError },
                            )
                          }
                        >
                          {t('journeys.retry_all')}
                        </Button>
                      </Alert>
                    ) : null}
                    <Stuck id={id} />
                    <StatRow>
                      {(['entered', 'active', 'goals', 'exited', 'parked'] as const).map((m) => (
                        <Stat
                          key={m}
                          label={t(`journeys.tile_${m}`)}
                          value={<Num value={r[m]} />}
                          note={m === 'goals' ? <Share rate={r.goal_rate} /> : null}
                          onClick={() => setBehind({ title: t(`journeys.tile_${m}`), metric: m })}
                        />
                      ))}
                      {r.revenue?.length ? (
                        <Stat
                          label={t('journeys.revenue')}
                          value={
                            <span className={css.money}>
                              <Amounts of={r.revenue} />
                            </span>
                          }
                        />
                      ) : null}
                    </StatRow>
                    <Tests id={id} graph={published?.graph} />
                    <Card title={t('journeys.nodes')} flush>
                      <StepMap
                        graph={published?.graph ?? j.draft}
                        report={r}
                        onBehind={setBehind}
                        onEdit={can('journeys.write') && j.status !== 'archived' ? () => go(`/journeys/${id}/edit`) : undefined}
                      />
                    </Card>
                  </>
                )
              }
            </Loaded>
            <PeopleBehind of="journeys" id={id} behind={behind} onClose={() => setBehind(null)} />
            {publishing ? <PublishSheet journey={j} onClose={() => setPublishing(false)} /> : null}
          </DetailPage>
        )
      }}
    </Loaded>
  )
}

/** What a journey of the library is judged by, and how it does. */
function Aim({ of, rate }: { of: string; rate: Schemas['Rate'] }) {
  const t = useT()
  const ready = useRead('/api/v1/journeys/ready', { query: { locale: language() } })
  const j = ready.data?.journeys?.find((x) => x.key === of)
  if (ready.isLoading) return <Pending />
  if (!j) return null
  return (
    <Card title={t('journeys.aim')}>
      <Definition
        items={[
          [t('journeys.judged_by'), j.indicator],
          [t('journeys.goal'), j.goal],
          [t('journeys.so_far'), rate.n ? <Share key="rate" rate={rate} /> : ''],
        ]}
      />
    </Card>
  )
}

/** What the published version names and is gone since. */
function Broken({ id, graph: raw }: { id: string; graph: unknown }) {
  const t = useT()
  const found = useRead('/api/v1/journeys/{id}/faults', { path: { id } }, { every: 60_000 })
  const graph = useMemo(() => readGraph(raw), [raw])
  const faults = told(found.data?.items ?? [])
  if (found.isLoading) return <Pending />
  if (faults.length === 0) return null
  const step = (node: string) => graph.nodes.find((n) => n.id === node)
  return (
    <Alert color="danger" title={t('journeys.broken')}>
      {t('journeys.broken_text')}
      <ul className={css.changes}>
        {faults.map((f) => (
          <li key={`${f.node} ${f.field} ${f.text}`}>
            {step(f.node) ? `${stepTitle(step(f.node)!)}: ` : ''}
            {f.text}
          </li>
        ))}
      </ul>
    </Alert>
  )
}

/** The published journey with the figures of each step; each leads to the people behind it. */
function StepMap({
  graph: raw,
  report,
  onBehind,
  onEdit,
}: {
  graph: unknown
  report: Schemas['JourneyReport']
  onBehind: (b: Behind) => void
  onEdit?: () => void
}) {
  const t = useT()
  const things = useThings()
  const narrow = useMediaQuery('(max-width: 760px)', false, { getInitialValueInEffect: false })
  const graph = useMemo(() => readGraph(raw), [raw])
  const [selected, setSelected] = useState<string | undefined>()
  const [facts, passed] = useMemo(() => {
    const facts = new Map<string, Face['facts']>()
    const passed = new Map<string, number>()
    const fact = (title: string, metric: string, count: number, node?: string, tone?: 'danger') => ({
      label: t(`journeys.fact_${metric}`),
      value: formatNumber(count),
      tone,
      onOpen: () => onBehind({ title: `${title} · ${t(`journeys.fact_${metric}`)}`, metric, node }),
    })
    facts.set(entrance, [fact(t('journeys.entrance'), 'entered', report.entered), fact(t('journeys.entrance'), 'active', report.active)])
    const known = new Map((report.nodes ?? []).map((n) => [n.id, n]))
    for (const step of graph.nodes) {
      const n = known.get(step.id)
      const title = stepTitle(step)
      facts.set(step.id, [
        fact(title, 'entered', n?.entered ?? 0, step.id),
        ...(n?.waiting ? [fact(title, 'waiting', n.waiting, step.id)] : []),
        ...(n?.messages?.refused ? [fact(title, 'refused', n.messages.refused, step.id, 'danger')] : []),
        ...(n?.parked ? [fact(title, 'parked', n.parked, step.id, 'danger')] : []),
      ])
      for (const o of n?.outputs ?? []) passed.set(`${step.id} ${o.reason}`, o.count)
    }
    return [facts, passed]
  }, [graph, report, onBehind, t])
  const faces = useFaces(graph, things.names, undefined, facts)
  if (graph.nodes.length === 0) return <EmptyState title={t('journeys.no_steps')} text={t('journeys.no_steps_help')} />
  if (things.specs.size === 0) return <LoadingState />
  const shared = {
    graph,
    outputs: things.outputs,
    faces,
    selected,
    edit: false,
    passed,
    onSelect: setSelected,
    onOpen: () => onEdit?.(),
    onWay: (at: { node: string; output: string }) => {
      const step = graph.nodes.find((n) => n.id === at.node)
      if (step) onBehind({ title: `${stepTitle(step)} · ${outputText(at.output, step)}`, metric: 'out', node: at.node, reason: at.output })
    },
  }
  if (narrow) return <StepList {...shared} />
  return (
    <div className={css.map}>
      <Suspense fallback={<LoadingState />}>
        <Canvas {...shared} />
      </Suspense>
    </div>
  )
}

function Versions({ id, published }: { id: string; published: number }) {
  const t = useT()
  const versions = useRead('/api/v1/journeys/{id}/versions', { path: { id } })
  const [open, setOpen] = useState<number | undefined>()
  return (
    <>
      <Card flush>
        <DataTable
          bare
          name="journey-versions"
          label={t('journeys.tab_versions')}
          rows={versions.data?.items ?? []}
          rowId={(v) => String(v.version)}
          loading={versions.isLoading}
          error={versions.error}
          onRetry={() => void versions.refetch()}
          onOpen={(v) => setOpen(v.version)}
          columns={[
            {
              id: 'version',
              opens: true,
              title: t('journeys.version_name'),
              cell: (v) => t('journeys.version', { n: v.version }),
              text: (v) => v.version,
            },
            {
              id: 'state',
              title: t('field.status'),
              cell: (v) => (v.version === published ? <Status value="live" /> : null),
              text: () => '',
            },
            { id: 'time', title: t('field.time'), num: true, cell: (v) => <Time at={v.created_at} />, text: (v) => v.created_at },
          ]}
          empty={<EmptyState title={t('journeys.no_versions')} />}
        />
      </Card>
      {open !== undefined ? (
        <Card title={open > 1 ? t('journeys.changes_of', { n: open, before: open - 1 }) : t('journeys.version', { n: open })}>
          {open > 1 ? <Changes id={id} from={open - 1} to={open} /> : t('journeys.first_version')}
        </Card>
      ) : null}
    </>
  )
}
