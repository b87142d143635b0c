// Values as readers expect them: status, times, money, numbers, people.
import { Badge, Tooltip } from '@mantine/core'
import { useEffect, useReducer } from 'react'
import { formatAbout, formatAgo, formatMoney, formatName, formatNumber, formatTime, t, useT, word } from '@/i18n'
import { Link } from './link'
import css from './text.module.css'

export type Tone = 'success' | 'warning' | 'danger' | 'info' | 'accent' | 'gray'

const tones: Record<string, Tone> = {
  live: 'success',
  ready: 'success',
  sent: 'success',
  active: 'success',
  delivered: 'success',
  done: 'success',
  goal: 'success',
  subscribed: 'success',
  sending: 'info',
  preparing: 'info',
  evaluating: 'info',
  scheduled: 'info',
  claimed: 'info',
  running: 'info',
  queued: 'info',
  review: 'warning',
  paused: 'warning',
  shared: 'warning',
  disabled: 'warning',
  demoted: 'warning',
  stopped: 'warning',
  failed: 'danger',
  refused: 'danger',
  bounced: 'danger',
  parked: 'danger',
  cancelled: 'danger',
  blocked: 'danger',
  unsubscribed: 'danger',
}

/** The state of a thing in words: a dot, a word and a colour, never a colour alone. `of` names whose states they are where a word is not the same for all: an invoice that is open is unpaid, a task is to be done. */
export function Status({ value, of, tone }: { value: string; of?: string; tone?: Tone }) {
  useT()
  const colour = tone ?? tones[value] ?? 'gray'
  return (
    <Badge color={colour} data-tone={colour} className={css.badge} leftSection={<span className={css.dot} aria-hidden />}>
      {word(of ? `status_${of}` : 'status', value)}
    </Badge>
  )
}

/** A small label without meaning of state. */
export const Tag = ({ children, tone = 'gray' }: { children: React.ReactNode; tone?: Tone }) => (
  <Badge color={tone} data-tone={tone} className={css.badge}>
    {children}
  </Badge>
)

/** "3 minutes ago", kept up to date; the exact time on hover. */
export function Ago({ at }: { at: string | null | undefined }) {
  useT()
  const [, tick] = useReducer((n: number) => n + 1, 0)
  useEffect(() => {
    const timer = setInterval(tick, 30_000)
    return () => clearInterval(timer)
  }, [])
  if (!at) return <span className={css.none}>–</span>
  return (
    <Tooltip label={formatTime(at)}>
      <time dateTime={at} className={css.nowrap}>
        {formatAgo(at)}
      </time>
    </Tooltip>
  )
}

/** A date and a time on the reader's clock. */
export function Time({ at }: { at: string | null | undefined }) {
  useT()
  if (!at) return <span className={css.none}>–</span>
  return (
    <time dateTime={at} className={css.nowrap}>
      {formatTime(at)}
    </time>
  )
}

/** about: an estimate, marked as one. */
export function Num({ value, about }: { value: number | null | undefined; about?: boolean }) {
  useT()
  return <span className={css.num}>{value === null || value === undefined ? '–' : (about ? formatAbout : formatNumber)(value)}</span>
}

export function Money({ minor, currency }: { minor: number; currency: string }) {
  useT()
  return <span className={css.num}>{formatMoney(minor, currency)}</span>
}

/** Sums of several currencies, each for itself: adding them would say nothing. */
export function Amounts({ of }: { of: { minor: number; currency: string }[] | null | undefined }) {
  if (!of?.length) return <span className={css.none}>–</span>
  return (
    <span className={css.amounts}>
      {of.map((m) => (
        <Money key={m.currency} {...m} />
      ))}
    </span>
  )
}

interface PersonLike {
  id: string
  name?: string
  email?: string
  traits?: Record<string, unknown>
  identifiers?: { value: string }[] | null
}

/** What to call a person: name, else address, else an identifier. */
export function personName(p: PersonLike): string {
  const trait = (k: string) => (typeof p.traits?.[k] === 'string' ? (p.traits[k] as string) : undefined)
  return (
    formatName({
      name: (p.name !== p.id && p.name) || trait('name'),
      first_name: trait('first_name'),
      last_name: trait('last_name'),
      email: p.email || trait('email'),
    }) || t('person.visitor', { id: p.id.slice(-6) })
  )
}

export const PersonLink = ({ person }: { person: PersonLike }) => <Link to={`/people/${person.id}`}>{personName(person)}</Link>
