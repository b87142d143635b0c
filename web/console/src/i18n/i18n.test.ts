import { beforeEach, expect, test } from 'vitest'
import en from './en.json'
import { formatAbout, formatAgo, formatList, formatMoney, formatName, formatPercent, hasText, speak, t, word } from './index'
import ja from './ja.json'
import zh from './zh-Hans.json'

beforeEach(() => speak('en', en))

test('money is in the smallest unit of its currency', () => {
  expect(formatMoney(420000, 'JPY')).toBe('¥420,000')
  expect(formatMoney(1999, 'USD')).toBe('$19.99')
})

test('an estimate is marked as one', () => {
  expect(formatAbout(1200)).toBe('≈\u20091,200')
})

test('a person is called in their own order', async () => {
  expect(formatName({ first_name: 'Ada', last_name: 'Lovelace' })).toBe('Ada Lovelace')
  expect(formatName({ first_name: '太郎', last_name: '山田' })).toBe('山田太郎')
  expect(formatName({ email: 'a@example.com' })).toBe('a@example.com')
})

test('texts, plurals and formats follow the language', async () => {
  expect(t('table.rows', { count: 1, n: '1' })).toBe('1 row')
  expect(t('table.rows', { count: 2, n: '2' })).toBe('2 rows')
  expect(formatList(['a', 'b', 'c'])).toBe('a, b, and c')
  await speak('ja', ja)
  expect(document.documentElement.lang).toBe('ja')
  expect(t('table.rows', { count: 2, n: '2' })).toBe('2件')
  expect(formatAgo('2026-01-01T00:00:00Z', Date.parse('2026-01-01T03:00:00Z'))).toBe('3 時間前')
  await speak('zh-Hans', zh)
  expect(formatPercent(0.125)).toBe('12.5%')
})

test('a code that no catalogue knows is shown as it is', () => {
  expect(hasText('status.live')).toBe(true)
  expect(word('status', 'half_done')).toBe('half done')
})
