import { useList } from '@/api'
import { useT, word } from '@/i18n'
import { DataTable, EmptyState, Note, PersonLink, Sheet, Status, Time } from '@/ui'

/** One figure whose people are asked for. */
export interface Behind {
  title: string
  metric: string
  reason?: string
  node?: string
}

/** The people behind a figure of a campaign or a journey. */
export function PeopleBehind({
  of,
  id,
  behind,
  onClose,
}: {
  of: 'campaigns' | 'journeys'
  id: string
  behind: Behind | null
  onClose: () => void
}) {
  return (
    <Sheet wide title={behind?.title} opened={behind !== null} onClose={onClose}>
      {behind ? <Rows of={of} id={id} behind={behind} /> : null}
    </Sheet>
  )
}

function Rows({ of, id, behind }: { of: 'campaigns' | 'journeys'; id: string; behind: Behind }) {
  const t = useT()
  const { metric, reason, node } = behind
  const people = useList(`/api/v1/${of}/{id}/people`, { path: { id }, query: { metric, reason, node } as never })
  return (
    <DataTable
      name={`${of}-people`}
      label={behind.title}
      rows={people.items}
      rowId={(m) => `${m.person.id} ${m.message_id ?? ''} ${m.round_id ?? ''} ${m.at ?? ''}`}
      loading={people.loading}
      error={people.error}
      onRetry={people.reload}
      more={people.more}
      loadingMore={people.loadingMore}
      onMore={people.loadMore}
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
                {word('reason', m.reason)}
                {m.detail ? <Note>{m.detail}</Note> : null}
              </>
            ) : null,
          text: (m) => m.reason,
        },
        { id: 'time', title: t('field.time'), num: true, cell: (m) => <Time at={m.at} />, text: (m) => m.at },
      ]}
      empty={<EmptyState title={t('list.nobody')} />}
    />
  )
}
