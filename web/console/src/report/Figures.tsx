import type { Schemas } from '@/api'
import { formatNumber, formatPercent, useT, word } from '@/i18n'
import { Amounts, Card, DataTable, Num, Stat, StatRow, UnstyledButton } from '@/ui'
import type { Behind } from './PeopleBehind'
import css from './Figures.module.css'

type Rate = Schemas['Rate']

const metrics = [
  'audience',
  'refused',
  'queued',
  'sent',
  'delivered',
  'bounced',
  'failed',
  'opened',
  'clicked',
  'converted',
  'unsubscribed',
] as const

/** What is shown only where it happened. */
const rare = ['machine_opened', 'machine_clicked', 'replied', 'complained'] as const

/** A share with its 95 % interval and what it is a share of. */
export function Share({ rate }: { rate: Rate | undefined }) {
  const t = useT()
  if (!rate?.n) return null
  return (
    <span className={css.share}>
      <span className={css.part}>{t('report.share_of', { share: formatPercent(rate.share), n: formatNumber(rate.n) })}</span>{' '}
      <span className={css.part} title={t('report.interval_help')}>
        {t('report.interval', { low: formatPercent(rate.low), high: formatPercent(rate.high) })}
      </span>
    </span>
  )
}

/** The figures of messages as tiles, each leading to the people behind it, and why some were held back. */
export function Figures({ of: r, onOpen }: { of: Schemas['MessageFigures']; onOpen: (behind: Behind) => void }) {
  const t = useT()
  const rates = r.rates as Record<string, Rate>
  return (
    <>
      <StatRow>
        {[...metrics, ...rare.filter((m) => r[m] > 0)].map((m) => (
          <Stat
            key={m}
            label={t(`metric.${m}`)}
            value={<Num value={r[m]} />}
            note={<Share rate={rates[m]} />}
            onClick={() => onOpen({ title: t(`metric.${m}`), metric: m })}
          />
        ))}
        {(['revenue', 'refunded'] as const).map((m) =>
          r[m]?.length ? (
            <Stat
              key={m}
              wide={r[m].length > 1}
              label={t(`metric.${m}`)}
              value={
                <span className={css.money}>
                  <Amounts of={r[m]} />
                </span>
              }
              onClick={() => onOpen({ title: t(`metric.${m}`), metric: m })}
            />
          ) : null,
        )}
        {r.uncertain ? (
          <Stat
            label={t('metric.uncertain')}
            value={<Num value={r.uncertain} />}
            note={t('metric.uncertain_help')}
            onClick={() => onOpen({ title: t('metric.uncertain'), metric: 'uncertain' })}
          />
        ) : null}
      </StatRow>
      {r.refused_by_reason?.length ? (
        <Card title={t('report.refused')} flush>
          <DataTable
            bare
            plain
            name="report.refused"
            label={t('report.refused')}
            rows={r.refused_by_reason}
            rowId={(x) => x.reason}
            columns={[
              {
                id: 'reason',
                title: t('field.reason'),
                cell: (x) => (
                  <UnstyledButton
                    data-finger
                    className={css.link}
                    onClick={() =>
                      onOpen({ title: `${t('metric.refused')} · ${word('reason', x.reason)}`, metric: 'refused', reason: x.reason })
                    }
                  >
                    {word('reason', x.reason)}
                  </UnstyledButton>
                ),
              },
              { id: 'count', title: t('field.people'), num: true, cell: (x) => <Num value={x.count} /> },
            ]}
          />
        </Card>
      ) : null}
    </>
  )
}
