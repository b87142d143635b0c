import { Megaphone, Plus } from 'lucide-react'
import { useMemo } from 'react'
import { type Schemas, useList } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, useT, word } from '@/i18n'
import { useShortcuts } from '@/lib/keys'
import { useGo, useUrlState } from '@/lib/route'
import {
  type Column,
  EmptyState,
  FilterBar,
  FilterChip,
  Link,
  LinkButton,
  ListPage,
  ListTable,
  SavedViews,
  SearchBox,
  Status,
  Time,
} from '@/ui'
import { CampaignTabs } from './CampaignTabs'

type Campaign = Schemas['Campaign']

const none = { q: '', status: '' }
const statuses = ['draft', 'review', 'scheduled', 'preparing', 'sending', 'paused', 'sent', 'cancelled', 'failed'] as const

export default function CampaignListPage() {
  const t = useT()
  const go = useGo()
  const write = useCan()('campaigns.write')
  const [filter, setFilter] = useUrlState(none)
  const filtered = filter.q !== '' || filter.status !== ''
  const clear = () => setFilter(none)
  const campaigns = useList('/api/v1/campaigns', {
    query: { q: filter.q || undefined, status: statuses.find((s) => s === filter.status) },
  })
  useShortcuts(write ? [{ keys: 'n', label: t('campaigns.new'), run: () => go('/campaigns/new') }] : [])
  const columns = useMemo<Column<Campaign>[]>(
    () => [
      { id: 'name', title: t('field.name'), cell: (c) => <Link to={`/campaigns/${c.id}`}>{c.name}</Link>, text: (c) => c.name },
      { id: 'status', title: t('field.status'), cell: (c) => <Status value={c.status} />, text: (c) => c.status },
      {
        id: 'progress',
        title: t('campaigns.done'),
        num: true,
        cell: (c) => (c.progress.total ? `${formatNumber(c.progress.done)} / ${formatNumber(c.progress.total)}` : '–'),
        text: (c) => c.progress.done,
      },
      {
        id: 'time',
        title: t('field.time'),
        num: true,
        cell: (c) => <Time at={c.launched_at ?? c.scheduled_at ?? c.created_at} />,
        text: (c) => c.launched_at ?? c.created_at,
      },
    ],
    [t],
  )
  const create = write ? (
    <LinkButton to="/campaigns/new" variant="filled" leftSection={<Plus size={16} />}>
      {t('campaigns.new')}
    </LinkButton>
  ) : null
  return (
    <ListPage
      title={t('nav.campaigns')}
      lead={t('campaigns.lead')}
      actions={create}
      views={
        <>
          <CampaignTabs at="list" />
          <SavedViews list="campaigns" state={filter} defaults={none} onApply={setFilter} />
        </>
      }
      filters={
        <FilterBar active={filtered} onClear={clear}>
          <SearchBox value={filter.q} onChange={(q) => setFilter({ q })} placeholder={t('campaigns.search')} />
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
        name="campaigns"
        label={t('nav.campaigns')}
        columns={columns}
        of={campaigns}
        rowId={(c) => c.id}
        onOpen={(c) => go(`/campaigns/${c.id}`)}
        filtered={filtered}
        onClearFilters={clear}
        empty={<EmptyState icon={Megaphone} title={t('campaigns.empty')} text={t('campaigns.lead')} action={create} />}
      />
    </ListPage>
  )
}
