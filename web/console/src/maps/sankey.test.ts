import { expect, test } from 'vitest'
import { columnsOf, drawing, type Flow, heightOf, inTwoLines, leastWidth, sankeyOption } from './sankey'

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
    900,
    { name: (s) => (s < 0 ? 'left' : `{b} <b>${s}`), node: (n) => `${n.people}`, link: (l) => `{c} ${l.people}` },
    { stage: '#111', end: '#222', planned: '#333', off: '#444', text: '#555', ground: '#666' },
    (s) => s.length * 6,
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

test('names have the room that there is, two lines of it', () => {
  const wide = (s: string) => [...s].reduce((n, c) => n + (/[\u3000-\u9fff\uff00-\uffef]/.test(c) ? 12 : 6), 0)
  const lines = (name: string, width: number) => inTwoLines(name, width, wide).split('\n')
  expect(lines('Gathers information', 120)).toEqual(['Gathers information'])
  expect(lines('Gathers information', 100)).toEqual(['Gathers', 'information'])
  expect(lines('Gathers information about the shop', 100)).toEqual(['Gathers', 'information abo…'])
  expect(lines('Weiterempfehlungsbereitschaft', 100)).toEqual(['Weiterempfehlung', 'sbereitschaft'])
  expect(lines('商品を比較して検討する', 72)).toEqual(['商品を比較し', 'て検討する'])
  expect(lines('在门店了解各种茶叶之后回家比较', 72)).toEqual(['在门店了解各', '种茶叶之后…'])
  expect(lines('知る、調べる', 36)).toEqual(['知る、', '調べる']) // no line begins with a comma
  expect(lines('初めて知る（広告）', 72)).toEqual(['初めて知る', '（広告）']) // and none ends with an opening bracket
  expect(lines('SNS（東京）で知る', 66)).toEqual(['SNS（東京）', 'で知る'])
  for (const name of ['Gathers information about the shop', '在门店了解各种茶叶之后回家比较'])
    for (const width of [60, 72, 100]) for (const line of lines(name, width)) expect(wide(line)).toBeLessThanOrEqual(width)
})

test('each column is as wide as the others, the last one too', () => {
  const d = drawing(flow)
  const series = (width: number) => {
    const tell = { name: () => 'Gathers information about the shop', node: () => '', link: () => '' }
    const colours = { stage: '', end: '', planned: '', off: '', text: '', ground: '' }
    return (sankeyOption(d, width, tell, colours, (s) => s.length * 6) as { series: Record<string, never>[] }).series[0] as unknown as {
      left: number
      right: number
      nodeWidth: number
      data: { label: { formatter: string } }[]
    }
  }
  expect(columnsOf(d)).toBe(3)
  expect(leastWidth(d)).toBe(4 + 3 * 128)
  expect(heightOf(d)).toBe(320)
  const { left, right, nodeWidth } = series(604)
  expect(right + nodeWidth).toBe((604 - left) / 3)
  expect(series(604).data[0]!.label.formatter).toBe('Gathers information about the\nshop')
  expect(series(leastWidth(d)).data[0]!.label.formatter).toBe('Gathers\ninformation abou…')
})
