import css from './Figures.module.css'
import { type Schemas, useList } from '@/api'
import { formatNumber, useT, word } from '@/i18n'
import { journeyReason } from '@/journeys/reasons'
import { useNames } from '@/journeys/useThings'
import { ListTable, EmptyState, Link, Money, Note, PersonLink, Sheet, Status, Time } from '@/ui'
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

/** One figure of the summary, the overview or the plan: what its list of people is asked with. */
export interface PlainFigure {
  title: string
  query: Record<string, string | number | boolean | undefined>
}

interface Sheeted {
  behind: Behind | null
  onClose: () => void
}

/** The people behind a figure of a campaign or a journey. */
/** Names of figures are words of sentences elsewhere. */
const Named = ({ title }: { title: string }) => <span className={css.title}>{title}</span>

export function PeopleBehind({ of, id, behind, onClose }: Sheeted & { of: 'campaigns' | 'journeys'; id: string }) {
  return (
    <Sheet wide title={behind && <Named title={behind.title} />} opened={behind !== null} onClose={onClose}>
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
    <Sheet wide title={figure && <Named title={figure.title} />} opened={figure !== null} onClose={onClose}>
      {figure ? <OfReport report={report} params={params} figure={figure} /> : null}
    </Sheet>
  )
}

/** The people behind a figure of the summary, of the overview, of the communication plan or of an effect. */
export function PeopleOf({
  path,
  id,
  figure,
  onClose,
}: {
  path:
    | '/api/v1/reports/summary/people'
    | '/api/v1/reports/overview/people'
    | '/api/v1/plan/people'
    | '/api/v1/reports/effect/people'
    | '/api/v1/campaigns/{id}/effect/people'
    | '/api/v1/journeys/{id}/effect/people'
  /** Of the campaign or journey that the path names. */
  id?: string
  figure: PlainFigure | null
  onClose: () => void
}) {
  return (
    <Sheet wide title={figure && <Named title={figure.title} />} opened={figure !== null} onClose={onClose}>
      {figure ? <OfFigure path={path} id={id} figure={figure} /> : null}
    </Sheet>
  )
}

function OfFigure({ path, id, figure }: { path: Parameters<typeof PeopleOf>[0]['path']; id?: string; figure: PlainFigure }) {
  return <Rows name="figure-people" title={figure.title} people={useList(path, { path: { id } as never, query: figure.query as never })} />
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
  const any = (has: (m: Schemas['PersonBehind']) => unknown) => people.items.some((m) => has(m)) // a column that is empty says nothing
  return (
    <ListTable
      name={name}
      label={title}
      of={people}
      rowId={(m) =>
        `${m.person.id} ${m.message_id ?? ''} ${m.round_id ?? ''} ${m.at ?? ''} ${m.state} ${m.event ?? ''} ${m.amount?.minor ?? ''}`
      }
      columns={[
        {
          id: 'person',
          title: t('field.person'),
          cell: (m) => <PersonLink person={m.person} />,
          text: (m) => m.person.name ?? m.person.id,
        },
        ...(any((m) => m.state)
          ? [
              {
                id: 'state',
                title: t('field.status'),
                cell: (m: Schemas['PersonBehind']) =>
                  m.state ? m.message_id || m.round_id ? <Status value={m.state} /> : word('order', m.state) : null,
                text: (m: Schemas['PersonBehind']) => m.state,
              },
            ]
          : []),
        ...(any((m) => m.event)
          ? [
              {
                id: 'event',
                title: t('field.event'),
                cell: (m: Schemas['PersonBehind']) => m.event ?? '',
                text: (m: Schemas['PersonBehind']) => m.event,
              },
            ]
          : []),
        ...(any((m) => m.times)
          ? [
              {
                id: 'times',
                title: t('report.messages'),
                num: true,
                cell: (m: Schemas['PersonBehind']) => formatNumber(m.times ?? 0),
                text: (m: Schemas['PersonBehind']) => m.times,
              },
            ]
          : []),
        ...(any((m) => m.amount)
          ? [
              {
                id: 'amount',
                title: t('report.amount'),
                num: true,
                cell: (m: Schemas['PersonBehind']) => (m.amount ? <Money {...m.amount} /> : null),
                text: (m: Schemas['PersonBehind']) => m.amount?.minor,
              },
            ]
          : []),
        ...(any((m) => m.reason)
          ? [
              {
                id: 'reason',
                title: t('field.reason'),
                cell: (m: Schemas['PersonBehind']) =>
                  m.reason ? (
                    <>
                      {m.round_id ? journeyReason({ code: m.reason, data: m.data }, names) : reasonText(m.reason, m.data)}
                      {m.detail ? <Note>{m.detail}</Note> : null}
                    </>
                  ) : null,
                text: (m: Schemas['PersonBehind']) => m.reason,
              },
            ]
          : []),
        ...(any((m) => m.round_id)
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
        ...(people.items.length === 0 || any((m) => m.at)
          ? [
              {
                id: 'time',
                title: t('field.time'),
                num: true,
                cell: (m: Schemas['PersonBehind']) => <Time at={m.at} />,
                text: (m: Schemas['PersonBehind']) => m.at,
              },
            ]
          : []),
        ...(any((m) => m.message_id)
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
