import { AlertTriangle, LayoutList, ListTree, Redo2, Settings2, Undo2, Wand2 } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { type Schemas, useRead } from '@/api'
import { useCan } from '@/app/session'
import { useT } from '@/i18n'
import { useShortcuts } from '@/lib/keys'
import { useGo, useParam, useUrlState } from '@/lib/route'
import {
  Alert,
  Button,
  EditorPage,
  Group,
  IconButton,
  Loaded,
  LoadingState,
  PageTabs,
  SegmentedControl,
  Status,
  TextInput,
  toastUndo,
  UnstyledButton,
  useMediaQuery,
} from '@/ui'
import { AddStep } from './AddStep'
import { EntrancePanel } from './EntrancePanel'
import { useFaces } from './faces'
import {
  change,
  duplicate,
  entrance,
  freshId,
  insert,
  lead,
  type Place,
  place,
  remove,
  removeBranch,
  stepOf,
  targetOf,
  tidy,
} from './graph'
import css from './JourneyEditPage.module.css'
import { fresh } from './fresh'
import { SettingsPanel } from './SettingsPanel'
import { StepList } from './StepList'
import { StepPanel } from './StepPanel'
import { useDraft } from './useDraft'
import { type Things, useThings } from './useThings'
import { stepTitle } from './words'

const Canvas = lazy(() => import('./Canvas'))

export default function JourneyEditPage() {
  const id = useParam('id')
  const journey = useRead('/api/v1/journeys/{id}', { path: { id } })
  const things = useThings()
  return <Loaded of={journey}>{(j) => (things.specs.size ? <Editor key={j.id} journey={j} things={things} /> : <LoadingState />)}</Loaded>
}

