import { Users } from 'lucide-react'
import { useMemo } from 'react'
import { type Schemas, useList } from '@/api'
import { formatCountry, useT } from '@/i18n'
import { useGo, useUrlState } from '@/lib/route'
import {
  Ago,
  type Column,
  DataTable,
  EmptyState,
  FilterBar,
  ListPage,
  Num,
  PersonLink,
  personName,
  SavedViews,
  SearchBox,
  Status,
} from '@/ui'

type Person = Schemas['Person']

const trait = (p: Person, key: string) => (typeof p.traits[key] === 'string' ? (p.traits[key] as string) : '')
const country = (p: Person) => (/^[A-Z]{2}$/.test(trait(p, 'country')) ? formatCountry(trait(p, 'country')) : trait(p, 'country'))

export default function PeopleListPage() {
  const t = useT()
  const go = useGo()
  const [filter, setFilter] = useUrlState({ q: '' })
  const people = useList('/api/v1/people', { query: { q: filter.q || undefined } })
  const columns = useMemo<Column<Person>[]>(
    () => [
      { id: 'person', title: t('field.person'), cell: (p) => <PersonLink person={p} />, text: personName },
      { id: 'email', title: t('field.email'), cell: (p) => trait(p, 'email'), text: (p) => trait(p, 'email') },
      {
        id: 'place',
        title: t('field.place'),
        cell: (p) => [trait(p, 'city'), country(p)].filter(Boolean).join(' · '),
        text: (p) => `${trait(p, 'city')} ${country(p)}`.trim(),
      },
      { id: 'status', title: t('field.status'), cell: (p) => <Status value={p.status} />, text: (p) => p.status },
      {
        id: 'events',
        title: t('person.events'),
        num: true,
        cell: (p) => <Num value={p.counters?.events ?? 0} />,
        text: (p) => p.counters?.events ?? 0,
      },
      {
        id: 'first_seen',
        title: t('person.first_seen'),
        optional: true,
        cell: (p) => <Ago at={p.first_seen} />,
        text: (p) => p.first_seen,
      },
      { id: 'last_seen', title: t('field.last_seen'), num: true, cell: (p) => <Ago at={p.last_seen} />, text: (p) => p.last_seen },
    ],
    [t],
  )
  return (
    <ListPage
      title={t('nav.people')}
      lead={t('people.lead')}
      views={<SavedViews list="people" state={filter} defaults={{ q: '' }} onApply={(s) => setFilter(s as { q: string })} />}
      filters={
        <FilterBar active={filter.q !== ''} onClear={() => setFilter({ q: '' })}>
          <SearchBox value={filter.q} onChange={(q) => setFilter({ q })} placeholder={t('people.search')} />
        </FilterBar>
      }
    >
      <DataTable
        name="people"
        label={t('nav.people')}
        columns={columns}
        rows={people.items}
        rowId={(p) => p.id}
        loading={people.loading}
        error={people.error}
        onRetry={people.reload}
        more={people.more}
        loadingMore={people.loadingMore}
        onMore={people.loadMore}
        onOpen={(p) => go(`/people/${p.id}`)}
        filtered={filter.q !== ''}
        onClearFilters={() => setFilter({ q: '' })}
        empty={<EmptyState icon={Users} title={t('people.empty_title')} text={t('people.empty')} />}
      />
    </ListPage>
  )
}
