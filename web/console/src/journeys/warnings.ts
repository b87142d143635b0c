// What a journey may do that its author perhaps did not mean. Nothing here hinders publishing; who publishes says once that they have seen it.
import { formatList, t } from '@/i18n'
import type { Fault } from './faults'
import { entrance, type Graph, reachable, type Step, stepOf } from './graph'

type Obj = Record<string, unknown>
const obj = (v: unknown): Obj => (typeof v === 'object' && v !== null ? (v as Obj) : {})

// Kinds in which time passes, so that what stands behind them is another moment.
const passes = new Set(['wait', 'wait_for', 'wait_for_date', 'goal', 'webhook', 'create_task'])

/** Whether another message goes in the same moment as that of a step. */
function twice(g: Graph, from: Step): boolean {
  const known = new Set<string>([from.id])
  const queue = Object.values(from.next ?? {})
  while (queue.length > 0) {
    const step = stepOf(g, queue.pop()!)
    if (!step || known.has(step.id) || passes.has(step.kind)) continue
    if (step.kind === 'send') return true
    known.add(step.id)
    queue.push(...Object.values(step.next ?? {}))
  }
  return false
}

export function warningsOf(g: Graph): Fault[] {
  const out: Fault[] = []
  const warn = (node: string, field: string, code: string) => out.push({ node, field, code, text: t(`journey_warning.${code}`) })
  const inUse = reachable(g)
  const steps = g.nodes.filter((n) => inUse.has(n.id))
  const sends = steps.filter((n) => n.kind === 'send')
  if (sends.length > 0 && !g.goal && !steps.some((n) => n.kind === 'goal')) warn('', 'goal', 'no_goal')
  if (sends.length > 0 && obj(g.re_entry).mode === 'always' && !g.trigger?.schedule) warn(entrance, 're_entry.mode', 'always')
  for (const n of sends) {
    if (obj(n.config).transactional) warn(n.id, 'config.transactional', 'transactional')
    if (twice(g, n)) warn(n.id, 'next', 'twice')
  }
  for (const n of steps)
    if (n.kind === 'webhook' && n.next?.done && !n.next.refused && !n.next.timeout) warn(n.id, 'next.refused', 'no_answer')
  return out
}

/** The warning that a journey and others, by name, start each other without end. */
export const circleOf = (names: string[]): Fault => ({
  node: '',
  field: '',
  code: 'circle',
  text: t('journey_warning.circle', { names: formatList(names) }),
})
