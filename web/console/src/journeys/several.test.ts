import { expect, test } from 'vitest'
import { entrance, type Graph } from './graph'
import { asText, doubled, fromText, graft, removeAll, taken } from './several'

const outputs = (kind: string) => (kind === 'branch' ? ['yes', 'no'] : kind === 'exit' ? [] : ['next'])
const g: Graph = {
  start: 'wait_1',
  nodes: [
    { id: 'wait_1', kind: 'wait', next: { next: 'branch_1' } },
    { id: 'branch_1', kind: 'branch', config: { salt: 'branch_1' }, next: { yes: 'send_1', no: 'exit_1' } },
    { id: 'send_1', kind: 'send', next: {} },
    { id: 'exit_1', kind: 'exit', next: {} },
  ],
}
const next = (x: Graph, id: string) => x.nodes.find((n) => n.id === id)?.next
const known = (kind: string) => kind !== 'alien'

test('chosen steps keep the ways between them and lose the others', () => {
  expect(taken(g, new Set(['wait_1', 'branch_1'])).map((s) => s.next)).toEqual([{ next: 'branch_1' }, {}])
})

test('what is copied can be read again, and nothing else is believed', () => {
  const steps = taken(g, new Set(['branch_1', 'send_1']))
  expect(fromText(asText(steps), known)).toEqual(steps.map((s) => ({ title: undefined, config: undefined, ...s })))
  expect(fromText('hello', known)).toBe('other')
  expect(fromText('{"a":1}', known)).toBe('other')
  const broken = (s: unknown) => fromText(JSON.stringify({ 'kizuna.journey-steps': 1, steps: s }), known)
  expect(broken([])).toBe('broken')
  expect(broken(Array.from({ length: 301 }, (_, i) => ({ id: `a${i}`, kind: 'wait' })))).toBe('broken')
  expect(broken([{ id: 'a', kind: 'wait', next: { next: 'elsewhere' } }])).toBe('broken')
  expect(broken([{ id: 'a', kind: 'wait', config: 'text' }])).toBe('broken')
  expect(
    broken([
      { id: 'a', kind: 'wait' },
      { id: 'a', kind: 'wait' },
    ]),
  ).toBe('broken')
  expect(broken([{ id: 'a', kind: 'alien' }])).toBe('unknown')
})

test('copies stand at the place with ids and salts of their own, and lead on to what came after', () => {
  const { graph, ids } = graft(g, { node: 'wait_1', output: 'next' }, taken(g, new Set(['branch_1', 'send_1'])), outputs)
  expect(ids).toEqual(['branch_2', 'send_2'])
  expect(next(graph, 'wait_1')).toEqual({ next: 'branch_2' })
  expect(next(graph, 'branch_2')).toEqual({ yes: 'send_2' })
  expect(next(graph, 'send_2')).toEqual({ next: 'branch_1' })
  expect(graph.nodes.find((n) => n.id === 'branch_2')?.config).toEqual({ salt: 'branch_2' })
  expect(graft({ nodes: [] }, { node: entrance, output: 'start' }, taken(g, new Set(['send_1'])), outputs).graph.start).toBe('send_1')
})

test('steps without an open end are not put where they would cut something off', () => {
  const { graph } = graft(g, { node: 'wait_1', output: 'next' }, taken(g, new Set(['exit_1'])), outputs)
  expect(next(graph, 'wait_1')).toEqual({ next: 'branch_1' })
  expect(graph.nodes.map((n) => n.id)).toContain('exit_2')
})

test('where steps stand by hand, copies make room for themselves', () => {
  const placed: Graph = { ...g, nodes: g.nodes.map((n, i) => ({ ...n, x: 100, y: i * 200 })) }
  const { graph } = graft(placed, { node: 'wait_1', output: 'next' }, taken(placed, new Set(['branch_1', 'send_1'])), outputs)
  const at = (id: string) => graph.nodes.find((n) => n.id === id)!
  expect(at('branch_2')).toMatchObject({ x: 100, y: 192 })
  expect(at('send_2').y).toBe(392)
  expect(at('branch_1').y).toBe(200 + 200 + 192)
})

test('duplicates follow the last of those they are copies of', () => {
  const made = doubled(g, new Set(['branch_1', 'send_1']), outputs)!
  expect(next(made.graph, 'send_1')).toEqual({ next: 'branch_2' })
  expect(doubled(g, new Set(['exit_1']), outputs)).toBeUndefined()
})

test('several are removed together', () => {
  const left = removeAll(g, ['wait_1', 'branch_1'], outputs)
  expect(left.start).toBe('send_1')
  expect(left.nodes.map((n) => n.id)).toEqual(['send_1', 'exit_1'])
})
