import { expect, test } from 'vitest'
import { advise, graphemes, width } from './count'

test('characters are what people see', () => {
  expect(graphemes('👨‍👩‍👧が🇯🇵é')).toBe(4)
  expect(graphemes('e\u0301か\u3099')).toBe(2)
  expect(graphemes('')).toBe(0)
})

test('CJK and pictures are two wide', () => {
  expect(width('abc')).toBe(3)
  expect(width('新茶が届く')).toBe(10)
  expect(width('a😀')).toBe(3)
})

test('advice counts Liquid as a word and knows the script', () => {
  expect(advise('subject', 'Hello {{ person.first_name | default: "there" }}')).toEqual({ count: 12, cjk: false, advice: 'good' })
  expect(advise('subject', '  ')).toMatchObject({ count: 0, advice: 'empty' })
  expect(advise('subject', 'x'.repeat(60)).advice).toBe('good')
  expect(advise('subject', 'x'.repeat(61)).advice).toBe('long')
  expect(advise('subject', '茶'.repeat(31))).toMatchObject({ count: 31, cjk: true, advice: 'long' })
  expect(advise('preheader', '茶'.repeat(90)).advice).toBe('good')
})
