import { expect, test } from 'vitest'
import type { Graph, Step } from './graph'
import { warningsOf } from './warnings'

const mail = (id: string, next?: string, config = {}): Step => ({
  id,
  kind: 'send',
  config: { template: 't', topic: 'p', ...config },
  ...(next ? { next: { next } } : {}),
})
const codes = (g: Partial<Graph>) => warningsOf({ trigger: { event: { name: 'Go' } }, nodes: [], ...g }).map((w) => `${w.node} ${w.code}`)

test('a journey that sends says so if nothing tells whether it worked', () => {
  expect(codes({ nodes: [mail('a')] })).toEqual([' no_goal'])
  expect(codes({ nodes: [mail('a')], goal: { event: { name: 'Order Completed' } } })).toEqual([])
  expect(codes({ nodes: [{ id: 'w', kind: 'wait' }] })).toEqual([])
})

test('two messages in one moment, mail to everybody, endless rounds and a silent server are told', () => {
  const goal = { event: { name: 'x' } }
  const branch = { id: 'b', kind: 'branch', next: { yes: 'm2', no: 'w' } }
  expect(codes({ goal, nodes: [mail('m', 'b'), branch, mail('m2'), { id: 'w', kind: 'wait', next: { next: 'm3' } }, mail('m3')] })).toEqual(
    ['m twice'],
  )
  expect(codes({ goal, nodes: [mail('m', 'w'), { id: 'w', kind: 'wait', next: { next: 'm3' } }, mail('m3')] })).toEqual([])
  expect(codes({ goal, nodes: [mail('m', undefined, { transactional: true })] })).toEqual(['m transactional'])
  expect(codes({ goal, re_entry: { mode: 'always' }, nodes: [mail('m')] })).toEqual(['~trigger always'])
  expect(codes({ goal, nodes: [{ id: 'h', kind: 'webhook', next: { done: 'm' } }, mail('m')] })).toEqual(['h no_answer'])
  expect(codes({ goal, nodes: [{ id: 'h', kind: 'webhook', next: { done: 'm', timeout: 'm' } }, mail('m')] })).toEqual([])
})

test('steps that nobody reaches warn of nothing', () => {
  expect(codes({ start: 'w', nodes: [{ id: 'w', kind: 'wait' }, mail('lost')] })).toEqual([])
})
