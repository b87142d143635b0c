// The filters of the people list, as they stand in the address and as the API takes them.
import type { Schemas } from '@/api'

export const none = { q: '', status: '', set: '', seen: '', reach: '', order: '' }

/** "7d": seen in the last 7 days; "-30d": not for 30 days. */
export const seenChoices = ['1d', '7d', '30d', '-30d', '-90d']

const day = 86_400_000

/** The query of GET /people. Moments are cut to the hour, so that going back finds the former answer. */
export function query(f: typeof none, now: number): Record<string, string> {
  const out: Record<string, string> = {}
  if (f.q) out.q = f.q
  if (f.status) out.status = f.status
  if (f.set) out.set = f.set
  if (f.reach) out.reachable = f.reach
  if (f.order) out.order = f.order
  const seen = /^(-?)(\d+)d$/.exec(f.seen)
  if (seen) {
    const hour = Math.floor(now / 3_600_000) * 3_600_000
    out[seen[1] ? 'seen_before' : 'seen_after'] = new Date(hour - Number(seen[2]) * day).toISOString()
  }
  return out
}

/** Who a job is done with: the query without its order. */
export function who(asked: Record<string, string>): Schemas['PeopleFilter'] {
  return Object.fromEntries(Object.entries(asked).filter(([name]) => name !== 'order'))
}
