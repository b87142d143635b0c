// What the columns of a file become, as the screen asks for it and as the API takes it.
import type { Schemas } from '@/api'

export type Plan = Schemas['ImportPlan']
export type Layout = Schemas['ImportLayout']
type Column = Schemas['ImportColumn']

/** One column on screen. what: "skip", "trait", "property", "event", "time", "identifier:email", "subscription:top_1". */
export interface Choice {
  name: string
  what: string
  key: string
  type: string
}

/** The choices for the columns of a file. Those that the plan does not name are left out. */
export function choicesOf(columns: string[], plan: Plan): Choice[] {
  return columns.map((name) => {
    const c = plan.columns.find((x) => x.name === name)
    if (!c) return { name, what: 'skip', key: keyOf(name), type: 'text' }
    const keyed = c.to === 'identifier' || c.to === 'subscription'
    return {
      name,
      what: keyed ? `${c.to}:${c.key}` : c.to,
      key: keyed ? keyOf(name) : (c.key ?? ''),
      type: c.type || (c.to === 'time' ? 'time' : 'text'),
    }
  })
}

export interface Extras {
  event: string
  currency: string
  zone: string
  source: string
  evidence: string
}

/** The plan of what was chosen. What nothing asks for any more is left out. */
export function planOf(choices: Choice[], extras: Extras): Plan {
  const columns = choices.flatMap((c): Column[] => {
    const [to = '', key] = c.what.split(':')
    if (to === 'skip') return []
    const typed = to === 'trait' || to === 'property' || to === 'time'
    return [
      {
        name: c.name,
        to: to as Column['to'],
        key: key ?? (to === 'trait' || to === 'property' ? c.key.trim() : undefined),
        type: typed ? (c.type as Column['type']) : undefined,
      },
    ]
  })
  const asks = needs(choices, extras.event)
  return {
    columns,
    event: (asks.event && extras.event.trim()) || undefined,
    currency: (asks.money && extras.currency.trim().toUpperCase()) || undefined,
    zone: (asks.zone && extras.zone) || undefined,
    source: (asks.basis && extras.source.trim()) || undefined,
    evidence: (asks.basis && extras.evidence.trim()) || undefined,
  }
}

/** Which further questions the choices raise. */
export function needs(choices: Choice[], event: string) {
  const has = (what: string) => choices.some((c) => c.what === what)
  const happened = has('property') || has('event') || event !== ''
  return {
    event: !has('event') && (has('property') || has('time') || event !== ''),
    money:
      happened &&
      choices.some((c) => c.what === 'property' && c.type === 'number') &&
      !choices.some((c) => c.what === 'property' && c.key === 'currency'),
    zone: choices.some((c) => (c.what === 'time' || c.what === 'trait' || c.what === 'property') && c.type.startsWith('time')),
    basis: choices.some((c) => c.what.startsWith('subscription:')),
  }
}

/** Under which a trait or property of a heading is kept: "Order Total" is order_total. */
export const keyOf = (heading: string) =>
  heading
    .normalize('NFKC')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
    .join('_')

/** What else a plan says, in the time zone `here` if it says none. */
export const extrasOf = (plan: Plan, here: string): Extras => ({
  event: plan.event ?? '',
  currency: plan.currency ?? '',
  zone: plan.zone || here,
  source: plan.source ?? '',
  evidence: plan.evidence ?? '',
})

/** Whether two plans say the same, whatever the order of their columns. */
export function samePlan(a: Plan, b: Plan): boolean {
  const said = (p: Plan) =>
    JSON.stringify([
      ...p.columns.map((c) => [c.name, c.to, c.key ?? '', c.type ?? '']).toSorted(([x], [y]) => String(x).localeCompare(String(y))),
      [p.event ?? '', p.currency ?? '', p.zone ?? '', p.source ?? '', p.evidence ?? ''],
    ])
  return said(a) === said(b)
}
