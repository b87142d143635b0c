import { expect, test } from 'vitest'
import { changeOf, chartOf, news, periodOf, rateChange } from './compare'

const rate = (count: number, n: number, low: number, high: number) => ({ count, n, share: count / n, low, high })

test('a change of shares whose intervals overlap is unsure', () => {
  expect(rateChange(rate(10, 100, 0.05, 0.17), rate(5, 100, 0.02, 0.11))).toMatchObject({ way: 'up', unsure: true })
  expect(rateChange(rate(300, 1000, 0.27, 0.33), rate(100, 1000, 0.08, 0.12))).toMatchObject({ way: 'up', unsure: false })
  expect(rateChange(rate(3, 10, 0.1, 0.6), undefined)).toBeNull()
})

test('counts change by a share of what was before, if anything was', () => {
  expect(changeOf(15, 10)).toEqual({ way: 'up', by: 0.5, unsure: false })
  expect(changeOf(3, 0)).toEqual({ way: 'up', by: null, unsure: false })
  expect(changeOf(3, undefined)).toBeNull()
})

test('more bounces are bad news, more clicks good, what may be chance is neither', () => {
  expect(news('bounce_rate', { way: 'up', by: 0.1, unsure: false })).toBe('bad')
  expect(news('click_rate', { way: 'up', by: 0.1, unsure: false })).toBe('good')
  expect(news('click_rate', { way: 'up', by: 0.1, unsure: true })).toBe('plain')
})

test('the chart keeps to columns of one kind', () => {
  const row = (key: string, sent: number) => ({ key, label: key, counts: { sent }, rates: { open_rate: rate(1, 2, 0, 1) }, money: {} })
  const table = {
    columns: [
      { name: 'label', kind: 'text', people: false },
      { name: 'sent', kind: 'count', people: true },
      { name: 'open_rate', kind: 'share', people: false },
    ],
    chart: { kind: 'bar', x: 'label', y: ['sent', 'open_rate'] },
    rows: [row('a', 3), row('b', 4)],
  } as never
  expect(
    chartOf(
      table,
      (r) => r.key,
      (c) => c,
    ),
  ).toMatchObject({ kind: 'bar', share: false, data: { labels: ['a', 'b'], series: [{ name: 'sent', values: [3, 4] }] } })
})

test('periods end today or with the month before', () => {
  expect(periodOf('last_7', '2026-03-03')).toEqual({ from: '2026-02-25', to: '2026-03-03' })
  expect(periodOf('this_month', '2026-03-03')).toEqual({ from: '2026-03-01', to: '2026-03-03' })
  expect(periodOf('last_month', '2026-03-03')).toEqual({ from: '2026-02-01', to: '2026-02-28' })
})
