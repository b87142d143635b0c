// The graph as cards and ways. It is loaded when it is shown; the list (StepList) shows the same without it.
import {
  applyNodeChanges,
  Background,
  BaseEdge,
  Controls,
  type Edge,
  EdgeLabelRenderer,
  type EdgeProps,
  Handle,
  MiniMap,
  type Node,
  type NodeChange,
  type NodeProps,
  Position,
  ReactFlow,
  SelectionMode,
  type ReactFlowInstance,
  getSmoothStepPath,
} from '@xyflow/react'
import '@xyflow/react/dist/base.css'
import { Plus } from 'lucide-react'
import { createContext, memo, useCallback, useContext, useEffect, useEffectEvent, useMemo, useRef, useState } from 'react'
import { useT } from '@/i18n'
import { useShortcuts } from '@/lib/keys'
import { useShownScheme } from '@/ui'
import css from './Canvas.module.css'
import { CardFace, type Face, sameFace } from './CardFace'
import { entrance, type Graph, type Place, stepOf } from './graph'
import { card, layout, neighbour, type Spot } from './layout'
import { behind } from './several'
import { outputText } from './words'

export interface CanvasProps {
  graph: Graph
  outputs: Map<string, string[]>
  faces: Map<string, Face>
  /** The step that the keys are about. */
  selected?: string
  /** Steps chosen together; `selected` is one of them. */
  picked?: ReadonlySet<string>
  /** A step to go to; another number goes to the same one again. */
  target?: { id: string; n: number }
  edit: boolean
  /** People who left by an output, by `node output`. */
  passed?: Map<string, number>
  onSelect: (id: string | undefined) => void
  onPick?: (ids: Set<string>) => void
  /** `inside`: by keys, so that they go on in what is opened. */
  onOpen: (id: string, inside?: boolean) => void
  /** With `choose` it may be any output of the node. */
  onInsert?: (at: Place, choose?: boolean) => void
  onRemove?: (ids: string[]) => void
  onCopy?: (ids: string[]) => void
  onMove?: (spots: Map<string, Spot>) => void
  onWay?: (at: Place) => void
}

type CardNode = Node<{ face: Face }, 'card'>
type EndNode = Node<{ at: Place; edit: boolean }, 'end'>
type WayEdge = Edge<{ label: string; count?: number; column?: number; at: Place; edit: boolean; open: boolean }, 'way'>

const Acts = createContext<{ current: CanvasProps }>({ current: undefined as never })

const Card = memo(
  function Card({ id, data, selected }: NodeProps<CardNode>) {
    const acts = useContext(Acts)
    return (
      <>
        <Handle type="target" position={Position.Top} isConnectable={false} />
        <CardFace
          face={data.face}
          selected={selected}
          onFocus={() => acts.current.onSelect(id)}
          onClick={(e) => {
            if (e.shiftKey || e.ctrlKey || e.metaKey) return // it is added to what is chosen
            acts.current.onSelect(id)
            acts.current.onOpen(id)
          }}
        />
        <Handle type="source" position={Position.Bottom} isConnectable={false} />
      </>
    )
  },
  (a, b) => a.selected === b.selected && sameFace(a.data.face, b.data.face),
)

const PlusButton = ({ at }: { at: Place }) => {
  const t = useT()
  const acts = useContext(Acts)
  return (
    <button
      type="button"
      className={`${css.plus} nodrag nopan`}
      aria-label={t('journeys.add_here')}
      title={t('journeys.add_here')}
      onClick={(e) => {
        e.stopPropagation()
        acts.current.onInsert?.(at)
      }}
    >
      <Plus size={13} aria-hidden />
    </button>
  )
}

const End = memo(function End({ data }: NodeProps<EndNode>) {
  const t = useT()
  return (
    <div className={css.end}>
      <Handle type="target" position={Position.Top} isConnectable={false} />
      {data.edit ? <PlusButton at={data.at} /> : <span className={css.stop} title={t('journeys.leaves')} />}
    </div>
  )
})

const corner = 8

// Down, over to the column of the output, down, over to the target: ways that skip rows pass beside the cards.
function path(sx: number, sy: number, tx: number, ty: number, column: number): string {
  const bend = (x1: number, x2: number, y: number) => {
    if (Math.abs(x1 - x2) < 1) return ''
    const r = Math.min(corner, Math.abs(x2 - x1) / 2)
    const d = x2 > x1 ? r : -r
    return `L${x1},${y - r} Q${x1},${y} ${x1 + d},${y} L${x2 - d},${y} Q${x2},${y} ${x2},${y + r} `
  }
  return `M${sx},${sy} ${bend(sx, column, sy + 18)}${bend(column, tx, ty - 18)}L${tx},${ty}`
}

