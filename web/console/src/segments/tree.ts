// The condition tree while it is being edited. Every node has a key of its own, so that it keeps its place on screen, its focus and
// its problems while others move. All edits are pure: tree in, tree out.
import type { Rule } from '@/ui'

export type Body = Record<string, unknown>
export interface Group {
  key: string
  group: 'all' | 'any'
  /** True: none of the group may hold, "not" around it. */
  not: boolean
  kids: Node[]
}
export interface Leaf {
  key: string
  kind: string
  not: boolean
  body: Body
}
export type Node = Group | Leaf

export const isGroup = (n: Node): n is Group => 'kids' in n

let last = 0
const fresh = () => `n${++last}`

export const leaf = (kind: string, body: Body = {}): Leaf => ({ key: fresh(), kind, not: false, body })
export const group = (op: 'all' | 'any', kids: Node[] = []): Group => ({ key: fresh(), group: op, not: false, kids })

/** Reads a rule; a pair of nots cancels out. */
export function fromRule(rule: Rule): Node {
  const [kind, body] = Object.entries(rule).find(([k]) => k !== 'version') ?? ['all', []]
  if (kind === 'not') {
    const inner = fromRule(body as Rule)
    return { ...inner, not: !inner.not }
  }
  if (kind === 'all' || kind === 'any') return group(kind, (Array.isArray(body) ? (body as Rule[]) : []).map(fromRule))
  return leaf(kind, { ...(body as Body) })
}

/** The root is always a group, so that there is a place to add to. */
export function rootOf(rule: Rule): Group {
  const n = fromRule(rule)
  if (isGroup(n) && !n.not) return n
  return group('all', !isGroup(n) && n.kind === 'everyone' && !n.not ? [] : [n])
}

export function toRule(n: Node): Rule {
  const plain: Rule = isGroup(n) ? { [n.group]: n.kids.map(toRule) } : { [n.kind]: n.body }
  return n.not ? { not: plain } : plain
}

/** Where the server sees each node: the path of a preview's counts ("all[0].event") to the key, and back. */
export function paths(root: Node): Map<string, string> {
  const out = new Map<string, string>()
  const walk = (n: Node, prefix: string) => {
    const at = `${prefix}${n.not ? 'not.' : ''}${isGroup(n) ? n.group : n.kind}`
    out.set(n.not ? `${prefix}not` : at, n.key)
    out.set(at, n.key)
    if (isGroup(n)) n.kids.forEach((k, i) => walk(k, `${at}[${i}].`))
  }
  walk(root, '')
  return out
}

/** Where the server counts each node, by key; of a negated node the place of the "not". */
export function countedAt(root: Node): Map<string, string> {
  const out = new Map<string, string>()
  const walk = (n: Node, prefix: string) => {
    const at = `${prefix}${n.not ? 'not.' : ''}${isGroup(n) ? n.group : n.kind}`
    out.set(n.key, n.not ? `${prefix}not` : at)
    if (isGroup(n)) n.kids.forEach((k, i) => walk(k, `${at}[${i}].`))
  }
  walk(root, '')
  return out
}

/** Counts of a preview by key; a negated node shows how many fulfil it with the "not". */
export function countsByKey(root: Node, counts: { path: string; count: number }[]): Map<string, number> {
  const by = new Map(counts.map((c) => [c.path, c.count]))
  return new Map([...countedAt(root)].flatMap(([key, path]) => (by.has(path) ? [[key, by.get(path) ?? 0]] : [])))
}

/** The node that a fault of the server is about ("rule.all[2].event.window") and the rest of the path within it. */
export function faultAt(root: Node, field: string): { key: string; at: string } {
  const path = field.replace(/^body\./, '').replace(/^rule\.?/, '')
  let best: { key: string; length: number } = { key: root.key, length: 0 }
  for (const [p, key] of paths(root))
    if ((path === p || path.startsWith(`${p}.`) || path.startsWith(`${p}[`)) && p.length >= best.length) best = { key, length: p.length }
  return { key: best.key, at: path.slice(best.length).replace(/^\./, '') }
}

export function find(root: Node, key: string): Node | undefined {
  if (root.key === key) return root
  if (isGroup(root))
    for (const k of root.kids) {
      const found = find(k, key)
      if (found) return found
    }
}

export function parentOf(root: Node, key: string): Group | undefined {
  if (!isGroup(root)) return
  for (const k of root.kids) {
    if (k.key === key) return root
    const found = parentOf(k, key)
    if (found) return found
  }
}

