import { expect, test } from 'vitest'
import { ruleFrom, segmentOf } from './rules'

test('a segment of people who stand alike comes back out of its address', () => {
  const address = segmentOf({ stage: 'at_risk', r: 2 })
  const text = new URL(address, 'http://x').searchParams.get('rule') ?? ''
  expect(ruleFrom(text)).toEqual({
    all: [{ trait: { path: 'standing.stage', op: 'eq', value: 'at_risk' } }, { trait: { path: 'standing.r', op: 'eq', value: 2 } }],
  })
})

test('whatever else stands in the address is no rule', () => {
  for (const text of ['', 'nonsense', '1', '{"any":[]}', '{"all":3}']) expect(ruleFrom(text)).toEqual({ all: [] })
})
