// What two people have and how it differs.
import type { Schemas } from '@/api'
import { word } from '@/i18n'

type Person = Schemas['Person']

export interface Compared {
  id: string
  one: string
  two: string
  /** The id is a trait's own name. */
  trait?: boolean
  /** The values are moments. */
  time?: boolean
  /** A figure or moment that two records of one person differ in anyway. */
  history?: boolean
}

const identifiers = (p: Person, kind: string) =>
  (p.identifiers ?? [])
    .filter((i) => i.kind === kind)
    .map((i) => i.value)
    .join(', ')

const shown = (v: unknown): string => (v === undefined || v === null ? '' : typeof v === 'object' ? JSON.stringify(v) : String(v))

// Shown in rows of their own.
const told = new Set(['name', 'first_name', 'last_name', 'firstName', 'lastName', 'email', 'phone'])

/** Case, width and surrounding space make no difference. */
export const sameText = (a: string, b: string) => a.normalize('NFKC').trim().toLowerCase() === b.normalize('NFKC').trim().toLowerCase()

/** Whether one person could hardly have both. That one record lacks something says nothing. */
export const contradict = (r: Compared) => !r.history && r.one !== '' && r.two !== '' && !sameText(r.one, r.two)

/** The rows of the comparison: who they are, how they were known, then what they have traits of; rows that both lack are left out. */
export function compare(one: Person, two: Person): Compared[] {
  const row = (id: string, of: (p: Person) => string, more: Partial<Compared> = {}): Compared => ({
    id,
    one: of(one),
    two: of(two),
    ...more,
  })
  const kinds = [...new Set([...(one.identifiers ?? []), ...(two.identifiers ?? [])].map((i) => i.kind))].filter(
    (k) => !['user_id', 'email', 'phone'].includes(k),
  )
  const traits = [...new Set([...Object.keys(one.traits), ...Object.keys(two.traits)])].filter((k) => !told.has(k)).toSorted()
  const rows = [
    row('name', (p) => p.name ?? ''),
    row('email', (p) => [...new Set([p.email ?? '', ...identifiers(p, 'email').split(', ')])].filter(Boolean).join(', ')),
    row('phone', (p) => [...new Set([shown(p.traits['phone']), ...identifiers(p, 'phone').split(', ')])].filter(Boolean).join(', ')),
    row('user_id', (p) => identifiers(p, 'user_id')),
    ...kinds.map((k) => row(word('identifier', k), (p) => identifiers(p, k), { trait: true })),
    ...traits.map((k) => row(k, (p) => shown(p.traits[k]), { trait: true })),
    row('events', (p) => shown(p.counters?.events), { history: true }),
    row('orders', (p) => shown(p.counters?.orders), { history: true }),
    row('first_seen', (p) => p.first_seen ?? '', { time: true, history: true }),
    row('last_seen', (p) => p.last_seen ?? '', { time: true, history: true }),
  ]
  return rows.filter((r) => r.one || r.two)
}
