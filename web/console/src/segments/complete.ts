// Which parts of a condition are still missing. The server checks rules; this only keeps a half-written one from being asked about.
import { type Body, isGroup, type Node } from './tree'

const given = (v: unknown): boolean => v !== undefined && v !== null && v !== '' && !Number.isNaN(v)

function compared(op: unknown, value: unknown): boolean {
  if (op === 'exists' || op === 'not_exists') return true
  if (!given(op)) return false
  if (op === 'in' || op === 'not_in') return Array.isArray(value) && value.length > 0
  if (op === 'between') return Array.isArray(value) && value.length === 2 && value.every(given)
  if (typeof value === 'object' && value !== null && 'trait' in value) return given(value.trait)
  return given(value)
}

const filtered = (b: Body, key = 'filter') =>
  (Array.isArray(b[key]) ? (b[key] as Body[]) : []).every((f) => given(f.path) && compared(f.op, f.value))

const about = (v: unknown): boolean => {
  const b = (v ?? {}) as Body
  return (given(b.name) || given(b.type)) && filtered(b)
}

/** A window since an event has to say which. */
const timed = (b: Body) => {
  const w = b.window
  return typeof w !== 'object' || w === null || !('since' in w) || about(w.since)
}

const step = (s: Body) => about(s) && (s.without === undefined || about(s.without))

const counted = (b: Body) => (b.op === undefined && b.value === undefined) || compared(b.op, b.value)

const checks: Record<string, (b: Body) => boolean> = {
  trait: (b) => given(b.path) && compared(b.op, b.value),
  event: (b) =>
    (given(b.name) || given(b.type)) &&
    ((b.agg ?? 'count') === 'count' ? counted(b) : given(b.path) && compared(b.op, b.value)) &&
    filtered(b),
  occurrence: (b) => given(b.which) && about(b) && filtered(b, 'has'),
  sequence: (b) => Array.isArray(b.steps) && (b.steps as Body[]).every(step),
  anniversary: (b) => (given(b.path) || about(b.event)) && given(b.zone),
  order: (b) => ((b.agg ?? 'count') === 'count' ? counted(b) : compared(b.op, b.value)) && filtered(b),
  device: (b) => given(b.path) && compared(b.op, b.value),
  channel: (b) => given(b.kind) && (given(b.reachable) || given(b.subscribed)),
  engagement: (b) => given(b.action) && counted(b),
  segment: (b) => given(b.id),
  list: (b) => given(b.id),
  bucket: (b) => given(b.salt) && given(b.from) && given(b.to),
}

export const complete = (n: Node): boolean => (isGroup(n) ? n.kids.every(complete) : (checks[n.kind]?.(n.body) ?? true) && timed(n.body))