/** Where one goes on who was at a node of a tree before: there, or at what stood beside or around it. */
export function near(before: Group, now: Group, key: string): string {
  const parent = parentOf(before, key)
  if (!parent || find(now, key)) return find(now, key)?.key ?? now.key
  const i = parent.kids.findIndex((k) => k.key === key)
  const beside = [...parent.kids.slice(i + 1), ...parent.kids.slice(0, i).toReversed()].find((k) => find(now, k.key))
  return beside?.key ?? near(before, now, parent.key)
}

/** Replaces a node; null takes it away. */
export function change<T extends Node>(root: T, key: string, edit: (n: Node) => Node | Node[] | null): T {
  if (root.key === key) return (edit(root) ?? root) as T
  if (!isGroup(root)) return root
  let touched = false
  const kids = root.kids.flatMap((k) => {
    if (k.key === key) {
      touched = true
      return edit(k) ?? []
    }
    const next = change(k, key, edit)
    touched ||= next !== k
    return next
  })
  return touched ? { ...root, kids } : root
}

export const add = (root: Group, to: string, n: Node, at?: number): Group =>
  change(root, to, (g) => (isGroup(g) ? { ...g, kids: g.kids.toSpliced(at ?? g.kids.length, 0, n) } : g))

export const remove = (root: Group, key: string): Group => (key === root.key ? root : change(root, key, () => null))

const copied = (n: Node): Node =>
  isGroup(n) ? { ...n, key: fresh(), kids: n.kids.map(copied) } : { ...n, key: fresh(), body: structuredClone(n.body) }

/** A copy right behind the original. */
export const duplicate = (root: Group, key: string): Group => change(root, key, (n) => (n === root ? n : [n, copied(n)]))

/** The node inside a group of its own; "any", because "all" would change nothing yet. */
export const wrap = (root: Group, key: string): Group => change(root, key, (n) => (n === root ? n : group('any', [n])))

/** The members of a group in its place. Only where that keeps the sense is up to whoever asks. */
export const unwrap = (root: Group, key: string): Group => change(root, key, (n) => (n !== root && isGroup(n) && !n.not ? n.kids : n))

/**
 * Moves a node one step: past its neighbour, into a neighbouring group, or out of its own group at the edge. So the arrow
 * keys reach every place in the tree.
 */
export function move(root: Group, key: string, step: -1 | 1): Group {
  const parent = parentOf(root, key)
  const n = find(root, key)
  if (!parent || !n) return root
  const i = parent.kids.indexOf(n)
  const neighbour = parent.kids[i + step]
  if (neighbour && isGroup(neighbour)) return add(remove(root, key), neighbour.key, n, step > 0 ? 0 : neighbour.kids.length)
  if (neighbour) return change(root, parent.key, (g) => (isGroup(g) ? { ...g, kids: g.kids.toSpliced(i, 1).toSpliced(i + step, 0, n) } : g))
  const outer = parentOf(root, parent.key)
  if (!outer) return root
  const at = outer.kids.indexOf(parent) + (step > 0 ? 1 : 0)
  return add(remove(root, key), outer.key, n, at)
}

/** Drops a dragged node into a group before the given place; a group never goes into itself. */
export function place(root: Group, key: string, to: string, at: number): Group {
  const n = find(root, key)
  const parent = parentOf(root, key)
  if (!n || !parent || find(n, to)) return root
  const i = parent.kids.indexOf(n)
  return add(remove(root, key), to, n, parent.key === to && i < at ? at - 1 : at)
}

export const count = (n: Node): number => (isGroup(n) ? n.kids.reduce((sum, k) => sum + count(k), 0) : 1)

// ---- undo and redo ----

export interface Story {
  past: Group[]
  now: Group
  future: Group[]
  /** What the last edit was about; typing in one field is one step. */
  about: string
}

export const begin = (now: Group): Story => ({ past: [], now, future: [], about: '' })

export type Edit = { type: 'edit'; tree: Group; about?: string } | { type: 'undo' } | { type: 'redo' }

export function story(s: Story, e: Edit): Story {
  if (e.type === 'undo') {
    const now = s.past.at(-1)
    return now ? { past: s.past.slice(0, -1), now, future: [s.now, ...s.future], about: '' } : s
  }
  if (e.type === 'redo') {
    const [now, ...future] = s.future
    return now ? { past: [...s.past, s.now], now, future, about: '' } : s
  }
  if (e.tree === s.now) return s
  const same = e.about !== undefined && e.about === s.about
  return { past: same ? s.past : [...s.past.slice(-99), s.now], now: e.tree, future: [], about: e.about ?? '' }
}
