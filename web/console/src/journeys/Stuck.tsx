// What keeps people of a journey from going on: who they are, and why.
import { type Schemas, useList, useRead } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, useT, word } from '@/i18n'
import { Alert, Card, Link, ListTable, Note, Pending, PersonLink, personName, Text, Time } from '@/ui'
import { journeyReason } from './reasons'
import { useNames } from './useThings'

/** Nothing while everybody goes on. */
export function Stuck({ id }: { id: string }) {
  const t = useT()
  const can = useCan()
  const trouble = useRead('/api/v1/journey-trouble', { query: { journey: id } }, { every: 10_000 })
  const n = trouble.data
  if (!n) return trouble.isLoading ? <Pending /> : null
  return (
    <>
      {(['endless', 'entries', 'tasks'] as const).map((what) =>
        n[what] ? (
          <Alert key={what} color="warning">
            {t(`journeys.trouble_${what}`, { count: n[what], n: formatNumber(n[what]) })}
          </Alert>
        ) : null,
      )}
      {can('people.read') && n.parked + n.trying + n.overdue > 0 ? <Rounds id={id} /> : null}
    </>
  )
}

function Rounds({ id }: { id: string }) {
  const t = useT()
  const names = useNames()
  const rounds = useList('/api/v1/journey-trouble/rounds', { query: { journey: id } }, { every: 10_000 })
  const why = (r: Schemas['StuckRound']) => (r.error?.code ? journeyReason(r.error, names) : '')
  return (
    <Card title={t('journeys.stuck')} help={t('journeys.stuck_help')} flush>
      <ListTable
        bare
        name="journey-stuck"
        people
        label={t('journeys.stuck')}
        of={rounds}
        rowId={(r) => r.id}
        columns={[
          { id: 'person', title: t('field.person'), cell: (r) => <PersonLink person={r.person} />, text: (r) => personName(r.person) },
          {
            id: 'cause',
            title: t('field.status'),
            cell: (r) => (
              <>
                <Text size="sm">{word('journey_stuck', r.cause)}</Text>
                {why(r) ? <Note>{why(r)}</Note> : null}
              </>
            ),
            text: (r) => r.cause,
          },
          {
            id: 'path',
            title: t('journeys.path'),
            cell: (r) => <Link to={`/journeys/rounds/${r.id}`}>{t('journeys.path_open')}</Link>,
            text: (r) => r.id,
          },
          { id: 'time', title: t('field.time'), num: true, cell: (r) => <Time at={r.arrived_at} />, text: (r) => r.arrived_at },
        ]}
        empty={null}
      />
    </Card>
  )
}
