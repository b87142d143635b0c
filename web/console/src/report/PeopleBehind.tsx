import { type Schemas, useList } from '@/api'
import { useT } from '@/i18n'
import { journeyReason } from '@/journeys/reasons'
import { useNames } from '@/journeys/useThings'
import { ListTable, EmptyState, Link, Note, PersonLink, Sheet, Status, Time } from '@/ui'
import { reasonText } from './reason'

/** One figure whose people are asked for. */
export interface Behind {
  title: string
  metric: string
  reason?: string
  node?: string
}

/** One figure of a report of the catalogue. */
export interface ReportFigure {
  title: string
  metric: string
  /** Key of the row; absent: all rows. */
  row?: string
}

interface Sheeted {
  behind: Behind | null
  onClose: () => void
}

/** The people behind a figure of a campaign or a journey. */
export function PeopleBehind({ of, id, behind, onClose }: Sheeted & { of: 'campaigns' | 'journeys'; id: string }) {
  return (
    <Sheet wide title={behind?.title} opened={behind !== null} onClose={onClose}>
      {behind ? <OfThing of={of} id={id} behind={behind} /> : null}
    </Sheet>
  )
}

/** The people behind a figure of a report. */
export function PeopleOfReport({
  report,
  params,
  figure,
  onClose,
}: {
  report: string
  params: Record<string, string>
  figure: ReportFigure | null
  onClose: () => void
}) {
  return (
    <Sheet wide title={figure?.title} opened={figure !== null} onClose={onClose}>
      {figure ? <OfReport report={report} params={params} figure={figure} /> : null}
    </Sheet>
  )
}

function OfThing({ of, id, behind }: { of: 'campaigns' | 'journeys'; id: string; behind: Behind }) {
  const { metric, reason, node } = behind
  return (
    <Rows
      name={`${of}-people`}
      title={behind.title}
      people={useList(`/api/v1/${of}/{id}/people`, { path: { id }, query: { metric, reason, node } as never })}
    />
  )
}

function OfReport({ report, params, figure }: { report: string; params: Record<string, string>; figure: ReportFigure }) {
  const which = figure.row === undefined ? { all: true } : { row: figure.row }
  return (
    <Rows
      name={`${report}-people`}
      title={figure.title}
      people={useList('/api/v1/reports/{key}/people', { path: { key: report }, query: { ...params, ...which, metric: figure.metric } })}
    />
  )
}

type People = ReturnType<typeof useList<'/api/v1/reports/{key}/people'>>

function Rows({ name, title, people }: { name: string; title: string; people: People }) {
  const t = useT()
  const names = useNames()
  return (
    <ListTable
      name={name}
      label={title}
      of={people}
      rowId={(m) => `${m.person.id} ${m.message_id ?? ''} ${m.round_id ?? ''} ${m.at ?? ''}`}
      columns={[
        {
          id: 'person',
          title: t('field.person'),
          cell: (m) => <PersonLink person={m.person} />,
          text: (m) => m.person.name ?? m.person.id,
        },
        { id: 'state', title: t('field.status'), cell: (m) => (m.state ? <Status value={m.state} /> : null), text: (m) => m.state },
        {
          id: 'reason',
          title: t('field.reason'),
          cell: (m) =>
            m.reason ? (
              <>
                {m.round_id ? journeyReason({ code: m.reason, data: m.data }, names) : reasonText(m.reason, m.data)}
                {m.detail ? <Note>{m.detail}</Note> : null}
              </>
            ) : null,
          text: (m) => m.reason,
        },
        ...(people.items.some((m) => m.round_id)
          ? [
              {
                id: 'path',
                title: t('journeys.path'),
                cell: (m: Schemas['PersonBehind']) =>
                  m.round_id ? <Link to={`/journeys/rounds/${m.round_id}`}>{t('journeys.path_open')}</Link> : null,
                text: (m: Schemas['PersonBehind']) => m.round_id,
              },
            ]
          : []),
        { id: 'time', title: t('field.time'), num: true, cell: (m) => <Time at={m.at} />, text: (m) => m.at },
        ...(people.items.some((m) => m.message_id)
          ? [
              {
                id: 'why',
                title: t('why.column'),
                cell: (m: Schemas['PersonBehind']) =>
                  m.message_id ? <Link to={`/people/why?person=${m.person.id}&message=${m.message_id}`}>{t('why.ask')}</Link> : null,
              },
            ]
          : []),
      ]}
      empty={<EmptyState title={t('list.nobody')} />}
    />
  )
}
