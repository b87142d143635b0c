import type { Schemas } from '@/api'
import { formatCivilClock, formatList, formatNumber, language } from '@/i18n'

type T = (key: string, values?: Record<string, string>) => string

/** The name of a weekday, 0 is Sunday. */
export const weekday = (d: number, width: 'long' | 'short' = 'long') =>
  new Intl.DateTimeFormat(language(), { weekday: width, timeZone: 'UTC' }).format(new Date(Date.UTC(2026, 0, 4 + d)))

/** When a series comes, in words. */
export function rhythm(t: T, s: Pick<Schemas['SeriesDraft'], 'schedule' | 'feed'>): string {
  const x = s.schedule
  const at = formatCivilClock(x.at ?? '')
  const words =
    x.every === 'week'
      ? t('series.every_week', { days: formatList((x.weekdays ?? []).map((d) => weekday(d))), at })
      : x.every === 'month'
        ? t('series.every_month', { day: formatNumber(x.day ?? 1), at })
        : x.every === 'cron'
          ? (x.cron ?? '')
          : t('series.every_day', { at })
  return s.feed ? t('series.if_news', { rhythm: words }) : words
}
