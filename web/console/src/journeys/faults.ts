// What is wrong with a journey. What its graph alone tells, this page sees in the moment of the edit, by the codes of the server and in the same words; the
// server looks at everything when the draft is saved, and what it says of that draft stands beside.
import { Problem, wordsFor, wordsOf } from '@/api'
import { t } from '@/i18n'
import { complete } from '@/segments/complete'
import { rootOf } from '@/segments/tree'
import type { Rule } from '@/ui'
import { type Graph, reachable, startOf, type Step, stepOf } from './graph'

export interface Fault {
  /** The node; '' for the whole journey. */
  node: string
  /** Relative to the node: "config.for.n". */
  field: string
  code: string
  text: string
}

/** Faults by node id; '' holds those of the whole journey. */
export type Faults = Map<string, Record<string, string>>

/** What a kind of step says of itself (GET /api/v1/journey-nodes), as far as it matters here. */
export type Kinds = ReadonlyMap<string, { pauses: boolean; quick: boolean }>

type Obj = Record<string, unknown>
type Say = (field: string, code: string, ...args: string[]) => void
const obj = (v: unknown): Obj | undefined => (typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Obj) : undefined)
const list = (v: unknown): unknown[] => (Array.isArray(v) ? v : [])
const blank = (v: unknown) => typeof v !== 'string' || v.trim() === ''

const minutes: Record<string, number> = { minute: 1, hour: 60, day: 1440, week: 10_080 }
const longest = 2 * 366 * 1440 // minutes; maxSpan of internal/domain/journey/node

function span(v: unknown, field: string, say: Say) {
  const s = obj(v) ?? {}
  const unit = minutes[String(s.unit)]
  if (unit === undefined) return say(`${field}.unit`, 'journey.span.unit')
  const n = Number(s.n ?? 0)
  if (n < 1 || n > Math.floor(longest / unit)) say(`${field}.n`, 'journey.span.n')
}

function happening(v: unknown, field: string, say: Say) {
  const e = obj(v) ?? {}
  if ([e.name, ...list(e.also)].some(blank)) say(`${field}.name`, 'journey.match.name')
}

/** An event, a form, or a change of a segment. */
function match(m: Obj, field: string, say: Say) {
  const set = ['segment_entered', 'segment_left'].find((k) => m[k])
  if (m.event) happening(m.event, `${field}.event`, say)
  else if (m.form) {
    if (blank(obj(m.form)?.name)) say(`${field}.form.name`, 'journey.match.form')
  } else if (set) {
    if (!obj(m[set])?.id) say(`${field}.${set}.id`, 'journey.match.segment')
  } else say(field, 'journey.match')
}

function condition(rule: unknown, field: string, say: Say) {
  if (obj(rule) && !complete(rootOf(rule as Rule))) say(field, 'rule.missing')
}

/** Says `code` where a value is missing. */
const wants = (field: string, code: string) => (c: Obj, say: Say) => {
  if (!c[field]) say(field, code)
}

// What each kind of step needs: internal/domain/journey/node.
const needs: Record<string, (c: Obj, say: Say) => void> = {
  wait: (c, say) => span(c.for, 'for', say),
  wait_for_date: (c, say) => {
    wants('trait', 'journey.wait_for_date.trait')(c, say)
    for (const side of ['before', 'after']) if (c[side]) span(c[side], side, say)
  },
  wait_for: (c, say) => {
    if (!c.event && !c.rule) say('event', 'journey.wait_for.what')
    if (c.event) happening(c.event, 'event', say)
    condition(c.rule, 'rule', say)
    span(c.timeout, 'timeout', say)
  },
  goal: (c, say) => {
    happening(c.event, 'event', say)
    span(c.window, 'window', say)
  },
  branch: (c, say) => {
    const asked = ['rule', 'event_since_entry', 'trigger'].filter((f) => c[f])
    if (asked.length !== 1) return say('rule', 'journey.branch.condition')
    if (asked[0] === 'rule') condition(c.rule, 'rule', say)
    else happening(c[asked[0]!], asked[0]!, say)
  },
  switch: (c, say) => {
    if (!c.trait === !c.from) say('trait', 'journey.switch.trait')
    const seen = new Set<unknown>()
    list(c.cases).forEach((values, i) => {
      if (list(values).length === 0) say(`cases.${i}`, 'journey.switch.empty')
      for (const v of list(values)) {
        if (seen.has(v)) say(`cases.${i}`, 'journey.switch.twice', String(v))
        seen.add(v)
      }
    })
  },
  split: (c, say) => {
    const sum = list(c.percent).reduce<number>((n, p) => n + Number(p), 0)
    if (Math.abs(sum - 100) > 0.001) say('percent', 'journey.split.sum', String(Number(sum.toFixed(3))))
  },
  cohort: (c, say) => {
    const p = Number(c.percent)
    if (!(p > 0 && p < 100)) say('percent', 'journey.cohort.percent')
  },
  send: (c, say) => {
    wants('template', 'journey.send.template')(c, say)
    if (!c.transactional) wants('topic', 'journey.send.topic')(c, say)
  },
  set_trait: (c, say) => {
    const some = ['traits', 'increment', 'from'].some((f) => Object.keys(obj(c[f]) ?? {}).length > 0)
    if (!some && list(c.unset).length === 0) say('traits', 'journey.set_trait.traits')
  },
  add_to_list: wants('list', 'journey.add_to_list.list'),
  remove_from_list: wants('list', 'journey.remove_from_list.list'),
  create_task: wants('title', 'journey.create_task.title'),
  webhook: wants('url', 'journey.webhook.url'),
  enter_journey: wants('journey', 'journey.enter_journey.journey'),
  leave_journey: wants('journey', 'journey.leave_journey.journey'),
}

