import { ArrowDown, ArrowUp, Minus } from 'lucide-react'
import type { Schemas } from '@/api'
import { formatNumber, formatPercent, useT } from '@/i18n'
import { Tooltip } from '@/ui'
import { type Change, changeOf, news, rateChange } from './compare'
import css from './Delta.module.css'

type Rate = Schemas['Rate']

const arrows = { up: ArrowUp, down: ArrowDown, same: Minus }

function Arrow({ change, figure, text, hint }: { change: Change; figure: string; text: string; hint: string }) {
  const Icon = arrows[change.way]
  const tone = news(figure, change)
  return (
    <Tooltip label={hint} multiline maw={320}>
      <span className={`${css.delta} ${tone === 'good' ? css.good : tone === 'bad' ? css.bad : ''}`}>
        <Icon size={12} aria-hidden />
        <span>{text}</span>
        <span className="visually-hidden">{hint}</span>
      </span>
    </Tooltip>
  )
}

/** A count beside the one of the period before. */
export function Delta({
  figure,
  now,
  before,
  format = formatNumber,
}: {
  figure: string
  now: number
  before: number | undefined
  format?: (n: number) => string
}) {
  const t = useT()
  const c = changeOf(now, before)
  if (!c || (now === 0 && before === 0)) return null
  const text = c.by === null ? t('report.from_nothing') : c.way === 'same' ? t('report.same') : formatPercent(Math.abs(c.by), 0)
  return <Arrow change={c} figure={figure} text={text} hint={t('report.before', { value: format(before ?? 0) })} />
}

/** A share beside the one of the period before, each with what it was made of and its interval. */
export function RateDelta({ figure, now, before }: { figure: string; now: Rate | undefined; before: Rate | undefined }) {
  const t = useT()
  const c = rateChange(now, before)
  if (!c || !before) return null
  const hint = t('report.before', {
    value: t('report.share', {
      share: formatPercent(before.share),
      low: formatPercent(before.low),
      high: formatPercent(before.high),
      n: formatNumber(before.n),
    }),
  })
  return (
    <Arrow
      change={c}
      figure={figure}
      text={t('report.points', { n: formatNumber(Math.abs(c.by ?? 0) * 100, { maximumFractionDigits: 1 }) })}
      hint={c.unsure ? `${hint} ${t('report.unsure')}` : hint}
    />
  )
}
