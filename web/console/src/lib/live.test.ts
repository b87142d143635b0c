import { expect, test } from 'vitest'
import { concerned } from './live'

test('a change concerns lists of its noun and the thing itself, not its siblings', () => {
  const change = [{ topic: 'person', id: 'per_1' }]
  expect(concerned(['/api/v1/people', { query: {} }], change)).toBe(true)
  expect(concerned(['/api/v1/people/{id}', { path: { id: 'per_1' } }], change)).toBe(true)
  expect(concerned(['/api/v1/people/{id}/events', { path: { id: 'per_2' } }], change)).toBe(false)
  expect(concerned(['/api/v1/segments', {}], change)).toBe(false)
})

test('a topic that is newer than the console concerns the path of its plural', () => {
  expect(concerned(['/api/v1/coupons', {}], [{ topic: 'coupon' }])).toBe(true)
})
