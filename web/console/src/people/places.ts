/** What a reason is about: whose message, of what. */
export interface About {
  person: string
  data?: Record<string, unknown> | null
  template?: string
  source?: { kind: string; id?: string }
}

const text = (v: unknown) => (typeof v === 'string' ? v : '')

/** The page of who asked for the message; of messages of the API the person's own list. */
function origin({ person, source }: About): string {
  if (source?.id && source.kind === 'campaign') return `/campaigns/${source.id}`
  if (source?.id && source.kind === 'journey') return `/journeys/${source.id}`
  return `/people/${person}?tab=messages`
}

const topics = ({ person }: About) => `/people/${person}?tab=topics`
const identity = ({ person }: About) => `/people/${person}?tab=identity`
const sending = () => '/settings/sending'
const account = ({ data }: About) => (text(data?.account) ? `/settings/accounts/${text(data?.account)}` : '/settings/accounts')
const accounts = () => '/settings/accounts'
const content = ({ data, template }: About) =>
  text(data?.template) || template ? `/content/${text(data?.template) || template}` : '/content'

/** Where what a reason rests on can be seen and changed. */
const places: Record<string, (about: About) => string> = {
  unknown_template: () => '/content',
  archived_template: content,
  template_not_for_channel: content,
  render_error: content,
  no_account: accounts,
  account_paused: account,
  throttled: accounts,
  warming_up: accounts,
  domain_rests: accounts,
  turn: accounts,
  unknown_person: () => '/people',
  person_suppressed: topics,
  suppressed: topics,
  no_address: identity,
  bad_address: identity,
  no_topic: origin,
  unknown_topic: () => '/settings/topics',
  topic_not_on_channel: () => '/settings/topics',
  unsubscribed: topics,
  not_subscribed: topics,
  paused: topics,
  category_declined: ({ person }) => `/people/${person}?tab=traits`,
  holdout: (about) => (about.data?.scope === 'workspace' ? sending() : origin(about)),
  capped: (about) => (about.data?.own === true ? topics(about) : sending()),
  outranked: (about) => (text(about.data?.by) ? `/people/why?person=${about.person}&message=${text(about.data?.by)}` : sending()),
  quiet_hours: sending,
  source_paused: origin,
  left_journey: origin,
  sending_stopped: sending,
  daily_limit: () => '/settings/usage',
  scheduled: origin,
  cancelled: origin,
  expired: accounts,
  answer_lost: accounts,
  deferred: () => '/settings/bounces',
  rejected: () => '/settings/bounces',
}

/** placeOf('quiet_hours', about) is '/settings/sending'; nothing for a reason that leads nowhere. */
export const placeOf = (reason: string, about: About): string | undefined => places[reason]?.(about)
