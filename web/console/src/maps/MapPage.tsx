import { Download, Printer, Redo2, Undo2 } from 'lucide-react'
import { lazy, Suspense, useRef, useState } from 'react'
import { call, type Schemas, useRead, useSend } from '@/api'
import { VersionsSheet } from '@/app/PastVersions'
import { SaveTrouble } from '@/app/SaveTrouble'
import { useCan } from '@/app/session'
import { useHistory } from '@/content/history'
import { useT } from '@/i18n'
import { useAutosave } from '@/lib/autosave'
import { download, toCsv } from '@/lib/download'
import { useShortcuts } from '@/lib/keys'
import { useGo, useParam, useUrlState } from '@/lib/route'
import { Face } from '@/personas/Face'
import { placeName } from '@/personas/places'
import { confirm, Group, IconButton, Link, ListPage, Loaded, LoadingState, Note, PageTabs, toast, toastError, toastUndo } from '@/ui'
import { About } from './About'
import { Grid } from './Grid'
import css from './maps.module.css'
import { planDifferences } from './past'
import { type Plan, planOf, removeStage, textRows } from './plan'

const RealPaths = lazy(() => import('./RealPaths'))

export default function MapPage() {
  const id = useParam('id')
  const map = useRead('/api/v1/journey-maps/{id}', { path: { id } })
  return <Loaded of={map}>{(m) => <MapEditor key={m.id} map={m} />}</Loaded>
}

