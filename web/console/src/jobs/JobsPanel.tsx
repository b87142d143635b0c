import { useT } from '@/i18n'
import { Divider, Link, ScrollArea, Stack } from '@/ui'
import { JobState } from './JobState'
import type { Job } from './job'

/** What opens from the sign of jobs in the frame. */
export default function JobsPanel({ jobs, onGo }: { jobs: Job[]; onGo: () => void }) {
  const t = useT()
  return (
    <Stack gap="sm">
      <ScrollArea.Autosize mah={380} type="auto">
        <Stack gap="sm">
          {jobs.map((j, i) => (
            <Stack key={j.id} gap="sm">
              {i > 0 ? <Divider /> : null}
              <JobState job={j} onGo={onGo} />
            </Stack>
          ))}
        </Stack>
      </ScrollArea.Autosize>
      <Divider />
      <Link to="/jobs" onClick={onGo}>
        {t('jobs.all')}
      </Link>
    </Stack>
  )
}
