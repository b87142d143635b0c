import { expect, test } from 'vitest'
import { drawing, type Flow, sankeyOption } from './sankey'

const link = (step: number, from: number, to: number, people: number, planned = true) => ({ step, from, to, people, planned, median_ms: 0 })
const flow = {
  steps: 3,
  links: [link(1, 0, 1, 5), link(1, 0, 2, 2, false), link(1, 0, -1, 3), link(2, 1, 2, 4), link(2, 1, -1, 1), link(3, 2, -1, 4)],
} as unknown as Flow

test('each station is a column, and who ends at the last one needs none', () => {
  const d = drawing(flow)
  expect(d.nodes.map((n) => [n.name, n.people])).toEqual([
    ['1:0', 10],
    ['2:1', 5],
    ['2:2', 2],
    ['2:-1', 3],
    ['3:2', 4],
    ['3:-1', 1],
  ])
  expect(d.links).toHaveLength(5)
})

test('names of stages are text in the options and never a template', () => {
  const option = sankeyOption(
    drawing(flow),
    (s) => (s < 0 ? 'left' : `{b} <b>${s}`),
    { node: (n) => `${n.people}`, link: (l) => `{c} ${l.people}` },
    { stage: '#111', end: '#222', planned: '#333', off: '#444', text: '#555' },
  )
  const { series, tooltip } = option as {
    series: { data: { label: { formatter: string } }[]; links: { lineStyle: { color: string }; tooltip: { formatter: string } }[] }[]
    tooltip: { renderMode: string }
  }
  expect(tooltip.renderMode).toBe('richText')
  expect(series[0]!.data[0]!.label.formatter).toBe('(b) <b>0')
  expect(series[0]!.links.map((l) => l.lineStyle.color)).toEqual(['#333', '#444', '#222', '#333', '#222'])
  expect(JSON.parse(JSON.stringify(option))).toEqual(option)
})
