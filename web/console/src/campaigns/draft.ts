// A campaign as its form holds it, and back. Plain data, so that it can be tested without a page.
import type { Schemas } from '@/api'
import { goalFrom, type GoalInputs, goalInputs } from './goal'

type Campaign = Schemas['Campaign']
type Draft = Omit<Schemas['CampaignDraft'], '$schema'>

/** Whether a campaign may still be changed: one that has begun stays as it went out. */
export const editable = (c: Pick<Campaign, 'status' | 'archived_at'>) => !c.archived_at && ['draft', 'scheduled'].includes(c.status)

export type Mode = 'now' | 'at' | 'local' | 'best'

export interface CampaignForm extends GoalInputs {
  name: string
  include: string[]
  exclude: string[]
  topic: string | null
  write: boolean // new content instead of a template that is there
  template: string | null
  subject: string
  html: string
  mode: Mode
  at: string // civil
  perMinute: number | string
  holdout: number | string
  priority: string
  notePlan: string
  figure: string
  value: number | string
  side: string
  testing: boolean
  variants: string[]
  share: number | string
  metric: string
  hours: number | string
}

const pad = (n: number) => String(n).padStart(2, '0')

/** An instant as civil time on the reader's clock. */
export function civil(iso: string): string {
  const d = new Date(iso)
  return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}T${pad(d.getHours())}:${pad(d.getMinutes())}`
}

export function formOf(c?: Campaign): CampaignForm {
  const plan = c?.plan
  return {
    name: c?.name ?? '',
    include: c?.audience.include ?? [],
    exclude: c?.audience.exclude ?? [],
    topic: c?.topic ?? null,
    write: false,
    template: c?.template ?? null,
    subject: '',
    html: '<p>{{ person.first_name | default: "…" }}</p>\n<p><a href="https://example.com/">…</a></p>',
    mode: plan?.local ? 'local' : plan?.best_hour ? 'best' : c?.scheduled_at ? 'at' : 'now',
    at: plan?.local ?? (c?.scheduled_at ? civil(c.scheduled_at) : ''),
    perMinute: plan?.per_minute || '',
    holdout: plan?.holdout || '',
    priority: plan?.priority ?? 'normal',
    ...goalInputs(c?.goal),
    notePlan: '',
    figure: '',
    value: '',
    side: 'least',
    testing: plan?.test !== undefined,
    variants: plan?.test?.variants ?? [],
    share: plan?.test?.share ?? 20,
    metric: plan?.test?.metric ?? 'clicked',
    hours: plan?.test?.hours ?? 4,
  }
}

export function draftOf(f: CampaignForm, template: string | null): Draft {
  return {
    name: f.name,
    channel: 'email',
    audience: { include: f.include, exclude: f.exclude },
    topic: f.topic ?? undefined,
    template: template ?? undefined,
    goal: goalFrom(f),
    scheduled_at: f.mode === 'at' && f.at ? new Date(f.at).toISOString() : undefined,
    plan: {
      per_minute: Number(f.perMinute || 0),
      holdout: Number(f.holdout || 0),
      priority: f.priority === 'normal' ? undefined : (f.priority as 'low' | 'high'),
      local: f.mode === 'local' ? f.at : undefined,
      best_hour: f.mode === 'best' || undefined,
      test:
        f.testing && f.variants.length > 0
          ? { variants: f.variants, share: Number(f.share), metric: f.metric as never, hours: Number(f.hours) }
          : undefined,
    },
  }
}

/** What the gate is asked about a form that is not saved; null while it lacks something. */
export function askOf(f: CampaignForm): Omit<Schemas['DryRunAsk'], '$schema'> | null {
  if (f.include.length === 0 || !f.topic) return null
  const test = f.testing && f.variants.length > 0 && f.template && !f.write ? draftOf(f, f.template).plan?.test : undefined
  return {
    include: f.include,
    exclude: f.exclude,
    topic: f.topic,
    at: f.mode === 'at' && f.at ? new Date(f.at).toISOString() : undefined,
    local: f.mode === 'local' && f.at ? f.at : undefined,
    template: test && f.template ? f.template : undefined,
    test,
  }
}

/** The inputs of a campaign that a colleague can have changed too: text of the label, and which it is. */
const inputs: [string, keyof CampaignForm][] = [
  ['field.name', 'name'],
  ['campaigns.audience', 'include'],
  ['campaigns.exclude', 'exclude'],
  ['campaigns.topic', 'topic'],
  ['campaigns.template', 'template'],
  ['campaigns.goal_event', 'goalEvent'],
  ['campaigns.goal_days', 'goalDays'],
  ['journeys.only_if', 'goalFilter'],
  ['journeys.goal_value', 'goalValue'],
  ['campaigns.when', 'mode'],
  ['field.time', 'at'],
  ['campaigns.per_minute', 'perMinute'],
  ['campaigns.holdout', 'holdout'],
  ['campaigns.priority', 'priority'],
  ['campaigns.test_on', 'testing'],
  ['campaigns.variants', 'variants'],
  ['campaigns.test_share', 'share'],
  ['campaigns.test_metric', 'metric'],
  ['campaigns.test_hours', 'hours'],
]

/** Where two versions of a campaign differ. */
export const differences = (a: CampaignForm, b: CampaignForm) =>
  inputs.filter(([, key]) => JSON.stringify(a[key] ?? '') !== JSON.stringify(b[key] ?? ''))
