import { useMemo } from 'react'
import { useT } from '@/i18n'
import type { Face } from './CardFace'
import { entrance, type Graph, type Step } from './graph'
import type { Fault, Faults } from './faults'
import type { Names } from './words'
import { kindTitle, stepTitle, summary, triggerKind, triggerText } from './words'

const first = (f: Record<string, string> | undefined) => f && Object.values(f)[0]

/** What the cards of a graph show. */
export function useFaces(
  graph: Graph,
  names: Names,
  faults?: Faults,
  facts?: Map<string, Face['facts']>,
  warnings?: Fault[],
): Map<string, Face> {
  const t = useT()
  // What a step says of itself is worded once: a graph of which one step has changed has all others as they were.
  const told = useMemo(() => ({ names, t, of: new WeakMap<Step, Face>() }), [names, t])
  return useMemo(() => {
    const kind = triggerKind(graph.trigger)
    const wrong = Object.entries(faults?.get('') ?? {}).find(([k]) => /^(trigger|re_entry|caps)/.test(k))?.[1]
    const hint = (id: string) => warnings?.find((w) => w.node === id)?.text
    const out = new Map<string, Face>([
      [
        entrance,
        {
          kind: entrance,
          title: kind ? t(`trigger.${kind}`) : t('journeys.entrance'),
          sum: triggerText(graph.trigger, names),
          problem: wrong,
          warning: hint(entrance),
          facts: facts?.get(entrance),
        },
      ],
    ])
    for (const n of graph.nodes) {
      let face = told.of.get(n)
      if (!face) {
        const text = summary(n, names)
        face = { kind: n.kind, title: stepTitle(n), sum: n.title && !text ? kindTitle(n.kind) : text }
        told.of.set(n, face)
      }
      const problem = first(faults?.get(n.id))
      const figures = facts?.get(n.id)
      const warning = hint(n.id)
      const plain = problem === undefined && figures === undefined && warning === undefined
      out.set(n.id, plain ? face : { ...face, problem, warning, facts: figures })
    }
    return out
  }, [graph, names, faults, facts, warnings, told, t])
}
