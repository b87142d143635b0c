import { expect, test } from 'vitest'
import { verdict } from './verdict'

test('ways between which nothing lies are not called a lead', () => {
  expect(verdict({ certain: true, chance: 0.01 })).toBe('certain')
  expect(verdict({ certain: false, chance: 0.4 })).toBe('uncertain')
  expect(verdict({ certain: false, chance: 1 })).toBe('tied')
})
