import type { Schemas } from '@/api'
import { formatDaysShort, formatNumber, useT } from '@/i18n'
import figures from '@/report/Figures.module.css'
import type { PlainFigure } from '@/report/PeopleBehind'
import { Alert, Card, Chart, EmptyState, Stack, UnstyledButton } from '@/ui'

// Who got more than so many messages is counted together: the picture stays readable, and the table has no endless tail.
const drawn = 5

/** People who got more in a week than one person should. */
export const above = (week: Schemas['PlanPressure'], person: number) =>
  person > 0 ? (week.spread ?? []).filter((s) => s.messages > person).reduce((sum, s) => sum + s.people, 0) : 0

/** How many people got how many messages, week by week, and whom it was too much for. */
export function Pressure({ plan: p, onOpen }: { plan: Schemas['Plan']; onOpen?: (f: PlainFigure) => void }) {
  const t = useT()
  const weeks = p.pressure ?? []
  const most = Math.max(0, ...weeks.flatMap((w) => (w.spread ?? []).map((s) => s.messages)))
  const name = (w: Schemas['PlanPressure']) => formatDaysShort(w.from, w.to)
  const person = p.cadence.person
  const called = (n: number) => (n === drawn && most > drawn ? t('plan.messages_more', { count: n }) : t('plan.messages', { count: n }))
  const pressed = weeks.map((week) => ({ week, people: above(week, person) })).filter((x) => x.people > 0)
  const open = onOpen
    ? (i: number, _?: string, part = 0) => {
        const w = weeks[i]
        const n = part + 1
        const more = n === drawn && most > drawn // and above
        if (w)
          onOpen({
            title: `${name(w)} · ${called(n)}`,
            query: { metric: 'pressure', from: w.from, to: w.to, least: n, ...(more ? {} : { most: n }) },
          })
      }
    : undefined
  return (
    <Card
      title={t('plan.pressure')}
      help={person ? `${t('plan.pressure_help')} ${t('plan.person_target', { count: person })}` : t('plan.pressure_help')}
    >
      {most === 0 ? (
        <EmptyState title={t('plan.no_pressure')} />
      ) : (
        <Stack gap="sm">
          {pressed.map((x) => (
            <Alert key={x.week.from} color="warning">
              {t('plan.above', { count: x.people, week: name(x.week), all: formatNumber(x.week.people), most: formatNumber(person) })}{' '}
              {onOpen ? (
                <UnstyledButton
                  data-finger
                  className={figures.link}
                  onClick={() =>
                    onOpen({ title: name(x.week), query: { metric: 'pressure', from: x.week.from, to: x.week.to, least: person + 1 } })
                  }
                >
                  {t('plan.who')}
                </UnstyledButton>
              ) : null}
            </Alert>
          ))}
          <Chart
            kind="stacked"
            title={t('plan.pressure')}
            zone={p.zone}
            onPick={open}
            data={{
              labels: weeks.map(name),
              series: Array.from({ length: Math.min(most, drawn) }, (_, i) => i + 1).map((n) => ({
                name: called(n),
                values: weeks.map((w) => (w.spread ?? []).reduce((sum, s) => sum + (Math.min(s.messages, drawn) === n ? s.people : 0), 0)),
              })),
            }}
          />
          {person && pressed.length === 0 ? <p>{t('plan.nobody_above')}</p> : null}
        </Stack>
      )}
    </Card>
  )
}