function Editor({ journey, things }: { journey: Schemas['Journey']; things: Things }) {
  const t = useT()
  const go = useGo()
  const can = useCan()
  const edit = can('journeys.write') && journey.status !== 'archived'
  const narrow = useMediaQuery('(max-width: 760px)')
  const [url, setUrl] = useUrlState({ view: '' })
  const view = url.view || (narrow ? 'list' : 'canvas')
  const [selected, setSelected] = useState<string | undefined>()
  const [panel, setPanel] = useState<'step' | 'journey' | undefined>()
  const [adding, setAdding] = useState<Place | undefined>()
  const d = useDraft(journey)
  const graph = d.draft.graph
  const outputsFor = (kind: string) => things.outputs.get(kind) ?? []
  const faces = useFaces(graph, things.names, d.faults)
  const step = selected ? stepOf(graph, selected) : undefined

  const open = (node: string) => {
    setSelected(node)
    setPanel('step')
  }
  const removeStep = (node: string, whole = false) => {
    const gone = stepOf(graph, node)
    if (!gone) return
    d.editGraph((g) => (whole ? removeBranch(g, node) : remove(g, node, outputsFor(gone.kind))))
    setSelected(undefined)
    setPanel(undefined)
    toastUndo(t('journeys.removed', { name: stepTitle(gone) }), () => d.editGraph(() => graph))
  }
  const copyStep = (node: string) => {
    const from = stepOf(graph, node)
    const made = from && duplicate(graph, node, outputsFor(from.kind))
    if (!made) return
    d.editGraph(() => made.graph)
    open(made.id)
  }
  const add = (kind: string) => {
    const at = adding!
    const node = freshId(graph, kind)
    d.editGraph((g) => insert(g, at, { id: node, kind, config: fresh(kind, node) }, outputsFor(kind)))
    setAdding(undefined)
    open(node)
  }
  useShortcuts([
    { keys: 'mod+z', label: t('action.undo'), run: () => d.undo?.() },
    { keys: 'mod+y', label: t('journeys.redo'), run: () => d.redo?.() },
    { keys: 'mod+s', label: t('action.save'), run: () => void d.save(), inFields: true },
  ])
  const problems = [...d.faults].flatMap(([node, fields]) => Object.entries(fields).map(([field, text]) => ({ node, field, text })))
  const shared = {
    graph,
    outputs: things.outputs,
    faces,
    selected,
    edit,
    onSelect: setSelected,
    onOpen: open,
    onInsert: setAdding,
    onRemove: removeStep,
    onCopy: copyStep,
  }
  // A kind without outputs fits only where nothing would be cut off.
  const insertable = [...things.specs.values()]
    .filter((k) => !adding || !targetOf(graph, adding) || (k.outputs ?? []).length > 0)
    .map((k) => k.kind)
  const inspector =
    panel === 'journey' ? (
      <SettingsPanel
        graph={graph}
        things={things}
        faults={d.faults.get('') ?? {}}
        put={(patch, tag) => d.editGraph((g) => ({ ...g, ...patch }), tag)}
        readOnly={!edit}
      />
    ) : panel === 'step' && selected === entrance ? (
      <EntrancePanel
        graph={graph}
        things={things}
        faults={d.faults.get('') ?? {}}
        put={(patch, tag) => d.editGraph((g) => ({ ...g, ...patch }), tag)}
        readOnly={!edit}
      />
    ) : panel === 'step' && step ? (
      <StepPanel
        key={step.id}
        graph={graph}
        step={step}
        things={things}
        faults={d.faults.get(step.id) ?? {}}
        own={journey.id}
        readOnly={!edit}
        change={(patch, tag) => d.editGraph((g) => change(g, step.id, patch), tag)}
        lead={(output, to) => d.editGraph((g) => lead(g, { node: step.id, output }, to))}
        copy={() => copyStep(step.id)}
        remove={() => removeStep(step.id)}
        removeBranch={() => removeStep(step.id, true)}
      />
    ) : null
  return (
    <EditorPage
      title={d.draft.name}
      back={{ to: `/journeys/${journey.id}`, label: t('nav.journeys') }}
      status={<Status value={journey.status} />}
      saved={edit ? t(`journeys.save_${d.saving}`) : null}
      actions={
        <>
          <Group gap={2} wrap="nowrap">
            <IconButton label={t('action.undo')} variant="subtle" disabled={!d.undo} onClick={d.undo}>
              <Undo2 size={17} />
            </IconButton>
            <IconButton label={t('journeys.redo')} variant="subtle" disabled={!d.redo} onClick={d.redo}>
              <Redo2 size={17} />
            </IconButton>
            <IconButton label={t('journeys.tidy')} variant="subtle" disabled={!edit} onClick={() => d.editGraph(tidy)}>
              <Wand2 size={17} />
            </IconButton>
          </Group>
          <SegmentedControl
            aria-label={t('journeys.view')}
            data={[
              { value: 'canvas', label: <ViewName icon={ListTree} name={t('journeys.view_canvas')} /> },
              { value: 'list', label: <ViewName icon={LayoutList} name={t('journeys.view_list')} /> },
            ]}
            value={view}
            onChange={(v) => setUrl({ view: v })}
          />
          <Button leftSection={<Settings2 size={16} />} onClick={() => setPanel(panel === 'journey' ? undefined : 'journey')}>
            {t('journeys.settings')}
          </Button>
          <Button
            variant="filled"
            onClick={async () => {
              await d.save()
              go(`/journeys/${journey.id}`)
            }}
          >
            {t('journeys.finish')}
          </Button>
        </>
      }
      problems={
        d.saving === 'conflict' ? (
          <Alert color="warning" title={t('journeys.conflict')}>
            <Group gap="xs">
              <Button onClick={() => void d.reload()}>{t('journeys.conflict_reload')}</Button>
              <Button color="danger" variant="light" onClick={() => void d.save(true)}>
                {t('journeys.conflict_overwrite')}
              </Button>
            </Group>
          </Alert>
        ) : d.saving === 'failed' ? (
          <Alert color="danger">
            <Group gap="xs">
              {d.failure}
              <Button onClick={() => void d.save()}>{t('action.retry')}</Button>
            </Group>
          </Alert>
        ) : problems.length ? (
          <details className={css.problems}>
            <summary>
              <AlertTriangle size={15} aria-hidden /> {t('journeys.problems', { count: problems.length })}
            </summary>
            <ul>
              {problems.map((p) => (
                <li key={`${p.node} ${p.field}`}>
                  <UnstyledButton
                    onClick={() =>
                      p.node ? open(p.node) : /^(trigger|re_entry|caps)/.test(p.field) ? open(entrance) : setPanel('journey')
                    }
                  >
                    <b>{p.node ? (faces.get(p.node)?.title ?? p.node) : t('journeys.whole')}</b> {p.text}
                  </UnstyledButton>
                </li>
              ))}
            </ul>
          </details>
        ) : null
      }
      inspector={
        inspector ? (
          <div className={css.panel}>
            <PageTabs
              label={t('page.inspector')}
              tabs={[
                { id: 'step', label: selected === entrance ? t('journeys.entrance') : t('journeys.step') },
                { id: 'journey', label: t('journeys.settings') },
              ]}
              value={panel ?? 'step'}
              onChange={(v) => setPanel(v as 'step' | 'journey')}
            />
            {panel === 'journey' ? (
              <TextInput
                label={t('field.name')}
                required
                maxLength={200}
                mb="lg"
                disabled={!edit}
                value={d.draft.name}
                onChange={(e) => {
                  const name = e.currentTarget.value
                  d.edit((x) => ({ ...x, name }), 'name')
                }}
              />
            ) : null}
            {inspector}
          </div>
        ) : null
      }
    >
      {view === 'list' ? (
        <StepList {...shared} />
      ) : (
        <Suspense fallback={<LoadingState />}>
          <Canvas {...shared} onMove={(spots) => d.editGraph((g) => place(g, spots))} />
        </Suspense>
      )}
      {adding ? <AddStep kinds={insertable} onPick={add} onClose={() => setAdding(undefined)} /> : null}
    </EditorPage>
  )
}

const ViewName = ({ icon: Icon, name }: { icon: typeof ListTree; name: string }) => (
  <span className={css.view}>
    <Icon size={15} aria-hidden />
    {name}
  </span>
)
