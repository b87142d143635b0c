import { expect, test } from 'vitest'
import * as tree from './tree'

const trait = (path: string) => ({ trait: { path, op: 'exists' } })
const shape = (n: tree.Node): unknown => tree.toRule(n)
const keyAt = (root: tree.Group, path: string) => tree.paths(root).get(path)!

test('a rule goes in and comes out the same', () => {
  for (const rule of [
    { all: [trait('a'), { any: [trait('b'), { not: trait('c') }] }] },
    { all: [{ not: { any: [trait('a')] } }] },
    { any: [] },
  ])
    expect(shape(tree.rootOf(rule))).toEqual(rule)
  expect(shape(tree.rootOf(trait('a')))).toEqual({ all: [trait('a')] })
  expect(shape(tree.rootOf({ version: 1, everyone: {} }))).toEqual({ all: [] })
  expect(shape(tree.rootOf({ all: [{ not: { not: trait('a') } }] }))).toEqual({ all: [trait('a')] })
  expect(shape(tree.rootOf({ not: { any: [trait('a')] } }))).toEqual({ all: [{ not: { any: [trait('a')] } }] })
})

test('add, remove, duplicate, wrap and unwrap', () => {
  let root = tree.rootOf({ all: [trait('a'), trait('b')] })
  root = tree.add(root, root.key, tree.leaf('trait', { path: 'c', op: 'exists' }), 1)
  expect(shape(root)).toEqual({ all: [trait('a'), trait('c'), trait('b')] })
  root = tree.remove(root, root.kids[0]!.key)
  expect(shape(root)).toEqual({ all: [trait('c'), trait('b')] })
  root = tree.duplicate(root, root.kids[0]!.key)
  expect(shape(root)).toEqual({ all: [trait('c'), trait('c'), trait('b')] })
  expect(new Set(root.kids.map((k) => k.key)).size).toBe(3)
  root = tree.wrap(root, root.kids[2]!.key)
  expect(shape(root)).toEqual({ all: [trait('c'), trait('c'), { any: [trait('b')] }] })
  root = tree.unwrap(root, root.kids[2]!.key)
  expect(shape(root)).toEqual({ all: [trait('c'), trait('c'), trait('b')] })
  expect(tree.remove(root, root.key)).toBe(root)
})

test('a copy does not share its body with the original', () => {
  let root = tree.rootOf({ all: [{ event: { name: 'A', filter: [{ path: 'x', op: 'eq', value: 1 }] } }] })
  root = tree.duplicate(root, root.kids[0]!.key)
  const [a, b] = root.kids as tree.Leaf[]
  expect(b!.body).toEqual(a!.body)
  expect(b!.body.filter).not.toBe(a!.body.filter)
})

test('arrow keys carry a condition through every place of the tree', () => {
  let root = tree.rootOf({ all: [trait('a'), { any: [trait('b')] }, trait('c')] })
  const a = root.kids[0]!.key
  const seen = []
  for (let i = 0; i < 5; i++) {
    root = tree.move(root, a, 1)
    seen.push(shape(root))
  }
  expect(seen).toEqual([
    { all: [{ any: [trait('a'), trait('b')] }, trait('c')] },
    { all: [{ any: [trait('b'), trait('a')] }, trait('c')] },
    { all: [{ any: [trait('b')] }, trait('a'), trait('c')] },
    { all: [{ any: [trait('b')] }, trait('c'), trait('a')] },
    { all: [{ any: [trait('b')] }, trait('c'), trait('a')] },
  ])
  for (let i = 0; i < 4; i++) root = tree.move(root, a, -1)
  expect(shape(root)).toEqual({ all: [trait('a'), { any: [trait('b')] }, trait('c')] })
})

test('a dragged node lands where it was dropped, and no group in itself', () => {
  let root = tree.rootOf({ all: [trait('a'), trait('b'), { any: [trait('c')] }] })
  const [a, , g] = root.kids as [tree.Node, tree.Node, tree.Group]
  expect(shape(tree.place(root, a.key, root.key, 2))).toEqual({ all: [trait('b'), trait('a'), { any: [trait('c')] }] })
  root = tree.place(root, a.key, g.key, 1)
  expect(shape(root)).toEqual({ all: [trait('b'), { any: [trait('c'), trait('a')] }] })
  expect(tree.place(root, g.key, g.key, 0)).toBe(root)
})

test('counts and faults of the server find their condition', () => {
  const root = tree.rootOf({ all: [trait('a'), { not: { event: { name: 'x' } } }, { any: [{ device: { path: 'os' } }] }] })
  const counts = tree.countsByKey(root, [
    { path: 'all', count: 9 },
    { path: 'all[0].trait', count: 20 },
    { path: 'all[1].not', count: 12 },
    { path: 'all[1].not.event', count: 8 },
    { path: 'all[2].any', count: 7 },
    { path: 'all[2].any[0].device', count: 7 },
  ])
  expect(counts.get(root.key)).toBe(9)
  expect(counts.get(root.kids[0]!.key)).toBe(20)
  expect(counts.get(root.kids[1]!.key)).toBe(12)
  expect(tree.countedAt(root).get(root.kids[1]!.key)).toBe('all[1].not') // whose people are asked for
  expect(tree.faultAt(root, 'rule.all[1].not.event.window')).toEqual({ key: root.kids[1]!.key, at: 'window' })
  expect(tree.faultAt(root, 'rule.all[2].any[0].device.value')).toEqual({ key: keyAt(root, 'all[2].any[0].device'), at: 'value' })
  expect(tree.faultAt(root, 'rule')).toEqual({ key: root.key, at: '' })
})

test('ten conditions: the second is not the tenth', () => {
  const root = tree.rootOf({ all: Array.from({ length: 12 }, (_, i) => trait(`t${i}`)) })
  expect(tree.faultAt(root, 'rule.all[1].trait.op').key).toBe(root.kids[1]!.key)
  expect(tree.faultAt(root, 'rule.all[10].trait.op').key).toBe(root.kids[10]!.key)
})

test('undo and redo; typing in one field is one step', () => {
  const root = tree.rootOf({ all: [trait('a')] })
  let s = tree.begin(root)
  const type = (path: string) => tree.change(s.now, root.kids[0]!.key, (n) => ({ ...n, body: { path, op: 'exists' } }) as tree.Node)
  s = tree.story(s, { type: 'edit', tree: type('ab'), about: 'path' })
  s = tree.story(s, { type: 'edit', tree: type('abc'), about: 'path' })
  s = tree.story(s, { type: 'edit', tree: tree.duplicate(s.now, root.kids[0]!.key) })
  expect(shape(s.now)).toEqual({ all: [trait('abc'), trait('abc')] })
  s = tree.story(s, { type: 'undo' })
  expect(shape(s.now)).toEqual({ all: [trait('abc')] })
  s = tree.story(s, { type: 'undo' })
  expect(s.now).toBe(root)
  expect(tree.story(s, { type: 'undo' })).toBe(s)
  s = tree.story(tree.story(s, { type: 'redo' }), { type: 'redo' })
  expect(shape(s.now)).toEqual({ all: [trait('abc'), trait('abc')] })
  s = tree.story(tree.story(s, { type: 'undo' }), { type: 'edit', tree: root })
  expect(s.future).toEqual([])
})
