import { Filter, Plus } from 'lucide-react'
import { useMemo } from 'react'
import { type Schemas, useList } from '@/api'
import { useT } from '@/i18n'
import { archiving, useBulk } from '@/jobs/useBulk'
import { useFile } from '@/jobs/useFile'
import { useShortcuts } from '@/lib/keys'
import { useGo, useUrlState } from '@/lib/route'
import {
  Ago,
  type Column,
  ListTable,
  EmptyState,
  FilterBar,
  FilterChip,
  Link,
  LinkButton,
  ListPage,
  Note,
  Num,
  SavedViews,
  SearchBox,
  Status,
} from '@/ui'
import { useCan } from '@/app/session'

type Segment = Schemas['Segment']

export default function SegmentListPage() {
  const t = useT()
  const go = useGo()
  const write = useCan()('segments.write')
  const [filter, setFilter] = useUrlState({ q: '', status: '' })
  const query = { q: filter.q || undefined, status: (filter.status || undefined) as 'active' | undefined }
  const segments = useList('/api/v1/segments', { query })
  const bulk = useBulk({
    acts: write ? [archiving('segment', filter.status === 'archived')] : [],
    query,
    lists: ['/api/v1/segments'],
  })
  const file = useFile('segments', query)
  useShortcuts(write ? [{ keys: 'n', label: t('segments.new'), run: () => go('/segments/new') }] : [])
  const columns = useMemo<Column<Segment>[]>(
    () => [
      {
        id: 'name',
        title: t('field.name'),
        cell: (s) => (
          <>
            <Link to={`/segments/${s.id}`}>{s.name}</Link>
            {s.description ? <Note>{s.description}</Note> : null}
          </>
        ),
        text: (s) => s.name,
      },
      {
        id: 'state',
        title: t('field.status'),
        cell: (s) => <Status value={s.status === 'archived' ? 'archived' : s.state} />,
        text: (s) => s.state,
      },
      { id: 'changed', title: t('field.changed'), cell: (s) => <Ago at={s.updated_at} />, text: (s) => s.updated_at, field: 'updated_at' },
      { id: 'size', title: t('field.people'), num: true, cell: (s) => <Num value={s.size} />, text: (s) => s.size },
    ],
    [t],
  )
  const clear = () => setFilter({ q: '', status: '' })
  const filtered = filter.q !== '' || filter.status !== ''
  const create = write ? (
    <LinkButton to="/segments/new" variant="filled" leftSection={<Plus size={16} />}>
      {t('segments.new')}
    </LinkButton>
  ) : null
  return (
    <ListPage
      title={t('nav.segments')}
      lead={t('segments.lead')}
      more={[
        { label: t('standing.title'), to: '/standing', rare: true },
        { label: t('maps.title'), to: '/journey-maps', rare: true },
        { label: t('personas.title'), to: '/personas', rare: true },
        { label: t('lists.title'), to: '/lists' },
      ]}
      actions={create}
      views={<SavedViews list="segments" state={filter} defaults={{ q: '', status: '' }} onApply={(s) => setFilter(s as typeof filter)} />}
      filters={
        <FilterBar active={filtered} onClear={clear}>
          <SearchBox value={filter.q} onChange={(q) => setFilter({ q })} placeholder={t('segments.search')} />
          <FilterChip
            label={t('field.status')}
            value={filter.status}
            onChange={(status) => setFilter({ status })}
            choices={['active', 'archived'].map((value) => ({ value, label: t(`status.${value}`) }))}
          />
        </FilterBar>
      }
    >
      <ListTable
        name="segments"
        label={t('nav.segments')}
        columns={columns}
        of={segments}
        rowId={(s) => s.id}
        onOpen={(s) => go(`/segments/${s.id}`)}
        {...bulk}
        file={file}
        filtered={filtered}
        onClearFilters={clear}
        empty={<EmptyState icon={Filter} title={t('segments.empty')} action={create} />}
      />
    </ListPage>
  )
}
