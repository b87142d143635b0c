import { Plus, Puzzle } from 'lucide-react'
import { useList, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatLanguage, formatList, language, t as text, useT, word } from '@/i18n'
import { archiving, useBulk } from '@/jobs/useBulk'
import { useFile } from '@/jobs/useFile'
import { useShortcuts } from '@/lib/keys'
import { useGo, useMaking, useUrlState } from '@/lib/route'
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
  SavedViews,
  SearchBox,
  Sheet,
  Stack,
  TextInput,
  useForm,
} from '@/ui'
import { ContentTabs } from './ContentTabs'

const defaults = { q: '', status: 'active' }

/** Blocks kept in one place for many mails. */
export default function SnippetListPage() {
  const t = useT()
  const go = useGo()
  const write = useCan()('content.write')
  const [making, setMaking] = useMaking()
  const [filter, setFilter] = useUrlState(defaults)
  const query = { q: filter.q || undefined, status: filter.status as 'active' }
  const snippets = useList('/api/v1/snippets', { query })
  const bulk = useBulk({
    acts: write ? [archiving('snippet', filter.status === 'archived')] : [],
    query,
    lists: ['/api/v1/snippets'],
  })
  const file = useFile('snippets', query)
  const create = useSend('post', '/api/v1/snippets', { refresh: ['/api/v1/snippets'] })
  const form = useForm({
    initial: { name: '', key: '' },
    save: async (v) => {
      const made = await create.mutateAsync({
        body: { ...v, locale: language(), blocks: [{ id: 'b1', type: 'text', text: text('content.new.text') }] },
      })
      go(`/content/snippets/${made.key}`)
    },
  })
  useShortcuts(write ? [{ keys: 'n', label: t('snippets.new'), run: () => setMaking(true) }] : [])
  const button = write ? (
    <Button variant="filled" leftSection={<Plus size={16} />} onClick={() => setMaking(true)}>
      {t('snippets.new')}
    </Button>
  ) : null
  const active = filter.q !== '' || filter.status !== 'active'
  return (
    <ListPage
      title={t('snippets.title')}
      lead={t('snippets.lead')}
      actions={button}
      views={
        <>
          <ContentTabs current="snippets" />
          <SavedViews list="snippets" state={filter} defaults={defaults} onApply={(s) => setFilter({ ...defaults, ...s })} />
        </>
      }
      filters={
        <FilterBar active={active} onClear={() => setFilter(defaults)}>
          <SearchBox value={filter.q} onChange={(q) => setFilter({ q })} placeholder={t('snippets.search')} />
          <FilterChip
            label={t('field.status')}
            value={filter.status === 'active' ? '' : filter.status}
            choices={[{ value: 'archived', label: word('status', 'archived') }]}
            onChange={(status) => setFilter({ status: status || 'active' })}
          />
        </FilterBar>
      }
    >
      <ListTable
        name="snippets"
        label={t('snippets.title')}
        of={snippets}
        rowId={(s) => s.key}
        onOpen={(s) => go(`/content/snippets/${s.key}`)}
        {...bulk}
        file={file}
        filtered={active}
        onClearFilters={() => setFilter(defaults)}
        columns={[
          { id: 'name', title: t('field.name'), cell: (s) => <Link to={`/content/snippets/${s.key}`}>{s.name}</Link>, text: (s) => s.name },
          { id: 'key', title: t('snippets.key'), cell: (s) => <code>{s.key}</code>, text: (s) => s.key },
          {
            id: 'languages',
            title: t('content.languages'),
            cell: (s) =>
              formatList([s.locale ?? '', ...(s.translations ?? []).map((x) => x.locale)].filter(Boolean).map((l) => formatLanguage(l))) ||
              t('snippets.every_language'),
            text: (s) => s.locale,
            field: 'locale',
          },
          {
            id: 'changed',
            title: t('field.changed'),
            num: true,
            cell: (s) => <Ago at={s.updated_at} />,
            text: (s) => s.updated_at,
            field: 'updated_at',
          },
        ]}
        empty={<EmptyState icon={Puzzle} title={t('snippets.empty')} action={button} />}
      />
      <Sheet title={t('snippets.new')} opened={making} onClose={() => setMaking(false)}>
        <FormBody form={form} action={t('action.create')} onCancel={() => setMaking(false)}>
          <Stack gap="md">
            <TextInput label={t('field.name')} required maxLength={200} data-autofocus {...form.getInputProps('name')} />
            <TextInput
              label={t('snippets.key')}
              description={t('snippets.key_help')}
              required
              maxLength={100}
              placeholder="order-help"
              {...form.getInputProps('key')}
            />
          </Stack>
        </FormBody>
      </Sheet>
    </ListPage>
  )
}
