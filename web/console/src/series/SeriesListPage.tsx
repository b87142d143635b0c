import { Pause, Play, Plus, Repeat } from 'lucide-react'
import { useList } from '@/api'
import { useCan } from '@/app/session'
import { CampaignTabs } from '@/campaigns/CampaignTabs'
import { formatNumber, useT, word } from '@/i18n'
import { forGood, useBulk } from '@/jobs/useBulk'
import { useFile } from '@/jobs/useFile'
import { useShortcuts } from '@/lib/keys'
import { useClock } from '@/lib/clock'
import { useGo, useUrlState } from '@/lib/route'
import { ListTable, EmptyState, FilterBar, FilterChip, Link, LinkButton, ListPage, SavedViews, SearchBox, Status } from '@/ui'
import { rhythm } from './rhythm'

const none = { q: '', status: '' }

/** Campaigns that come again, by the clock or when a feed has news. */
export default function SeriesListPage() {
  const t = useT()
  const go = useGo()
  const can = useCan()
  const clock = useClock()
  const [filter, setFilter] = useUrlState(none)
  const query = { q: filter.q || undefined, status: (filter.status || undefined) as 'live' | undefined }
  const series = useList('/api/v1/series', { query })
  const file = useFile('series', query)
  const write = can('campaigns.write')
  const bulk = useBulk({
    acts: [
      ...(can('campaigns.send')
        ? [
            { act: 'series_pause', label: t('series.pause'), icon: <Pause size={14} /> },
            {
              act: 'series_activate',
              label: t('series.activate'),
              icon: <Play size={14} />,
              sure: (_: unknown, count: number) => ({
                title: t('bulk_sure.series_activate', { count, n: formatNumber(count) }),
                text: t('bulk_sure.series_activate_help'),
                action: t('series.activate'),
              }),
            },
            forGood('series_end', t('series.end'), t('bulk_sure.series_end_help')),
          ]
        : []),
      ...(write ? [forGood('series_delete', t('report.delete'), t('bulk_sure.series_delete_help'))] : []),
    ],
    query,
    lists: ['/api/v1/series'],
  })
  const active = filter.q !== '' || filter.status !== ''
  useShortcuts(write ? [{ keys: 'n', label: t('series.new'), run: () => go('/campaigns/series/new') }] : [])
  const create = write ? (
    <LinkButton to="/campaigns/series/new" variant="filled" leftSection={<Plus size={16} />}>
      {t('series.new')}
    </LinkButton>
  ) : null
  return (
    <ListPage
      title={t('series.title')}
      lead={t('series.lead')}
      actions={create}
      views={
        <>
          <CampaignTabs at="series" />
          <SavedViews list="series" state={filter} defaults={none} onApply={setFilter} />
        </>
      }
      filters={
        <FilterBar active={active} onClear={() => setFilter(none)}>
          <SearchBox value={filter.q} onChange={(q) => setFilter({ q })} placeholder={t('series.search')} />
          <FilterChip
            label={t('field.status')}
            value={filter.status}
            choices={['draft', 'review', 'live', 'paused', 'ended'].map((value) => ({ value, label: word('status', value) }))}
            onChange={(status) => setFilter({ status })}
          />
        </FilterBar>
      }
    >
      <ListTable
        name="series"
        label={t('series.title')}
        of={series}
        rowId={(s) => s.id}
        {...bulk}
        file={file}
        filtered={active}
        onClearFilters={() => setFilter(none)}
        onOpen={(s) => go(`/campaigns/series/${s.id}`)}
        columns={[
          { id: 'name', title: t('field.name'), cell: (s) => <Link to={`/campaigns/series/${s.id}`}>{s.name}</Link>, text: (s) => s.name },
          { id: 'status', title: t('field.status'), cell: (s) => <Status value={s.status} />, text: (s) => s.status },
          { id: 'rhythm', title: t('series.rhythm'), cell: (s) => rhythm(t, s), text: (s) => rhythm(t, s), field: 'schedule' },
          {
            id: 'next',
            title: t('series.next'),
            num: true,
            cell: (s) => clock(s.next_at),
            text: (s) => s.next_at,
            field: 'next_at',
          },
          { id: 'runs', title: t('series.run_count'), num: true, cell: (s) => formatNumber(s.runs), text: (s) => s.runs },
        ]}
        empty={<EmptyState icon={Repeat} title={t('series.empty')} action={create} />}
      />
    </ListPage>
  )
}
