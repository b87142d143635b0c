import { Megaphone, Plus } from 'lucide-react'
import { useMemo } from 'react'
import { type Schemas, useList } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, useT } from '@/i18n'
import { useShortcuts } from '@/lib/keys'
import { useGo } from '@/lib/route'
import { type Column, ListTable, EmptyState, Link, LinkButton, ListPage, Status, Time } from '@/ui'
import { CampaignTabs } from './CampaignTabs'

type Campaign = Schemas['Campaign']

export default function CampaignListPage() {
  const t = useT()
  const go = useGo()
  const write = useCan()('campaigns.write')
  const campaigns = useList('/api/v1/campaigns', {})
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
    <ListPage title={t('nav.campaigns')} lead={t('campaigns.lead')} actions={create} views={<CampaignTabs at="list" />}>
      <ListTable
        name="campaigns"
        label={t('nav.campaigns')}
        columns={columns}
        of={campaigns}
        rowId={(c) => c.id}
        onOpen={(c) => go(`/campaigns/${c.id}`)}
        empty={<EmptyState icon={Megaphone} title={t('campaigns.empty')} text={t('campaigns.lead')} action={create} />}
      />
    </ListPage>
  )
}
