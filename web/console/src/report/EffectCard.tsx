import { type ReactNode, useState } from 'react'
import { type Schemas, useRead } from '@/api'
import { useCan } from '@/app/session'
import { formatMoney, formatNumber, formatPercent, formatTime, useT } from '@/i18n'
import { Card, Definition, Loaded, Pending, Stack, Status, Tag, Text, type Tone, UnstyledButton } from '@/ui'
import { Share } from './Figures'
import figures from './Figures.module.css'
import { PeopleOf, type PlainFigure } from './PeopleBehind'
import css from './EffectCard.module.css'

type Difference = Schemas['EffectDifference']

const tones: Record<string, Tone> = { higher: 'success', lower: 'danger', no_difference: 'gray', too_few: 'warning', no_control: 'warning' }

/** What a campaign or journey brought about, beside what would have happened anyway. */
export function EffectCard({ of, id }: { of: 'campaigns' | 'journeys'; id: string }) {
  const t = useT()
  const effect = useRead(`/api/v1/${of}/{id}/effect`, { path: { id } })
  return (
    <Card title={t('effect.title')} help={t('effect.lead')}>
      <Loaded of={effect} rows={4}>
        {(e) => <Effect of={e} path={`/api/v1/${of}/{id}/effect/people`} id={id} />}
      </Loaded>
    </Card>
  )
}

/**
 * What the messages of a period brought about, all of them or some, against those who get none at all. Without such people there is nothing to tell.
 */
export function EffectOf({ query, title, help }: { query: Record<string, string | undefined>; title: string; help: string }) {
  const effect = useRead('/api/v1/reports/effect', { query }, { keep: true })
  if (effect.isLoading) return <Pending />
  if (!effect.data || effect.data.judgement === 'no_control') return null
  return (
    <Card wide title={title} help={help}>
      <Effect of={effect.data} path="/api/v1/reports/effect/people" query={query} />
    </Card>
  )
}

/** The words and bars of an effect; its groups lead to their people at `path`, asked with `query`. */
function Effect({
  of: e,
  path,
  id,
  query = {},
}: {
  of: Schemas['Effect']
  path: Parameters<typeof PeopleOf>[0]['path']
  id?: string
  query?: Record<string, string | undefined>
}) {
  const t = useT()
  const read = useCan()('people.read')
  const [figure, setFigure] = useState<PlainFigure | null>(null)
  const treated = e.delivered === undefined ? t('effect.led') : t('effect.treated')
  const people = (title: string, text: string, which: PlainFigure['query']) =>
    read ? (
      <UnstyledButton
        data-finger
        className={figures.link}
        onClick={() => setFigure({ title: `${title} · ${text}`, query: { ...query, ...which } })}
      >
        {text}
      </UnstyledButton>
    ) : (
      text
    )
  const group = (arm: 'treated' | 'control', title: string, rate: Schemas['Rate']) => (
    <>
      {people(title, t('effect.people', { count: rate.n, n: formatNumber(rate.n) }), { arm })}{' '}
      {people(title, t('effect.reached', { count: rate.count, n: formatNumber(rate.count) }), { arm, reached: true })} <Share rate={rate} />
    </>
  )
  const points = (x: number) => t('effect.points', { n: formatNumber(x * 100, { maximumFractionDigits: 2, signDisplay: 'exceptZero' }) })
  const judged = e.judgement === 'higher' || e.judgement === 'lower' || e.judgement === 'no_difference'
  return (
    <Stack gap="md">
      <div>
        <Tag tone={tones[e.judgement] ?? 'gray'}>{t(`effect.${e.judgement}`)}</Tag>{' '}
        {e.running ? <Status of="effect" value="running" /> : null}
        <Text mt="xs">
          {t(`effect.${e.judgement}_text`, {
            value: formatNumber(Math.abs(e.lift.value) * 100, { maximumFractionDigits: 2 }),
            treated: formatPercent(e.treated_rate.share),
            control: formatPercent(e.control_rate.share),
          })}
        </Text>
        {e.running && e.until ? (
          <Text size="sm" c="dimmed">
            {t('effect.running', { until: formatTime(e.until) })}
          </Text>
        ) : null}
      </div>
      {e.judgement === 'no_control' ? null : (
        <Definition
          items={[
            [treated, <span key="t">{group('treated', treated, e.treated_rate)}</span>],
            ...(e.delivered === undefined
              ? []
              : [
                  [
                    t('effect.got'),
                    <span key="g">
                      {people(t('effect.got'), t('effect.people', { count: e.delivered, n: formatNumber(e.delivered) }), {
                        arm: 'treated',
                        delivered: true,
                      })}{' '}
                      {e.treated_rate.n ? formatPercent(e.delivered / e.treated_rate.n) : null}
                    </span>,
                  ] as [string, ReactNode],
                ]),
            [t('effect.control'), <span key="c">{group('control', t('effect.control'), e.control_rate)}</span>],
            [t('effect.group'), t(`effect.group_${e.control}`)],
          ]}
        />
      )}
      {e.judgement !== 'no_control' && e.delivered !== undefined && e.delivered < e.treated_rate.n ? (
        <Text size="sm" c="dimmed">
          {t('effect.got_text', { n: formatNumber(e.delivered), of: formatNumber(e.treated_rate.n) })}
        </Text>
      ) : null}
      {judged ? <Interval of={e.lift} write={points} label={t('effect.lift')} /> : null}
      {(e.revenue ?? [])
        .filter((r) => r.lift.judgement !== 'no_control' && r.lift.judgement !== 'too_few')
        .map((r) => (
          <Interval
            key={r.currency}
            of={r.lift}
            label={t('effect.revenue', { currency: r.currency })}
            write={(x) => formatMoney(Math.round(x), r.currency, { signDisplay: 'exceptZero' })}
          />
        ))}
      <PeopleOf path={path} id={id} figure={figure} onClose={() => setFigure(null)} />
    </Stack>
  )
}

/** A difference as a bar: the 95 % interval, the value in it, and where nothing lies. */
function Interval({ of: d, write, label }: { of: Difference; write: (x: number) => string; label: string }) {
  const t = useT()
  const edge = Math.max(Math.abs(d.low), Math.abs(d.high), Number.EPSILON) * 1.15
  const at = (x: number) => `${(((x + edge) / (2 * edge)) * 100).toFixed(2)}%`
  const text = t('effect.interval', { value: write(d.value), low: write(d.low), high: write(d.high) })
  return (
    <div>
      <Text size="sm" fw={500}>
        <span title={t('report.interval_help')}>{t('text.pair', { label, value: text })}</span>
      </Text>
      <div className={css.bar} role="img" aria-label={t('text.pair', { label, value: text })}>
        <span className={css.line} />
        <span
          className={`${css.range} ${css[d.judgement]}`}
          style={{ insetInlineStart: at(d.low), width: `${(((d.high - d.low) / (2 * edge)) * 100).toFixed(2)}%` }}
        />
        <span className={css.zero} style={{ insetInlineStart: at(0) }} />
        <span className={`${css.point} ${css[d.judgement]}`} style={{ insetInlineStart: at(d.value) }} />
      </div>
      <div className={css.ends} aria-hidden>
        <span>{write(-edge)}</span>
        <span>{t('effect.nothing')}</span>
        <span>{write(edge)}</span>
      </div>
    </div>
  )
}
