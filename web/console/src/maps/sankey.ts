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

/** The least width of the chart in pixels, as maps.module.css has it, and the room in it for the names of the last column. */
const narrowest = 760
const last = 120
/** Of the flows; the legend has the same. */
const opacity = 0.6

export interface Colours {
  stage: string
  end: string
  planned: string
  off: string
  text: string
}

/** ECharts options of the drawing. They are sent as JSON, so they hold no functions; names go in as plain text, never as markup. */
export function sankeyOption(
  d: Drawing,
  name: (stage: number) => string,
  tell: { node: (n: Drawing['nodes'][number]) => string; link: (l: FlowLink) => string },
  c: Colours,
): object {
  const columns = Math.max(2, ...d.nodes.map((n) => n.step))
  return {
    tooltip: { trigger: 'item', renderMode: 'richText', confine: true },
    aria: { enabled: true },
    series: [
      {
        type: 'sankey',
        left: 4,
        right: last,
        top: 8,
        bottom: 8,
        nodeWidth: 12,
        nodeGap: 14,
        layoutIterations: 24,
        draggable: false,
        emphasis: { focus: 'adjacency' },
        label: { color: c.text, fontSize: 12, width: Math.min((narrowest - last) / (columns - 1) - 20, last - 6), overflow: 'truncate' },
        data: d.nodes.map((n) => ({
          name: n.name,
          depth: n.step - 1,
          itemStyle: { color: n.stage < 0 ? c.end : c.stage },
          label: { formatter: plain(name(n.stage)) },
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
