// Several steps at once: taken along as text, put in elsewhere, removed together. The text goes through the clipboard, so that it reaches other journeys,
// and whatever comes from there is checked before it is believed.
import { entrance, type Graph, lead, outputsOf, type Place, placedByHand, remove, type Step, stepOf, targetOf } from './graph'

const mark = 'kizuna.journey-steps'
const most = 300 // steps that are put in at once; more than a journey may have

/** Outputs of a kind of steps. */
export type Outputs = (kind: string) => string[]

/** The chosen steps in the order of the journey, with the ways between them and no others. */
export function taken(g: Graph, ids: ReadonlySet<string>): Step[] {
  return g.nodes
    .filter((n) => ids.has(n.id))
    .map((n) => ({ ...n, next: Object.fromEntries(Object.entries(n.next ?? {}).filter(([, to]) => ids.has(to))) }))
}

export const asText = (steps: Step[]): string => JSON.stringify({ [mark]: 1, steps })

/** What is wrong with a text: something else is in the clipboard, it is broken, or a kind of steps is not known here. */
export type Unfit = 'other' | 'broken' | 'unknown'

const plain = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v)
const number = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v)
const short = (v: unknown): v is string => typeof v === 'string' && v.length > 0 && v.length <= 200

/** Reads what asText wrote. */
export function fromText(text: string, known: (kind: string) => boolean): Step[] | Unfit {
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch {
    return 'other'
  }
  if (!plain(read) || read[mark] !== 1) return 'other'
  const { steps } = read
  if (!Array.isArray(steps) || steps.length === 0 || steps.length > most) return 'broken'
  const out: Step[] = []
  for (const s of steps) {
    if (!plain(s) || !short(s.id) || !short(s.kind)) return 'broken'
    if (s.title !== undefined && typeof s.title !== 'string') return 'broken'
    if (s.config !== undefined && !plain(s.config)) return 'broken'
    if (!plain(s.next ?? {}) || Object.values(s.next ?? {}).some((to) => !short(to))) return 'broken'
    if (!known(s.kind)) return 'unknown'
    out.push({
      id: s.id,
      kind: s.kind,
      title: s.title as string | undefined,
      config: s.config as Record<string, unknown> | undefined,
      next: (s.next ?? {}) as Record<string, string>,
      ...(number(s.x) && number(s.y) ? { x: s.x, y: s.y } : {}),
    })
  }
  const ids = new Set(out.map((s) => s.id))
  if (ids.size < out.length || out.some((s) => Object.values(s.next!).some((to) => !ids.has(to)))) return 'broken'
  return out
}

/** The steps under ids that the graph does not have. What is named after its step, such as the salt of a split, is named after the new one. */
function renamed(g: Graph, steps: Step[]): Step[] {
  const ids = new Set(g.nodes.map((n) => n.id))
  const names = new Map<string, string>()
  for (const s of steps) {
    let n = 1
    while (ids.has(`${s.kind}_${n}`)) n++
    names.set(s.id, `${s.kind}_${n}`)
    ids.add(`${s.kind}_${n}`)
  }
  return steps.map((s) => {
    const config = s.config && structuredClone(s.config)
    for (const key of ['salt', 'name']) if (config?.[key] === s.id) config[key] = names.get(s.id)
    return {
      ...s,
      id: names.get(s.id)!,
      config,
      next: Object.fromEntries(Object.entries(s.next ?? {}).map(([o, to]) => [o, names.get(to)!])),
    }
  })
}

const row = 192 // of the layout
const column = 300

/**
 * Puts copies of steps in at a place: the first of them stands there, and what came after the place comes after their first open end. If they have none,
 * or without a place, they stand beside the rest, to be led to.
 */
export function graft(g: Graph, at: Place | undefined, steps: Step[], outputs: Outputs): { graph: Graph; ids: string[] } {
  let made = renamed(g, steps)
  const led = new Set(made.flatMap((s) => Object.values(s.next!)))
  const head = made.find((s) => !led.has(s.id)) ?? made[0]!
  const after = at && targetOf(g, at)
  const open = (s: Step) => outputsOf(s, outputs(s.kind)).find((o) => !s.next?.[o])
  const tail = made.findLast((s) => open(s) !== undefined)
  const join = at !== undefined && (!after || tail !== undefined)
  if (join && after && tail) made = made.map((s) => (s === tail ? { ...s, next: { ...s.next, [open(s)!]: after } } : s))
  let nodes = g.nodes
  if (placedByHand(g)) {
    const own = made.every((s) => s.x !== undefined)
    const from = own ? { x: head.x!, y: Math.min(...made.map((s) => s.y!)) } : { x: 0, y: 0 }
    const above = join ? stepOf(g, at.node) : undefined
    const below = after ? stepOf(g, after) : undefined
    const x = join ? (below?.x ?? above?.x ?? 0) : Math.max(...nodes.map((n) => n.x ?? 0)) + column
    const y = join ? (above ? (above.y ?? 0) + row : (below?.y ?? 0)) : Math.min(...nodes.map((n) => n.y ?? 0))
    made = made.map((s, i) => ({ ...s, x: x + (own ? s.x! - from.x : 0), y: y + (own ? s.y! - from.y : i * row) }))
    const high = Math.max(...made.map((s) => s.y!)) - y + row
    if (join) nodes = nodes.map((n) => (n !== above && (n.y ?? 0) >= y ? { ...n, y: (n.y ?? 0) + high } : n))
  } else made = made.map(({ x: _x, y: _y, ...s }) => s)
  const graph = { ...g, nodes: [...nodes, ...made] }
  return { graph: join ? lead(graph, at, made.find((s) => s.id === head.id)!.id) : graph, ids: made.map((s) => s.id) }
}

/** Where what comes behind a step stands: its first open end, else its first. */
export function behind(g: Graph, id: string, outputs: Outputs): Place | undefined {
  if (id === entrance) return { node: entrance, output: 'start' }
  const step = stepOf(g, id)
  const all = step ? outputsOf(step, outputs(step.kind)) : []
  const output = all.find((o) => !step!.next?.[o]) ?? all[0]
  return output === undefined ? undefined : { node: id, output }
}

/** Copies of steps right behind the last of them. */
export function doubled(g: Graph, ids: ReadonlySet<string>, outputs: Outputs): { graph: Graph; ids: string[] } | undefined {
  const steps = taken(g, ids)
  const last = steps.findLast((s) => outputs(s.kind).length > 0)
  if (!last) return undefined
  const real = stepOf(g, last.id)!
  const all = outputsOf(real, outputs(real.kind))
  // Out of the group, where there is such a way; else between two of it.
  const output = all.find((o) => !last.next?.[o]) ?? all[0]!
  return graft(g, { node: last.id, output }, steps, outputs)
}

/** Takes steps out one after the other: who came to them goes on to what came after. */
export const removeAll = (g: Graph, ids: Iterable<string>, outputs: Outputs): Graph =>
  [...ids].reduce((now, id) => {
    const gone = stepOf(now, id)
    return gone ? remove(now, id, outputs(gone.kind)) : now
  }, g)
