import { describe, Problem, useRead, useSend } from '@/api'
import { formatNumber, useT, word } from '@/i18n'
import { useGo } from '@/lib/route'
import { Ago, Button, confirm, Group, Note, Progress, Stack, Tag, type Tone, toast, toastError } from '@/ui'
import { figures, type Job, results, waits } from './job'

const tones: Record<string, Tone> = { running: 'accent', done: 'success', failed: 'danger' }

/** What a job is about, how far it is, and what can be done with it: in the menu of the frame, in the list and beside a form that began it. */
export function JobState({ job, full, onGo }: { job: Job; full?: boolean; onGo?: () => void }) {
  const t = useT()
  const cancel = useSend('post', '/api/v1/jobs/{id}/cancel', { refresh: ['/api/v1/jobs'] })
  const undo = useSend('post', '/api/v1/list-changes/{id}/undo', { refresh: ['/api/v1/jobs'] })
  const back = useSend('post', '/api/v1/bulk-acts/{id}/undo', { refresh: ['/api/v1'] })
  const bulk = job.files.some((f) => f.key === 'results') || 'not_done' in job.figures
  const told = useRead('/api/v1/bulk-acts/{id}', { path: { id: job.id } }, { enabled: bulk && full === true })
  const refused = (full && bulk && told.data?.refused) || []
  const go = useGo()
  const target = results[job.kind]
  const share = job.total > 0 ? Math.min(100, (100 * job.done) / job.total) : 0
  const name = job.title || word('job_kind', job.kind)
  const stop = async () => {
    if (!(await confirm({ title: t('jobs.cancel_title', { name }), text: t('jobs.cancel_text'), action: t('jobs.cancel') }))) return
    cancel.mutate({ path: { id: job.id } }, { onError: toastError })
  }
  const retry = job.state === 'queued' && job.code && job.not_before
  return (
    <Stack gap="xs">
      <Group justify="space-between" gap="xs" wrap="nowrap" align="flex-start">
        <div style={{ minWidth: 0, overflowWrap: 'anywhere' }}>
          <div>{full ? word('job_kind', job.kind) : name}</div>
          {full ? null : job.title ? <Note>{word('job_kind', job.kind)}</Note> : null}
        </div>
        <Tag tone={tones[job.state]}>{job.cancelling ? t('jobs.cancelling') : word('job_state', job.state)}</Tag>
      </Group>
      {job.state === 'running' ? (
        <Progress
          value={share}
          striped={job.total === 0}
          animated={job.total === 0}
          aria-label={t('jobs.progress', { name, share: formatNumber(Math.round(share)) })}
        />
      ) : null}
      {figures(job) ? <Note>{figures(job)}</Note> : null}
      {job.state === 'failed' ? <Note>{describe(new Problem(0, { code: job.code, detail: job.error }))}</Note> : null}
      {retry ? (
        <Note>
          {t('jobs.again')} <Ago at={job.not_before} />
        </Note>
      ) : null}
      {refused.length > 0 ? (
        <div>
          <div>{t('bulk.refused')}</div>
          <ul>
            {refused.map((r) => (
              <li key={r.id}>
                {r.name || r.id}
                <div>
                  <Note>{describe(new Problem(0, { code: r.code, detail: r.message, args: r.args }))}</Note>
                </div>
              </li>
            ))}
          </ul>
        </div>
      ) : null}
      <Group gap="xs">
        {waits(job) && !job.cancelling ? (
          <Button size="compact-sm" loading={cancel.isPending} onClick={() => void stop()}>
            {t('jobs.cancel')}
          </Button>
        ) : null}
        {job.files.map((f) => (
          <Button key={f.key} size="compact-sm" component="a" href={`/api/v1/jobs/${job.id}/files/${f.key}`} download={f.name}>
            {t(`jobs.file_${f.key}`)}
          </Button>
        ))}
        {job.kind === 'list_change' && job.files.length > 0 && !undo.isSuccess ? (
          <Button
            size="compact-sm"
            loading={undo.isPending}
            onClick={() =>
              undo.mutate({ path: { id: job.id } }, { onSuccess: () => toast(t('jobs.undone', { name })), onError: toastError })
            }
          >
            {t('jobs.undo')}
          </Button>
        ) : null}
        {bulk && told.data?.undo && (job.figures.changed ?? 0) > 0 && !waits(job) && !back.isSuccess ? (
          <Button
            size="compact-sm"
            loading={back.isPending}
            onClick={() =>
              back.mutate({ path: { id: job.id } }, { onSuccess: () => toast(t('jobs.undone', { name })), onError: toastError })
            }
          >
            {t('jobs.undo')}
          </Button>
        ) : null}
        {job.state === 'done' && target ? (
          <Button
            size="compact-sm"
            onClick={() => {
              onGo?.()
              go(target)
            }}
          >
            {t('jobs.result')}
          </Button>
        ) : null}
      </Group>
    </Stack>
  )
}
