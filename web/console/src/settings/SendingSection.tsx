import { useState } from 'react'
import { type Schemas, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, useT } from '@/i18n'
import {
  Alert,
  Button,
  Card,
  confirm,
  DataTable,
  EmptyState,
  FormBody,
  Group,
  Loaded,
  NumberInput,
  Select,
  Sheet,
  Status,
  TextInput,
  toast,
  toastError,
  useForm,
} from '@/ui'
import { SettingsSection } from './SettingsSection'

type Policy = Schemas['SendingPolicy']

/** What must hold before messages go out: the switch that stops everything, quiet hours, caps, control group. */
export default function SendingSection() {
  const policy = useRead('/api/v1/sending/policy', {})
  return (
    <SettingsSection id="sending">
      <Stop />
      <Loaded of={policy}>{(p) => <Rules policy={p} />}</Loaded>
    </SettingsSection>
  )
}

function Stop() {
  const t = useT()
  const write = useCan()('campaigns.send')
  const sending = useRead('/api/v1/sending', {})
  const set = useSend('put', '/api/v1/sending', { refresh: ['/api/v1/sending'] })
  return (
    <Card title={t('sending.title')}>
      <Loaded of={sending}>
        {(s) => (
          <Group justify="space-between">
            <Status value={s.stopped ? 'stopped' : 'running'} tone={s.stopped ? 'danger' : 'success'} />
            {write ? (
              <Button
                color={s.stopped ? 'accent' : 'danger'}
                variant={s.stopped ? 'filled' : 'light'}
                onClick={async () => {
                  if (
                    !s.stopped &&
                    !(await confirm({
                      title: t('sending.stop_title'),
                      text: t('sending.stop_text'),
                      action: t('sending.stop'),
                      danger: true,
                    }))
                  )
                    return
                  set.mutate({ body: { stopped: !s.stopped } }, { onError: toastError })
                }}
              >
                {t(s.stopped ? 'sending.resume' : 'sending.stop')}
              </Button>
            ) : null}
          </Group>
        )}
      </Loaded>
    </Card>
  )
}

