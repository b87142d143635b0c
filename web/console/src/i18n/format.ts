import i18next from 'i18next'
import { language } from './language'
import { han } from './spaces'

const made = new Map<string, unknown>()

// Formatters are costly to make and are used in every row of a table.
function kept<T>(kind: string, options: object, make: (lang: string) => T): T {
  const key = `${language()} ${kind} ${JSON.stringify(options)}`
  if (!made.has(key)) made.set(key, make(language()))
  return made.get(key) as T
}

const numbers = (o: Intl.NumberFormatOptions) => kept('number', o, (l) => new Intl.NumberFormat(l, o))
const dates = (o: Intl.DateTimeFormatOptions) => kept('date', o, (l) => new Intl.DateTimeFormat(l, o))

type When = string | number | Date | null | undefined

/** Brackets as wide as the characters beside them, without a space before. */
const wide = (s: string) => (language() === 'en' ? s : s.replace(/ ?\(/g, '（').replaceAll(')', '）'))
/** Counters stand close to their figures in Japanese, where the locale's data has a space. */
const close = (s: string) => (language() === 'ja' ? s.replace(/(\d) (?=\p{L})/gu, '$1') : s)
/** A date does not break across lines; between it and a time of day it may. */
const whole = (s: string) => s.replace(/ (?!\d+[:時])/g, '\u00a0')

/** An estimate: "≈ 1,200". */
export const formatAbout = (n: number): string => `≈\u2009${formatNumber(n)}`

export const formatNumber = (n: number, o: Intl.NumberFormatOptions = {}) => numbers(o).format(n)
/** 2,500, 12.3K, 1.2万: for axes and narrow tiles. Where four figures are written out they are grouped as everywhere. */
export const formatCompact = (n: number) => numbers({ notation: 'compact', maximumFractionDigits: 1, useGrouping: 'always' }).format(n)
export const formatPercent = (share: number, digits = 1) => numbers({ style: 'percent', maximumFractionDigits: digits }).format(share)

/** How many decimals a currency has. */
export function decimals(currency: string) {
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
  } catch {
    return 2 // of what is no currency
  }
}
/** An amount in whole units, as people and events write it, in the smallest unit. */
export const minor = (whole: number, currency: string) => Math.round(whole * 10 ** decimals(currency))

/** Money is in the currency's smallest unit, as everywhere in the product. */
export function formatMoney(minor: number, currency: string, o: Intl.NumberFormatOptions = {}) {
  return numbers({ style: 'currency', currency, ...o }).format(minor / 10 ** decimals(currency))
}

export const formatDate = (w: When) => (w ? whole(dates({ dateStyle: 'medium' }).format(new Date(w))) : '–')
/** A day without its year, for axes. */
export const formatDay = (w: When) => (w ? whole(dates({ month: 'short', day: 'numeric' }).format(new Date(w))) : '–')
/** A day of the next weeks or the last ones: "Sun, Nov 29". */
export const formatNearDay = (w: When) =>
  w ? wide(whole(dates({ weekday: 'short', month: 'short', day: 'numeric' }).format(new Date(w)))) : '–'
export const formatTime = (w: When) => (w ? whole(dates({ dateStyle: 'medium', timeStyle: 'short' }).format(new Date(w))) : '–')
/** A day with its weekday, as a heading; what happened on it needs only formatClock. */
export const formatDayInFull = (w: When) =>
  w
    ? wide(
        dates(language() === 'ja' ? { year: 'numeric', month: 'long', day: 'numeric', weekday: 'short' } : { dateStyle: 'full' }).format(
          new Date(w),
        ),
      )
    : '–'
/** The time of day, "9:30 AM", on the clock of a zone or of the reader. */
export const formatClock = (w: When, zone?: string) => (w ? whole(dates({ timeStyle: 'short', timeZone: zone }).format(new Date(w))) : '–')
// Countries and cities are named where one word for the zone would be a code: en-001 has "New York Time", en "ET"; Japanese has "JST" for its own.
const zonePart = (zone: string, timeZoneName: 'shortGeneric' | 'longGeneric' | 'shortOffset') =>
  kept('zone', { zone, timeZoneName }, (lang) =>
    new Intl.DateTimeFormat(lang === 'en' ? 'en-001' : lang, { timeZone: zone, timeZoneName })
      .formatToParts(new Date())
      .find((x) => x.type === 'timeZoneName'),
  )?.value ?? zone

/** What a time zone is called: "Japan Time", "纽约时间". What is none stands as it is written. */
export function formatZone(zone: string) {
  try {
    const short = zonePart(zone, 'shortGeneric')
    if (/^GMT[+-]/.test(short)) return zone === 'UTC' ? zone : zonePart(zone, 'shortOffset')
    return /^[A-Z]+$/.test(short) ? zonePart(zone, 'longGeneric') : short
  } catch {
    return zone
  }
}
/** How far its clocks are now from those of Greenwich: "GMT+9"; nothing where the name says so already. */
export function formatZoneOffset(zone: string) {
  try {
    const offset = zonePart(zone, 'shortOffset')
    return offset === formatZone(zone) || zone === 'UTC' ? '' : offset
  } catch {
    return ''
  }
}
/** The zone of the reader's clock. */
export const hereZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone

