// Which part of a condition is still missing. The server checks rules; this keeps a half-written one from being asked about, and says at once what it lacks.
import { type Body, isGroup, type Leaf, type Node } from './tree'

/** What is missing, by the name of its input: builder.field.<name>. */
export type Lack =
  | 'path'
  | 'property'
  | 'value'
  | 'op'
  | 'name'
  | 'since'
  | 'filter'
  | 'had'
  | 'which'
  | 'zone'
  | 'channel'
  | 'action'
  | 'set'
  | 'salt'
  | 'from'
  | 'to'
  | 'topic'
  | 'device'

const given = (v: unknown): boolean => v !== undefined && v !== null && v !== '' && !Number.isNaN(v)

type Found = Lack | undefined

function compared(op: unknown, value: unknown): Found {
  if (op === 'exists' || op === 'not_exists') return
  if (!given(op)) return 'op'
  let there = given(value)
  if (op === 'in' || op === 'not_in') there = Array.isArray(value) && value.length > 0
  else if (op === 'between') there = Array.isArray(value) && value.length === 2 && value.every(given)
  else if (typeof value === 'object' && value !== null && 'trait' in value) there = given(value.trait)
  return there ? undefined : 'value'
}

const filtered = (b: Body, key = 'filter', lack: Lack = 'filter'): Found =>
  (Array.isArray(b[key]) ? (b[key] as Body[]) : []).every((f) => given(f.path) && !compared(f.op, f.value)) ? undefined : lack

const named = (b: Body): Found => (given(b.name) || given(b.type) ? undefined : 'name')
const about = (v: unknown): Found => named((v ?? {}) as Body) ?? filtered((v ?? {}) as Body)

/** A window since an event has to say which. */
const timed = (b: Body): Found => {
  const w = b.window
  return typeof w === 'object' && w !== null && 'since' in w && about(w.since) ? 'since' : undefined
}

const step = (s: Body): Found => about(s) ?? (s.without === undefined ? undefined : about(s.without))
const first = (all: Found[]): Found => all.find((x) => x)
const counted = (b: Body): Found => (b.op === undefined && b.value === undefined ? undefined : compared(b.op, b.value))
const some = (v: unknown, lack: Lack): Found => (given(v) ? undefined : lack)

const checks: Record<string, (b: Body) => Found> = {
  trait: (b) => some(b.path, 'path') ?? compared(b.op, b.value),
  event: (b) =>
    first([named(b), (b.agg ?? 'count') === 'count' ? counted(b) : (some(b.path, 'property') ?? compared(b.op, b.value)), filtered(b)]),
  occurrence: (b) => some(b.which, 'which') ?? about(b) ?? filtered(b, 'has', 'had'),
  sequence: (b) => (Array.isArray(b.steps) ? first((b.steps as Body[]).map(step)) : 'name'),
  anniversary: (b) => (given(b.path) ? undefined : b.event ? about(b.event) : 'path') ?? some(b.zone, 'zone'),
  order: (b) => ((b.agg ?? 'count') === 'count' ? counted(b) : compared(b.op, b.value)) ?? filtered(b),
  device: (b) => some(b.path, 'device') ?? compared(b.op, b.value),
  channel: (b) => some(b.kind, 'channel') ?? some(b.reachable ?? b.subscribed, 'topic'),
  engagement: (b) => some(b.action, 'action') ?? counted(b),
  segment: (b) => some(b.id, 'set'),
  list: (b) => some(b.id, 'set'),
  bucket: (b) => some(b.salt, 'salt') ?? some(b.from, 'from') ?? some(b.to, 'to'),
}

/** The first part that a condition lacks; undefined if it can be asked about. */
export const lacks = (n: Leaf): Found => checks[n.kind]?.(n.body) ?? timed(n.body)

export const complete = (n: Node): boolean => (isGroup(n) ? n.kids.every(complete) : lacks(n) === undefined)
