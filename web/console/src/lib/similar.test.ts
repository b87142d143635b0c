import { expect, test } from 'vitest'
import { similar } from './similar'

test('a slip of the finger finds what was meant, another word does not', () => {
  const known = ['plan', 'city', 'person.first_name', 'person.last_name', '会員ランク']
  expect(similar('plna', known)).toBe('plan')
  expect(similar('person.frist_name', known)).toBe('person.first_name')
  expect(similar('Plan', known)).toBe('plan')
  expect(similar('会員ラック', known)).toBe('会員ランク')
  expect(similar('plan', known)).toBeUndefined()
  expect(similar('price', known)).toBeUndefined()
  expect(similar('it', known)).toBeUndefined()
  expect(similar('', known)).toBeUndefined()
})
