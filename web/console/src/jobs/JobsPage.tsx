import { ListChecks } from 'lucide-react'
import { useList, useRead } from '@/api'
import { formatNumber, useT, word } from '@/i18n'
import { useUrlState } from '@/lib/route'
import { Ago, DataTable, EmptyState, ListPage, Note, PageTabs, Progress, Sheet, Tag, type Tone } from '@/ui'
import { JobState } from './JobState'
import { figures, type Job } from './job'

const tones: Record<string, Tone> = { running: 'accent', done: 'success', failed: 'danger' }

/** Long work that people have started: what runs, and how the rest has ended. */
export default function JobsPage() {
  const t = useT()
  const [url, setUrl] = useUrlState({ tab: 'all', open: '' })
  const jobs = useList('/api/v1/jobs', {
    query: {
      active: url.tab === 'active' || undefined,
      mine: url.tab === 'mine' || undefined,
      state: url.tab === 'failed' ? 'failed' : undefined,
    },
  })
  const direct = useRead('/api/v1/jobs/{id}', { path: { id: url.open } }, { enabled: url.open !== '' })
  const shown: Job | undefined = jobs.items.find((j) => j.id === url.open) ?? direct.data
  return (
    <ListPage
      title={t('nav.jobs')}
      lead={t('jobs.lead')}
      views={
        <PageTabs
          label={t('nav.jobs')}
          tabs={['all', 'active', 'mine', 'failed'].map((x) => ({ id: x, label: t(`jobs.tab_${x}`) }))}
          value={url.tab}
          onChange={(tab) => setUrl({ tab })}
        />
      }
    >
      <DataTable
        name="jobs"
        label={t('nav.jobs')}
        rows={jobs.items}
        rowId={(j) => j.id}
        loading={jobs.loading}
        error={jobs.error}
        onRetry={jobs.reload}
        more={jobs.more}
        loadingMore={jobs.loadingMore}
        onMore={jobs.loadMore}
        onOpen={(j) => setUrl({ open: j.id })}
        columns={[
          {
            id: 'what',
            opens: true,
            title: t('jobs.what'),
            cell: (j) => (
              <div>
                {word('job_kind', j.kind)}
                {j.title ? (
                  <div>
                    <Note>{j.title}</Note>
                  </div>
                ) : null}
              </div>
            ),
            text: (j) => [word('job_kind', j.kind), j.title].filter(Boolean).join(' '),
          },
          {
            id: 'state',
            title: t('field.status'),
            cell: (j) =>
              j.state === 'running' && j.total > 0 ? (
                <Progress
                  w={96}
                  value={(100 * j.done) / j.total}
                  aria-label={t('jobs.progress', {
                    name: j.title || word('job_kind', j.kind),
                    share: formatNumber(Math.round((100 * j.done) / j.total)),
                  })}
                />
              ) : (
                <Tag tone={tones[j.state]}>{word('job_state', j.state)}</Tag>
              ),
            text: (j) => j.state,
          },
          { id: 'figures', title: t('jobs.figures'), cell: (j) => <Note>{figures(j)}</Note>, text: figures },
          { id: 'who', title: t('jobs.who'), cell: (j) => j.actor_name, text: (j) => j.actor_name },
          { id: 'begun', title: t('jobs.begun'), num: true, cell: (j) => <Ago at={j.created_at} />, text: (j) => j.created_at },
        ]}
        empty={<EmptyState icon={ListChecks} title={t(`jobs.empty_${url.tab}`)} />}
      />
      <Sheet
        title={shown?.title || (shown ? word('job_kind', shown.kind) : '')}
        opened={url.open !== '' && shown !== undefined}
        onClose={() => setUrl({ open: '' })}
      >
        {shown ? <JobState job={shown} full /> : null}
      </Sheet>
    </ListPage>
  )
}
