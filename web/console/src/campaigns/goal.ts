import type { Schemas } from '@/api'
import { formatNumber } from '@/i18n'
import { eventText } from '@/journeys/words'

type Goal = Schemas['Goal']

/** The inputs of a form that has a goal. */
export interface GoalInputs {
  goalEvent: string
  goalDays: number | string
  /** Conditions over the event's properties, as in rules. */
  goalFilter: unknown[]
  /** Property that holds its worth. */
  goalValue: string
}

/** Where the server's faults about a goal land. */
export const goalNames = {
  'goal.event': 'goalEvent',
  'goal.window_seconds': 'goalDays',
  'goal.filter': 'goalFilter',
  'goal.value': 'goalValue',
}

const day = 86_400 // seconds

export const goalInputs = (g?: Goal): GoalInputs => ({
  goalEvent: g?.event ?? '',
  goalDays: g?.window_seconds ? g.window_seconds / day : 7,
  goalFilter: g?.filter ?? [],
  goalValue: g?.value ?? '',
})

/** The goal as the server takes it; undefined for the usual one. */
export const goalFrom = (f: GoalInputs): Goal | undefined =>
  f.goalEvent
    ? {
        event: f.goalEvent,
        window_seconds: Math.round(Number(f.goalDays || 7) * day),
        ...(f.goalFilter.length ? { filter: f.goalFilter as Goal['filter'] } : {}),
        ...(f.goalValue ? { value: f.goalValue } : {}),
      }
    : undefined

/** What counts as success, in words. */
export function goalOf(goal: Goal | undefined, t: (key: string, values?: Record<string, string>) => string): string {
  if (!goal) return ''
  const days = goal.window_seconds ? Math.round(goal.window_seconds / 864) / 100 : 7 // as the server fills it in
  const what = goal.event
    ? eventText({ name: goal.event, filter: goal.filter })
    : t('journeys.event_name', { name: t('campaigns.goal_default') })
  return t('campaigns.goal_within', { what, days: formatNumber(days) })
}
