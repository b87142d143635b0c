// A rule as a sentence. One tree, three languages: the texts rule.* word each part, so that only word order differs.
import { formatDate, formatList, formatNumber, formatTime, formatZone, hasText, useT, t as text, word } from '@/i18n'
import css from './rule.module.css'

export type Rule = Record<string, unknown>
type Names = Record<string, string>

const obj = (v: unknown) => (typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Record<string, unknown>) : {})

const span = (v: unknown) => {
  const n = Number(obj(v).n ?? 0)
  return text(`rule.span.${obj(v).unit ?? 'day'}`, { count: n, n: formatNumber(n) })
}

const isTime = (v: unknown): v is string => typeof v === 'string' && /^\d{4}-\d{2}-\d{2}(T|$)/.test(v)
const isTrait = (v: unknown) => 'trait' in obj(v)
const isMoment = (v: unknown) => 'ago' in obj(v) || 'ahead' in obj(v)
const moment = (v: string) => (v.includes('T') ? formatTime(v) : formatDate(`${v}T12:00:00Z`))

function value(v: unknown): string {
  if (Array.isArray(v)) return formatList(v.map(value))
  if (typeof v === 'number') return formatNumber(v)
  if (typeof v === 'boolean') return text(v ? 'rule.true' : 'rule.false')
  if (isTime(v)) return moment(v)
  if (isMoment(v)) {
    const ago = obj(obj(v).ago)
    const far = 'ago' in obj(v) ? ago : obj(obj(v).ahead)
    return Number(far.n) === 0 ? text('rule.now') : text('ago' in obj(v) ? 'rule.ago' : 'rule.ahead', { span: span(far) })
  }
  if (isTrait(v)) return text('rule.trait_value', { field: fieldName(String(obj(v).trait ?? '')) })
  return v === null || v === undefined || v === '' ? '…' : String(v)
}

/** One comparison in words; `say` words a value, e.g. with its unit. */
function op(name: unknown, v: unknown, say: (v: unknown) => string = value): string {
  const first = Array.isArray(v) ? v[0] : v
  const timed = isTime(first) || isMoment(first) ? 'rule.time' : 'rule.op'
  if (name === 'between') {
    const [from, to] = Array.isArray(v) ? v : []
    return text(`${timed}.between`, { from: value(from), value: say(to) })
  }
  const words = Array.isArray(v) ? formatList(v.map(say)) : say(v)
  const key = hasText(`${timed}.${name}`) ? `${timed}.${name}` : hasText(`rule.op.${name}`) ? `rule.op.${name}` : 'rule.op.other'
  return text(key, { op: String(name ?? ''), value: words })
}

const counted = (unit: string) => (v: unknown) =>
  typeof v === 'number' ? text(unit, { count: v, n: formatNumber(v) }) : text(unit, { count: 2, n: value(v) })

/** A count in words; "at least once" is the plain deed, "never" has a word of its own. */
function count(b: Rule, unit = 'rule.times') {
  return op(b.op ?? 'gte', b.op === undefined && b.value === undefined ? 1 : b.value, counted(unit))
}
const once = (b: Rule) =>
  (b.op === undefined && b.value === undefined) || (b.op === 'gte' && b.value === 1) || (b.op === 'gt' && b.value === 0)
const never = (b: Rule) => (b.op === 'eq' && b.value === 0) || (b.op === 'lt' && b.value === 1) || (b.op === 'lte' && b.value === 0)

/** A channel as it stands within a sentence. */
const channelName = (kind: unknown): string => {
  const inside = `rule.channel.${kind}`
  return hasText(inside) ? text(inside) : word('channel', String(kind ?? ''))
}

/** Which event, by name or by kind. */
const what = (b: Rule): string =>
  b.name !== undefined ? text('rule.quoted', { name: String(b.name || '…') }) : word('rule.type', String(b.type ?? '…'))

function when(w: unknown): string {
  const win = obj(w)
  if (win.before) return text('rule.before', { span: span(win.before) })
  if (win.since) {
    const s = obj(win.since)
    const parts = { what: tidy(`${what(s)} ${where(s.filter)}`) }
    const which = s.which === 'first' ? 'first' : 'last'
    return s.within ? text(`rule.after_${which}`, { ...parts, span: span(s.within) }) : text(`rule.since_${which}`, parts)
  }
  if (win.within) return text('rule.within', { span: span(win.within) })
  if (win.between) return text('rule.between', { from: span(obj(win.between).from_ago), to: span(obj(win.between).to_ago) })
  if (win.absolute) {
    const { from, to } = obj(win.absolute)
    const say = (v: unknown) => (isTime(v) ? moment(v) : '…')
    return from && to
      ? text('rule.from_to', { from: say(from), to: say(to) })
      : from
        ? text('rule.since', { from: say(from) })
        : text('rule.until', { to: say(to) })
  }
  return ''
}

