import { Plus, UserSquare2 } from 'lucide-react'
import { type Schemas, useList } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, useT } from '@/i18n'
import { useShortcuts } from '@/lib/keys'
import { useGo, useUrlState } from '@/lib/route'
import { useSegmentNames } from '@/segments/names'
import { Button, EmptyState, ErrorState, FilterBar, Link, LinkButton, ListPage, LoadingState, NothingFound, SearchBox } from '@/ui'
import { Face } from './Face'
import css from './personas.module.css'

export default function PersonaListPage() {
  const t = useT()
  const go = useGo()
  const write = useCan()('segments.write')
  const [filter, setFilter] = useUrlState({ q: '' })
  const personas = useList('/api/v1/personas', { query: { q: filter.q || undefined } })
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
      filters={
        <FilterBar active={filter.q !== ''} onClear={() => setFilter({ q: '' })}>
          <SearchBox value={filter.q} onChange={(q) => setFilter({ q })} placeholder={t('personas.search')} />
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
