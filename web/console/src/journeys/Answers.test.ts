import { expect, test } from 'vitest'
import { answersOf, type Reply, unreadable } from './Answers'
import type { Graph } from './graph'

const graph: Graph = {
  nodes: [
    { id: 'ask', kind: 'webhook' },
    { id: 'tell', kind: 'webhook' },
    { id: 'mail', kind: 'send' },
  ],
}

test('every webhook has an answer in a trial: that it worked, unless something else was said', () => {
  const said: Record<string, Reply> = { tell: { kind: 'never', status: 0, body: { left: 'over' } } }
  expect(answersOf(graph, said)).toEqual([
    { node: 'ask', status: 200 },
    { node: 'tell', status: 0 },
  ])
  expect(answersOf(graph, { ask: { kind: 'refused', status: 422, body: { why: 'x' } } })[0]).toEqual({
    node: 'ask',
    status: 422,
    body: { why: 'x' },
  })
})

test('what is no JSON yet holds the trial up, unless nothing is answered', () => {
  expect(unreadable(graph, { ask: { kind: 'done', status: 200, body: '{"a":' } })).toBe(true)
  expect(unreadable(graph, { ask: { kind: 'never', status: 0, body: '{"a":' } })).toBe(false)
  expect(unreadable(graph, {})).toBe(false)
})
