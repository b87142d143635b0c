import { ListChecks } from 'lucide-react'
import { lazy, Suspense, useEffect, useEffectEvent, useRef, useState } from 'react'
import { refresh, type Schemas, useRead } from '@/api'
import { formatNumber, useT, word } from '@/i18n'
import { waited } from '@/jobs/job'
import { IconButton, Indicator, Popover, Skeleton, toast } from '@/ui'

const JobsPanel = lazy(() => import('@/jobs/JobsPanel'))

const recent = 24 * 3600_000

/** The reader's jobs: nothing while there are none, else a sign that counts what runs and opens on how it goes. When one ends it says so. */
export function Jobs() {
  const t = useT()
  const [open, setOpen] = useState(false)
  const found = useRead('/api/v1/jobs', { query: { mine: true, limit: 6 } })
  const jobs = (found.data?.items ?? []).filter((j) => !j.ended_at || found.dataUpdatedAt - Date.parse(j.ended_at) < recent)
  const active = jobs.filter((j) => !j.ended_at).length
  const running = useRef(new Set<string>())
  const tell = useEffectEvent((j: Schemas['Job']) => {
    if (j.state === 'cancelled' || waited.has(j.id)) return
    toast(t(`jobs.ended_${j.state}`, { name: j.title || word('job_kind', j.kind) }), { label: t('jobs.show'), run: () => setOpen(true) })
    void refresh(['/api/v1/lists', '/api/v1/people'])
  })
  useEffect(() => {
    const before = running.current
    running.current = new Set((found.data?.items ?? []).filter((j) => !j.ended_at).map((j) => j.id))
    for (const j of found.data?.items ?? []) if (j.ended_at && before.has(j.id)) tell(j)
  }, [found.data])
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