/** The name that readers know a field by. */
export function fieldName(path: string): string {
  return hasText(`figure.${path}`) ? text(`figure.${path}`) : path || '…'
}

function where(filters: unknown): string {
  if (!Array.isArray(filters) || filters.length === 0) return ''
  return text('rule.where', { parts: conditions(filters) })
}

function conditions(filters: unknown[]): string {
  const parts = (filters as Rule[]).map((f) => text('rule.has', { field: String(f.path || '…'), op: op(f.op, f.value) }))
  return parts.join(text('rule.where_and'))
}

function occurrence(b: Rule): string {
  const had = Array.isArray(b.has) && b.has.length > 0 ? text('rule.and_had', { parts: conditions(b.has) }) : ''
  return tidy(
    text(`rule.occurrence_${b.which === 'last' ? 'last' : 'first'}`, { what: what(b), where: where(b.filter), when: when(b.window), had }),
  )
}

function sequence(b: Rule): string {
  const steps = Array.isArray(b.steps) ? (b.steps as Rule[]) : []
  const said = steps.map((s, i) => {
    const parts = {
      what: what(s),
      where: where(s.filter),
      within: s.within ? text('rule.step_within', { span: span(s.within) }) : '',
      without: s.without ? text('rule.step_without', { what: tidy(`${what(obj(s.without))} ${where(obj(s.without).filter)}`) }) : '',
    }
    return tidy(text(i === 0 ? 'rule.step_first' : s.absent === true ? 'rule.step_absent' : 'rule.step_then', parts))
  })
  const by = b.by ? text('rule.step_by', { field: String(b.by) }) : ''
  return tidy(text('rule.sequence', { steps: said.join(text('rule.step_join')), by, when: when(b.window) }))
}

function anniversary(b: Rule): string {
  const of = obj(b.event)
  const subject =
    b.event === undefined
      ? text('rule.anniversary_trait', { field: fieldName(String(b.path ?? '')) })
      : tidy(text(`rule.anniversary_${of.which === 'last' ? 'last' : 'first'}`, { what: what(of), where: where(of.filter) }))
  const from = Number(b.from ?? 0)
  const to = Number(b.to ?? 0)
  const days = (n: number) => text('rule.span.day', { count: n, n: formatNumber(n) })
  const at = (n: number) => (n === 0 ? text('rule.today') : text(n > 0 ? 'rule.ahead' : 'rule.ago', { span: days(Math.abs(n)) }))
  const day = from === to ? at(from) : text('rule.day_between', { from: at(from), to: at(to) })
  return tidy(
    text('rule.anniversary', {
      subject,
      day,
      zone: text(b.own_zone === true ? 'rule.own_zone' : 'rule.in_zone', { zone: b.zone ? formatZone(String(b.zone)) : '…' }),
    }),
  )
}

const tidy = (s: string) => s.replace(/ {2,}/g, ' ').trim()
const named = (names: Names, id: unknown) => names[String(id ?? '')] ?? (String(id ?? '') || '…')

function event(b: Rule): string {
  const parts = { what: what(b), when: when(b.window), where: where(b.filter) }
  if (b.agg !== undefined && b.agg !== 'count')
    return tidy(
      text('rule.measured', {
        ...parts,
        figure: text('rule.agg', { agg: word('rule.agg', String(b.agg)), field: String(b.path || '…') }),
        op: op(b.op, b.value),
      }),
    )
  if (never(b)) return tidy(text('rule.did_not', parts))
  return once(b) ? tidy(text('rule.did_once', parts)) : tidy(text('rule.did', { ...parts, how: count(b) }))
}

