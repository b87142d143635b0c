// What a node, an entrance or an output says, as short sentences in the reader's language.
import { formatCivil, formatCivilClock, formatList, formatNumber, hasText, language, t, word } from '@/i18n'
import { type Rule, ruleText } from '@/ui'
import type { Graph, Step } from './graph'

/** Names of templates, topics, segments, lists, journeys and staff by id. */
export type Names = Record<string, string>

type Obj = Record<string, unknown>
const obj = (v: unknown): Obj | undefined => (typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Obj) : undefined)
const str = (v: unknown): string => (typeof v === 'string' ? v : '')
const arr = (v: unknown): unknown[] => (Array.isArray(v) ? v : [])
const named = (names: Names, id: unknown) => names[str(id)] ?? str(id)

/** "3 days". */
export function spanText(v: unknown): string {
  const s = obj(v)
  if (!s || typeof s.n !== 'number') return '…'
  return t(`journeys.span_${str(s.unit) || 'day'}`, { count: s.n, n: formatNumber(s.n) })
}

export const weekday = (day: number, style: 'short' | 'long' = 'short') =>
  new Intl.DateTimeFormat(language(), { weekday: style, timeZone: 'UTC' }).format(Date.UTC(2023, 0, 1 + day)) // 1 January 2023 was a Sunday

const condition = (c: unknown): string => {
  const o = obj(c) ?? {}
  const op = `rule.op.${str(o.op)}`
  const value = Array.isArray(o.value)
    ? formatList(o.value.map(String))
    : typeof o.value === 'number'
      ? formatNumber(o.value)
      : str(o.value)
  return t('journeys.condition', {
    path: str(o.path),
    is: t(hasText(op) ? op : 'rule.op.other', { op: str(o.op), value }),
  })
}

const quoted = (name: unknown) => t('journeys.event_name', { name: String(name) })

/** "Order Completed (total at least 100) with the same order_id". */
export function eventText(v: unknown): string {
  const e = obj(v)
  if (!e?.name) return '…'
  const all = [e.name, ...arr(e.also)].map(quoted)
  const name = all.length > 1 ? formatList(all, 'or') : all[0]!
  const filter = arr(e.filter).map(condition)
  const such = filter.length ? t('journeys.event_with', { name, filter: formatList(filter) }) : name
  const same = arr(e.same).map(String)
  return same.length ? t('journeys.event_same', { name: such, what: formatList(same) }) : such
}

/** An event, a form or a change of a segment. */
export function matchText(m: Obj, names: Names): string | undefined {
  if (m.event) return eventText(m.event)
  if (m.form) return t('journeys.match_form', { name: str(obj(m.form)?.name) || '…' })
  if (m.segment_entered) return t('journeys.match_entered', { name: named(names, obj(m.segment_entered)?.id) || '…' })
  if (m.segment_left) return t('journeys.match_left', { name: named(names, obj(m.segment_left)?.id) || '…' })
  return undefined
}

/** Which entrance a trigger is: event, form, segment_entered, segment_left, date, inactive, schedule, api or manual. */
export const triggerKinds = ['event', 'segment_entered', 'segment_left', 'date', 'inactive', 'schedule', 'form', 'api', 'manual'] as const

export const triggerKind = (trigger: Obj | undefined): string => triggerKinds.find((k) => trigger?.[k] !== undefined) ?? ''

export function triggerText(trigger: Obj | undefined, names: Names = {}): string {
  const kind = triggerKind(trigger)
  const b = obj(trigger?.[kind]) ?? {}
  switch (kind) {
    case 'date': {
      const days = Number(b.days ?? 0)
      const trait = str(b.trait) || '…'
      const key = days === 0 ? 'on' : days < 0 ? 'before' : 'after'
      const when = t(`journeys.date_${key}`, { count: Math.abs(days), n: formatNumber(Math.abs(days)), trait })
      return b.yearly ? t('journeys.date_yearly', { when }) : when
    }
    case 'inactive':
      return arr(b.events).length
        ? t('journeys.inactive_event', { names: formatList(arr(b.events).map(quoted), 'or'), span: spanText(b.for) })
        : t('journeys.inactive_any', { span: spanText(b.for) })
    case 'schedule': {
      const who = named(names, b.set) || '…'
      const w = obj(b.weekly)
      const when = w
        ? `${formatList(arr(w.days).map((d) => weekday(Number(d))))} ${formatCivilClock(str(w.time))}`
        : b.once
          ? formatCivil(str(b.once))
          : str(b.cron) || '…'
      return t('journeys.schedule_text', { who, when })
    }
    case 'api':
      return t('journeys.api_text')
    case 'manual':
      return t('journeys.manual_text')
    case '':
      return t('journeys.not_set')
    default:
      return matchText(trigger ?? {}, names) ?? t('journeys.not_set')
  }
}

