import { Download, Plus, Upload, Users, UsersRound } from 'lucide-react'
import { useMemo, useState } from 'react'
import { type Schemas, useAll, useList, useRead } from '@/api'
import { useCan } from '@/app/session'
import { formatCountry, formatPlace, useT, word } from '@/i18n'
import { useExport } from '@/jobs/useExport'
import { useShortcuts } from '@/lib/keys'
import { useGo, useMaking, useUrlState } from '@/lib/route'
import {
  Ago,
  type Column,
  DataTable,
  EmptyState,
  FilterBar,
  FilterChip,
  Button,
  LinkButton,
  ListPage,
  Num,
  PersonLink,
  personName,
  SavedViews,
  SearchBox,
  Sheet,
  Status,
} from '@/ui'
import { AddToList } from './AddToList'
import { NewPerson } from './NewPerson'
import { none, query, seenChoices, who } from './filter'

type Person = Schemas['Person']

const trait = (p: Person, key: string) => (typeof p.traits[key] === 'string' ? (p.traits[key] as string) : '')
const country = (p: Person) => (/^[A-Z]{2}$/.test(trait(p, 'country')) ? formatCountry(trait(p, 'country')) : trait(p, 'country'))

const bySeen: Column<Person>['orders'] = [
  { value: 'recent', goes: 'descending' },
  { value: 'silent', goes: 'ascending' },
]

export default function PeopleListPage() {
  const t = useT()
  const go = useGo()
  const can = useCan()
  const [filter, setFilter] = useUrlState(none)
  const [opened] = useState(Date.now)
  const asked = useMemo(() => query(filter, opened), [filter, opened])
  const scope = useMemo(() => who(asked), [asked])
  const [counting, setCounting] = useState(false)
  const [making, setMaking] = useMaking()
  useShortcuts([
    ...(can('people.write') ? [{ keys: 'n', label: t('people.new'), run: () => setMaking(true) }] : []),
    ...(can('import.write') ? [{ keys: 'i', label: t('people.import'), run: () => go('/people/import') }] : []),
    { keys: 'd', label: t('people.duplicates'), run: () => go('/people/duplicates') },
  ])
  const count = useRead('/api/v1/people/count', { query: scope as never }, { enabled: counting })
  const exporting = useExport()
  const people = useList('/api/v1/people', { query: asked as never }, { size: 200 })
  const segments = useAll('/api/v1/segments', { enabled: can('segments.read') })
  const lists = useAll('/api/v1/lists', { enabled: can('segments.read') })
  const channels = useRead('/api/v1/channels', {}, { enabled: can('settings.read') })
  const sets = [...(segments.data?.items ?? []), ...(lists.data?.items ?? [])].map((s) => ({ value: s.id, label: s.name }))
  const filtered = Object.entries(filter).some(([name, value]) => name !== 'order' && value)
  const clear = () => setFilter({ ...none, order: filter.order })
  const columns = useMemo<Column<Person>[]>(
    () => [
      { id: 'person', title: t('field.person'), cell: (p) => <PersonLink person={p} />, text: personName },
      { id: 'email', title: t('field.email'), cell: (p) => trait(p, 'email'), text: (p) => trait(p, 'email') },
      {
        id: 'place',
        title: t('field.place'),
        cell: (p) => formatPlace(trait(p, 'city'), country(p)),
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
      {
        id: 'last_seen',
        title: t('field.last_seen'),
        num: true,
        orders: bySeen,
        cell: (p) => <Ago at={p.last_seen} />,
        text: (p) => p.last_seen,
      },
    ],
    [t],
  )
  return (
    <ListPage
      title={t('nav.people')}
      lead={t('people.lead')}
      more={[
        { label: t('people.duplicates'), to: '/people/duplicates', icon: <UsersRound size={16} /> },
        can('export') && {
          label: t('people.export'),
          run: () => void exporting.people(who(asked)),
          busy: exporting.busy,
          icon: <Download size={16} />,
        },
        can('import.write') && { label: t('people.import'), to: '/people/import', icon: <Upload size={16} /> },
      ]}
      actions={
        can('people.write') ? (
          <Button variant="filled" onClick={() => setMaking(true)} leftSection={<Plus size={16} />}>
            {t('people.new')}
          </Button>
        ) : null
      }
      views={<SavedViews list="people" state={filter} defaults={none} onApply={(s) => setFilter({ ...none, ...s } as typeof none)} />}
      filters={
        <FilterBar active={filtered} onClear={clear}>
          <SearchBox value={filter.q} onChange={(q) => setFilter({ q })} placeholder={t('people.search')} />
          <FilterChip
            label={t('field.status')}
            value={filter.status}
            onChange={(status) => setFilter({ status })}
            choices={['identified', 'known', 'anonymous'].map((value) => ({ value, label: word('status', value) }))}
          />
          {segments.isLoading || sets.length > 0 ? (
            <FilterChip label={t('people.filter.set')} value={filter.set} onChange={(set) => setFilter({ set })} choices={sets} />
          ) : null}
          <FilterChip
            label={t('people.filter.seen')}
            value={filter.seen}
            onChange={(seen) => setFilter({ seen })}
            choices={seenChoices.map((value) => ({ value, label: t(`people.seen.${value}`) }))}
          />
          <FilterChip
            label={t('people.filter.reach')}
            value={filter.reach}
            onChange={(reach) => setFilter({ reach })}
            choices={(channels.data?.items ?? [{ kind: 'email' }]).map((c) => ({ value: c.kind, label: word('channel', c.kind) }))}
          />
        </FilterBar>
      }
    >
      <DataTable
        name="people"
        people
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
        order={filter.order}
        onOrder={(order) => setFilter({ order })}
        onOpen={(p) => go(`/people/${p.id}`)}
        filtered={filtered}
        onClearFilters={clear}
        matching={{ scope: JSON.stringify(scope), total: count.data?.count, onAsk: () => setCounting(true) }}
        bulk={
          can('segments.write')
            ? (ids, done, all) => (
                <AddToList
                  ids={ids}
                  everybody={all ? { who: scope, count: count.data?.count ?? ids.length } : undefined}
                  lists={lists.data?.items ?? []}
                  onDone={done}
                />
              )
            : undefined
        }
        empty={
          <EmptyState
            icon={Users}
            title={t('people.empty_title')}
            text={t('people.empty')}
            action={can('import.write') ? <LinkButton to="/people/import">{t('imports.title')}</LinkButton> : undefined}
          />
        }
      />
      <Sheet title={t('people.new')} opened={making && can('people.write')} onClose={() => setMaking(false)}>
        <NewPerson onClose={() => setMaking(false)} />
      </Sheet>
    </ListPage>
  )
}
