// Why a message was refused or waits, with the figures that the server's answer carries, in the reader's language.
import { formatCivilClock, formatNumber, formatTime, formatZone, hasText, t, word } from '@/i18n'

type Data = Record<string, unknown>

const text = (v: unknown) => (typeof v === 'string' ? v : typeof v === 'number' ? formatNumber(v) : '')
const time = (v: unknown) => (typeof v === 'string' && v ? formatTime(v) : '')

/** What of the evidence is said for a reason; nothing where the figures that it needs are missing. */
function evidence(reason: string, d: Data): string {
  const say = (values: Record<string, string>, key = reason) =>
    Object.values(values).every(Boolean) ? t(`reason_evidence.${key}`, values) : ''
  switch (reason) {
    case 'suppressed':
      return typeof d.why === 'string' ? word('suppression_reason', d.why) : ''
    case 'person_suppressed':
      return typeof d.why === 'string' ? word('hold_reason', d.why) : ''
    case 'capped':
    case 'outranked':
      if (d.own === true) return t('reason_evidence.own')
      return say({ taken: text(d.taken), limit: text(d.limit), days: text(d.days) }, d.taken === undefined ? 'cap' : 'capped')
    case 'left_journey':
      return typeof d.why === 'string' ? word('status', d.why) : ''
    case 'quiet_hours':
      return say({ from: formatCivilClock(text(d.from)), to: formatCivilClock(text(d.to)), zone: formatZone(text(d.zone)) })
    case 'holdout':
      return say({ percent: text(d.percent), scope: typeof d.scope === 'string' ? word('holdout_scope', d.scope) : '' })
    case 'throttled': {
      const name = text(d.throttle)
      return say({ throttle: hasText(`provider.${name}`) ? t(`provider.${name}`) : name, limit: text(d.limit) })
    }
    case 'warming_up':
    case 'daily_limit':
      return say({ limit: text(d.limit) })
    case 'domain_rests':
      return text(d.domain)
    case 'category_declined':
      return text(d.categories)
    case 'expired':
      return say({ hours: text(d.hours) })
    case 'unsubscribed':
    case 'not_subscribed':
    case 'topic_not_on_channel':
      if (d.pending === true) return t('reason_evidence.pending')
      return text(d.topic_name)
    case 'archived_template':
    case 'template_not_for_channel':
      return text(d.template_name)
    default:
      return ''
  }
}

/** reasonText('capped', { taken: 3, limit: 3, days: 7 }) is "has had enough messages: 3 of 3 in 7 days". */
export function reasonText(reason: string, data?: Data | null): string {
  const d = data ?? {}
  const what = evidence(reason, d)
  const until = time(d.until) && t('reason_evidence.until', { time: time(d.until) })
  const all = what && until ? t('reason_evidence.both', { a: what, b: until }) : what || until
  return all ? t('reason_evidence.with', { reason: word('reason', reason), evidence: all }) : word('reason', reason)
}
