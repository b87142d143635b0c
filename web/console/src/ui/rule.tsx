// A rule as a sentence. One tree, three languages: the texts rule.* word each part, so that only word order differs.
import { formatList, formatNumber, hasText, useT, t as text, word } from '@/i18n'
import css from './rule.module.css'

export type Rule = Record<string, unknown>

const obj = (v: unknown) => (typeof v === 'object' && v !== null ? (v as Record<string, unknown>) : {})
const value = (v: unknown): string =>
  Array.isArray(v) ? formatList(v.map(value)) : typeof v === 'number' ? formatNumber(v) : v === null || v === undefined ? '' : String(v)
const op = (name: unknown, v: unknown) =>
  text(hasText(`rule.op.${name}`) ? `rule.op.${name}` : 'rule.op.other', { op: String(name ?? ''), value: value(v) })

function span(w: unknown): string {
  const win = obj(w)
  const within = obj(win.within)
  if (within.n) return text('rule.within', { n: formatNumber(Number(within.n)), unit: word('rule.unit', String(within.unit)) })
  return ''
}

/** The sentence as plain text; for titles, tests and search. */
export function ruleText(rule: Rule, names: Record<string, string> = {}): string {
  const [kind, body] = Object.entries(rule)[0] ?? ['', {}]
  const b = obj(body)
  const list = (key: string) => {
    const parts = (Array.isArray(body) ? (body as Rule[]) : []).map((r) => ruleText(r, names))
    return parts.length === 1 ? (parts[0] ?? '') : parts.map((p, i) => (i === 0 ? p : text(key, { part: p }))).join('')
  }
  switch (kind) {
    case 'all':
      return list('rule.and')
    case 'any':
      return text('rule.group', { parts: list('rule.or') })
    case 'not':
      return text('rule.not', { part: ruleText(b as Rule, names) })
    case 'segment':
      return text('rule.segment', { name: names[String(b.id)] ?? String(b.id ?? '') })
    case 'list':
      return text('rule.list', { name: names[String(b.id)] ?? String(b.id ?? '') })
    case 'event':
    case 'order': {
      const what = kind === 'event' ? text('rule.event', { name: String(b.name ?? '') }) : text('rule.order')
      const how =
        b.agg === undefined || b.agg === 'count'
          ? text('rule.count', { op: op(b.op ?? 'gte', b.value ?? 1) })
          : text('rule.agg', { agg: word('rule.agg', String(b.agg)), field: String(b.field ?? ''), op: op(b.op, b.value) })
      return text('rule.did', { what, how, when: span(b.window) })
        .replace(/ {2,}/g, ' ')
        .trim()
    }
    case 'channel':
      return text(b.reachable === false ? 'rule.unreachable' : 'rule.reachable', { channel: word('channel', String(b.kind ?? '')) })
    default: {
      const path = String(b.path ?? b.name ?? '')
      const label = hasText(`figure.${path}`) ? text(`figure.${path}`) : path
      return text('rule.has', { field: `${word('rule.kind', kind)}${label ? ` ${label}` : ''}`, op: op(b.op, b.value) })
    }
  }
}

/** A rule as one readable sentence; `names` gives the names of segments and lists by id. */
export function RuleSentence({ rule, names }: { rule: Rule; names?: Record<string, string> }) {
  useT()
  return <p className={css.sentence}>{ruleText(rule, names)}</p>
}
