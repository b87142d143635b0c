// The real ways as a Sankey chart: a column for each station of a way, a node for each stage people were at there.
import type { Schemas } from '@/api'

export type Flow = Schemas['MapFlow']
export type FlowLink = Schemas['MapFlowLink']

/** What can be looked behind: nodes and links in the order of the chart. */
export interface Drawing {
  nodes: { name: string; step: number; stage: number; people: number }[]
  links: { source: string; target: string; value: number; link: FlowLink }[]
}

/** Stage -1 is the end of a way. */
export function drawing(flow: Flow): Drawing {
  const nodes = new Map<string, Drawing['nodes'][number]>()
  const node = (step: number, stage: number) => {
    const name = `${step}:${stage}`
    if (!nodes.has(name)) nodes.set(name, { name, step, stage, people: 0 })
    return nodes.get(name)!
  }
  const links = flow.links
    // Who ends at the last station that is told apart has no column to end in.
    .filter((l) => l.to >= 0 || l.step < flow.steps)
    .map((link) => ({ source: node(link.step, link.from).name, target: node(link.step + 1, link.to).name, value: link.people, link }))
  for (const n of nodes.values())
    n.people = n.step === 1 ? sum(links.filter((l) => l.source === n.name)) : sum(links.filter((l) => l.target === n.name))
  return { nodes: [...nodes.values()].sort((a, b) => a.step - b.step || order(a.stage) - order(b.stage)), links }
}

const order = (stage: number) => (stage < 0 ? 99 : stage)
const sum = (links: { value: number }[]) => links.reduce((n, l) => n + l.value, 0)

export const fontSize = 12
const nodeWidth = 12
const nodeGap = 28 // two lines of a name
const edge = 4
/** Beside a name: from its node, and to the next column. */
const beside = 12
/** The least width of a column in pixels, with its node and room for names of two lines. */
const narrowest = 128

/** How many stations are told apart. */
export const columnsOf = (d: Drawing): number => Math.max(2, ...d.nodes.map((n) => n.step))
/** The least width in pixels at which the names can be read. */
export const leastWidth = (d: Drawing): number => edge + columnsOf(d) * narrowest
/** The height in pixels, for the column of the most nodes. */
export function heightOf(d: Drawing): number {
  const most = Math.max(0, ...Array.from({ length: columnsOf(d) }, (_, i) => d.nodes.filter((n) => n.step === i + 1).length))
  return Math.max(320, most * 72)
}

// One character where lines may break at each, else a word; with the brackets that open before it and the signs that no line begins with.
const pieces =
  /[「『（“‘(]*(?:[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー][、。，：；！？」』）”’)]*|[^\s「『（“‘(\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]+)|\s+|./gu

/** A name in at most two lines of a width; what does not fit ends in an ellipsis. */
export function inTwoLines(name: string, width: number, measure: (s: string) => number): string {
  if (measure(name) <= width) return name
  const cut = (s: string, after = '') => {
    const all = [...s]
    while (all.length > 1 && measure(all.join('') + after) > width) all.pop()
    return all.join('')
  }
  let first = ''
  for (const piece of name.match(pieces) ?? []) {
    if (measure((first + piece).trimEnd()) > width) break
    first += piece
  }
  first ||= cut(name) // a word that is wider than a line
  const rest = name.slice(first.length).trimStart()
  return `${first.trimEnd()}\n${measure(rest) <= width ? rest : `${cut(rest, '…').trimEnd()}…`}`
}

/** Of the flows; the legend has the same. */
const opacity = 0.7

export interface Colours {
  stage: string
  end: string
  planned: string
  off: string
  text: string
  /** Behind names, where they stand on flows. */
  ground: string
}

/** ECharts options of the drawing at a width in pixels. They are sent as JSON, so they hold no functions; names go in as plain text, never as markup. */
export function sankeyOption(
  d: Drawing,
  width: number,
  tell: { name: (stage: number) => string; node: (n: Drawing['nodes'][number]) => string; link: (l: FlowLink) => string },
  c: Colours,
  measure: (s: string) => number,
): object {
  const room = (width - edge) / columnsOf(d) - nodeWidth
  return {
    tooltip: { trigger: 'item', renderMode: 'richText', confine: true },
    aria: { enabled: true },
    series: [
      {
        type: 'sankey',
        left: edge,
        right: room, // the last column has names as the others have
        top: 12,
        bottom: 12,
        nodeWidth,
        nodeGap,
        layoutIterations: 24,
        draggable: false,
        emphasis: { focus: 'adjacency' },
        label: { color: c.text, fontSize, lineHeight: 14, textBorderColor: c.ground, textBorderWidth: 2 },
        data: d.nodes.map((n) => ({
          name: n.name,
          depth: n.step - 1,
          itemStyle: { color: n.stage < 0 ? c.end : c.stage },
          label: { formatter: inTwoLines(plain(tell.name(n.stage)), room - beside, measure) },
          tooltip: { formatter: plain(tell.node(n)) },
        })),
        links: d.links.map((l) => ({
          source: l.source,
          target: l.target,
          value: l.value,
          lineStyle: {
            color: l.link.to < 0 ? c.end : l.link.planned ? c.planned : c.off,
            opacity,
            curveness: 0.5,
          },
          tooltip: { formatter: plain(tell.link(l.link)) },
        })),
      },
    ],
  }
}

// Braces are places in the chart's templates.
const plain = (s: string) => s.replaceAll('{', '(').replaceAll('}', ')')
