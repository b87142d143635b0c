import { beforeEach, expect, test, vi } from 'vitest'
import en from './en.json'
import {
  formatAbout,
  formatAgo,
  formatDate,
  formatDay,
  formatDayInFull,
  formatDays,
  formatDaysShort,
  formatCivil,
  formatCivilClock,
  formatClock,
  formatList,
  formatMoney,
  formatName,
  formatPercent,
  formatPlace,
  formatSpan,
  formatTime,
  formatTimeIn,
  formatTimes,
  hasText,
  speak,
  t,
  word,
} from './index'
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
  expect(formatAgo('2026-01-01T00:00:00Z', Date.parse('2026-01-01T03:00:00Z'))).toBe('3時間前')
  await speak('zh-Hans', zh)
  expect(formatPercent(0.125)).toBe('12.5%')
})

test('a time in words is rounded into the unit that it then fills', () => {
  const before = (ms: number) => formatAgo(new Date(0), ms)
  expect(before(400)).toBe('just now')
  expect(before(-5_000)).toBe('just now')
  expect(before(59_400)).toBe('59 seconds ago')
  expect(before(59_600)).toBe('1 minute ago')
  expect(before(59.6 * 60_000)).toBe('1 hour ago')
  expect(before(23.6 * 3_600_000)).toBe('yesterday')
  expect(formatSpan(59_960)).toBe('1 minute')
  expect(formatSpan(90_000)).toBe('1.5 minutes')
  expect(formatSpan(400)).toBe('0.4 seconds')
})

test('what two days have in common is said once', async () => {
  expect(formatDays('2026-11-01', '2026-11-30').replace(/\s/g, ' ')).toBe('Nov 1 – 30, 2026')
  await speak('ja', ja)
  expect(formatDays('2026-11-01', '2026-11-30')).toBe('2026/11/01〜2026/11/30')
  expect(formatTimes('2026-12-01T06:25:00', '2026-12-01T06:26:00')).toBe('2026/12/01 6:25〜6:26')
  await speak('zh-Hans', zh)
  expect(formatDays('2026-11-01', '2026-12-30').replace(/\s/g, ' ')).toBe('2026年11月1日 – 12月30日')
})

test('a range writes its days as single days are written', async () => {
  await speak('zh-Hans', zh)
  const day = formatDate('2026-11-01T12:00:00')
  expect(formatDays('2026-11-01', '2027-01-05').replace(/\s/g, ' ')).toBe(`${day} – 2027年1月5日`)
  expect(formatDaysShort('2026-11-01', '2026-11-07').replace(/\s/g, ' ')).toBe(`${formatDay('2026-11-01T12:00:00')} – 11月7日`)
  expect(formatTimes('2026-12-01T06:25:00', '2026-12-01T06:26:00')).toBe('2026年12月1日 06:25–06:26')
  expect(formatTimes('2026-12-01T06:25:00', '2026-12-03T06:26:00').replace(/\s/g, ' ')).toBe('2026年12月1日 06:25 – 12月3日 06:26')
})

test('a line breaks between dates and not inside one', () => {
  const lines = (s: string) => s.split(' ')
  expect(lines(formatDate('2026-11-01T12:00:00'))).toEqual(['Nov\u00a01,\u00a02026'])
  expect(lines(formatTime('2026-11-01T12:00:00'))).toEqual(['Nov\u00a01,\u00a02026,', '12:00\u00a0PM'])
  expect(lines(formatDays('2026-11-01', '2026-12-30'))).toEqual(['Nov\u00a01\u00a0–', 'Dec\u00a030,\u00a02026'])
  expect(lines(formatTimes('2026-12-01T06:25:00', '2026-12-03T06:26:00'))).toEqual([
    'Dec\u00a01,\u00a02026,',
    '6:25\u202fAM\u00a0–',
    'Dec\u00a03,\u00a02026,',
    '6:26\u202fAM',
  ])
  // Browsers have other spaces around the dash than Node.
  const range = vi.spyOn(Intl.DateTimeFormat.prototype, 'formatRange').mockReturnValue('Nov 1 – Dec 30, 2026')
  expect(lines(formatDays('2026-11-01', '2026-12-30'))).toEqual(['Nov\u00a01\u00a0–', 'Dec\u00a030,\u00a02026'])
  range.mockRestore()
})

test('in Chinese a space stands between scripts and not between Chinese words', async () => {
  await speak('zh-Hans', zh)
  const path = (name: string) => t('journeys.path_of', { name })
  expect([path('Ada Lovelace'), path('渡辺蓮'), path('林 Anna')]).toEqual(['Ada Lovelace 的路径', '渡辺蓮的路径', '林 Anna 的路径'])
  expect(t('journeys.way_count', { label: '是', n: '一' })).toBe('是 一') // between two values it parts them
  expect(path('“一号店”')).toBe('“一号店”的路径')
  expect(t('report.empty_help', { period: formatDays('2026-11-01', '2026-12-30') })).toContain('12月30日内')
  expect(t('table.rows', { count: 2, n: '2' })).toBe('2 行')
  await speak('ja', ja)
  expect(t('journeys.sum_wait_until_days', { days: '月曜日', time: '9:00' })).toContain('現地時間の月曜日 9:00')
})

test('in Chinese and Japanese brackets are wide, and what is larger comes first', async () => {
  expect(formatTimeIn('2026-11-29T15:00:00Z', 'Asia/Tokyo').replace(/\s/g, ' ')).toBe('Nov 30, 2026, 12:00 AM (Japan Time)')
  expect(formatPlace('Kyoto', 'Japan')).toBe('Kyoto · Japan')
  await speak('ja', ja)
  expect(formatTimeIn('2026-11-29T15:00:00Z', 'Asia/Tokyo')).toMatch(/ 0:00（日本標準時）$/)
  expect(formatDayInFull('2026-11-29T12:00:00')).toBe('2026年11月29日（日）')
  expect(formatPlace('京都', '日本')).toBe('日本 · 京都')
  expect(formatPlace('', '日本')).toBe('日本')
})

test('a language writes the time of day in one way, wherever it comes from', async () => {
  const ways = () => [
    formatCivilClock('09:05'),
    formatClock('2026-03-01T00:05:00Z', 'Asia/Tokyo'),
    formatCivil('2026-03-01T09:05').slice(-formatCivilClock('09:05').length),
    formatTimeIn('2026-03-01T00:05:00Z', 'Asia/Tokyo').replace(/^.*?(?=0?9:)|\s?[(（].*/g, ''),
  ]
  expect(new Set(ways())).toEqual(new Set(['9:05\u00a0AM']))
  await speak('ja', ja)
  expect(new Set(ways())).toEqual(new Set(['9:05']))
  await speak('zh-Hans', zh)
  expect(new Set(ways())).toEqual(new Set(['09:05']))
  expect([formatCivilClock('noon'), formatCivilClock('24:00'), formatCivil('some day')]).toEqual(['noon', '24:00', 'some day'])
})

test('a code that no catalogue knows is shown as it is', () => {
  expect(hasText('status.live')).toBe(true)
  expect(word('status', 'half_done')).toBe('half done')
})
