import { useRead, useSend, type Schemas } from '@/api'
import { useCan } from '@/app/session'
import { formatCivilClock, formatMoney, formatNumber, useT, word } from '@/i18n'
import { Ago, Card, Definition, Note, Pending, Select, Time, toast, toastError } from '@/ui'
import { labelName } from './words'

type Standing = Schemas['PersonStanding']

/** How one person stands, and what that rests on. */
export function StandingCard({ id }: { id: string }) {
  const standing = useRead('/api/v1/people/{id}/standing', { path: { id } })
  if (standing.isLoading) return <Pending />
  return standing.data ? <View id={id} of={standing.data} /> : null // the rest of the page does without it
}

function View({ id, of: s }: { id: string; of: Standing }) {
  const t = useT()
  const can = useCan()
  const scheme = useRead('/api/v1/standing/scheme', {}, { enabled: can('segments.read') })
  const save = useSend('put', '/api/v1/people/{id}/service', { refresh: ['/api/v1/people'] })
  const own = scheme.data?.labels?.find((l) => l.key === s.label)
  const choose = async (service: string | null) => {
    try {
      await save.mutateAsync({ path: { id }, body: { service: (service ?? '') as never } })
      toast(t('settings.saved'))
    } catch (err) {
      toastError(err)
    }
  }
  const days = (n: number) => t('standing.days', { count: Math.round(n), n: formatNumber(Math.round(n)) })
  return (
    <Card title={t('standing.card')}>
      <Definition
        items={[
          [
            t('standing.stages'),
            <div key="stage">
              {t(`standing.stage.${s.stage}`)}
              <Note>
                {s.since ? (
                  <>
                    {t('standing.since_when')} <Time at={s.since} />
                  </>
                ) : null}
                {s.next_at ? (
                  <>
                    {' · '}
                    {t('standing.next')} <Ago at={s.next_at} />
                  </>
                ) : null}
              </Note>
            </div>,
          ],
          [
            'RFM',
            s.label ? (
              <div key="label">
                {labelName(own ?? { key: s.label })}
                <Note>
                  {t('standing.scores', { r: s.r ?? 0, f: s.f ?? 0, m: s.m ?? 0 })}
                  {' · '}
                  {t('standing.orders', { count: s.orders, n: formatNumber(s.orders) })}
                  {s.spent && s.currency ? ` · ${formatMoney(s.spent, s.currency)}` : ''}
                  {s.gap_days ? ` · ${t('standing.usual', { days: days(s.gap_days) })}` : ''}
                </Note>
              </div>
            ) : null,
          ],
          [t('standing.taking_part'), s.participation ? t(`standing.part.${s.participation}`) : null],
          [t('standing.best_channel'), s.best_channel ? word('channel', s.best_channel) : null],
          [t('standing.best_hour'), s.best_hour === undefined ? null : formatCivilClock(`${s.best_hour}:00`)],
          [
            t('standing.services'),
            can('people.write') ? (
              <Select
                key="service"
                size="xs"
                aria-label={t('standing.services')}
                value={s.service_by_hand ?? ''}
                onChange={(v) => void choose(v)}
                allowDeselect={false}
                data={[
                  { value: '', label: t('standing.by_scheme', { service: t(`standing.service.${s.service}`) }) },
                  ...['high', 'low', 'tech'].map((value) => ({ value, label: t(`standing.service.${value}`) })),
                ]}
              />
            ) : (
              t(`standing.service.${s.service}`)
            ),
          ],
        ]}
      />
    </Card>
  )
}
