// What a mail can say about its reader, with the values of the person who is looked at.
import { useMemo } from 'react'
import { type Schemas, useList } from '@/api'

export interface Variable {
  path: string
  /** Its value for the chosen person, shortened; empty if there is none. */
  value: string
  /** It is a list, fit for products and lists. */
  list?: boolean
}

const deepest = 3

/** Every path of a value: {a: {b: 1}} under "event" is event.a and event.a.b. */
export function pathsOf(at: string, v: unknown, depth = 0): Variable[] {
  if (Array.isArray(v)) return [{ path: at, value: `[${v.length}]`, list: true }]
  if (typeof v === 'object' && v !== null) {
    if (depth >= deepest) return []
    return Object.entries(v)
      .filter(([k]) => /^[A-Za-z_]\w*$/.test(k))
      .flatMap(([k, x]) => pathsOf(`${at}.${k}`, x, depth + 1))
  }
  return [{ path: at, value: v === null || v === undefined ? '' : String(v).slice(0, 80) }]
}

/** The value at a path of a tree, undefined if there is none. */
export function valueAt(tree: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((v, k) => (typeof v === 'object' && v !== null ? (v as Record<string, unknown>)[k] : undefined), tree)
}

const always: Variable[] = ['person.first_name', 'person.last_name', 'person.email'].map((path) => ({ path, value: '' }))
const others: Variable[] = ['unsubscribe_url', 'mail.locale'].map((path) => ({ path, value: '' }))

export interface Values {
  person?: Record<string, unknown>
  event?: Record<string, unknown>
}

export function variablesOf(v: Values): Variable[] {
  const found = [...pathsOf('person', v.person ?? {}), ...pathsOf('event', v.event ?? {})]
  const known = new Set(found.map((x) => x.path))
  return [...found.toSorted((a, b) => (a.path < b.path ? -1 : 1)), ...[...always, ...others].filter((x) => !known.has(x.path))]
}

/** The person's latest event of each name, latest first. */
export function useEvents(person: string): { name: string; properties: Record<string, unknown> }[] {
  const events = useList('/api/v1/people/{id}/events', { path: { id: person } }, { enabled: person !== '', size: 200 })
  return useMemo(() => {
    if (person === '') return []
    const seen = new Map<string, Record<string, unknown>>()
    for (const e of events.items as Schemas['PersonEvent'][])
      if (e.type === 'track' && !seen.has(e.name)) seen.set(e.name, (e.properties ?? {}) as Record<string, unknown>)
    return [...seen].map(([name, properties]) => ({ name, properties }))
  }, [events.items, person])
}
