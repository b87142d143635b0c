// The graph of a journey as the editor changes it: plain data, every edit gives a new graph.

export interface Step {
  id: string
  kind: string
  title?: string
  config?: Record<string, unknown>
  next?: Record<string, string>
  x?: number
  y?: number
}

export interface Graph {
  trigger?: Record<string, unknown>
  start?: string
  nodes: Step[]
  exit?: Record<string, unknown>[]
  goal?: Record<string, unknown>
  re_entry?: Record<string, unknown>
  caps?: Record<string, unknown>
  holdout?: Record<string, unknown>
  max_age?: Record<string, unknown>
}

/** Where people come from: an output of a node, or the entrance. */
export interface Place {
  node: string
  output: string
}

/** The entrance stands on the canvas like a node. */
export const entrance = '~trigger'

export const readGraph = (raw: unknown): Graph => {
  const g = (typeof raw === 'object' && raw !== null ? raw : {}) as Partial<Graph>
  return { ...g, nodes: g.nodes ?? [] }
}

export const startOf = (g: Graph): string | undefined => g.start || g.nodes[0]?.id

export const stepOf = (g: Graph, id: string): Step | undefined => g.nodes.find((n) => n.id === id)

/** The node to which a place leads; undefined where people leave the journey. */
export const targetOf = (g: Graph, p: Place): string | undefined =>
  p.node === entrance ? startOf(g) : stepOf(g, p.node)?.next?.[p.output] || undefined

const list = (v: unknown): unknown[] => (Array.isArray(v) ? v : [])

/** The outputs that a node really has: a split by two shares has two, not five. Connected ones are always among them. */
export function outputsOf(step: Step, all: string[]): string[] {
  const c = step.config ?? {}
  let used = all
  if (step.kind === 'split') used = all.slice(0, Math.max(2, list(c.percent).length))
  if (step.kind === 'ab_test') used = all.slice(0, Math.max(2, Number(c.ways) || 2))
  if (step.kind === 'switch') used = [...all.filter((o) => o !== 'other').slice(0, Math.max(1, list(c.cases).length)), 'other']
  if (step.kind === 'create_task') used = c.wait ? all.filter((o) => o !== 'next') : ['next']
  return [...used, ...Object.keys(step.next ?? {}).filter((o) => !used.includes(o))]
}

function connect(g: Graph, from: Place, to: string | undefined): Graph {
  if (from.node === entrance) return { ...g, start: to }
  return {
    ...g,
    nodes: g.nodes.map((n) => {
      if (n.id !== from.node) return n
      const next = { ...n.next }
      if (to) next[from.output] = to
      else delete next[from.output]
      return { ...n, next }
    }),
  }
}

/** An id that no node of the graph has; short, since reports and messages name it. */
export function freshId(g: Graph, kind: string): string {
  const taken = new Set(g.nodes.map((n) => n.id))
  let n = 1
  while (taken.has(`${kind}_${n}`)) n++
  return `${kind}_${n}`
}

/** True if the author has placed nodes by hand. (The ready-made journeys count rows and columns instead of pixels.) */
export const placedByHand = (g: Graph): boolean => g.nodes.some((n) => Math.abs(n.x ?? 0) > 40 || Math.abs(n.y ?? 0) > 40)

const row = 170

/** Puts a new node at a place; what came after it comes after the node's first output. */
export function insert(g: Graph, at: Place, step: Step, outputs: string[]): Graph {
  const after = targetOf(g, at)
  const first = outputsOf(step, outputs)[0]
  const made: Step = { ...step, next: after && first ? { [first]: after } : {} }
  let nodes = g.nodes
  if (placedByHand(g)) {
    const above = stepOf(g, at.node)
    const below = after ? stepOf(g, after) : undefined
    made.x = below?.x ?? above?.x ?? 0
    made.y = above ? (above.y ?? 0) + row : (below?.y ?? 0)
    // Everything below moves down to make room.
    nodes = nodes.map((n) => (n !== above && (n.y ?? 0) >= made.y! ? { ...n, y: (n.y ?? 0) + row } : n))
  }
  return connect({ ...g, nodes: [...nodes, made], start: startOf(g) }, at, made.id)
}

