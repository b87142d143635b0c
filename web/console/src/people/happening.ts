import { formatList, formatMoney, hasText, minor, t, word } from '@/i18n'
import type { Schemas } from '@/api'

type Event = Pick<Schemas['PersonEvent'], 'type' | 'name' | 'properties'>

type Named = { type: string; name?: string; properties?: unknown }

const worded = (e: Named) => `event_name.${(e.name || e.type).toLowerCase().replaceAll(' ', '_')}`

/** What an event is called where events are listed: by the name that its sender gave it, and the product's own in words of each language. */
export function eventName(e: Named): string {
  const key = worded(e)
  if (e.name && (['track', 'page', 'screen'].includes(e.type) || !hasText(key))) return e.name
  return hasText(key) ? t(key) : word('event_type', e.type)
}

/** What happened, in words: pages are looked at, whatever their names. */
export function happening(e: Named): string {
  return e.type === 'page' || e.type === 'screen' ? t(`event_name.${e.type}`) : eventName(e)
}

const suppressed = (reason: string) =>
  hasText(`hold_reason.${reason}`) ? t(`hold_reason.${reason}`) : reason && word('suppression_reason', reason)

/** To what it happened, or why: what one reads beside it; '' if there is nothing more to say. */
export function about(e: Event, names: Record<string, string>): string {
  const p = (e.properties ?? {}) as Record<string, unknown>
  const text = (key: string) => (typeof p[key] === 'string' ? (p[key] as string) : '')
  const own = () => {
    switch (e.type) {
      case 'identify':
        return formatList(Object.keys(p).slice(0, 5))
      case 'standing':
        return p.to ? `${word('standing.stage', text('from'))} → ${word('standing.stage', text('to'))}` : ''
      case 'message':
        return [names[text('source_id')] ?? text('subject'), text('url'), p.reason ? word('reason', text('reason')) : '']
      case 'consent':
        return [names[text('topic')] ?? '', suppressed(text('reason'))]
      case 'journey':
        return [names[text('journey_id')] ?? '', p.why ? word(e.name === 'Journey Refused' ? 'journey_turned' : 'status', text('why')) : '']
      case 'page':
      case 'screen':
        return [e.name || text('title') || text('url') || text('path')]
      default:
        return [text('title') || text('segment_name') || text('name') || text('subject') || text('number') || text('url') || text('reason')]
    }
  }
  const said = [own()].flat()
  if (typeof p.total === 'number' && typeof p.currency === 'string' && /^[A-Z]{3}$/.test(p.currency))
    said.push(formatMoney(minor(p.total, p.currency), p.currency)) // events count in whole units
  return said.filter((x) => x && x !== happening(e)).join(' · ')
}
