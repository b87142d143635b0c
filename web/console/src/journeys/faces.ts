import { useMemo } from 'react'
import { useT } from '@/i18n'
import type { Face } from './CardFace'
import { entrance, type Graph } from './graph'
import type { Faults } from './useDraft'
import type { Names } from './words'
import { kindTitle, stepTitle, summary, triggerKind, triggerText } from './words'

const first = (f: Record<string, string> | undefined) => f && Object.values(f)[0]

/** What the cards of a graph show. */
export function useFaces(graph: Graph, names: Names, faults?: Faults, facts?: Map<string, Face['facts']>): Map<string, Face> {
  const t = useT()
  return useMemo(() => {
    const kind = triggerKind(graph.trigger)
    const wrong = Object.entries(faults?.get('') ?? {}).find(([k]) => /^(trigger|re_entry|caps)/.test(k))?.[1]
    const out = new Map<string, Face>([
      [
        entrance,
        {
          kind: entrance,
          title: kind ? t(`trigger.${kind}`) : t('journeys.entrance'),
          sum: triggerText(graph.trigger, names),
          problem: wrong,
          facts: facts?.get(entrance),
        },
      ],
    ])
    for (const n of graph.nodes) {
      const text = summary(n, names)
      out.set(n.id, {
        kind: n.kind,
        title: stepTitle(n),
        sum: n.title && !text ? kindTitle(n.kind) : text,
        problem: first(faults?.get(n.id)),
        facts: facts?.get(n.id),
      })
    }
    return out
  }, [graph, names, faults, facts, t])
}
