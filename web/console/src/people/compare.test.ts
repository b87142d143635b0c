import { expect, test } from 'vitest'
import type { Schemas } from '@/api'
import { compare, contradict, sameText } from './compare'

const person = (p: Partial<Schemas['Person']>): Schemas['Person'] => ({
  id: 'p',
  status: 'known',
  traits: {},
  identifiers: [],
  merges: 0,
  ...p,
})

test('what both lack is left out, what one has is there', () => {
  const rows = compare(
    person({
      name: 'Aya',
      email: 'a@example.com',
      traits: { plan: 'gold', email: 'a@example.com' },
      identifiers: [{ kind: 'email', value: 'a@example.com', status: 'active' }],
    }),
    person({ name: 'aya ', traits: { vip: true }, counters: { events: 3 } }),
  )
  expect(rows.map((r) => r.id)).toEqual(['name', 'email', 'plan', 'vip', 'events'])
  expect(rows[1]).toMatchObject({ one: 'a@example.com', two: '' })
  expect(rows.filter(contradict)).toEqual([])
})

test('width and case make no difference', () => {
  expect(sameText('Ａｙａ', 'aya')).toBe(true)
  expect(sameText('aya', 'aia')).toBe(false)
})

test('only what one person could hardly have both of contradicts', () => {
  const rows = compare(
    person({ name: 'Aya', traits: { city: 'Kyoto' }, counters: { events: 1 } }),
    person({ name: 'Aya', traits: { city: 'Osaka' }, counters: { events: 2 } }),
  )
  expect(rows.filter(contradict).map((r) => r.id)).toEqual(['city'])
})
