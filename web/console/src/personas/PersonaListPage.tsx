import { Plus, UserSquare2 } from 'lucide-react'
import { type Schemas, useList } from '@/api'
import { useCan } from '@/app/session'
import { formatAbout, formatNumber, useT } from '@/i18n'
import { forGood, useBulk } from '@/jobs/useBulk'
import { useFile } from '@/jobs/useFile'
import { useShortcuts } from '@/lib/keys'
import { useGo, useUrlState } from '@/lib/route'
import { useSegmentNames } from '@/segments/names'
import {
  Ago,
  Button,
  EmptyState,
  ErrorState,
  FilterBar,
  Link,
  LinkButton,
  ListPage,
  ListTable,
  LoadingState,
  NothingFound,
  SavedViews,
  SearchBox,
  SegmentedControl,
} from '@/ui'
import { Face } from './Face'
import css from './personas.module.css'

const none = { q: '', as: 'cards' }

export default function PersonaListPage() {
  const t = useT()
  const go = useGo()
  const write = useCan()('segments.write')
  const [filter, setFilter] = useUrlState(none)
  const query = { q: filter.q || undefined }
  const personas = useList('/api/v1/personas', { query })
  const file = useFile('personas', query)
  const bulk = useBulk({
    acts: write ? [forGood('persona_delete', t('action.delete'), t('bulk_sure.persona_delete_help'))] : [],
    query,
    lists: ['/api/v1/personas', '/api/v1/journey-maps'],
  })
  const names = useSegmentNames()
  useShortcuts(write ? [{ keys: 'n', label: t('personas.new'), run: () => go('/personas/new') }] : [])
  const create = write ? (
    <LinkButton to="/personas/new" variant="filled" leftSection={<Plus size={16} />}>
      {t('personas.new')}
    </LinkButton>
  ) : null
  return (
    <ListPage
      title={t('personas.title')}
      lead={t('personas.lead')}
      crumbs={[{ to: '/segments', label: t('nav.segments') }]}
      actions={create}
      views={<SavedViews list="personas" state={filter} defaults={none} onApply={setFilter} />}
      filters={
        <FilterBar active={filter.q !== ''} onClear={() => setFilter({ q: '' })}>
          <SearchBox value={filter.q} onChange={(q) => setFilter({ q })} placeholder={t('personas.search')} />
          <SegmentedControl
            aria-label={t('personas.title')}
            value={filter.as}
            onChange={(as) => setFilter({ as })}
            data={['cards', 'table'].map((value) => ({ value, label: t(`personas.as_${value}`) }))}
          />
        </FilterBar>
      }
    >
      {personas.error ? (
        <ErrorState error={personas.error} onRetry={personas.reload} />
      ) : personas.loading ? (
        <LoadingState />
      ) : personas.items.length === 0 ? (
        filter.q ? (
          <NothingFound onClear={() => setFilter({ q: '' })} />
        ) : (
          <EmptyState icon={UserSquare2} title={t('personas.empty')} text={t('personas.empty_text')} action={create} />
        )
      ) : filter.as === 'table' ? (
        <ListTable
          name="personas"
          label={t('personas.title')}
          of={personas}
          rowId={(p) => p.id}
          onOpen={(p) => go(`/personas/${p.id}`)}
          {...bulk}
          file={file}
          columns={[
            {
              id: 'name',
              title: t('field.name'),
              cell: (p) => (
                <Link to={`/personas/${p.id}`} className={css.named}>
                  <Face name={p.name} colour={p.colour} picture={p.picture} size={28} />
                  {p.name}
                </Link>
              ),
              text: (p) => p.name,
            },
            { id: 'role', title: t('personas.role'), cell: (p) => p.role, text: (p) => p.role },
            {
              id: 'segment',
              title: t('personas.segment'),
              cell: (p) => names[p.segment_id ?? ''],
              text: (p) => names[p.segment_id ?? ''],
              field: 'segment_id',
            },
            {
              id: 'people',
              title: t('field.people'),
              num: true,
              cell: (p) => (p.size === undefined ? '–' : (p.unsettled ? formatAbout : formatNumber)(p.size)),
              text: (p) => p.size,
              field: 'size',
            },
            {
              id: 'changed',
              title: t('field.changed'),
              num: true,
              cell: (p) => <Ago at={p.updated_at} />,
              text: (p) => p.updated_at,
              field: 'updated_at',
            },
          ]}
        />
      ) : (
        <>
          <div className={css.grid}>
            {personas.items.map((p) => (
              <PersonaCard key={p.id} persona={p} segment={names[p.segment_id ?? '']} />
            ))}
          </div>
          {personas.more ? (
            <Button mt="md" loading={personas.loadingMore} onClick={personas.loadMore}>
              {t('action.more')}
            </Button>
          ) : null}
        </>
      )}
    </ListPage>
  )
}

function PersonaCard({ persona: p, segment }: { persona: Schemas['Persona']; segment?: string }) {
  const t = useT()
  return (
    <Link to={`/personas/${p.id}`} className={css.card}>
      <div className={css.who}>
        <Face name={p.name} colour={p.colour} picture={p.picture} />
        <div>
          <h2>{p.name}</h2>
          {p.role ? <div className={css.role}>{p.role}</div> : null}
        </div>
      </div>
      {p.quote ? <p className={css.quote}>{t('personas.quoted', { quote: p.quote })}</p> : null}
      <div className={css.foot}>
        {p.size === undefined ? (
          t('personas.no_segment')
        ) : (
          <>
            <span>{segment}</span>
            <span>{t('personas.people', { count: p.size, n: formatNumber(p.size) })}</span>
          </>
        )}
      </div>
    </Link>
  )
}