export const kindTitle = (kind: string) => word('node', kind)

/** What the card is called: the author's title, else the kind. */
export const stepTitle = (s: { id: string; kind?: string; title?: string }) => s.title || (s.kind ? kindTitle(s.kind) : s.id)

export const outputText = (output: string, step?: Step): string => {
  const c = step?.config ?? {}
  const i = output.length === 1 ? output.charCodeAt(0) - 97 : -1
  if (step?.kind === 'split' && i >= 0 && arr(c.percent)[i] !== undefined)
    return t('journeys.share', { name: output.toUpperCase(), n: formatNumber(Number(arr(c.percent)[i])) })
  if (step?.kind === 'switch' && i >= 0 && arr(arr(c.cases)[i]).length) return formatList(arr(arr(c.cases)[i]).map(String), 'or')
  if (i >= 0) return output.toUpperCase()
  return word('output', output)
}

/** What a node does, in one sentence. */
export function summary(step: Step, names: Names = {}): string {
  const c = step.config ?? {}
  const none = t('journeys.not_set')
  const rule = (r: unknown) => (obj(r) ? ruleText(r as Rule, names) : '')
  switch (step.kind) {
    case 'wait':
      return c.for ? t('journeys.sum_wait', { span: spanText(c.for) }) : none
    case 'wait_until': {
      if (!c.time) return none
      const days = arr(c.days)
      return days.length
        ? t('journeys.sum_wait_until_days', { time: formatCivilClock(str(c.time)), days: formatList(days.map((d) => weekday(Number(d)))) })
        : t('journeys.sum_wait_until', { time: formatCivilClock(str(c.time)) })
    }
    case 'wait_for_date': {
      if (!c.trait) return none
      const key = c.before ? 'before' : c.after ? 'after' : 'on'
      return t(`journeys.sum_wait_for_date_${key}`, { trait: str(c.trait), span: spanText(c.before ?? c.after) })
    }
    case 'wait_for': {
      const what = c.event ? eventText(c.event) : rule(c.rule)
      return what ? t('journeys.sum_wait_for', { what, span: spanText(c.timeout) }) : none
    }
    case 'branch':
      if (c.event_since_entry) return t('journeys.sum_branch_since', { what: eventText(c.event_since_entry) })
      if (c.trigger) return t('journeys.sum_branch_trigger', { what: eventText(c.trigger) })
      return rule(c.rule) || none
    case 'switch':
      return c.trait || c.from ? t('journeys.sum_switch', { what: str(c.trait) || str(c.from) }) : none
    case 'split':
      return arr(c.percent).length
        ? t('journeys.sum_split', {
            shares: arr(c.percent)
              .map((p) => `${formatNumber(Number(p))} %`)
              .join(' · '),
          })
        : none
    case 'cohort':
      return c.percent !== undefined ? t('journeys.sum_cohort', { n: formatNumber(Number(c.percent)) }) : none
    case 'send':
      return c.template ? t('journeys.sum_send', { name: named(names, c.template) }) : none
    case 'set_trait': {
      const what = [c.traits, c.from, c.increment].flatMap((m) => Object.keys(obj(m) ?? {})).concat(arr(c.unset).map(String))
      return what.length ? t('journeys.sum_set_trait', { names: formatList([...new Set(what)]) }) : none
    }
    case 'enter_journey':
    case 'leave_journey':
      return named(names, c.journey) || none
    case 'goal':
      return obj(c.event)?.name ? t('journeys.sum_goal', { what: eventText(c.event), span: spanText(c.window) }) : none
    case 'exit':
      return str(c.reason) || t('journeys.sum_exit')
    case 'webhook':
      return c.url ? `${str(c.method) || 'POST'} ${str(c.url)}` : none
    case 'add_to_list':
    case 'remove_from_list':
    case 'list_add':
    case 'list_remove':
      return named(names, c.list) || none
    case 'create_task':
      return str(c.title) || none
    case 'ab_test':
      return str(c.name) || none
    default:
      return ''
  }
}

/** The exit rules, one sentence each. */
export const exitText = (x: Obj, names: Names = {}): string =>
  (obj(x.rule) ? ruleText(x.rule as Rule, names) : matchText(x, names)) || t('journeys.not_set')

export function goalText(g: Graph): string {
  if (!g.goal) return t('journeys.no_goal')
  return g.goal.window ? t('journeys.sum_goal', { what: eventText(g.goal.event), span: spanText(g.goal.window) }) : eventText(g.goal.event)
}
