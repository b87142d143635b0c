import { ListChecks } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { useRead } from '@/api'
import { formatNumber, useT } from '@/i18n'
import { IconButton, Indicator, Popover, Skeleton } from '@/ui'

const JobsPanel = lazy(() => import('@/jobs/JobsPanel'))

const recent = 24 * 3600_000

/** The reader's jobs: nothing while there are none, else a sign that counts what runs and opens on how it goes. */
export function Jobs() {
  const t = useT()
  const [open, setOpen] = useState(false)
  const found = useRead('/api/v1/jobs', { query: { mine: true, limit: 6 } })
  const jobs = (found.data?.items ?? []).filter((j) => !j.ended_at || found.dataUpdatedAt - Date.parse(j.ended_at) < recent)
  const active = jobs.filter((j) => !j.ended_at).length
  if (jobs.length === 0) return null
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-start" width={340} trapFocus>
      <Indicator disabled={active === 0} label={formatNumber(active)} size={16} offset={5} color="accent">
        <Popover.Target>
          <IconButton
            label={active ? t('jobs.menu', { count: active, n: formatNumber(active) }) : t('nav.jobs')}
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          >
            <ListChecks size={18} />
          </IconButton>
        </Popover.Target>
      </Indicator>
      <Popover.Dropdown>
        <Suspense fallback={<Skeleton height={64} />}>
          <JobsPanel jobs={jobs} onGo={() => setOpen(false)} />
        </Suspense>
      </Popover.Dropdown>
    </Popover>
  )
}
