import { AlertTriangle, Info, LayoutList, ListTree, Redo2, Settings2, Undo2, Wand2 } from 'lucide-react'
import { lazy, Suspense, useRef, useState, useMemo } from 'react'
import { type Schemas, useRead } from '@/api'
import { SaveTrouble } from '@/app/SaveTrouble'
import { useCan } from '@/app/session'
import { useT } from '@/i18n'
import { useShortcuts } from '@/lib/keys'
import { useGo, useParam, useUrlState } from '@/lib/route'
import {
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
  toast,
  toastUndo,
  UnstyledButton,
  useMediaQuery,
} from '@/ui'
import { AddStep } from './AddStep'
import { EntrancePanel } from './EntrancePanel'
import { useFaces } from './faces'
import { change, entrance, freshId, insert, lead, outputsOf, type Place, place, removeBranch, stepOf, targetOf, tidy } from './graph'
import css from './JourneyEditPage.module.css'
import { fresh } from './fresh'
import { SettingsPanel } from './SettingsPanel'
import { StepList } from './StepList'
import { StepPanel } from './StepPanel'
import { asText, behind, doubled, fromText, graft, removeAll, taken } from './several'
import { useClipboard } from './useClipboard'
import { useDraft } from './useDraft'
import { type Things, useThings } from './useThings'
import { warningsOf } from './warnings'
import { outputText, stepTitle } from './words'

const Canvas = lazy(() => import('./Canvas'))
const nobody: ReadonlySet<string> = new Set()

