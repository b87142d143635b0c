// Places of the nodes: top-down, one row below the other by the longest way from the entrance, every output in a column of
// its own. A node stands below the last node that leads to it; ways that join come from the side.
import { entrance, type Graph, outputsOf, placedByHand, startOf } from './graph'

export const card = { width: 264, height: 100 }
const gap = { column: 36, row: 92 }
const stub = 132 // width of an output that leads nowhere or joins another way

export interface Spot {
  x: number
  y: number
}

export interface Way {
  from: string
  output: string
  /** Undefined where people leave the journey. */
  to?: string
  /** The column in which the way goes down; undefined where nodes are placed by hand. */
  column?: number
  /** Where the way ends if it leads nowhere. */
  end?: Spot
}

export interface Layout {
  /** The upper left corner of each card. */
  spots: Map<string, Spot>
  ways: Way[]
}

export function layout(g: Graph, outputsByKind: Map<string, string[]>): Layout {
  const steps = new Map(g.nodes.map((n) => [n.id, n]))
  const ways: Way[] = []
  const outs = new Map<string, Way[]>()
  const add = (from: string, output: string, to: string | undefined) => {
    const way: Way = { from, output, to: to && steps.has(to) ? to : undefined }
    ways.push(way)
    outs.set(from, [...(outs.get(from) ?? []), way])
  }
  add(entrance, 'start', startOf(g))
  for (const n of g.nodes) for (const o of outputsOf(n, outputsByKind.get(n.kind) ?? [])) add(n.id, o, n.next?.[o])

  const rows = rank(outs, [...steps.keys()])
  // Parents: the lowest node that leads here, so that the way down is short.
  const parent = new Map<string, Way>()
  for (const w of ways) {
    if (!w.to || rows.get(w.to)! <= rows.get(w.from)!) continue
    const known = parent.get(w.to)
    if (!known || rows.get(w.from)! > rows.get(known.from)!) parent.set(w.to, w)
  }
  const widths = new Map<string, number>()
  const slot = (w: Way): number => (w.to && parent.get(w.to) === w ? width(w.to) : stub)
  const width = (id: string): number => {
    const known = widths.get(id)
    if (known !== undefined) return known
    const total = (outs.get(id) ?? []).reduce((sum, w) => sum + slot(w), 0)
    const own = Math.max(card.width + gap.column, total)
    widths.set(id, own)
    return own
  }
  const spots = new Map<string, Spot>()
  const top = (id: string) => (rows.get(id) ?? 0) * (card.height + gap.row)
  const put = (id: string, left: number) => {
    const w = width(id)
    spots.set(id, { x: left + w / 2 - card.width / 2, y: top(id) })
    const slots = outs.get(id) ?? []
    let at = left + (w - slots.reduce((sum, o) => sum + slot(o), 0)) / 2
    for (const o of slots) {
      const s = slot(o)
      o.column = at + s / 2
      if (!o.to) o.end = { x: at + s / 2, y: top(id) + card.height + gap.row * 0.66 }
      if (o.to && parent.get(o.to) === o) put(o.to, at)
      at += s
    }
  }
  put(entrance, 0)
  // What no way leads to stands to the right, to be connected or removed.
  let right = width(entrance) + gap.column
  for (const n of g.nodes)
    if (!spots.has(n.id) && !parent.has(n.id)) {
      put(n.id, right)
      right += width(n.id) + gap.column
    }
  for (const n of g.nodes)
    if (!spots.has(n.id)) {
      spots.set(n.id, { x: right, y: top(n.id) }) // in a loop that nothing leads to
      right += card.width + gap.column
    }
  if (placedByHand(g)) byHand(g, spots, ways)
  return { spots, ways }
}

function byHand(g: Graph, spots: Map<string, Spot>, ways: Way[]) {
  for (const n of g.nodes) spots.set(n.id, { x: n.x ?? 0, y: n.y ?? 0 })
  const first = spots.get(startOf(g) ?? '')
  if (first) spots.set(entrance, { x: first.x, y: first.y - card.height - gap.row })
  const slots = new Map<string, number>()
  const open = new Map<string, number>()
  for (const w of ways) if (!w.to) open.set(w.from, (open.get(w.from) ?? 0) + 1)
  for (const w of ways) {
    w.column = undefined
    if (w.to) continue
    const at = spots.get(w.from)!
    const n = slots.get(w.from) ?? 0
    slots.set(w.from, n + 1)
    const side = ways.some((o) => o.from === w.from && o.to) ? card.width / 2 + stub / 2 - 20 : 0
    w.end = {
      x: at.x + card.width / 2 + (side || (n - (open.get(w.from)! - 1) / 2) * stub) + (side ? n * stub * 0.6 : 0),
      y: at.y + card.height + gap.row * 0.66,
    }
  }
}

// Rows by the longest way; ways that lead back to where they come from do not count.
function rank(outs: Map<string, Way[]>, ids: string[]): Map<string, number> {
  const back = new Set<Way>()
  const state = new Map<string, 1 | 2>()
  const order: string[] = []
  const walk = (root: string) => {
    const stack: { id: string; i: number }[] = [{ id: root, i: 0 }]
    state.set(root, 1)
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!
      const way = outs.get(top.id)?.[top.i++]
      if (!way) {
        state.set(top.id, 2)
        order.push(top.id)
        stack.pop()
      } else if (way.to) {
        const s = state.get(way.to)
        if (s === 1) back.add(way)
        else if (!s) {
          state.set(way.to, 1)
          stack.push({ id: way.to, i: 0 })
        }
      }
    }
  }
  walk(entrance)
  for (const id of ids) if (!state.has(id)) walk(id)
  const rows = new Map<string, number>()
  for (const id of order.toReversed()) {
    const own = rows.get(id) ?? (id === entrance ? 0 : 1)
    rows.set(id, own)
    for (const w of outs.get(id) ?? []) if (w.to && !back.has(w)) rows.set(w.to, Math.max(rows.get(w.to) ?? 0, own + 1))
  }
  return rows
}

/** The nearest card from one in a direction, for the arrow keys. */
export function neighbour(spots: Map<string, Spot>, from: string, key: string): string | undefined {
  const at = spots.get(from)
  if (!at) return undefined
  let best: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const [id, s] of spots) {
    const dx = s.x - at.x
    const dy = s.y - at.y
    const ahead = key === 'ArrowDown' ? dy : key === 'ArrowUp' ? -dy : key === 'ArrowRight' ? dx : -dx
    if (id === from || ahead <= 1) continue
    const aside = Math.abs(key === 'ArrowDown' || key === 'ArrowUp' ? dx : dy)
    const far = ahead + aside * 2
    if (far < least) {
      least = far
      best = id
    }
  }
  return best
}
