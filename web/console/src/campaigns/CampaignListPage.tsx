import { Megaphone, Pause, Play, Plus } from 'lucide-react'
import { useMemo } from 'react'
import { type Schemas, useList } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, useT, word } from '@/i18n'
import { archiving, useBulk } from '@/jobs/useBulk'
import { useFile } from '@/jobs/useFile'
import { useShortcuts } from '@/lib/keys'
import { useClock } from '@/lib/clock'
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
  Num,
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
  const can = useCan()
  const write = can('campaigns.write')
  const [filter, setFilter] = useUrlState(none)
  const filtered = filter.q !== '' || filter.status !== ''
  const clear = () => setFilter(none)
  const archived = filter.status === 'archived'
  const query = {
    q: filter.q || undefined,
    status: statuses.find((s) => s === filter.status),
    archived: archived ? ('yes' as const) : ('no' as const),
  }
  const campaigns = useList('/api/v1/campaigns', { query })
  const send = [
    { act: 'campaign_pause', label: t('campaigns.pause'), icon: <Pause size={14} /> },
    { act: 'campaign_resume', label: t('campaigns.resume'), icon: <Play size={14} /> },
  ]
  const bulk = useBulk({
    acts: [...(write ? [archiving('campaign', archived)] : []), ...(can('campaigns.send') && !archived ? send : [])],
    query,
    lists: ['/api/v1/campaigns'],
  })
  const file = useFile('campaigns', query)
  useShortcuts(write ? [{ keys: 'n', label: t('campaigns.new'), run: () => go('/campaigns/new') }] : [])
  const clock = useClock()
  const columns = useMemo<Column<Campaign>[]>(
    () => [
      { id: 'name', title: t('field.name'), cell: (c) => <Link to={`/campaigns/${c.id}`}>{c.name}</Link>, text: (c) => c.name },
      {
        id: 'status',
        title: t('field.status'),
        cell: (c) => <Status value={c.archived_at ? 'archived' : c.status} />,
        text: (c) => c.status,
      },
      {
        id: 'progress',
        title: t('campaigns.done'),
        num: true,
        cell: (c) => (c.progress.total ? `${formatNumber(c.progress.done)} / ${formatNumber(c.progress.total)}` : '–'),
        text: (c) => c.progress.done,
        field: 'progress.done',
      },
      {
        id: 'time',
        title: t('field.time'),
        num: true,
        cell: (c) => clock(c.launched_at ?? c.scheduled_at ?? c.created_at),
        text: (c) => c.launched_at ?? c.scheduled_at ?? c.created_at,
        field: 'launched_at,scheduled_at,created_at',
      },
      {
        id: 'audience',
        title: t('campaigns.audience'),
        num: true,
        optional: true,
        cell: (c) => <Num value={c.progress.total} />,
        text: (c) => c.progress.total,
        field: 'progress.total',
      },
      {
        id: 'channel',
        title: t('field.channel'),
        optional: true,
        cell: (c) => word('channel', c.channel ?? 'email'),
        text: (c) => c.channel,
      },
      {
        id: 'created_at',
        title: t('field.created'),
        num: true,
        optional: true,
        cell: (c) => <Time at={c.created_at} />,
        text: (c) => c.created_at,
      },
      {
        id: 'updated_at',
        title: t('field.changed'),
        num: true,
        optional: true,
        cell: (c) => <Time at={c.updated_at} />,
        text: (c) => c.updated_at,
      },
    ],
    [t, clock],
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
            choices={[...statuses, 'archived'].map((value) => ({ value, label: word('status', value) }))}
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
        {...bulk}
        file={file}
        filtered={filtered}
        onClearFilters={clear}
        empty={<EmptyState icon={Megaphone} title={t('campaigns.empty')} action={create} />}
      />
    </ListPage>
  )
}
