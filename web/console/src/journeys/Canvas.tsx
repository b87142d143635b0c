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
  type ReactFlowInstance,
  getSmoothStepPath,
} from '@xyflow/react'
import '@xyflow/react/dist/base.css'
import { Plus } from 'lucide-react'
import { createContext, memo, useCallback, useContext, useEffect, useMemo, useRef, useState } from 'react'
import { useT } from '@/i18n'
import { useColorScheme } from '@/ui'
import css from './Canvas.module.css'
import { CardFace, type Face, sameFace } from './CardFace'
import { entrance, type Graph, type Place, stepOf } from './graph'
import { card, layout, neighbour, type Spot } from './layout'
import { outputText } from './words'

export interface CanvasProps {
  graph: Graph
  outputs: Map<string, string[]>
  faces: Map<string, Face>
  selected?: string
  edit: boolean
  /** People who left by an output, by `node output`. */
  passed?: Map<string, number>
  onSelect: (id: string | undefined) => void
  onOpen: (id: string) => void
  onInsert?: (at: Place) => void
  onRemove?: (id: string) => void
  onCopy?: (id: string) => void
  onMove?: (spots: Map<string, Spot>) => void
  onWay?: (at: Place) => void
}

type CardNode = Node<{ face: Face; selected: boolean }, 'card'>
type EndNode = Node<{ at: Place; edit: boolean }, 'end'>
type WayEdge = Edge<{ label: string; count?: number; column?: number; at: Place; edit: boolean; open: boolean }, 'way'>

const Acts = createContext<{ current: CanvasProps }>({ current: undefined as never })

const Card = memo(
  function Card({ id, data }: NodeProps<CardNode>) {
    const acts = useContext(Acts)
    return (
      <>
        <Handle type="target" position={Position.Top} isConnectable={false} />
        <CardFace
          face={data.face}
          selected={data.selected}
          onFocus={() => acts.current.onSelect(id)}
          onClick={() => {
            acts.current.onSelect(id)
            acts.current.onOpen(id)
          }}
        />
        <Handle type="source" position={Position.Bottom} isConnectable={false} />
      </>
    )
  },
  (a, b) => a.data.selected === b.data.selected && sameFace(a.data.face, b.data.face),
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
            style={{ transform: `translate(-50%, -50%) translate(${midX}px,${midY + (label ? low - 22 : low - 32)}px)` }}
          >
            <PlusButton at={d.at} />
          </span>
        ) : null}
      </EdgeLabelRenderer>
    </>
  )
})

const mark = (nodes: (CardNode | EndNode)[], selected: string | undefined) =>
  nodes.map((n) =>
    n.type === 'card' && n.data.selected !== (n.id === selected) ? { ...n, data: { ...n.data, selected: n.id === selected } } : n,
  )

const nodeTypes = { card: Card, end: End }
const edgeTypes = { way: Way }

export default function Canvas(props: CanvasProps) {
  const { graph, outputs, faces, selected, edit, passed } = props
  const t = useT()
  const { colorScheme } = useColorScheme()
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
      data: { face: faces.get(id) ?? { kind: id, title: id, sum: '' }, selected: false },
      draggable: edit && id !== entrance,
    }))
    for (const w of placed.ways)
      if (w.end)
        cards.push({
          id: `${w.from} ${w.output}`,
          type: 'end',
          position: { x: w.end.x - 11, y: w.end.y },
          width: 22,
          height: 22,
          data: { at: { node: w.from, output: w.output }, edit },
          draggable: false,
        })
    return cards
  }, [placed, faces, edit])
  const edges = useMemo<WayEdge[]>(
    () =>
      placed.ways.map((w) => {
        const only = w.from === entrance || w.output === 'next'
        return {
          id: `${w.from} ${w.output}`,
          type: 'way',
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
  const [nodes, setNodes] = useState(drawn)
  const [from, setFrom] = useState<{ drawn: typeof drawn; selected?: string }>({ drawn })
  if (from.drawn !== drawn || from.selected !== selected) {
    // The graph is the truth; only a card that is being dragged is ahead of it. Cards that stay as they are stay the same objects.
    setFrom({ drawn, selected })
    setNodes(mark(from.drawn === drawn ? nodes : drawn, selected))
  }
  const changed = useCallback((changes: NodeChange<CardNode | EndNode>[]) => setNodes((now) => applyNodeChanges(changes, now)), [])
  const focus = (id: string) => {
    const at = placed.spots.get(id)
    if (!at) return
    const zoom = flow.current?.getZoom() ?? 1
    const take = () => {
      const found = box.current?.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"] [data-card]`)
      found?.focus({ preventScroll: true })
      return found !== undefined && found !== null
    }
    const moved = flow.current?.setCenter(at.x + card.width / 2, at.y + card.height / 2, { zoom, duration: 80 })
    if (!take()) void moved?.then(take) // it was out of sight and is drawn only now
  }
  const keys = (e: React.KeyboardEvent) => {
    const on = (e.target as HTMLElement).closest('[data-card]')
    if (!on || !selected || e.nativeEvent.isComposing) return
    if (e.key.startsWith('Arrow')) {
      const to = neighbour(placed.spots, selected, e.key)
      if (to) focus(to)
    } else if (e.key === 'Enter') acts.current.onOpen(selected)
    else if (edit && (e.key === 'Delete' || e.key === 'Backspace') && selected !== entrance) acts.current.onRemove?.(selected)
    else if (edit && e.key.toLowerCase() === 'd' && (e.ctrlKey || e.metaKey)) acts.current.onCopy?.(selected)
    else return
    e.preventDefault()
    e.stopPropagation()
  }
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
      {/* oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- the cards in it have the focus; this hears their keys */}
      <div ref={box} className={css.flow} onKeyDown={keys}>
        <ReactFlow
          nodes={nodes}
          edges={edges}
          nodeTypes={nodeTypes}
          edgeTypes={edgeTypes}
          onNodesChange={changed}
          onNodeDragStop={(_, n) => {
            const spots = new Map([...placed.spots].filter(([id]) => id !== entrance))
            const was = spots.get(n.id)
            if (!was || (Math.abs(was.x - n.position.x) < 3 && Math.abs(was.y - n.position.y) < 3)) return
            spots.set(n.id, n.position)
            acts.current.onMove?.(spots)
          }}
          onInit={start}
          onPaneClick={() => acts.current.onSelect(undefined)}
          colorMode={colorScheme === 'auto' ? 'system' : colorScheme}
          nodesConnectable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          elementsSelectable={false}
          disableKeyboardA11y
          deleteKeyCode={null}
          selectionKeyCode={null}
          multiSelectionKeyCode={null}
          nodeDragThreshold={4}
          minZoom={0.1}
          maxZoom={1.5}
          onlyRenderVisibleElements={graph.nodes.length > 60}
          panOnScroll={edit}
          zoomOnScroll={false}
          preventScrolling={edit}
          zoomOnDoubleClick={false}
          aria-label={t('journeys.canvas')}
        >
          <Background gap={24} size={1} color="var(--ui-border-subtle)" />
          <Controls
            showInteractive={false}
            position="bottom-left"
            aria-label={t('journeys.zoom')}
            fitViewOptions={{ padding: 0.1, maxZoom: 1 }}
          />
          {graph.nodes.length > 25 ? <MiniMap pannable zoomable ariaLabel={t('journeys.overview')} /> : null}
        </ReactFlow>
      </div>
    </Acts.Provider>
  )
}
