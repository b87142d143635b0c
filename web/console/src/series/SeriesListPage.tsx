import { Plus, Repeat } from 'lucide-react'
import { useList } from '@/api'
import { useCan } from '@/app/session'
import { CampaignTabs } from '@/campaigns/CampaignTabs'
import { formatNumber, useT } from '@/i18n'
import { useFile } from '@/jobs/useFile'
import { useShortcuts } from '@/lib/keys'
import { useGo } from '@/lib/route'
import { ListTable, EmptyState, Link, LinkButton, ListPage, Status, Time } from '@/ui'
import { rhythm } from './rhythm'

/** Campaigns that come again, by the clock or when a feed has news. */
export default function SeriesListPage() {
  const t = useT()
  const go = useGo()
  const series = useList('/api/v1/series', {})
  const file = useFile('series', {})
  const write = useCan()('campaigns.write')
  useShortcuts(write ? [{ keys: 'n', label: t('series.new'), run: () => go('/campaigns/series/new') }] : [])
  const create = write ? (
    <LinkButton to="/campaigns/series/new" variant="filled" leftSection={<Plus size={16} />}>
      {t('series.new')}
    </LinkButton>
  ) : null
  return (
    <ListPage title={t('series.title')} lead={t('series.lead')} actions={create} views={<CampaignTabs at="series" />}>
      <ListTable
        name="series"
        label={t('series.title')}
        of={series}
        rowId={(s) => s.id}
        file={file}
        onOpen={(s) => go(`/campaigns/series/${s.id}`)}
        columns={[
          { id: 'name', title: t('field.name'), cell: (s) => <Link to={`/campaigns/series/${s.id}`}>{s.name}</Link>, text: (s) => s.name },
          { id: 'status', title: t('field.status'), cell: (s) => <Status value={s.status} />, text: (s) => s.status },
          { id: 'rhythm', title: t('series.rhythm'), cell: (s) => rhythm(t, s), text: (s) => rhythm(t, s), field: 'schedule' },
          {
            id: 'next',
            title: t('series.next'),
            num: true,
            cell: (s) => <Time at={s.next_at} />,
            text: (s) => s.next_at,
            field: 'next_at',
          },
          { id: 'runs', title: t('series.runs'), num: true, cell: (s) => formatNumber(s.runs), text: (s) => s.runs },
        ]}
        empty={<EmptyState icon={Repeat} title={t('series.empty')} text={t('series.lead')} action={create} />}
      />
    </ListPage>
  )
}
