import { expect, test } from 'vitest'
import { optionOf } from './echarts'

const drawn = (names: string[]) =>
  optionOf({
    kind: 'area',
    title: 'People',
    format: String,
    data: { labels: ['Nov 1', 'Nov 2'], series: names.map((name) => ({ name, values: [1, 2] })) },
  }) as { legend?: { selectedMode: boolean }; series: { name: string }[]; grid: { top: number } }

test('a chart says what its line is, also where there is one', () => {
  const one = drawn(['Members'])
  expect(one.legend).toBeDefined()
  expect(one.series[0]!.name).toBe('Members')
  expect(one.legend!.selectedMode).toBe(false) // what is the only one is not taken away
  const two = drawn(['Entered', 'Left'])
  expect(two.legend!.selectedMode).toBe(true)
  expect(one.grid.top).toBe(two.grid.top)
})
