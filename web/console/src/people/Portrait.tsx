import { type Schemas } from '@/api'
import {
  formatAgo,
  formatCivilClock,
  formatCountry,
  formatLanguage,
  formatMoney,
  formatNumber,
  formatPercent,
  formatTime,
  formatZone,
  hasText,
  t,
  useT,
  word,
} from '@/i18n'
import { Card, Definition, Note } from '@/ui'
import { deviceName } from './device'
import css from './Portrait.module.css'

type Portrait = Schemas['Portrait']
type Evidence = Schemas['Evidence']
type Share = Schemas['Share']
type Worth = Schemas['Value']
type Engagement = Schemas['Engagement']
interface Figure {
  value: unknown
  evidence: Evidence
}

/** Who this is, what they are worth, what they like; each figure with its evidence. */
export function Portrait({ portrait }: { portrait: Portrait }) {
  useT()
  return (
    <>
      <Card title={t('portrait.basic')}>
        <Figures of={portrait.basic} />
      </Card>
      <Card title={t('portrait.assets')}>
        <Figures of={portrait.assets} />
      </Card>
      <Card title={t('portrait.preferences')}>
        <Figures of={portrait.preferences} />
        {portrait.preferences.hours ? <Hours figure={portrait.preferences.hours} /> : null}
      </Card>
    </>
  )
}

function Figures({ of }: { of: object }) {
  useT()
  const entries = Object.entries(of as Record<string, Figure | Figure[] | null | undefined>).filter(
    ([k, f]) => k !== 'hours' && f && (!Array.isArray(f) || f.length > 0),
  )
  if (entries.length === 0) return <p className={css.none}>{t('portrait.nothing')}</p>
  return (
    <Definition
      items={entries.map(([key, f]) => {
        const list = Array.isArray(f) ? f : [f as Figure]
        return [
          word('figure', key),
          <div key={key}>
            {list.map((x) => (
              <div key={shown(key, x.value)}>{shown(key, x.value)}</div>
            ))}
            <EvidenceNote of={list[0]!.evidence} />
          </div>,
        ]
      })}
    />
  )
}

function EvidenceNote({ of: e }: { of: Evidence }) {
  useT()
  const events = e.events ? t('evidence.events', { count: e.events, last: e.last ? formatAgo(e.last) : '' }) : ''
  return <Note>{[word('evidence', e.rule), events].filter(Boolean).join(' · ')}</Note>
}

// A figure is text, a number, a time, a share of several, money, or engagement on a channel.
function shown(key: string, v: unknown): string {
  if (typeof v === 'number') return key === 'days_related' ? t('standing.days', { count: v, n: formatNumber(v) }) : formatNumber(v)
  if (typeof v === 'string') {
    if (/^\d{4}-\d\d-\d\dT/.test(v)) return formatTime(v)
    if (key === 'country' && /^[A-Z]{2}$/.test(v)) return formatCountry(v)
    if (key === 'language' && /^[a-z]{2}(-\w+)*$/.test(v)) return formatLanguage(v)
    if (key === 'timezone') return formatZone(v)
    return hasText(`channel.${v}`) ? word('channel', v) : v
  }
  const o = v as Partial<Share & Worth & Engagement>
  if (o.share !== undefined) return `${key === 'devices' ? deviceName(String(o.value)) : o.value} ${formatPercent(o.share, 0)}`
  if (o.net !== undefined)
    return t('figure.money', {
      count: o.orders ?? 0,
      net: formatMoney(o.net, o.currency ?? ''),
      n: formatNumber(o.orders ?? 0),
      average: formatMoney(o.average ?? 0, o.currency ?? ''),
    })
  if (o.sent !== undefined)
    return t('figure.engagement', {
      channel: word('channel', o.channel ?? ''),
      sent: formatNumber(o.sent),
      opened: formatNumber(o.opened ?? 0),
      clicked: formatNumber(o.clicked ?? 0),
    })
  return JSON.stringify(v)
}

function Hours({ figure }: { figure: Schemas['FigureHours'] }) {
  useT()
  const { hours, peak, zone } = figure.value
  const top = Math.max(...(hours ?? []), 1)
  const label = t('figure.hours', { peak: formatCivilClock(`${peak}:00`), zone: formatZone(zone) })
  return (
    <div className={css.hours}>
      <div className={css.bars} role="img" aria-label={label}>
        {(hours ?? []).map((n, hour) => (
          // oxlint-disable-next-line react/no-array-index-key -- the hour is the identity
          <i
            key={hour}
            data-peak={hour === peak || undefined}
            data-none={n === 0 || undefined}
            style={{ height: `${Math.max(4, (n / top) * 100)}%` }}
            title={`${formatCivilClock(`${hour}:00`)} · ${formatNumber(n)}`}
          />
        ))}
      </div>
      <div className={css.axis} aria-hidden>
        {[0, 6, 12, 18].map((hour) => (
          <span key={hour} style={{ gridColumn: hour + 1, width: 0 }}>
            {hour}
          </span>
        ))}
      </div>
      <Note>{label}</Note>
    </div>
  )
}
