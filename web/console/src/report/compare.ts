// How a figure stands to the same figure of the period before, and how a report becomes a chart. Plain data, so that it can be tested without a page.
import type { Schemas } from '@/api'

type Rate = Schemas['Rate']
type Table = Pick<Schemas['ReportTable'], 'columns' | 'chart' | 'rows'>

export interface Change {
  way: 'up' | 'down' | 'same'
  /** Difference of shares, or change as a share of what was before; null if nothing was before. */
  by: number | null
  /** Shares whose intervals overlap, or that were made of too little, may differ by chance alone. */
  unsure: boolean
}

const way = (d: number): Change['way'] => (d > 0 ? 'up' : d < 0 ? 'down' : 'same')

/** Two counts or sums. */
export function changeOf(now: number, before: number | undefined): Change | null {
  if (before === undefined) return null
  return { way: way(now - before), by: before === 0 ? null : (now - before) / Math.abs(before), unsure: false }
}

/** Two shares: their difference, and whether their 95 % intervals lie apart. */
export function rateChange(now: Rate | undefined, before: Rate | undefined): Change | null {
  if (!now?.n || !before?.n) return null
  return { way: way(now.share - before.share), by: now.share - before.share, unsure: now.low <= before.high && before.low <= now.high }
}

const rise = new Set([
  'delivery_rate',
  'open_rate',
  'click_rate',
  'click_to_open',
  'conversion_rate',
  'delivered',
  'opened',
  'clicked',
  'converted',
  'revenue',
  'orders',
])
const fall = new Set([
  'bounce_rate',
  'complaint_rate',
  'unsubscribe_rate',
  'bounced',
  'hard_bounced',
  'soft_bounced',
  'failed',
  'complained',
  'unsubscribed',
])

/** Whether the change of a figure is good news, bad news, or neither. */
export function news(figure: string, c: Change): 'good' | 'bad' | 'plain' {
  if (c.unsure || c.way === 'same' || (!rise.has(figure) && !fall.has(figure))) return 'plain'
  return rise.has(figure) === (c.way === 'up') ? 'good' : 'bad'
}

/** What the chart hint of a report comes to: only columns of one kind share an axis, the kind of the first one named. */
export function chartOf(t: Table, name: (row: Schemas['ReportRow']) => string, title: (column: string) => string, most = 20) {
  const kinds = new Map((t.columns ?? []).map((c) => [c.name, c.kind]))
  const named = (t.chart.y ?? []).filter((y) => kinds.get(y) === 'count' || kinds.get(y) === 'share')
  const kind = kinds.get(named[0] ?? '')
  const columns = named.filter((y) => kinds.get(y) === kind)
  const rows = t.chart.kind === 'line' ? (t.rows ?? []) : (t.rows ?? []).slice(0, most)
  return {
    kind: (t.chart.kind === 'line' ? 'area' : rows.length > 6 || rows.some((r) => name(r).length > 14) ? 'horizontal' : 'bar') as
      | 'area'
      | 'bar'
      | 'horizontal',
    share: kind === 'share',
    columns,
    rows,
    data: {
      labels: rows.map(name),
      series: columns.map((c) => ({
        name: title(c),
        values: rows.map((r) => (kind === 'share' ? (r.rates[c]?.n ? r.rates[c].share : null) : (r.counts[c] ?? 0))),
      })),
    },
  }
}

/** The day so many days before another, both as 2026-03-31. */
export function daysBefore(day: string, n: number): string {
  const d = new Date(`${day}T00:00:00Z`)
  d.setUTCDate(d.getUTCDate() - n)
  return d.toISOString().slice(0, 10)
}

/** The days of a named period that ends today, or the month before. */
export function periodOf(name: string, today: string): { from: string; to: string } {
  const days = /^last_(\d+)$/.exec(name)
  if (days) return { from: daysBefore(today, Number(days[1]) - 1), to: today }
  const first = `${today.slice(0, 8)}01`
  if (name === 'this_month') return { from: first, to: today }
  const end = daysBefore(first, 1)
  return { from: `${end.slice(0, 8)}01`, to: end }
}