/** Gives the focus to the input that is about a field, to a faulty one, or to the first. */
function enter(panel: HTMLElement | null, field?: string) {
  const name = field?.replace(/^config\./, '').split('.')[0]
  const input = ':is(input, textarea, select, button):not([type=hidden], [tabindex="-1"], :disabled)'
  const wanted = [name && `[data-field="${CSS.escape(name)}"] ${input}`, '[aria-invalid=true]', `fieldset ${input}`, input]
  for (const w of wanted) {
    const found = w && panel?.querySelector<HTMLElement>(w)
    if (found) return found.focus()
  }
}

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
  const narrow = useMediaQuery('(max-width: 760px)', false, { getInitialValueInEffect: false })
  const [url, setUrl] = useUrlState({ view: '' })
  const view = url.view || (narrow ? 'list' : 'canvas')
  const [selected, setSelected] = useState<string | undefined>()
  const [picked, setPicked] = useState<ReadonlySet<string>>(nobody)
  const [target, setTarget] = useState<{ id: string; n: number }>()
  const [panel, setPanel] = useState<'step' | 'journey' | undefined>()
  const [adding, setAdding] = useState<{ at: Place; choose?: boolean } | undefined>()
  const d = useDraft(journey, things.specs)
  const graph = d.draft.graph
  const outputsFor = (kind: string) => things.outputs.get(kind) ?? []
  const warnings = useMemo(() => warningsOf(graph), [graph])
  const faces = useFaces(graph, things.names, d.faults, undefined, warnings)
  const step = selected ? stepOf(graph, selected) : undefined

  const inspected = useRef<HTMLDivElement>(null)
  const goTo = (id: string) => setTarget((before) => ({ id, n: (before?.n ?? 0) + 1 }))
  const open = (node: string, inside = false, field?: string) => {
    setSelected(node)
    setPicked((now) => (now.has(node) ? now : node === entrance ? nobody : new Set([node])))
    setPanel('step')
    if (inside) requestAnimationFrame(() => enter(inspected.current, field))
  }
  const select = (ids: string[]) => {
    setPicked(new Set(ids))
    setSelected(ids[0])
    if (ids[0]) goTo(ids[0])
  }
  const removeSteps = (ids: string[], whole = false) => {
    const gone = ids.map((id) => stepOf(graph, id)).filter((s) => s !== undefined)
    if (gone.length === 0) return
    // Who works by keys goes on at what stood before.
    const before =
      graph.nodes.find((n) => !ids.includes(n.id) && Object.values(n.next ?? {}).some((to) => ids.includes(to)))?.id ?? entrance
    d.editGraph((g) => (whole ? removeBranch(g, ids[0]!) : removeAll(g, ids, outputsFor)))
    setPicked(nobody)
    setPanel(undefined)
    setSelected(before)
    goTo(before)
    toastUndo(
      gone.length === 1 ? t('journeys.removed', { name: stepTitle(gone[0]!) }) : t('journeys.removed_many', { count: gone.length }),
      () => d.editGraph(() => graph),
    )
  }
  const copySteps = (ids: string[]) => {
    const made = doubled(graph, new Set(ids), outputsFor)
    if (!made) return
    d.editGraph(() => made.graph)
    select(made.ids)
  }
  const add = (kind: string, at: Place) => {
    const node = freshId(graph, kind)
    d.editGraph((g) => insert(g, at, { id: node, kind, config: fresh(kind, node) }, outputsFor(kind)))
    setAdding(undefined)
    open(node)
    goTo(node)
  }
  useClipboard({
    enabled: edit,
    copy: () => {
      const steps = taken(graph, picked)
      if (steps.length > 0) toast(t('journeys.copied', { count: steps.length }))
      return steps.length > 0 ? asText(steps) : undefined
    },
    cut: () => removeSteps([...picked]),
    paste: (text) => {
      const steps = fromText(text, (kind) => things.specs.has(kind))
      if (typeof steps === 'string') {
        toast(t(`journeys.paste_${steps}`))
        return
      }
      const at = selected === undefined ? undefined : behind(graph, selected, outputsFor)
      const made = graft(graph, graph.nodes.length === 0 ? { node: entrance, output: 'start' } : at, steps, outputsFor)
      d.editGraph(() => made.graph)
      select(made.ids)
    },
  })
  const problem = useRef(-1)
  const solve = (p: { node: string; field: string }) => {
    const at = p.node || (/^(trigger|re_entry|caps)/.test(p.field) ? entrance : '')
    if (at) {
      goTo(at)
      open(at, true, p.field)
    } else {
      setPanel('journey')
      requestAnimationFrame(() => enter(inspected.current, p.field))
    }
  }
  useShortcuts([
    { keys: 'mod+z', label: t('action.undo'), run: () => d.undo?.() },
    { keys: 'mod+y', also: ['mod+shift+z'], label: t('journeys.redo'), run: () => d.redo?.() },
    { keys: 'mod+s', label: t('action.save'), run: () => void d.save(), inFields: true },
    ...(edit
      ? [
          { keys: 'mod+c', label: t('journeys.key_take') },
          { keys: 'mod+x', label: t('journeys.key_cut') },
          { keys: 'mod+v', label: t('journeys.key_put') },
          { keys: 't', label: t('journeys.tidy'), run: () => d.editGraph(tidy) },
        ]
      : []),
    {
      keys: 'p',
      label: t('journeys.key_problem'),
      run: () => {
        problem.current = problems.length ? (problem.current + 1) % problems.length : -1
        if (problems[problem.current]) solve(problems[problem.current]!)
      },
    },
  ])
  const problems = [...d.faults].flatMap(([node, fields]) => Object.entries(fields).map(([field, text]) => ({ node, field, text })))
  const shared = {
    graph,
    outputs: things.outputs,
    faces,
    selected,
    picked,
    target,
    edit,
    onSelect: (id: string | undefined) => {
      setSelected(id)
      if (id === undefined) setPicked(nobody)
    },
    onPick: (ids: Set<string>) => {
      setPicked(ids)
      // The first that a box catches is what the keys are about.
      setSelected((now) => (now !== undefined && (ids.has(now) || ids.size === 0) ? now : [...ids][0]))
    },
    onOpen: open,
    onInsert: (at: Place, choose?: boolean) => setAdding({ at, choose }),
    onRemove: removeSteps,
    onCopy: copySteps,
  }
  // A kind without outputs fits only where nothing would be cut off.
  const insertable = [...things.specs.values()]
    .filter((k) => !adding || !targetOf(graph, adding.at) || (k.outputs ?? []).length > 0)
    .map((k) => k.kind)
  const addingTo = adding && stepOf(graph, adding.at.node)
  const ways = adding?.choose && addingTo ? outputsOf(addingTo, outputsFor(addingTo.kind)) : []
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
        copy={() => copySteps([step.id])}
        remove={() => removeSteps([step.id])}
        removeBranch={() => removeSteps([step.id], true)}
      />
    ) : null
  return (
    <EditorPage
      title={d.draft.name}
      back={{ to: `/journeys/${journey.id}`, label: t('nav.journeys') }}
      status={<Status value={journey.status} />}
      saved={edit ? t(`journeys.save_${d.saving}`) : null}
      more={[
        { label: t('journeys.tidy'), icon: <Wand2 size={16} />, disabled: !edit, run: () => d.editGraph(tidy) },
        {
          label: t('journeys.settings'),
          icon: <Settings2 size={16} />,
          run: () => setPanel(panel === 'journey' ? undefined : 'journey'),
        },
      ]}
      actions={
        <>
          <Group gap={2} wrap="nowrap">
            <IconButton label={t('action.undo')} variant="subtle" disabled={!d.undo} onClick={d.undo}>
              <Undo2 size={17} />
            </IconButton>
            <IconButton label={t('journeys.redo')} variant="subtle" disabled={!d.redo} onClick={d.redo}>
              <Redo2 size={17} />
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
          <Button
            variant="filled"
            onClick={async () => {
              await d.save()
              go(`/journeys/${journey.id}`)
            }}
          >
            {t(edit ? 'journeys.finish' : 'action.close')}
          </Button>
        </>
      }
      problems={
        d.saving === 'conflict' || d.saving === 'failed' ? (
          <SaveTrouble draft={d} noun="journey" id={journey.id} />
        ) : problems.length + warnings.length ? (
          <>
            {[
              { key: 'problems', found: problems },
              { key: 'warnings', found: warnings },
            ]
              .filter((x) => x.found.length > 0)
              .map((x) => (
                <details key={x.key} className={css.problems}>
                  <summary>
                    {x.key === 'problems' ? <AlertTriangle size={15} aria-hidden /> : <Info size={15} aria-hidden />}{' '}
                    {t(`journeys.${x.key}`, { count: x.found.length })}
                  </summary>
                  <ul>
                    {x.found.map((p) => (
                      <li key={`${p.node} ${p.field}`}>
                        <UnstyledButton onClick={() => solve(p)}>
                          <b>{p.node ? (faces.get(p.node)?.title ?? p.node) : t('journeys.whole')}</b> {p.text}
                        </UnstyledButton>
                      </li>
                    ))}
                  </ul>
                </details>
              ))}
          </>
        ) : null
      }
      inspector={
        inspector ? (
          // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- hears Escape of the inputs in it
          <div
            ref={inspected}
            className={css.panel}
            onKeyDownCapture={(e) => {
              // Back to the step; but an open list or menu is closed first.
              if (e.key !== 'Escape' || e.nativeEvent.isComposing || (e.target as HTMLElement).getAttribute('aria-expanded') === 'true')
                return
              if (selected) goTo(selected)
            }}
          >
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
      {adding ? (
        <AddStep
          kinds={insertable}
          ways={ways.map((o) => ({ value: o, label: outputText(o, addingTo) }))}
          way={adding.at.output}
          onWay={(output) => setAdding({ ...adding, at: { ...adding.at, output } })}
          onPick={(kind) => add(kind, adding.at)}
          onClose={() => setAdding(undefined)}
        />
      ) : null}
    </EditorPage>
  )
}

const ViewName = ({ icon: Icon, name }: { icon: typeof ListTree; name: string }) => (
  <span className={css.view}>
    <Icon size={15} aria-hidden />
    <span>{name}</span>
  </span>
)