/** Takes a node out; who came to it goes on to where its first connected output led. */
export function remove(g: Graph, id: string, outputs: string[]): Graph {
  const gone = stepOf(g, id)
  if (!gone) return g
  const to = outputsOf(gone, outputs)
    .map((o) => gone.next?.[o])
    .find((x) => x && x !== id)
  const nodes = g.nodes
    .filter((n) => n.id !== id)
    .map((n) => {
      if (!Object.values(n.next ?? {}).includes(id)) return n
      const next = Object.fromEntries(
        Object.entries(n.next ?? {}).flatMap(([o, x]) => (x !== id ? [[o, x]] : to && to !== n.id ? [[o, to]] : [])),
      )
      return { ...n, next }
    })
  return { ...g, nodes, start: startOf(g) === id ? to : startOf(g) }
}

/** Removes a node and everything that can be reached through it alone. */
export function removeBranch(g: Graph, id: string): Graph {
  const start = startOf(g) === id ? undefined : startOf(g)
  const cut: Graph = {
    ...g,
    start,
    nodes: g.nodes
      .filter((n) => n.id !== id)
      .map((n) => ({ ...n, next: Object.fromEntries(Object.entries(n.next ?? {}).filter(([, x]) => x !== id)) })),
  }
  const before = reachable(g)
  const left = start ? reachable({ ...cut, start }) : new Set<string>()
  return { ...cut, nodes: cut.nodes.filter((n) => left.has(n.id) || !before.has(n.id)) }
}

export function reachable(g: Graph): Set<string> {
  const start = startOf(g)
  const seen = new Set<string>()
  const queue = start ? [start] : []
  while (queue.length > 0) {
    const id = queue.pop()!
    if (seen.has(id)) continue
    seen.add(id)
    queue.push(...Object.values(stepOf(g, id)?.next ?? {}))
  }
  return seen
}

export const change = (g: Graph, id: string, patch: Partial<Step>): Graph => ({
  ...g,
  nodes: g.nodes.map((n) => (n.id === id ? { ...n, ...patch } : n)),
})

/** Leads a place to another node, or out of the journey. */
export const lead = (g: Graph, from: Place, to: string | undefined): Graph => connect({ ...g, start: startOf(g) }, from, to)

/** Remembers where every node stands, with some moved. */
export const place = (g: Graph, at: Map<string, { x: number; y: number }>): Graph => ({
  ...g,
  nodes: g.nodes.map((n) => {
    const p = at.get(n.id)
    const [x, y] = [Math.round(p?.x ?? 0), Math.round(p?.y ?? 0)]
    return p && (n.x !== x || n.y !== y) ? { ...n, x, y } : n
  }),
})

/** Forgets places, so that the layout decides again. */
export const tidy = (g: Graph): Graph => ({ ...g, nodes: g.nodes.map(({ x: _x, y: _y, ...n }) => n) })

/** What can be undone and done again. Edits with the same tag in a row, such as typing into one field, are one. */
export interface History<T> {
  past: T[]
  now: T
  future: T[]
  tag?: string
}

const depth = 100

export const begin = <T>(now: T): History<T> => ({ past: [], now, future: [] })

export function record<T>(h: History<T>, now: T, tag?: string): History<T> {
  if (now === h.now) return h
  if (tag && tag === h.tag) return { ...h, now, future: [] }
  return { past: [...h.past.slice(-depth + 1), h.now], now, future: [], tag }
}

export function undo<T>(h: History<T>): History<T> {
  const before = h.past.at(-1)
  return before === undefined ? h : { past: h.past.slice(0, -1), now: before, future: [h.now, ...h.future] }
}

export function redo<T>(h: History<T>): History<T> {
  const [next, ...future] = h.future
  return next === undefined ? h : { past: [...h.past, h.now], now: next, future }
}
