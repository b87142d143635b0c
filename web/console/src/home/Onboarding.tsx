import { CircleCheck, Circle } from 'lucide-react'
import { useRead } from '@/api'
import { useCan, useSession } from '@/app/session'
import { useT } from '@/i18n'
import { useLookedAt, usePreference } from '@/lib/preferences'
import { Button, Card, Link, PartialState, Pending, Progress, toastRetry } from '@/ui'
import css from './Onboarding.module.css'

interface Step {
  id: string
  to: string
  permission: string
  /** Undefined while it is not known. */
  done: boolean | undefined
}

// Which steps concern a role, in its order; owners and administrators set the workspace up, marketers fill it, the others find their way. Each is
// something that the role may do.
const stepsOf: Record<string, string[]> = {
  owner: ['source', 'people', 'account', 'segment', 'journey', 'campaign'],
  admin: ['source', 'people', 'account', 'segment', 'journey', 'campaign'],
  marketer: ['people', 'segment', 'content', 'journey', 'campaign'],
  analyst: ['name', 'people', 'segment', 'view', 'report'],
  agent: ['name', 'people', 'task', 'view', 'sent'],
  viewer: ['name', 'people', 'view', 'live', 'sent'],
}

/** The first steps; each ticks itself when the thing is really there. Gone once all are done or the reader puts it away. */
export function Onboarding() {
  const t = useT()
  const can = useCan()
  const role = useSession().role ?? ''
  const [away, setAway, ready] = usePreference('onboarding.away', false, toastRetry)
  const wanted = stepsOf[role] ?? []
  const on = (permission: string) => ({ enabled: ready && !away && wanted.length > 0 && can(permission) })
  const sources = useRead('/api/v1/sources', { query: { limit: 50 } }, on('keys.write'))
  const people = useRead('/api/v1/people', { query: { limit: 1 } }, on('people.read'))
  const me = useRead('/api/v1/session', {}, { enabled: ready && !away && wanted.includes('name') })
  const tasks = useRead('/api/v1/tasks', { query: { status: 'done', limit: 1 } }, { enabled: ready && !away && wanted.includes('task') })
  const [looked] = useLookedAt()
  const [views] = usePreference<unknown[]>('views.people', [])
  const accounts = useRead('/api/v1/accounts', {}, on('settings.read'))
  const segments = useRead('/api/v1/segments', { query: { limit: 1 } }, on('segments.read'))
  const templates = useRead('/api/v1/templates', { query: { limit: 1 } }, on('content.read'))
  const journeys = useRead('/api/v1/journeys', { query: { limit: 200 } }, on('journeys.read'))
  const campaigns = useRead('/api/v1/campaigns', { query: { limit: 200 } }, on('campaigns.read'))
  const reports = useRead('/api/v1/saved-reports', { query: { limit: 1 } }, { enabled: ready && !away && wanted.includes('report') })
  if (!ready) return <Pending />
  if (away) return null
  const launched = campaigns.data && (campaigns.data.items ?? []).some((c) => c.launched_at)
  const published = journeys.data && (journeys.data.items ?? []).some((j) => j.published_version > 0)
  const all: Record<string, Omit<Step, 'id'>> = {
    source: {
      to: '/settings/sources',
      permission: 'keys.write',
      done: sources.data && (sources.data.items ?? []).some((s) => s.last_used),
    },
    people: {
      to: can('import.write') ? '/people/import' : '/people',
      permission: 'people.read',
      done: people.data && (people.data.items ?? []).length > 0,
    },
    name: { to: '/settings/me', permission: 'people.read', done: me.data && me.data.user.name !== '' },
    task: { to: '/tasks', permission: 'people.write', done: tasks.data && (tasks.data.items ?? []).length > 0 },
    view: { to: '/people', permission: 'people.read', done: views.length > 0 },
    account: { to: '/settings/accounts', permission: 'settings.read', done: accounts.data && (accounts.data.items ?? []).length > 0 },
    segment: { to: '/segments/new', permission: 'segments.read', done: segments.data && (segments.data.items ?? []).length > 0 },
    content: { to: '/content/new', permission: 'content.read', done: templates.data && (templates.data.items ?? []).length > 0 },
    journey: {
      to: '/journeys',
      permission: 'journeys.read',
      done: published,
    },
    live: { to: '/journeys', permission: 'journeys.read', done: looked.includes('journey') },
    campaign: {
      to: '/campaigns/new',
      permission: 'campaigns.read',
      done: launched,
    },
    sent: { to: '/campaigns', permission: 'campaigns.read', done: looked.includes('campaign') },
    report: { to: '/reports', permission: 'reports.read', done: reports.data && (reports.data.items ?? []).length > 0 },
  }
  const steps = wanted.flatMap((id) => (all[id] && can(all[id].permission) ? [{ id, ...all[id] }] : []))
  const done = steps.filter((s) => s.done).length
  const broken = [sources, people, me, tasks, accounts, segments, templates, journeys, campaigns, reports].filter((x) => x.error && !x.data)
  if (broken.length > 0) return <PartialState error={broken[0]?.error} onRetry={() => broken.forEach((x) => void x.refetch())} />
  if (steps.some((s) => s.done === undefined)) return <Pending />
  if (done === steps.length) return null
  return (
    <Card
      wide
      title={t('onboarding.title')}
      help={t('onboarding.help')}
      actions={
        <Button size="compact-sm" variant="subtle" onClick={() => setAway(true)}>
          {t('onboarding.away')}
        </Button>
      }
    >
      <Progress value={(done / steps.length) * 100} aria-label={t('onboarding.progress', { done, total: steps.length })} mb="sm" />
      <ol className={css.steps}>
        {steps.map((s) => (
          <li key={s.id} className={css.step} data-done={s.done || undefined}>
            {s.done ? <CircleCheck size={18} aria-label={t('onboarding.done')} /> : <Circle size={18} aria-hidden />}
            <Link to={s.to}>{t(s.to === '/people/import' ? 'onboarding.step.import' : `onboarding.step.${s.id}`)}</Link>
          </li>
        ))}
      </ol>
    </Card>
  )
}
