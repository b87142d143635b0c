// The people behind a figure of a rule that is not saved.
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { call } from '@/api'
import { useT } from '@/i18n'
import { Ago, EmptyState, ListTable, PersonLink, Sheet } from '@/ui'

/** Whom of those whom a rule concerns: all who fulfil it, or as the server names the part. */
export interface Part {
  title: string
  /** How many they are, where it is known. */
  count?: number
  condition?: string
  channel?: string
  segment_id?: string
  change?: 'entering' | 'leaving'
}

export function PreviewPeople({ rule, part, onClose }: { rule: unknown; part: Part | null; onClose: () => void }) {
  return (
    <Sheet wide title={part?.title} opened={part !== null} onClose={onClose}>
      {part ? <Rows rule={rule} part={part} /> : null}
    </Sheet>
  )
}

function Rows({ rule, part }: { rule: unknown; part: Part }) {
  const t = useT()
  const { title, count, ...which } = part
  const q = useInfiniteQuery({
    queryKey: ['/api/v1/segments/preview/people', rule, which],
    placeholderData: keepPreviousData,
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      call(
        'post',
        '/api/v1/segments/preview/people',
        { body: { rule: rule as never, ...which, limit: 50, cursor: pageParam || undefined } },
        { signal },
      ),
    getNextPageParam: (last) => last.next_cursor || undefined,
  })
  return (
    <ListTable
      name="preview-people"
      people
      total={q.hasNextPage ? count : undefined}
      label={title}
      of={{
        items: q.data?.pages.flatMap((p) => p.items ?? []) ?? [],
        loading: q.isLoading,
        loadingMore: q.isFetchingNextPage,
        error: q.error,
        more: q.hasNextPage,
        loadMore: () => void q.fetchNextPage(),
        reload: () => void q.refetch(),
      }}
      rowId={(p) => p.id}
      columns={[
        { id: 'person', title: t('field.person'), cell: (p) => <PersonLink person={p} />, text: (p) => p.id },
        {
          id: 'email',
          title: t('field.email'),
          cell: (p) => (typeof p.traits.email === 'string' ? p.traits.email : null),
          text: (p) => (typeof p.traits.email === 'string' ? p.traits.email : ''),
        },
        { id: 'seen', title: t('field.last_seen'), num: true, cell: (p) => <Ago at={p.last_seen} />, text: (p) => p.last_seen },
      ]}
      empty={<EmptyState title={t('list.nobody')} />}
    />
  )
}
