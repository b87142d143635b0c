import { expect, test } from 'vitest'
import { parts } from './Insights'

test('the bar of an overlap shows each part that exists', () => {
  expect(parts(0, 0, 0)).toEqual([0, 0, 0])
  expect(parts(10, 10, 10)).toEqual([0, 1, 0])
  expect(parts(2, 2, 1)).toEqual([1 / 3, 1 / 3, 1 / 3])
  const [a, both, b] = parts(100_000, 2, 1)
  expect(both).toBeGreaterThan(0.015)
  expect(b).toBe(both)
  expect(a + both + b).toBeCloseTo(1)
})
