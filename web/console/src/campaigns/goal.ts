import type { Schemas } from '@/api'
import { formatNumber } from '@/i18n'

/** What counts as success, in words. */
export function goalOf(goal: Schemas['Goal'] | undefined, t: (key: string, values?: Record<string, string>) => string): string {
  if (!goal) return ''
  const days = goal.window_seconds ? Math.round(goal.window_seconds / 864) / 100 : 7 // as the server fills it in
  return t('campaigns.goal_within', { what: goal.event || t('campaigns.goal_default'), days: formatNumber(days) })
}
