import { expect, test } from 'vitest'
import { initials } from './Face'

test('initials are two letters of a Latin name, one character of others', () => {
  expect(initials('Keiko Mori (sample)')).toBe('KM')
  expect(initials('  ben ')).toBe('B')
  expect(initials('Ana de la Cruz')).toBe('AC')
  expect(initials('森 佳子（サンプル）')).toBe('森')
  expect(initials('林晓雯')).toBe('林')
  expect(initials('𠮷田')).toBe('𠮷')
  expect(initials('')).toBe('')
})
