import { expect, test } from 'vitest'
import { entrance, type Graph } from './graph'
import { card, layout, neighbour } from './layout'

const outputs = new Map([
  ['wait', ['next']],
  ['send', ['next']],
  ['branch', ['yes', 'no']],
  ['exit', []],
])

const overlaps = (g: Graph) => {
  const spots = [...layout(g, outputs).spots.values()]
  return spots.some((a, i) => spots.slice(i + 1).some((b) => Math.abs(a.x - b.x) < card.width && Math.abs(a.y - b.y) < card.height))
}

test('nodes stand below what leads to them, and ways that join do not make cards overlap', () => {
  const g: Graph = {
    start: 'b',
    nodes: [
      { id: 'x', kind: 'exit' },
      { id: 'b', kind: 'branch', next: { yes: 's', no: 'x' } },
      { id: 's', kind: 'send', next: { next: 'x' } },
    ],
  }
  const { spots, ways } = layout(g, outputs)
  const y = (id: string) => spots.get(id)!.y
  expect(y(entrance)).toBeLessThan(y('b'))
  expect(y('b')).toBeLessThan(y('s'))
  expect(y('s')).toBeLessThan(y('x'))
  expect(overlaps(g)).toBe(false)
  expect(ways.filter((w) => w.to === 'x')).toHaveLength(2)
})

test('two hundred nodes with branches, joins and a loop are laid out at once and without overlap', () => {
  const nodes: Graph['nodes'] = []
  for (let i = 0; i < 200; i++) {
    const next: Record<string, string> = {}
    if (i * 2 + 1 < 200) next.yes = `n${i * 2 + 1}`
    if (i * 2 + 2 < 200) next.no = i % 7 === 6 ? 'n199' : `n${i * 2 + 2}`
    nodes.push({ id: `n${i}`, kind: 'branch', next })
  }
  nodes[150]!.next = { yes: 'n3' }
  const g: Graph = { start: 'n0', nodes }
  const began = performance.now()
  expect(layout(g, outputs).spots.size).toBe(201)
  expect(performance.now() - began).toBeLessThan(200)
  expect(overlaps(g)).toBe(false)
})

test('a long chain does not exhaust the stack, and arrows lead along it', () => {
  const nodes = Array.from({ length: 200 }, (_, i) => ({
    id: `n${i}`,
    kind: 'wait',
    next: i < 199 ? { next: `n${i + 1}` } : ({} as Record<string, string>),
  }))
  const { spots, ways } = layout({ nodes }, outputs)
  expect(neighbour(spots, 'n5', 'ArrowDown')).toBe('n6')
  expect(neighbour(spots, 'n0', 'ArrowUp')).toBe(entrance)
  expect(ways.at(-1)?.end).toBeDefined()
})

test('nodes that are placed by hand stay where they were put', () => {
  const g: Graph = { nodes: [{ id: 'a', kind: 'wait', x: 500, y: 300, next: {} }] }
  expect(layout(g, outputs).spots.get('a')).toEqual({ x: 500, y: 300 })
})
