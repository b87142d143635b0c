import { expect, test } from 'vitest'
import { begin, entrance, type Graph, insert, outputsOf, record, redo, remove, removeBranch, undo } from './graph'

const chain: Graph = {
  start: 'a',
  nodes: [
    { id: 'a', kind: 'wait', next: { next: 'b' } },
    { id: 'b', kind: 'branch', next: { yes: 'c' } },
    { id: 'c', kind: 'send', next: {} },
  ],
}
const next = (g: Graph, id: string) => g.nodes.find((n) => n.id === id)?.next

test('a node that is inserted goes between; at the entrance it becomes the first', () => {
  const mid = insert(chain, { node: 'a', output: 'next' }, { id: 'n', kind: 'wait' }, ['next'])
  expect(next(mid, 'a')).toEqual({ next: 'n' })
  expect(next(mid, 'n')).toEqual({ next: 'b' })
  const first = insert(chain, { node: entrance, output: 'start' }, { id: 'n', kind: 'branch' }, ['yes', 'no'])
  expect(first.start).toBe('n')
  expect(next(first, 'n')).toEqual({ yes: 'a' })
  const last = insert(chain, { node: 'b', output: 'no' }, { id: 'n', kind: 'exit' }, [])
  expect(next(last, 'b')).toEqual({ yes: 'c', no: 'n' })
  expect(next(last, 'n')).toEqual({})
})

test('who came to a removed node goes on to what came after it', () => {
  const g = remove(chain, 'b', ['yes', 'no'])
  expect(next(g, 'a')).toEqual({ next: 'c' })
  expect(remove(chain, 'a', ['next']).start).toBe('b')
  expect(next(remove(chain, 'c', ['next']), 'b')).toEqual({})
})

test('a whole branch goes, but not what other ways lead to', () => {
  expect(removeBranch(chain, 'b').nodes.map((n) => n.id)).toEqual(['a'])
  const joined: Graph = { ...chain, nodes: [...chain.nodes, { id: 'd', kind: 'branch', next: { yes: 'a', no: 'c' } }], start: 'd' }
  expect(removeBranch(joined, 'b').nodes.map((n) => n.id)).toEqual(['a', 'c', 'd'])
})

test('outputs follow the configuration', () => {
  const ways = ['a', 'b', 'c', 'd', 'e']
  expect(outputsOf({ id: 's', kind: 'split', config: { percent: [20, 30, 50] } }, ways)).toEqual(['a', 'b', 'c'])
  expect(outputsOf({ id: 's', kind: 'split', config: { percent: [50, 50] }, next: { d: 'x' } }, ways)).toEqual(['a', 'b', 'd'])
  expect(outputsOf({ id: 's', kind: 'switch', config: { cases: [['JP']] } }, [...ways, 'other'])).toEqual(['a', 'other'])
})

test('edits are undone and done again; typing into one field is one edit', () => {
  let h = begin(chain)
  h = record(h, remove(chain, 'c', ['next']))
  h = record(h, { ...h.now, start: 'b' }, 'title')
  h = record(h, { ...h.now, start: 'bb' }, 'title')
  expect(h.past).toHaveLength(2)
  h = undo(h)
  expect(h.now.start).toBe('a')
  h = undo(h)
  expect(h.now).toBe(chain)
  expect(undo(h)).toBe(h)
  h = redo(redo(h))
  expect(h.now.start).toBe('bb')
  h = record(undo(h), chain)
  expect(redo(h)).toBe(h)
})