const triggers: Record<string, (c: Obj, say: Say) => void> = {
  date: (c, say) => {
    if (blank(c.trait)) say('trait', 'journey.trigger.trait')
  },
  inactive: (c, say) => span(c.for, 'for', say),
  schedule: wants('set', 'journey.trigger.set'),
  api: () => {},
  manual: () => {},
}

/** What a look at the graph tells. */
export function seen(g: Graph, kinds: Kinds): Fault[] {
  const out: Fault[] = []
  const about =
    (node: string, prefix = ''): Say =>
    (field, code, ...args) =>
      out.push({ node, field: [prefix, field].filter(Boolean).join('.'), code, text: wordsFor(code, args) ?? t('error.rule.missing') })
  const whole = about('')

  const trigger = g.trigger ?? {}
  const way = Object.keys(triggers).find((k) => trigger[k])
  if (way) triggers[way]!(obj(trigger[way]) ?? {}, about('', `trigger.${way}`))
  else if (Object.values(trigger).some(Boolean)) match(trigger, 'trigger', whole)
  else whole('trigger', 'journey.trigger')
  if (g.goal) {
    happening(g.goal.event, 'goal.event', whole)
    if (g.goal.window) span(g.goal.window, 'goal.window', whole)
  }
  for (const [i, x] of (g.exit ?? []).entries())
    if (x.rule) condition(x.rule, `exit.${i}.rule`, whole)
    else match(x, `exit.${i}`, whole)
  if (g.re_entry?.mode === 'after') {
    if (g.re_entry.after) span(g.re_entry.after, 're_entry.after', whole)
    else whole('re_entry.after', 'journey.re_entry.after')
  }

  const steps = new Map(g.nodes.map((n) => [n.id, n]))
  const start = startOf(g)
  if (g.nodes.length === 0) whole('nodes', 'journey.nodes.none')
  else if (start === undefined || !steps.has(start)) whole('start', 'journey.start')
  const reached = reachable(g)
  const spins = (n: Step | undefined) => {
    const kind = n && kinds.get(n.kind)
    return kind !== undefined && !(kind.pauses && !kind.quick)
  }
  for (const n of g.nodes) {
    needs[n.kind]?.(n.config ?? {}, about(n.id, 'config'))
    const say = about(n.id)
    for (const [output, to] of Object.entries(n.next ?? {})) if (!steps.has(to)) say(`next.${output}`, 'journey.node.next')
    if (start !== undefined && steps.has(start) && !reached.has(n.id)) say('', 'journey.node.unreachable')
    if (spins(n) && comesBack(n, steps, spins)) say('next', 'journey.node.loop')
  }
  return out
}

/** Whether a way leads from a step back to it over steps that take no time. */
function comesBack(from: Step, steps: Map<string, Step>, spins: (n: Step | undefined) => boolean): boolean {
  const known = new Set<string>()
  const queue = Object.values(from.next ?? {})
  while (queue.length > 0) {
    const id = queue.pop()!
    if (id === from.id) return true
    if (known.has(id) || !spins(steps.get(id))) continue
    known.add(id)
    queue.push(...Object.values(steps.get(id)?.next ?? {}))
  }
  return false
}

/** What the server has found: in a refusal, or listed. */
export function told(err: unknown): Fault[] {
  if (Array.isArray(err)) return located(err)
  if (!(err instanceof Problem)) return []
  return located(err.faults.length ? err.faults : [{ location: err.field, code: err.code, message: err.message, args: err.args }])
}

const located = (all: Problem['faults']): Fault[] =>
  all.map((f) => {
    const at = /^nodes\[([^\]]*)\]\.?(.*)$/.exec(f.location ?? '')
    const field = (at ? at[2]! : (f.location ?? '')).replace(/\[(\d+)\]/g, '.$1')
    return { node: at ? at[1]! : '', field, code: f.code ?? '', text: wordsOf(f) }
  })

/** Whether what was found in one graph can still be so in another: what it is about is untouched. */
const stands = (f: Fault, then: Graph, now: Graph) => {
  if (then === now) return true
  const part = f.field.split(/[.[]/)[0] as keyof Graph
  if (f.node === '') return then[part] === now[part]
  const [before, after] = [stepOf(then, f.node), stepOf(now, f.node)]
  return part === ('config' as string) && after !== undefined && before?.config === after.config
}

/** What this page sees, and what the server has found in `checked` and is not mended since. */
export function joined(here: Fault[], server: Fault[], checked: Graph, now: Graph): Faults {
  const out: Faults = new Map()
  for (const f of [...here, ...server.filter((s) => stands(s, checked, now))]) out.set(f.node, { [f.field]: f.text, ...out.get(f.node) })
  return out
}
