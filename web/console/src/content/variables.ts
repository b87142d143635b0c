// What a mail can say about its reader, with the values of the person who is looked at.
import { useMemo } from 'react'
import { type Schemas, useList, useRead } from '@/api'
import { useCan } from '@/app/session'
import { similar } from '@/lib/similar'

export interface Variable {
  path: string
  /** Its value for the chosen person, shortened; empty if there is none. */
  value: string
  /** It is a list, fit for products and lists. */
  list?: boolean
  /** What lies below it is not known. */
  open?: boolean
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
const others: Variable[] = ['unsubscribe_url', 'topic.name', 'workspace.name', 'workspace.site', 'mail.locale'].map((path) => ({
  path,
  value: '',
}))

export interface Values {
  person?: Record<string, unknown>
  event?: Record<string, unknown>
}

/** The traits that people were seen with. */
export function useTraits(): Variable[] {
  const can = useCan()
  const seen = useRead('/api/v1/seen-fields', { query: { limit: 500 } }, { enabled: can('people.read') })
  return useMemo(() => {
    const all = seen.data?.items ?? []
    const nested = (path: string) => all.some((f) => f.path.startsWith(`${path}.`))
    return all
      .filter((f) => !nested(f.path))
      .map((f) => ({ path: `person.${f.path}`, value: '', list: f.kind === 'list', open: f.kind === 'list' || f.kind === 'object' }))
  }, [seen.data])
}

/** All there are: with the values of who is looked at, and without one where only others have it. */
export function variablesOf(v: Values, traits: Variable[] = []): Variable[] {
  const found = [...pathsOf('person', v.person ?? {}), ...pathsOf('event', v.event ?? {})]
  const known = new Set(found.map((x) => x.path))
  const rest = [...always, ...traits, ...others]
  return [
    ...found.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    ...rest.filter((x, i) => !known.has(x.path) && rest.findIndex((y) => y.path === x.path) === i),
  ]
}

export interface Misnamed {
  name: string
  /** What was probably meant. */
  like?: string
  /** From the beginning of the text. */
  from: number
}

const own = ['id', 'email', 'name', 'first_name', 'last_name', 'locale', 'timezone'].map((n) => `person.${n}`) // internal/app/vocabulary.go

/** The first trait in a text that nobody has, or whose "person" is misspelt. Without a catalogue of traits nothing is known to be wrong. */
export function misnamed(text: string, variables: Variable[], bare = false): Misnamed | undefined {
  const traits = variables.filter((v) => v.path.startsWith('person.'))
  if (traits.every((v) => always.some((a) => a.path === v.path))) return
  const names = [...own, ...traits.map((v) => v.path)]
  const knows = (name: string) =>
    names.some((p) => p === name || p.startsWith(`${name}.`) || (name.startsWith(`${p}.`) && /\.(size|first|last)$/.test(name))) ||
    traits.some((v) => (v.list || v.open) && name.startsWith(`${v.path}.`))
  for (const part of bare ? [{ 0: text, index: 0 }] : text.matchAll(/\{\{[^{}]*\}\}|\{%[^%]*%\}/g)) {
    const readable = part[0].replace(/"[^"]*"|'[^']*'/g, (s) => ' '.repeat(s.length))
    for (const m of readable.matchAll(/(?<![\w.])([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*)+)/g)) {
      const [name, root] = [m[0], m[1]!]
      const from = part.index + m.index
      if (root === 'person' && !knows(name)) return { name, like: similar(name, names), from }
      if (root !== 'person' && similar(root, ['person']) && !new RegExp(`(assign|capture|for)\\s+${root}\\b`).test(text))
        return { name, like: knows(`person${m[2]}`) ? `person${m[2]}` : similar(name, names), from }
    }
  }
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