function Rules({ policy: p }: { policy: Policy }) {
  const t = useT()
  const write = useCan()('settings.write')
  const topics = useRead('/api/v1/topics', {})
  const names = Object.fromEntries((topics.data?.items ?? []).map((x) => [x.id, x.name]))
  const [adding, setAdding] = useState<'quiet' | 'cap' | null>(null)
  const put = useSend('put', '/api/v1/sending/policy', { refresh: ['/api/v1/sending/policy'] })
  const body = (change: Partial<Policy>) => ({ body: { quiet: p.quiet, caps: p.caps, holdout: p.holdout, ...change } })
  const change = (c: Partial<Policy>) => put.mutate(body(c), { onSuccess: () => toast(t('settings.saved')), onError: toastError })
  const done = () => setAdding(null)
  const quiet = useForm({
    initial: { from: '22:00', to: '08:00', then: 'hold' as 'hold' | 'refuse' },
    save: (v) => put.mutateAsync(body({ quiet: [...(p.quiet ?? []), v] })),
    onDone: done,
  })
  const cap = useForm({
    initial: { limit: 3 as number | string, days: 7 as number | string, kind: 'rolling', topic: '', retry: 0 as number | string },
    save: (v) =>
      put.mutateAsync(
        body({
          caps: [
            ...(p.caps ?? []),
            {
              limit: Number(v.limit),
              days: Number(v.days),
              calendar: v.kind === 'calendar',
              retry_hours: Number(v.retry),
              ...(v.topic ? { topic: v.topic } : {}),
            },
          ],
        }),
      ),
    onDone: done,
  })
  const holdout = useForm({
    initial: { percent: p.holdout as number | string },
    save: (v) => put.mutateAsync(body({ holdout: Number(v.percent) })),
    onDone: () => toast(t('settings.saved')),
  })
  const without = <T,>(list: T[] | null, x: T) => (list ?? []).filter((y) => y !== x)
  const remove = (c: Partial<Policy>) =>
    write ? (
      <Button size="compact-sm" onClick={() => change(c)}>
        {t('action.remove')}
      </Button>
    ) : null
  return (
    <>
      <Card
        title={t('policy.quiet')}
        help={t('policy.quiet_help')}
        flush
        actions={write ? <Button onClick={() => setAdding('quiet')}>{t('policy.add_quiet')}</Button> : null}
      >
        <DataTable
          bare
          plain
          name="quiet"
          label={t('policy.quiet')}
          rows={p.quiet ?? []}
          rowId={(q) => `${q.from}-${q.to}-${q.then ?? ''}-${(q.days ?? []).join()}`}
          columns={[
            { id: 'from', title: t('policy.from'), cell: (q) => q.from },
            { id: 'to', title: t('policy.to'), cell: (q) => q.to },
            { id: 'then', title: t('policy.then'), cell: (q) => t(`policy.${q.then ?? 'hold'}`) },
            { id: 'remove', title: '', num: true, cell: (q) => remove({ quiet: without(p.quiet, q) }) },
          ]}
          empty={<EmptyState title={t('policy.no_quiet')} />}
        />
      </Card>
      <Card
        title={t('policy.caps')}
        help={t('policy.caps_help')}
        flush
        actions={write ? <Button onClick={() => setAdding('cap')}>{t('policy.add_cap')}</Button> : null}
      >
        <DataTable
          bare
          plain
          name="caps"
          label={t('policy.caps')}
          rows={p.caps ?? []}
          rowId={(c) => `${c.limit} ${c.days} ${c.calendar} ${c.topic ?? ''} ${c.channel ?? ''}`}
          columns={[
            { id: 'limit', title: t('policy.limit'), main: true, cell: (c) => formatNumber(c.limit) },
            {
              id: 'days',
              title: t('policy.days'),
              cell: (c) => t(c.calendar ? 'policy.calendar_days' : 'policy.rolling_days', { n: formatNumber(c.days) }),
            },
            { id: 'topic', title: t('campaigns.topic'), cell: (c) => (c.topic ? (names[c.topic] ?? c.topic) : t('policy.all_topics')) },
            { id: 'retry', title: t('policy.retry'), num: true, cell: (c) => (c.retry_hours ? formatNumber(c.retry_hours) : '–') },
            { id: 'remove', title: '', num: true, cell: (c) => remove({ caps: without(p.caps, c) }) },
          ]}
          empty={<EmptyState title={t('policy.no_caps')} />}
        />
      </Card>
      <Card title={t('policy.holdout')} help={t('policy.holdout_help')}>
        {write ? (
          <FormBody form={holdout} action={t('action.save')}>
            <NumberInput label={t('policy.percent')} min={0} max={50} w={200} {...holdout.getInputProps('percent')} />
          </FormBody>
        ) : (
          formatNumber(p.holdout)
        )}
        {p.holdout > 0 ? null : (
          <Alert mt="sm" variant="light" color="gray">
            {t('policy.no_holdout')}
          </Alert>
        )}
      </Card>
      <Sheet title={t('policy.add_quiet')} opened={adding === 'quiet'} onClose={done}>
        <FormBody form={quiet} action={t('action.save')} onCancel={done}>
          <TextInput type="time" label={t('policy.from')} required {...quiet.getInputProps('from')} />
          <TextInput type="time" label={t('policy.to')} required {...quiet.getInputProps('to')} />
          <Select
            label={t('policy.then')}
            allowDeselect={false}
            data={['hold', 'refuse'].map((v) => ({ value: v, label: t(`policy.${v}`) }))}
            {...quiet.getInputProps('then')}
          />
        </FormBody>
      </Sheet>
      <Sheet title={t('policy.add_cap')} opened={adding === 'cap'} onClose={done}>
        <FormBody form={cap} action={t('action.save')} onCancel={done}>
          <NumberInput label={t('policy.limit')} min={1} required {...cap.getInputProps('limit')} />
          <NumberInput label={t('policy.days_count')} min={1} required {...cap.getInputProps('days')} />
          <Select
            label={t('policy.days')}
            allowDeselect={false}
            data={['rolling', 'calendar'].map((v) => ({ value: v, label: t(`policy.${v}`) }))}
            {...cap.getInputProps('kind')}
          />
          <Select
            label={t('campaigns.topic')}
            allowDeselect={false}
            data={[
              { value: '', label: t('policy.all_topics') },
              ...(topics.data?.items ?? []).map((x) => ({ value: x.id, label: x.name })),
            ]}
            {...cap.getInputProps('topic')}
          />
          <NumberInput label={t('policy.retry')} min={0} {...cap.getInputProps('retry')} />
        </FormBody>
      </Sheet>
    </>
  )
}