/** A moment on the clock of a zone, which is named; on the reader's where the zone is not known here. */
export function formatTimeIn(w: When, zone: string) {
  if (!w || !zone) return formatTime(w)
  try {
    const shown = dates({ dateStyle: 'medium', timeStyle: 'short', timeZone: zone })
    return wide(`${whole(shown.format(new Date(w)))} (${formatZone(zone)})`)
  } catch {
    return formatTime(w)
  }
}
/** A civil time without a zone ("2026-03-01T09:00"), the same in every zone; what is none stands as it is. */
export function formatCivil(w: string) {
  const at = Date.parse(/^[\d-]{10}T[\d:]{5}/.test(w) ? `${w.slice(0, 16)}:00Z` : '')
  return Number.isNaN(at) ? w : whole(dates({ dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }).format(at))
}

/** A time of day of a plan ("09:00"), as every time of day is written; what is none stands as it is. */
export const formatCivilClock = (at: string) =>
  /^([01]?\d|2[0-3]):[0-5]\d$/.test(at) ? formatClock(`1970-01-01T${at.padStart(5, '0')}Z`, 'UTC') : at

/** A civil day ("2026-03-01"), the same in every zone. */
export const formatCivilDay = (day: string) => whole(dates({ dateStyle: 'medium', timeZone: 'UTC' }).format(new Date(`${day}T00:00:00Z`)))

/** Two days without a zone and what is between them: "Mar 1 – 31, 2026". */
export const formatDays = (from: string, to: string) =>
  range(`${from}T00:00:00Z`, `${to}T00:00:00Z`, { dateStyle: 'medium', timeZone: 'UTC' })
/** The same without a year, for axes. */
export const formatDaysShort = (from: string, to: string) =>
  range(`${from}T00:00:00Z`, `${to}T00:00:00Z`, { month: 'short', day: 'numeric', timeZone: 'UTC' })
/** Two moments; what they have in common is said once. */
export const formatTimes = (from: When, to: When) => range(from, to, { dateStyle: 'medium', timeStyle: 'short' })

function range(from: When, to: When, o: Intl.DateTimeFormatOptions) {
  if (!from || !to) return '–'
  const said = whole(dates(o).formatRange(new Date(from), new Date(to))).replace(/\s–\s/, '\u00a0– ')
  if (language() === 'ja') return said.replace('～', '〜').replace(/(\d+)時(\d+)分/g, '$1:$2')
  return language() === 'zh-Hans' ? asOneDate(said) : said
}

/** Chinese ranges come with slashes; written out they are as every single date is, the year once. */
const asOneDate = (range: string) =>
  range
    .replace(/(\d{4})\/(\d+)\/(\d+)/g, '$1年$2月$3日')
    .replace(/(\d+)\/(\d+)/g, '$1月$2日')
    .replace(/^((\d{4}年).*–\s?)\2/, '$1')

const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ['second', 1],
  ['minute', 60],
  ['hour', 3600],
  ['day', 86_400],
  ['month', 2_629_800],
  ['year', 31_557_600],
]
/** The largest unit that there is one of, once rounded, and how many: 59.6 seconds are a minute. */
function inUnits(seconds: number, round: (n: number) => number): [Intl.RelativeTimeFormatUnit, number] {
  const i = units.findIndex(([, size], at) => at === units.length - 1 || Math.abs(round(seconds / size)) * size < units[at + 1]![1])
  const [unit, size] = units[i]!
  return [unit, round(seconds / size)]
}

/** "3 minutes ago", measured against now; "just now" of the last second, and of what a clock that goes wrong has ahead. */
export function formatAgo(w: When, now = Date.now()) {
  if (!w) return '–'
  const seconds = (new Date(w).getTime() - now) / 1000
  const f = kept('ago', {}, (l) => new Intl.RelativeTimeFormat(l, { numeric: 'auto' }))
  const [unit, n] = inUnits(seconds, Math.round)
  if (unit === 'second' && n >= 0) return i18next.t('time.now')
  return close(f.format(n, unit))
}

/** A stretch of time in its largest unit: "3 days", "45 minutes"; one decimal below ten. */
export function formatSpan(ms: number) {
  const [unit, n] = inUnits(ms / 1000, (x) => (x < 9.95 ? Math.round(x * 10) / 10 : Math.round(x)))
  const f = kept('span', { unit }, (l) => new Intl.NumberFormat(l, { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 1 }))
  return close(f.format(n))
}

/** A list in words: "a, b and c". */
export const formatList = (items: string[], join: 'and' | 'or' = 'and') =>
  kept('list', { join }, (l) => new Intl.ListFormat(l, { type: join === 'or' ? 'disjunction' : 'conjunction' })).format(items)
export const formatCountry = (code: string) =>
  kept('country', {}, (l) => new Intl.DisplayNames([l], { type: 'region', fallback: 'code' })).of(code) ?? code
/** A city and its country, the larger one first in Chinese and Japanese. */
export const formatPlace = (city: string, country: string) =>
  (language() === 'en' ? [city, country] : [country, city]).filter(Boolean).join(' · ')

/** What a language is called; a code that can be none stands as it is. */
export function formatLanguage(code: string) {
  try {
    const names = kept('language', {}, (l) => new Intl.DisplayNames([l], { type: 'language', fallback: 'code' }))
    return wide(names.of(code) ?? code)
  } catch {
    return code
  }
}

export interface Named {
  name?: string
  first_name?: string
  last_name?: string
  email?: string
}

/** A person's name in their own order: family name first and no space where it is written in Han or kana. */
export function formatName(p: Named): string {
  const { first_name: first, last_name: last } = p
  if (first && last) return han.test(last) ? `${last}${han.test(first) ? '' : ' '}${first}` : `${first} ${last}`
  return p.name || first || last || p.email || ''
}
