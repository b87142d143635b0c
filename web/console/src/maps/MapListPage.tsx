import { Map as MapIcon, Plus } from 'lucide-react'
import { type Schemas, useAll, useList, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, language, useT } from '@/i18n'
import { forGood, useBulk } from '@/jobs/useBulk'
import { useFile } from '@/jobs/useFile'
import { useShortcuts } from '@/lib/keys'
import { useGo, useMaking, useUrlState } from '@/lib/route'
import { Face } from '@/personas/Face'
import {
  Ago,
  Button,
  ListTable,
  EmptyState,
  FilterBar,
  FilterChip,
  FormBody,
  Link,
  ListPage,
  Loaded,
  Note,
  Radio,
  SavedViews,
  SearchBox,
  Select,
  Sheet,
  Stack,
  TextInput,
  useForm,
} from '@/ui'
import css from './maps.module.css'

const none = { q: '', persona: '' }

export default function MapListPage() {
  const t = useT()
  const go = useGo()
  const write = useCan()('segments.write')
  const [making, setMaking] = useMaking()
  const [filter, setFilter] = useUrlState(none)
  const query = { q: filter.q || undefined, persona: filter.persona || undefined }
  const maps = useList('/api/v1/journey-maps', { query })
  const file = useFile('maps', query)
  const bulk = useBulk({
    acts: write ? [forGood('journey_map_delete', t('action.delete'), t('bulk_sure.journey_map_delete_help'))] : [],
    query,
    lists: ['/api/v1/journey-maps'],
  })
  const active = filter.q !== '' || filter.persona !== ''
  const personas = useAll('/api/v1/personas')
  useShortcuts(write ? [{ keys: 'n', label: t('maps.new'), run: () => setMaking(true) }] : [])
  const create = write ? (
    <Button variant="filled" leftSection={<Plus size={16} />} onClick={() => setMaking(true)}>
      {t('maps.new')}
    </Button>
  ) : null
  const who = (id?: string) => personas.data?.items?.find((p) => p.id === id)
  return (
    <ListPage
      title={t('maps.title')}
      lead={t('maps.lead')}
      crumbs={[{ to: '/segments', label: t('nav.segments') }]}
      actions={create}
      views={<SavedViews list="maps" state={filter} defaults={none} onApply={setFilter} />}
      filters={
        <FilterBar active={active} onClear={() => setFilter(none)}>
          <SearchBox value={filter.q} onChange={(q) => setFilter({ q })} placeholder={t('maps.search')} />
          <FilterChip
            label={t('maps.persona')}
            value={filter.persona}
            choices={(personas.data?.items ?? []).map((p) => ({ value: p.id, label: p.name }))}
            onChange={(persona) => setFilter({ persona })}
          />
        </FilterBar>
      }
    >
      <ListTable
        name="journey-maps"
        label={t('maps.title')}
        of={maps}
        rowId={(m) => m.id}
        {...bulk}
        file={file}
        filtered={active}
        onClearFilters={() => setFilter(none)}
        onOpen={(m) => go(`/journey-maps/${m.id}`)}
        columns={[
          {
            id: 'name',
            title: t('field.name'),
            cell: (m) => (
              <>
                <Link to={`/journey-maps/${m.id}`}>{m.name}</Link>
                {m.description ? <Note>{m.description}</Note> : null}
              </>
            ),
            text: (m) => m.name,
          },
          {
            id: 'persona',
            title: t('maps.persona'),
            cell: (m) => <Who persona={who(m.persona_id)} />,
            text: (m) => who(m.persona_id)?.name,
            field: 'persona_id',
          },
          { id: 'stages', title: t('maps.stages'), num: true, cell: (m) => formatNumber(m.stages.length), text: (m) => m.stages.length },
          {
            id: 'changed',
            title: t('field.changed'),
            num: true,
            cell: (m) => <Ago at={m.updated_at} />,
            text: (m) => m.updated_at,
            field: 'updated_at',
          },
        ]}
        empty={<EmptyState icon={MapIcon} title={t('maps.empty')} action={create} />}
      />
      <Sheet title={t('maps.new')} opened={making} onClose={() => setMaking(false)}>
        <NewMap personas={personas.data?.items ?? []} onClose={() => setMaking(false)} />
      </Sheet>
    </ListPage>
  )
}

const Who = ({ persona }: { persona?: Schemas['Persona'] }) =>
  persona ? (
    <Link to={`/personas/${persona.id}`} className={css.who}>
      <Face name={persona.name} colour={persona.colour} picture={persona.picture} size={28} />
      {persona.name}
    </Link>
  ) : null

function NewMap({ personas, onClose }: { personas: Schemas['Persona'][]; onClose: () => void }) {
  const t = useT()
  const go = useGo()
  const ready = useRead('/api/v1/journey-maps/ready', { query: { locale: language() } })
  const create = useSend('post', '/api/v1/journey-maps', { refresh: ['/api/v1/journey-maps'] })
  const form = useForm({
    initial: { name: '', ready: 'first_purchase', persona_id: null as string | null },
    save: async (v) => {
      const made = await create.mutateAsync({
        body: {
          name: v.name || (v.ready ? undefined : t('maps.untitled')),
          ready: v.ready || undefined,
          locale: language(),
          persona_id: v.persona_id ?? undefined,
          stages: v.ready ? undefined : [{ id: 's1', name: t('maps.first_stage'), mood: 0 }],
        },
      })
      go(`/journey-maps/${made.id}`)
    },
    onDone: onClose,
  })
  return (
    <FormBody form={form} action={t('action.create')} onCancel={onClose}>
      <Loaded of={ready}>
        {(r) => (
          <Radio.Group label={t('maps.begin_with')} {...form.getInputProps('ready')}>
            <Stack gap="sm" mt="xs">
              {r.maps.map((m) => (
                <Radio
                  key={m.key}
                  value={m.key}
                  label={m.name}
                  description={
                    <>
                      {m.description}
                      <br />
                      {m.stages.join(' → ')}
                    </>
                  }
                />
              ))}
              <Radio value="" label={t('maps.blank')} description={t('maps.blank_help')} />
            </Stack>
          </Radio.Group>
        )}
      </Loaded>
      <TextInput
        label={t('field.name')}
        placeholder={ready.data?.maps.find((m) => m.key === form.values.ready)?.name}
        maxLength={120}
        {...form.getInputProps('name')}
      />
      <Select
        label={t('maps.persona')}
        description={t('maps.persona_help')}
        clearable
        searchable
        data={personas.map((p) => ({ value: p.id, label: p.name }))}
        {...form.getInputProps('persona_id')}
      />
    </FormBody>
  )
}