function order(b: Rule): string {
  const status = String(b.status ?? 'completed')
  const parts = { what: word('rule.order', status), when: when(b.window), where: where(b.filter) }
  const agg = String(b.agg ?? 'count')
  if (agg === 'count') {
    if (never(b)) return tidy(text('rule.acted_not', parts))
    return once(b) ? tidy(text('rule.acted_once', parts)) : tidy(text('rule.acted', { ...parts, how: count(b) }))
  }
  const days = (v: unknown) => text('rule.span.day', { count: Number(v), n: value(v) })
  const said = agg === 'days_since_last' ? op(b.op, b.value, days) : op(b.op, b.value)
  const kept = status === 'completed' ? parts.where : `${text('rule.details', { parts: parts.what })} ${parts.where}`
  return tidy(text('rule.order_measured', { ...parts, where: kept, figure: word('rule.order_agg', agg), op: said }))
}

function engagement(b: Rule, names: Names): string {
  const source = obj(b.source)
  const details = [
    source.kind ? word('rule.source', String(source.kind)) : '',
    source.id ? text('rule.quoted', { name: named(names, source.id) }) : '',
    source.node ? String(source.node) : '',
    b.topic ? text('rule.about', { topic: named(names, b.topic) }) : '',
    b.channel ? channelName(b.channel) : '',
    b.machine === true ? text('rule.machines_too') : '',
  ].filter(Boolean)
  const parts = {
    what: word('rule.action', String(b.action ?? '…')),
    when: when(b.window),
    where: details.length ? text('rule.details', { parts: details.join(text('rule.comma')) }) : '',
  }
  if (never(b)) return tidy(text('rule.acted_not', parts))
  if (once(b)) return tidy(text('rule.acted_once', parts))
  return b.agg === 'distinct'
    ? tidy(text('rule.acted_distinct', { ...parts, how: count(b, 'rule.messages') })).replace(' ,', ',')
    : tidy(text('rule.acted', { ...parts, how: count(b) }))
}

function say(rule: Rule, names: Names, inner: boolean): string {
  const [kind, body] = Object.entries(rule).find(([k]) => k !== 'version') ?? ['', {}]
  const b = obj(body)
  const list = (key: string, none: string) => {
    const kids = Array.isArray(body) ? (body as Rule[]) : []
    if (kids.length === 0) return text(none)
    if (kids.length === 1) return say(kids[0]!, names, inner)
    const parts = kids.map((r, i) => (i === 0 ? say(r, names, true) : text(key, { part: say(r, names, true) }))).join('')
    return inner ? text('rule.group', { parts }) : parts
  }
  switch (kind) {
    case 'all':
      return list('rule.and', 'rule.everyone')
    case 'any':
      return list('rule.or', 'rule.nobody')
    case 'not':
      return text('rule.not', { part: say(b, names, true) })
    case 'everyone':
      return text('rule.everyone')
    case 'segment':
      return text(b.in === false ? 'rule.not_segment' : 'rule.segment', { name: named(names, b.id) })
    case 'list':
      return text(b.in === false ? 'rule.not_list' : 'rule.list', { name: named(names, b.id) })
    case 'event':
      return event(b)
    case 'occurrence':
      return occurrence(b)
    case 'sequence':
      return sequence(b)
    case 'anniversary':
      return anniversary(b)
    case 'order':
      return order(b)
    case 'engagement':
      return engagement(b, names)
    case 'channel': {
      const channel = channelName(b.kind)
      if (b.subscribed !== undefined)
        return text(b.value === false ? 'rule.not_subscribed' : 'rule.subscribed', { channel, topic: named(names, b.subscribed) })
      return text(b.reachable === false ? 'rule.unreachable' : 'rule.reachable', { channel })
    }
    case 'bucket':
      return text('rule.bucket', { from: value(b.from), to: value(b.to), salt: String(b.salt || '…') })
    case 'device':
      return tidy(
        text('rule.device_has', { field: word('rule.device', String(b.path ?? '…')), op: op(b.op, b.value), when: when(b.window) }),
      )
    case 'trait':
      return text('rule.has', { field: fieldName(String(b.path ?? '')), op: op(b.op, b.value) })
    default: {
      const path = String(b.path ?? b.name ?? '')
      return text('rule.has', { field: `${word('rule.kind', kind)}${path ? ` ${fieldName(path)}` : ''}`, op: op(b.op, b.value) })
    }
  }
}

/** The sentence as plain text; for titles, tests and search. */
export const ruleText = (rule: Rule, names: Names = {}): string => say(rule, names, false)

/** A rule as one readable sentence; `names` gives the names of segments, lists, topics and sources by id. */
export function RuleSentence({ rule, names }: { rule: Rule; names?: Names }) {
  useT()
  return <p className={css.sentence}>{ruleText(rule, names)}</p>
}