const Way = memo(function Way({ id, sourceX, sourceY, targetX, targetY, data, markerEnd }: EdgeProps<WayEdge>) {
  const acts = useContext(Acts)
  const t = useT()
  const d = data!
  const down = targetY > sourceY + 30
  const straight = d.column !== undefined && down
  const [line, midX, midY] = straight
    ? [path(sourceX, sourceY, targetX, targetY, d.column!), d.column!, sourceY + 32]
    : getSmoothStepPath({
        sourceX,
        sourceY,
        targetX,
        targetY,
        sourcePosition: Position.Bottom,
        targetPosition: Position.Top,
        borderRadius: corner,
        offset: 24,
      })
  const label = d.count === undefined ? d.label : t('journeys.way_count', { label: d.label, n: d.count }).trim()
  const low = straight ? 46 : 18
  return (
    <>
      <BaseEdge id={id} path={line} markerEnd={markerEnd} interactionWidth={0} />
      <EdgeLabelRenderer>
        {label ? (
          d.count === undefined ? (
            <span className={`${css.tag} nodrag nopan`} style={{ transform: `translate(-50%, -50%) translate(${midX}px,${midY}px)` }}>
              <span className={css.label} title={label}>
                {label}
              </span>
            </span>
          ) : (
            <button
              type="button"
              className={`${css.tag} ${css.figure} nodrag nopan`}
              style={{ transform: `translate(-50%, -50%) translate(${midX}px,${midY}px)` }}
              onClick={() => acts.current.onWay?.(d.at)}
            >
              <span className={css.label} title={label}>
                {label}
              </span>
            </button>
          )
        ) : null}
        {d.edit && !d.open ? (
          <span
            className={css.tag}
            style={{ transform: `translate(-50%, -50%) translate(${midX}px,${midY + (label ? low - 24 : low - 32)}px)` }}
          >
            <PlusButton at={d.at} />
          </span>
        ) : null}
      </EdgeLabelRenderer>
    </>
  )
})

const none: ReadonlySet<string> = new Set()

// What stays as it is stays the same object, so that only what changed is drawn again.
function settle(now: (CardNode | EndNode)[], next: (CardNode | EndNode)[], picked: ReadonlySet<string>): (CardNode | EndNode)[] {
  const known = new Map(now.map((n) => [n.id, n]))
  return next.map((n) => {
    const was = known.get(n.id)
    const selected = picked.has(n.id)
    const same =
      was !== undefined &&
      was.position.x === n.position.x &&
      was.position.y === n.position.y &&
      (was.selected ?? false) === selected &&
      was.draggable === n.draggable &&
      (was.type === 'card' && n.type === 'card'
        ? sameFace(was.data.face, n.data.face)
        : was.type === 'end' && n.type === 'end' && was.data.edit === n.data.edit)
    return same ? was : { ...n, measured: was?.measured, selected }
  })
}

function settleWays(now: WayEdge[], next: WayEdge[]): WayEdge[] {
  const known = new Map(now.map((w) => [w.id, w]))
  return next.map((w) => {
    const was = known.get(w.id)
    const [a, b] = [was?.data, w.data!]
    return was &&
      a &&
      was.target === w.target &&
      a.label === b.label &&
      a.count === b.count &&
      a.column === b.column &&
      a.edit === b.edit &&
      a.open === b.open
      ? was
      : w
  })
}

// How far a key moves what is chosen.
const steps: Record<string, [number, number]> = { ArrowDown: [0, 24], ArrowUp: [0, -24], ArrowLeft: [-24, 0], ArrowRight: [24, 0] }
const chooses = ['Shift', 'Meta', 'Control']
const whole = { padding: 0.1, maxZoom: 1 }
const nodeTypes = { card: Card, end: End }
const edgeTypes = { way: Way }

