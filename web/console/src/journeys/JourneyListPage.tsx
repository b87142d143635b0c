import { Library, Pause, Play, Plus, Route } from 'lucide-react'
import { useMemo } from 'react'
import { type Schemas, useList, useSend } from '@/api'
import { useCan } from '@/app/session'
import { useT, word } from '@/i18n'
import { archiving, useBulk } from '@/jobs/useBulk'
import { useFile } from '@/jobs/useFile'
import { useShortcuts } from '@/lib/keys'
import { useGo, useMaking, useUrlState } from '@/lib/route'
import {
  Ago,
  Button,
  type Column,
  ListTable,
  EmptyState,
  FilterBar,
  FilterChip,
  FormBody,
  Link,
  LinkButton,
  ListPage,
  Num,
  SavedViews,
  SearchBox,
  Sheet,
  Status,
  TextInput,
  useForm,
} from '@/ui'

type Journey = Schemas['Journey']

const none = { q: '', status: '' }
const statuses = ['draft', 'live', 'paused', 'stopped', 'archived'] as const

export default function JourneyListPage() {
  const t = useT()
  const go = useGo()
  const can = useCan()
  const write = can('journeys.write')
  const [filter, setFilter] = useUrlState(none)
  const filtered = filter.q !== '' || filter.status !== ''
  const clear = () => setFilter(none)
  const query = { q: filter.q || undefined, status: statuses.find((s) => s === filter.status) }
  const journeys = useList('/api/v1/journeys', { query })
  const archived = filter.status === 'archived'
  const acts = [
    archiving('journey', archived),
    ...(archived
      ? []
      : [
          { act: 'journey_pause', label: t('journeys.pause'), icon: <Pause size={14} /> },
          { act: 'journey_resume', label: t('journeys.resume'), icon: <Play size={14} /> },
        ]),
  ]
  const bulk = useBulk({ acts: can('journeys.publish') ? acts : [], query, lists: ['/api/v1/journeys'] })
  const file = useFile('journeys', query)
  const [naming, setNaming] = useMaking()
  const create = useSend('post', '/api/v1/journeys', { refresh: ['/api/v1/journeys'] })
  const form = useForm({
    initial: { name: '' },
    save: async (v) => {
      const made = await create.mutateAsync({ body: { name: v.name, draft: { trigger: {}, nodes: [] } as never } })
      go(`/journeys/${made.id}/edit`)
    },
  })
  const columns = useMemo<Column<Journey>[]>(
    () => [
      { id: 'name', title: t('field.name'), cell: (j) => <Link to={`/journeys/${j.id}`}>{j.name}</Link>, text: (j) => j.name },
      { id: 'status', title: t('field.status'), cell: (j) => <Status value={j.status} />, text: (j) => j.status },
      { id: 'entered', title: t('journeys.entered'), num: true, cell: (j) => <Num value={j.entered} />, text: (j) => j.entered },
      {
        id: 'inside',
        title: t('journeys.inside'),
        num: true,
        cell: (j) => <Num value={j.active} />,
        text: (j) => j.active,
        field: 'active',
      },
      { id: 'goal', title: t('journeys.goal'), num: true, cell: (j) => <Num value={j.goals} />, text: (j) => j.goals, field: 'goals' },
      {
        id: 'changed',
        title: t('field.changed'),
        num: true,
        cell: (j) => <Ago at={j.updated_at} />,
        text: (j) => j.updated_at,
        field: 'updated_at',
      },
    ],
    [t],
  )
  useShortcuts(write ? [{ keys: 'n', label: t('journeys.new'), run: () => setNaming(true) }] : [])
  const start = write ? (
    <Button variant="filled" leftSection={<Plus size={16} />} onClick={() => setNaming(true)}>
      {t('journeys.new')}
    </Button>
  ) : null
  const library = (
    <LinkButton to="/journeys/library" leftSection={<Library size={16} />}>
      {t('journeys.library')}
    </LinkButton>
  )
  return (
    <ListPage
      title={t('nav.journeys')}
      lead={t('journeys.lead')}
      more={[{ label: t('journeys.library'), to: '/journeys/library', icon: <Library size={16} /> }]}
      actions={start}
      views={<SavedViews list="journeys" state={filter} defaults={none} onApply={setFilter} />}
      filters={
        <FilterBar active={filtered} onClear={clear}>
          <SearchBox value={filter.q} onChange={(q) => setFilter({ q })} placeholder={t('journeys.search')} />
          <FilterChip
            label={t('field.status')}
            value={filter.status}
            choices={statuses.map((value) => ({ value, label: word('status', value) }))}
            onChange={(status) => setFilter({ status })}
          />
        </FilterBar>
      }
    >
      <ListTable
        name="journeys"
        label={t('nav.journeys')}
        columns={columns}
        of={journeys}
        rowId={(j) => j.id}
        onOpen={(j) => go(`/journeys/${j.id}`)}
        {...bulk}
        file={file}
        filtered={filtered}
        onClearFilters={clear}
        empty={<EmptyState icon={Route} title={t('journeys.empty')} action={library} />}
      />
      <Sheet title={t('journeys.new')} opened={naming} onClose={() => setNaming(false)}>
        <FormBody form={form} action={t('action.create')} onCancel={() => setNaming(false)}>
          <TextInput label={t('field.name')} required maxLength={200} data-autofocus {...form.getInputProps('name')} />
        </FormBody>
      </Sheet>
    </ListPage>
  )
}
