// The sample business in this workspace: bring it into an empty one, say that it is one, take it away in one action.
import { FlaskConical } from 'lucide-react'
import { useEffect, useState } from 'react'
import { refresh, type Schemas, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatList, formatNumber, language, useT, word } from '@/i18n'
import { JobState } from '@/jobs/JobState'
import { Badge, Button, Card, Group, Link, Loaded, Modal, Note, PartialState, Pending, Stack, toastError, Tooltip } from '@/ui'

type Sample = Schemas['SampleData']

const pages: Record<string, string> = {
  journey_map: '/journey-maps',
  persona: '/personas',
  series: '/campaigns/series',
  campaign: '/campaigns',
  journey: '/journeys',
  segment: '/segments',
  template: '/content',
}

/** Nothing where there is no sample and none can be brought in. */
export function SampleCard() {
  const t = useT()
  const can = useCan()
  const write = can('settings.write')
  const sample = useRead('/api/v1/sample', {}, { enabled: write })
  const add = useSend('post', '/api/v1/sample', { refresh: ['/api/v1/jobs'] })
  const [asking, setAsking] = useState(false)
  const [job, setJob] = useState('')
  const s = sample.data
  if (sample.isLoading) return <Pending />
  if (sample.error && !s) return <PartialState error={sample.error} onRetry={() => void sample.refetch()} />
  if (!write || (!job && (!s || (!s.present && !s.may_add)))) return null
  return (
    <Card wide title={t('sample.title')} help={t(job ? 'sample.working' : s?.present ? 'sample.present' : 'sample.offer')}>
      {job ? (
        <Begun id={job} onOver={() => setJob('')} />
      ) : (
        <Group>
          {s?.present ? (
            <Button onClick={() => setAsking(true)}>{t('sample.remove')}</Button>
          ) : (
            <Button
              loading={add.isPending}
              onClick={() => add.mutate({ body: { locale: language() } }, { onSuccess: (j) => setJob(j.id), onError: toastError })}
            >
              {t('sample.add')}
            </Button>
          )}
        </Group>
      )}
      {asking && s ? (
        <Ask
          of={s}
          onClose={() => setAsking(false)}
          onBegun={(id) => {
            setAsking(false)
            setJob(id)
          }}
        />
      ) : null}
    </Card>
  )
}

/** Beside the title of what shows figures: that they are those of the sample, and for whoever may, the way to remove it. */
export function SampleMark() {
  const t = useT()
  const can = useCan()
  const sample = useRead('/api/v1/sample', {}, { enabled: can('settings.read') })
  const [asking, setAsking] = useState(false)
  const [job, setJob] = useState('')
  const s = sample.data
  const over = () => {
    setJob('')
    setAsking(false)
  }
  if (!asking && !job && !s?.present) return null
  return (
    <>
      {can('settings.write') ? (
        <Button size="compact-sm" radius="xl" leftSection={<FlaskConical size={14} />} onClick={() => setAsking(true)}>
          {t('sample.title')} · {t('sample.remove_short')}
        </Button>
      ) : (
        <Tooltip label={t('sample.who_removes')}>
          <Badge variant="light" leftSection={<FlaskConical size={12} />}>
            {t('sample.title')}
          </Badge>
        </Tooltip>
      )}
      {job ? (
        <Modal title={t('sample.title')} onClose={over}>
          <Begun id={job} onOver={over} />
        </Modal>
      ) : asking && s ? (
        <Ask of={s} onClose={over} onBegun={setJob} />
      ) : null}
    </>
  )
}

/** The job at work. Everything may be another when it has ended. */
function Begun({ id, onOver }: { id: string; onOver: () => void }) {
  const t = useT()
  const job = useRead('/api/v1/jobs/{id}', { path: { id } })
  const state = job.data?.state
  const over = state === 'done' || state === 'failed' || state === 'cancelled'
  useEffect(() => {
    if (over) void refresh(['/api/v1'])
  }, [over])
  return (
    <Stack gap="sm">
      <Loaded of={job}>{(j) => <JobState job={j} full />}</Loaded>
      {over ? (
        <Group>
          <Button size="compact-sm" onClick={onOver}>
            {t('action.close')}
          </Button>
        </Group>
      ) : null}
    </Stack>
  )
}

/** What goes and what stays, before it happens; what the reader has built on it first. */
function Ask({ of: s, onClose, onBegun }: { of: Sample; onClose: () => void; onBegun: (job: string) => void }) {
  const t = useT()
  const remove = useSend('post', '/api/v1/sample/removal', { refresh: ['/api/v1/jobs'] })
  const nouns = [...new Set(s.things.map((x) => x.noun))]
  return (
    <Modal title={t('sample.ask')} onClose={onClose}>
      <Stack gap="md">
        {s.kept.length > 0 ? (
          <section>
            <strong>{t('sample.kept')}</strong>
            <Note>{t('sample.kept_help')}</Note>
            <ul>
              {s.kept.map((k) => (
                <li key={k.id}>
                  {word('sample_noun', k.noun)} “{k.name}”
                  {/* Each in a line of its own: a link inside a sentence would have to stand out from it. */}
                  {k.for.map((f) => (
                    <div key={f.id} style={{ lineHeight: '26px' }}>
                      {pages[f.noun] ? (
                        <Link to={`${pages[f.noun]}/${f.id}`}>{t('sample.for', { name: f.name })}</Link>
                      ) : (
                        t('sample.for', { name: f.name })
                      )}
                    </div>
                  ))}
                </li>
              ))}
            </ul>
          </section>
        ) : null}
        <section>
          <strong>{t('sample.goes')}</strong>
          <ul>
            {s.people > 0 ? <li>{t('sample.people', { count: s.people, n: formatNumber(s.people) })}</li> : null}
            {nouns.map((noun) => {
              const all = s.things.filter((x) => x.noun === noun)
              const named = all.map((x) => x.name).filter((n) => n && noun !== 'brand')
              return (
                <li key={noun}>
                  {word('sample_noun', noun)}
                  {named.length > 0 ? `: ${formatList(named)}` : ''}
                </li>
              )
            })}
          </ul>
        </section>
        <section>
          <strong>{t('sample.stays')}</strong>
          <Note>
            {t('sample.stays_help')} {s.stay > 0 ? t('sample.people_stay', { count: s.stay, n: formatNumber(s.stay) }) : ''}
          </Note>
        </section>
        <Group justify="flex-end" gap="xs">
          <Button onClick={onClose} data-autofocus>
            {t('action.cancel')}
          </Button>
          <Button
            variant="filled"
            color="danger"
            loading={remove.isPending}
            onClick={() => remove.mutate({}, { onSuccess: (j) => onBegun(j.id), onError: toastError })}
          >
            {t('sample.remove_now')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
