import type { Schemas } from '@/api'
import { formatNumber, word } from '@/i18n'

export type Job = Schemas['Job']

/** Jobs whose end is told by whoever has started them. */
export const waited = new Set<string>()

export const waits = (j: Job) => j.state === 'queued' || j.state === 'running'

const order = [
  'rows',
  'added',
  'accepted',
  'created',
  'known',
  'rejected',
  'people',
  'removed',
  'restored',
  'merged',
  'split',
  'refused',
  'too_large',
]

/** The counts of a job in one line: "2,000 rows · 1,990 added · 10 rejected". */
export function figures(j: Job): string {
  const rank = (k: string) => (order.indexOf(k) + 1 || order.length + 1) - 1
  return Object.entries(j.figures)
    .toSorted(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b))
    .map(([k, n]) => `${word('job_figure', k)} ${formatNumber(n)}`)
    .join(' · ')
}

/** Where what a job has done can be seen. */
export const results: Record<string, string> = {
  suppression_import: '/settings/suppressions',
  people_import: '/people',
  identity_scheme: '/people',
  list_change: '/lists',
  list_undo: '/lists',
}
