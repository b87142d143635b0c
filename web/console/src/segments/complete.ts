// Which parts of a condition are still missing. The server checks rules; this only keeps a half-written one from being asked about.
import { type Body, isGroup, type Node } from './tree'

const given = (v: unknown): boolean => v !== undefined && v !== null && v !== '' && !Number.isNaN(v)

function compared(op: unknown, value: unknown): boolean {
  if (op === 'exists' || op === 'not_exists') return true
  if (!given(op)) return false
  if (op === 'in' || op === 'not_in') return Array.isArray(value) && value.length > 0
  if (op === 'between') return Array.isArray(value) && value.length === 2 && value.every(given)
  return given(value)
}

const filtered = (b: Body) => (Array.isArray(b.filter) ? (b.filter as Body[]) : []).every((f) => given(f.path) && compared(f.op, f.value))

const counted = (b: Body) => (b.op === undefined && b.value === undefined) || compared(b.op, b.value)

const checks: Record<string, (b: Body) => boolean> = {
  trait: (b) => given(b.path) && compared(b.op, b.value),
  event: (b) =>
    (given(b.name) || given(b.type)) &&
    ((b.agg ?? 'count') === 'count' ? counted(b) : given(b.path) && compared(b.op, b.value)) &&
    filtered(b),
  order: (b) => ((b.agg ?? 'count') === 'count' ? counted(b) : compared(b.op, b.value)) && filtered(b),
  device: (b) => given(b.path) && compared(b.op, b.value),
  channel: (b) => given(b.kind) && (given(b.reachable) || given(b.subscribed)),
  engagement: (b) => given(b.action) && counted(b),
  segment: (b) => given(b.id),
  list: (b) => given(b.id),
  bucket: (b) => given(b.salt) && given(b.from) && given(b.to),
}

export const complete = (n: Node): boolean => (isGroup(n) ? n.kids.every(complete) : (checks[n.kind]?.(n.body) ?? true))