function Canvas(props: CanvasProps) {
  const { graph, outputs, faces, selected, edit, passed, target } = props
  const picked = props.picked ?? none
  const t = useT()
  const scheme = useShownScheme()
  const acts = useRef(props)
  useEffect(() => {
    acts.current = props
  })
  const box = useRef<HTMLDivElement>(null)
  const flow = useRef<ReactFlowInstance<CardNode | EndNode, WayEdge> | null>(null)
  const placed = useMemo(() => layout(graph, outputs), [graph, outputs])
  const drawn = useMemo<(CardNode | EndNode)[]>(() => {
    const cards: (CardNode | EndNode)[] = [...placed.spots].map(([id, position]) => ({
      id,
      type: 'card',
      position,
      width: card.width,
      height: card.height,
      data: { face: faces.get(id) ?? { kind: id, title: id, sum: '' } },
      draggable: edit && id !== entrance,
      selectable: edit && id !== entrance,
    }))
    for (const w of placed.ways)
      if (w.end)
        cards.push({
          id: `${w.from} ${w.output}`,
          type: 'end',
          position: { x: w.end.x - 12, y: w.end.y },
          width: 24,
          height: 24,
          data: { at: { node: w.from, output: w.output }, edit },
          draggable: false,
          selectable: false,
        })
    return cards
  }, [placed, faces, edit])
  const ways = useMemo<WayEdge[]>(
    () =>
      placed.ways.map((w) => {
        const only = w.from === entrance || w.output === 'next'
        return {
          id: `${w.from} ${w.output}`,
          type: 'way',
          selectable: false,
          source: w.from,
          target: w.to ?? `${w.from} ${w.output}`,
          data: {
            label: only ? '' : outputText(w.output, stepOf(graph, w.from)),
            count: passed?.get(`${w.from} ${w.output}`),
            column: w.column,
            at: { node: w.from, output: w.output },
            edit,
            open: !w.to,
          },
        }
      }),
    [placed, graph, passed, edit],
  )
  const [nodes, setNodes] = useState(() => settle([], drawn, picked))
  const [edges, setEdges] = useState(ways)
  const [from, setFrom] = useState({ drawn, picked, ways })
  if (from.drawn !== drawn || from.picked !== picked || from.ways !== ways) {
    // The graph is the truth; only a card that is being dragged is ahead of it.
    setFrom({ drawn, picked, ways })
    setNodes(settle(nodes, from.drawn === drawn ? nodes : drawn, picked))
    if (from.ways !== ways) setEdges(settleWays(edges, ways))
  }
  const pick = (ids: Iterable<string>) => acts.current.onPick?.(new Set([...ids].filter((id) => id !== entrance)))
  const changed = (changes: NodeChange<CardNode | EndNode>[]) => {
    setNodes((now) => applyNodeChanges(changes, now))
    const chosen = changes.filter((c) => c.type === 'select')
    if (chosen.length === 0) return
    const next = new Set(picked)
    for (const c of chosen)
      if (c.selected) next.add(c.id)
      else next.delete(c.id)
    pick(next)
  }
  const focus = useCallback(
    (id: string) => {
      const at = placed.spots.get(id)
      if (!at) return
      const zoom = flow.current?.getZoom() ?? 1
      const take = () => {
        const found = box.current?.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"] [data-card]`)
        found?.focus({ preventScroll: true })
        return found !== undefined && found !== null
      }
      const from = document.activeElement
      const moved = flow.current?.setCenter(at.x + card.width / 2, at.y + card.height / 2, { zoom, duration: 80 })
      // It was out of sight and is drawn only now; whoever has gone on to something else meanwhile stays there.
      if (!take()) void moved?.then(() => [from, document.body].includes(document.activeElement) && take())
    },
    [placed],
  )
  const go = useEffectEvent(focus)
  useEffect(() => {
    if (target) go(target.id)
  }, [target])
  const around = (keys: string) => (selected ? neighbour(placed.spots, selected, keys.split('+').at(-1)!) : undefined)
  const all = () => (picked.size > 0 ? [...picked] : selected && selected !== entrance ? [selected] : [])
  const shift = (ids: string[], dx: number, dy: number) =>
    acts.current.onMove?.(
      new Map([...placed.spots].flatMap(([id, s]) => (id === entrance ? [] : [[id, ids.includes(id) ? { x: s.x + dx, y: s.y + dy } : s]]))),
    )
  const arrows = (mod = '') => ['Up', 'Left', 'Right'].map((a) => `${mod}Arrow${a}`)
  const on = '[data-card]'
  const instant = { duration: 0 }
  useShortcuts([
    {
      keys: 'ArrowDown',
      also: arrows(),
      label: t('journeys.key_go'),
      on,
      run: (keys) => {
        const to = around(keys)
        if (!to) return
        pick([to])
        focus(to)
      },
    },
    { keys: 'Enter', label: t('journeys.key_open'), on, run: () => selected && acts.current.onOpen(selected, true) },
    ...(edit
      ? [
          {
            keys: 'a',
            label: t('journeys.key_add'),
            on,
            run: () => {
              const at = selected && behind(graph, selected, (kind) => outputs.get(kind) ?? [])
              if (at) acts.current.onInsert?.(at, true)
            },
          },
          {
            keys: 'shift+ArrowDown',
            also: arrows('shift+'),
            label: t('journeys.key_extend'),
            on,
            run: (keys: string) => {
              const to = around(keys)
              if (!to || !selected) return
              pick([...picked, selected, to])
              focus(to)
            },
          },
          { keys: 'mod+a', label: t('journeys.key_all'), on, run: () => pick(graph.nodes.map((n) => n.id)) },
          {
            keys: 'alt+ArrowDown',
            also: arrows('alt+'),
            label: t('journeys.key_move'),
            on,
            run: (keys: string) => {
              const [x, y] = steps[keys.split('+').at(-1)!]!
              shift(all(), x, y)
            },
          },
          {
            keys: 'Delete',
            also: ['Backspace'],
            label: t('journeys.key_remove'),
            on,
            run: () => all().length > 0 && acts.current.onRemove?.(all()),
          },
          { keys: 'mod+d', label: t('journeys.key_copy'), on, run: () => acts.current.onCopy?.(all()) },
          { keys: 'Escape', label: t('journeys.key_one'), on, run: () => pick(selected ? [selected] : []) },
        ]
      : []),
    { keys: 'f', label: t('journeys.key_fit'), run: () => void flow.current?.fitView({ padding: 0.1, maxZoom: 1, ...instant }) },
    { keys: '+', also: ['='], label: t('journeys.key_in'), run: () => void flow.current?.zoomIn(instant) },
    { keys: '-', label: t('journeys.key_out'), run: () => void flow.current?.zoomOut(instant) },
  ])
  // A long journey begins readable at its top instead of whole and tiny.
  const start = useCallback((instance: ReactFlowInstance<CardNode | EndNode, WayEdge>) => {
    flow.current = instance
    const height = box.current?.clientHeight ?? 600
    const width = box.current?.clientWidth ?? 800
    const bounds = instance.getNodesBounds(instance.getNodes())
    const zoom = Math.min(1, Math.max(0.75, Math.min((height - 60) / bounds.height, (width - 60) / bounds.width)))
    const fits = bounds.width * zoom <= width
    const top = instance.getNode(entrance)
    const middle = fits ? bounds.x + bounds.width / 2 : (top?.position.x ?? 0) + card.width / 2
    void instance.setViewport({ x: width / 2 - middle * zoom, y: 28 - bounds.y * zoom, zoom })
  }, [])
  return (
    <Acts.Provider value={acts}>
      <div ref={box} className={css.flow}>
        <ReactFlow
          nodes={nodes}
          edges={edges}
          nodeTypes={nodeTypes}
          edgeTypes={edgeTypes}
          onNodesChange={changed}
          onNodeDragStop={(_, n, dragged) => {
            const spots = new Map([...placed.spots].filter(([id]) => id !== entrance))
            const was = spots.get(n.id)
            if (!was || (Math.abs(was.x - n.position.x) < 3 && Math.abs(was.y - n.position.y) < 3)) return
            for (const d of dragged) if (spots.has(d.id)) spots.set(d.id, d.position)
            acts.current.onMove?.(spots)
          }}
          onInit={start}
          onPaneClick={() => acts.current.onSelect(undefined)}
          colorMode={scheme}
          nodesConnectable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          elementsSelectable={edit}
          selectionMode={SelectionMode.Partial}
          disableKeyboardA11y
          deleteKeyCode={null}
          selectionKeyCode={edit ? 'Shift' : null}
          multiSelectionKeyCode={edit ? chooses : null}
          nodeDragThreshold={4}
          minZoom={0.04}
          maxZoom={1.5}
          onlyRenderVisibleElements={graph.nodes.length > 60}
          panOnScroll={edit}
          zoomOnScroll={false}
          preventScrolling={edit}
          zoomOnDoubleClick={false}
          aria-label={t('journeys.canvas')}
        >
          <Background gap={24} size={1} color="var(--ui-border-subtle)" />
          <Controls showInteractive={false} position="bottom-left" aria-label={t('journeys.zoom')} fitViewOptions={whole} />
          {graph.nodes.length > 25 ? <MiniMap pannable zoomable ariaLabel={t('journeys.overview')} /> : null}
        </ReactFlow>
      </div>
    </Acts.Provider>
  )
}

// The page around it changes with every letter that is typed and every save; what is done there is read through `acts`.
export default memo(
  Canvas,
  (a, b) =>
    a.graph === b.graph &&
    a.outputs === b.outputs &&
    a.faces === b.faces &&
    a.selected === b.selected &&
    a.picked === b.picked &&
    a.target === b.target &&
    a.edit === b.edit &&
    a.passed === b.passed,
)