function MapEditor({ map }: { map: Schemas['JourneyMap'] }) {
  const t = useT()
  const go = useGo()
  const can = useCan()
  const write = can('segments.write')
  const [view, setView] = useUrlState({ tab: 'plan' })
  const h = useHistory<Plan>(planOf(map))
  const plan = h.now
  const apart = useRef(false) // an old version was taken up: what it replaces stays a version of its own
  const [past, setPast] = useState(false)
  const draft = useAutosave<Plan>({
    name: `journey_map.${map.id}`,
    now: plan,
    revision: map.revision,
    put: async (sent, revision) => {
      const body = { ...sent, revision, apart: apart.current || undefined }
      const saved = await call('put', '/api/v1/journey-maps/{id}', { path: { id: map.id }, body })
      apart.current = false
      return saved.revision
    },
    theirs: async () => {
      const m = await call('get', '/api/v1/journey-maps/{id}', { path: { id: map.id } })
      return { draft: planOf(m), revision: m.revision }
    },
    take: h.restart,
    refresh: ['/api/v1/journey-maps'],
  })
  const persona = useRead('/api/v1/personas/{id}', { path: { id: plan.persona_id ?? '' } }, { enabled: Boolean(plan.persona_id) })
  const remove = useSend('delete', '/api/v1/journey-maps/{id}', { refresh: ['/api/v1/journey-maps'] })
  useShortcuts(
    write
      ? [
          { keys: 'mod+z', label: t('action.undo'), run: h.undo },
          { keys: 'mod+y', label: t('journeys.redo'), run: h.redo },
          { keys: 'mod+s', label: t('action.save'), run: () => void draft.save(), inFields: true },
        ]
      : [],
  )
  const destroy = async () => {
    if (
      !(await confirm({
        title: t('maps.delete_title', { name: plan.name }),
        text: t('maps.delete_text'),
        action: t('action.delete'),
        danger: true,
      }))
    )
      return
    remove.mutate(
      { path: { id: map.id } },
      {
        onSuccess: () => {
          toast(t('maps.deleted', { name: plan.name }))
          go('/journey-maps')
        },
        onError: toastError,
      },
    )
  }
  const dropStage = (id: string) => {
    const before = plan
    h.change((p) => removeStage(p, id))
    toastUndo(t('maps.stage_removed', { name: plan.stages.find((s) => s.id === id)?.name ?? '' }), () => h.change(() => before))
  }
  const takeUp = async (then: Plan) => {
    await draft.save() // what is not saved yet belongs to the version that is replaced
    apart.current = true
    h.change(() => then)
  }
  const p = persona.data
  return (
    <ListPage
      title={plan.name}
      lead={plan.description}
      crumbs={[
        { to: '/segments', label: t('nav.segments') },
        { to: '/journey-maps', label: t('maps.title') },
      ]}
      meta={
        <>
          {plan.persona_id && !persona.error ? (
            <Link data-finger to={`/personas/${plan.persona_id}`} className={css.who}>
              <Face name={p?.name ?? '…'} colour={p?.colour} picture={p?.picture} size={28} />
              {p?.name ?? '…'}
            </Link>
          ) : null}
          {write ? <span role="status">{t(`journeys.save_${draft.saving}`)}</span> : null}
        </>
      }
      more={[
        { label: t('personas.print'), icon: <Printer size={16} />, run: () => window.print(), rare: true },
        {
          label: t('chart.csv'),
          icon: <Download size={16} />,
          run: () => download(`${plan.name}.csv`, toCsv(table(plan)), 'text/csv;charset=utf-8'),
          rare: true,
        },
        write && { label: t('content.versions'), run: () => setPast(true) },
        write && { label: t('action.delete'), run: () => void destroy(), busy: remove.isPending, red: true },
      ]}
      actions={
        <>
          {write ? (
            <Group gap={2} wrap="nowrap">
              <IconButton label={t('action.undo')} variant="subtle" disabled={!h.canUndo} onClick={h.undo}>
                <Undo2 size={17} />
              </IconButton>
              <IconButton label={t('journeys.redo')} variant="subtle" disabled={!h.canRedo} onClick={h.redo}>
                <Redo2 size={17} />
              </IconButton>
            </Group>
          ) : null}
          {write ? <About plan={plan} change={h.change} /> : null}
        </>
      }
      filters={
        <PageTabs
          label={plan.name}
          value={view.tab}
          onChange={(tab) => setView({ tab })}
          tabs={[
            { id: 'plan', label: t('maps.plan') },
            { id: 'real', label: t('maps.real') },
          ]}
        />
      }
    >
      {past ? (
        <VersionsSheet<Schemas['JourneyMap']>
          path="/api/v1/journey-maps/{id}/versions"
          id={map.id}
          taken={(n) => t('maps.version_taken', { n })}
          differences={(then) => planDifferences(t, planOf(then), plan)}
          onTake={(then) => void takeUp(planOf(then))}
          onClose={() => setPast(false)}
        />
      ) : null}
      <SaveTrouble draft={draft} noun="journey_map" id={map.id} />
      {view.tab === 'real' ? (
        <Suspense fallback={<LoadingState />}>
          <RealPaths id={map.id} ready={draft.saving === 'saved'} plan={plan} />
        </Suspense>
      ) : (
        <>
          <Grid plan={plan} change={h.change} write={write} removeStage={dropStage} />
          {write ? (
            <div className={css.keys}>
              <Note>{t('maps.keys')}</Note>
            </div>
          ) : null}
        </>
      )}
    </ListPage>
  )

  function table(of: Plan): string[][] {
    const places = (s: Plan['stages'][number]) =>
      (s.touchpoints ?? [])
        .map((x) => [x.name, [placeName(x.channel ?? ''), x.owner].filter(Boolean).join(', ')].filter(Boolean).join(' – '))
        .join('\n')
    return [
      ['', ...of.stages.map((s) => s.name ?? '')],
      [t('maps.row.touchpoints'), ...of.stages.map(places)],
      [t('maps.row.mood'), ...of.stages.map((s) => t(`maps.mood.${s.mood}`))],
      ...textRows.map((row) => [t(`maps.row.${row}`), ...of.stages.map((s) => s[row] ?? '')]),
      ...(of.rows ?? []).map((r) => [r.name ?? '', ...of.stages.map((s) => s.notes?.[r.id] ?? '')]),
    ]
  }
}
