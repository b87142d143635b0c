import { useState } from 'react'
import { type Schemas, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatCivilClock, formatList, formatNumber, formatTime, language, useT, word } from '@/i18n'
import {
  Alert,
  Button,
  Card,
  Checkbox,
  confirm,
  DangerButton,
  DataTable,
  EmptyState,
  FormBody,
  Group,
  Link,
  Loaded,
  Note,
  Num,
  NumberInput,
  Select,
  Sheet,
  SimpleGrid,
  Stack,
  Status,
  Switch,
  TextInput,
  toast,
  toastError,
  useForm,
} from '@/ui'
import { placed } from './placed'
import { SettingsSection } from './SettingsSection'

type Policy = Schemas['SendingPolicy']
type Quiet = Schemas['QuietHours']
type Cap = Schemas['Cap']
type WaitingOf = Schemas['SendingGetSending']['waiting'][number]

/** What must hold before messages go out: the switch that stops everything, quiet hours, caps, control group, bounces. */
export default function SendingSection() {
  const policy = useRead('/api/v1/sending/policy', {})
  const bounces = useRead('/api/v1/sending/bounce-policy', {})
  return (
    <SettingsSection id="sending">
      <Stop />
      <Loaded of={policy}>{(p) => <Rules policy={p} />}</Loaded>
      <Loaded of={bounces}>{(b) => <Bounces policy={b} />}</Loaded>
    </SettingsSection>
  )
}

export function Stop() {
  const t = useT()
  const write = useCan()('campaigns.send')
  const sending = useRead('/api/v1/sending', {})
  const set = useSend('put', '/api/v1/sending', { refresh: ['/api/v1/sending'] })
  const go = (stopped: boolean, waiting?: 'cancel') => set.mutate({ body: { stopped, waiting } }, { onError: toastError })
  return (
    <Card title={t('sending.title')}>
      <Loaded of={sending} rows={1}>
        {(s) => (
          <Stack gap="sm">
            <Group justify="space-between">
              <Group gap="sm">
                <Status value={s.stopped ? 'stopped' : 'running'} tone={s.stopped ? 'danger' : 'success'} />
                {s.stopped_since ? <Note>{t('sending.since', { time: formatTime(s.stopped_since) })}</Note> : null}
              </Group>
              {write && s.stopped ? (
                <Group gap="sm">
                  {s.waiting.length > 0 ? (
                    <DangerButton
                      onClick={async () => {
                        if (
                          await confirm({
                            title: t('sending.afresh_title'),
                            text: t('sending.afresh_text'),
                            action: t('sending.afresh'),
                            danger: true,
                          })
                        )
                          go(false, 'cancel')
                      }}
                    >
                      {t('sending.afresh')}
                    </DangerButton>
                  ) : null}
                  <Button variant="filled" onClick={() => go(false)}>
                    {t('sending.resume')}
                  </Button>
                </Group>
              ) : write ? (
                <Button
                  variant="default"
                  onClick={async () => {
                    if (
                      await confirm({
                        title: t('sending.stop_title'),
                        text: t('sending.stop_text'),
                        action: t('sending.stop'),
                      })
                    )
                      go(true)
                  }}
                >
                  {t('sending.stop')}
                </Button>
              ) : null}
            </Group>
            {s.stopped && s.waiting.length > 0 ? <Waiting of={s.waiting} /> : null}
          </Stack>
        )}
      </Loaded>
    </Card>
  )
}

/** How many sources of waiting messages are named; the others are counted together. */
const named = 10

/** What waits while sending is stopped, by who asked for it. */
function Waiting({ of }: { of: WaitingOf[] }) {
  const t = useT()
  const rest = of.slice(named).reduce((n, w) => n + w.count, 0)
  return (
    <Stack gap={4}>
      <Note>{t('sending.waiting', { n: formatNumber(of.reduce((n, w) => n + w.count, 0)) })}</Note>
      {of.slice(0, named).map((w) => (
        <Group key={`${w.kind} ${w.id}`} gap="sm">
          {w.id && (w.kind === 'campaign' || w.kind === 'journey') ? (
            <Link to={`/${w.kind}s/${w.id}`}>
              <Named kind={w.kind} id={w.id} />
            </Link>
          ) : (
            <span>{word('rule.source', w.kind)}</span>
          )}
          <Num value={w.count} />
        </Group>
      ))}
      {rest > 0 ? <Note>{t('sending.waiting_rest', { n: formatNumber(rest) })}</Note> : null}
    </Stack>
  )
}

/** The name of a campaign or journey, its kind until it is known. */
function Named({ kind, id }: { kind: 'campaign' | 'journey'; id: string }) {
  const campaign = useRead('/api/v1/campaigns/{id}', { path: { id } }, { enabled: kind === 'campaign' })
  const journey = useRead('/api/v1/journeys/{id}', { path: { id } }, { enabled: kind === 'journey' })
  return <>{campaign.data?.name ?? journey.data?.name ?? word('rule.source', kind)}</>
}

/** Names of the days of the week, Sunday first, as the API counts them. */
export const weekdays = (style: 'long' | 'short') => {
  const f = new Intl.DateTimeFormat(language(), { weekday: style, timeZone: 'UTC' })
  return [0, 1, 2, 3, 4, 5, 6].map((d) => f.format(Date.UTC(2023, 0, 1 + d))) // 1 January 2023 was a Sunday
}

/** Choices of a channel, with the first for all of them. */
function useChannels() {
  const t = useT()
  const channels = useRead('/api/v1/channels', {})
  return [
    { value: '', label: t('policy.all_channels') },
    ...(channels.data?.items ?? []).map((c) => ({ value: c.kind, label: word('channel', c.kind) })),
  ]
}

/** A rule that is being written: its place, none if it is new, in the lists as they were when it was opened. */
interface Editing {
  kind: 'quiet' | 'cap'
  at: number
  seen: Policy
}

function Rules({ policy: p }: { policy: Policy }) {
  const t = useT()
  const write = useCan()('settings.write')
  const topics = useRead('/api/v1/topics', {})
  const names = Object.fromEntries((topics.data?.items ?? []).map((x) => [x.id, x.name]))
  const [editing, setEditing] = useState<Editing | null>(null)
  const put = useSend('put', '/api/v1/sending/policy', { refresh: ['/api/v1/sending/policy'] })
  const { quiet, caps } = p
  const replace = (c: Partial<Policy>, on = p) =>
    put.mutateAsync({
      body: { quiet: on.quiet, caps: on.caps, holdout: on.holdout, reserve_hours: on.reserve_hours, revision: on.revision, ...c },
    })
  const change = (c: Partial<Policy>) => void replace(c).then(() => toast(t('settings.saved')), toastError)
  const list = editing?.kind === 'quiet' ? 'quiet' : 'caps'
  const rule = editing && placed(editing.at, editing.seen[list], p[list])
  const save = async (write: (on: Policy, at: number) => Partial<Policy>) => {
    if (!editing || !rule) return
    const on = rule.gone ? editing.seen : p
    const seen = await replace(write(on, rule.at), on)
    setEditing((e) => e && { ...e, at: rule.at, seen })
  }
  const close = () => setEditing(null)
  const buttons = (kind: 'quiet' | 'cap', at: number) =>
    write ? (
      <Group gap="xs" justify="flex-end" wrap="nowrap">
        <Button size="compact-sm" onClick={() => setEditing({ kind, at, seen: p })}>
          {t('action.edit')}
        </Button>
        <Button
          size="compact-sm"
          onClick={() => change(kind === 'quiet' ? { quiet: quiet.toSpliced(at, 1) } : { caps: caps.toSpliced(at, 1) })}
        >
          {t('action.remove')}
        </Button>
      </Group>
    ) : null
  const short = weekdays('short')
  const channel = (c?: string) => (c ? word('channel', c) : t('policy.all_channels'))
  return (
    <>
      <Card
        title={t('policy.quiet')}
        help={t('policy.quiet_help')}
        flush
        actions={write ? <Button onClick={() => setEditing({ kind: 'quiet', at: -1, seen: p })}>{t('policy.add_quiet')}</Button> : null}
      >
        <DataTable
          bare
          plain
          name="quiet"
          label={t('policy.quiet')}
          rows={quiet}
          rowId={(q) => String(quiet.indexOf(q))}
          columns={[
            { id: 'time', title: t('policy.hours'), cell: (q) => `${formatCivilClock(q.from)} – ${formatCivilClock(q.to)}` },
            {
              id: 'days',
              title: t('policy.begins_on'),
              cell: (q) => (q.days?.length ? formatList(q.days.map((d) => short[d] ?? '')) : t('policy.every_day')),
            },
            { id: 'channel', title: t('field.channel'), cell: (q) => channel(q.channel) },
            { id: 'then', title: t('policy.then'), cell: (q) => t(`policy.${q.then ?? 'hold'}`) },
            { id: 'more', title: '', num: true, cell: (q) => buttons('quiet', quiet.indexOf(q)) },
          ]}
          empty={<EmptyState title={t('policy.no_quiet')} />}
        />
      </Card>
      <Card
        title={t('policy.caps')}
        help={t('policy.caps_help')}
        flush
        actions={write ? <Button onClick={() => setEditing({ kind: 'cap', at: -1, seen: p })}>{t('policy.add_cap')}</Button> : null}
      >
        <DataTable
          bare
          plain
          name="caps"
          label={t('policy.caps')}
          rows={caps}
          rowId={(c) => String(caps.indexOf(c))}
          columns={[
            { id: 'limit', title: t('policy.limit'), main: true, cell: (c) => formatNumber(c.limit) },
            {
              id: 'days',
              title: t('policy.days'),
              cell: (c) => t(c.calendar ? 'policy.calendar_days' : 'policy.rolling_days', { count: c.days, n: formatNumber(c.days) }),
            },
            { id: 'topic', title: t('field.topic'), cell: (c) => (c.topic ? (names[c.topic] ?? c.topic) : t('policy.all_topics')) },
            { id: 'channel', title: t('field.channel'), cell: (c) => (c.channel ? channel(c.channel) : t('policy.channels_together')) },
            {
              id: 'retry',
              title: t('policy.then'),
              cell: (c) => (c.retry_hours ? t('policy.waits_hours', { n: formatNumber(c.retry_hours) }) : t('policy.refuse')),
            },
            { id: 'more', title: '', num: true, cell: (c) => buttons('cap', caps.indexOf(c)) },
          ]}
          empty={<EmptyState title={t('policy.no_caps')} />}
        />
      </Card>
      <Whole policy={p} replace={replace} />
      <Sheet title={t(editing?.at === -1 ? 'policy.add_quiet' : 'policy.quiet')} opened={editing?.kind === 'quiet'} onClose={close}>
        {editing && rule ? (
          <QuietForm
            at={rule.at}
            value={editing.seen.quiet[editing.at]}
            save={(q) => save((on, at) => ({ quiet: on.quiet.toSpliced(at, 1, q) }))}
            onDone={close}
          />
        ) : null}
      </Sheet>
      <Sheet title={t(editing?.at === -1 ? 'policy.add_cap' : 'policy.caps')} opened={editing?.kind === 'cap'} onClose={close}>
        {editing && rule ? (
          <CapForm
            at={rule.at}
            value={editing.seen.caps[editing.at]}
            topics={(topics.data?.items ?? []).filter((x) => !x.archived || x.id === editing.seen.caps[editing.at]?.topic)}
            save={(c) => save((on, at) => ({ caps: on.caps.toSpliced(at, 1, c) }))}
            onDone={close}
          />
        ) : null}
      </Sheet>
    </>
  )
}

/** Names of inputs by the API's names of one rule of a list: "caps.2.limit" is "limit". */
const within = (list: string, at: number, names: Record<string, string>) =>
  Object.fromEntries(Object.entries(names).map(([api, input]) => [`${list}.${at}.${api}`, input]))

interface RuleForm<T> {
  at: number
  value: T | undefined
  save: (v: T) => Promise<unknown>
  onDone: () => void
}

function QuietForm({ at, value, save, onDone }: RuleForm<Quiet>) {
  const t = useT()
  const channels = useChannels()
  const form = useForm({
    initial: {
      from: value?.from ?? '22:00',
      to: value?.to ?? '08:00',
      then: (value?.then ?? 'hold') as 'hold' | 'refuse',
      channel: value?.channel ?? '',
      days: (value?.days ?? []).map(String),
    },
    follow: value !== undefined,
    names: within('quiet', at, { from: 'from', to: 'to', days: 'days', channel: 'channel', then: 'then' }),
    save: (v) =>
      save({
        from: v.from,
        to: v.to,
        then: v.then,
        ...(v.channel ? { channel: v.channel } : {}),
        ...(v.days.length > 0 && v.days.length < 7 ? { days: v.days.map(Number).toSorted((a, b) => a - b) } : {}),
      }),
    onDone,
  })
  return (
    <FormBody form={form} action={t('action.save')} onCancel={onDone}>
      <SimpleGrid cols={2}>
        <TextInput type="time" label={t('policy.from')} required {...form.getInputProps('from')} />
        <TextInput type="time" label={t('policy.to')} required {...form.getInputProps('to')} />
      </SimpleGrid>
      <Checkbox.Group label={t('policy.begins_on')} description={t('policy.days_help')} {...form.getInputProps('days')}>
        <Group gap="sm" mt="xs">
          {[1, 2, 3, 4, 5, 6, 0].map((d) => (
            <Checkbox key={d} value={String(d)} label={weekdays('short')[d]} />
          ))}
        </Group>
      </Checkbox.Group>
      <Select label={t('field.channel')} allowDeselect={false} data={channels} {...form.getInputProps('channel')} />
      <Select
        label={t('policy.then')}
        allowDeselect={false}
        data={['hold', 'refuse'].map((v) => ({ value: v, label: t(`policy.${v}`) }))}
        {...form.getInputProps('then')}
      />
    </FormBody>
  )
}

function CapForm({ at, value, topics, save, onDone }: RuleForm<Cap> & { topics: Schemas['Topic'][] }) {
  const t = useT()
  const [all, ...channels] = useChannels()
  const form = useForm({
    initial: {
      limit: (value?.limit ?? 3) as number | string,
      days: (value?.days ?? 7) as number | string,
      kind: value?.calendar ? 'calendar' : 'rolling',
      topic: value?.topic ?? '',
      channel: value?.channel ?? '',
      retry: (value?.retry_hours ?? 0) as number | string,
    },
    follow: value !== undefined,
    names: within('caps', at, { limit: 'limit', days: 'days', retry_hours: 'retry', topic: 'topic', channel: 'channel' }),
    save: (v) =>
      save({
        limit: Number(v.limit),
        days: Number(v.days),
        ...(v.kind === 'calendar' ? { calendar: true } : {}),
        ...(Number(v.retry) ? { retry_hours: Number(v.retry) } : {}),
        ...(v.topic ? { topic: v.topic } : {}),
        ...(v.channel ? { channel: v.channel } : {}),
      }),
    onDone,
  })
  return (
    <FormBody form={form} action={t('action.save')} onCancel={onDone}>
      <NumberInput label={t('policy.limit')} min={1} required {...form.getInputProps('limit')} />
      <NumberInput label={t('policy.days_count')} min={1} required {...form.getInputProps('days')} />
      <Select
        label={t('policy.days')}
        allowDeselect={false}
        data={['rolling', 'calendar'].map((v) => ({ value: v, label: t(`policy.${v}`) }))}
        {...form.getInputProps('kind')}
      />
      <Select
        label={t('field.topic')}
        allowDeselect={false}
        data={[{ value: '', label: t('policy.all_topics') }, ...topics.map((x) => ({ value: x.id, label: x.name }))]}
        {...form.getInputProps('topic')}
      />
      <Select
        label={t('field.channel')}
        allowDeselect={false}
        data={[{ value: all?.value ?? '', label: t('policy.channels_together') }, ...channels]}
        {...form.getInputProps('channel')}
      />
      <NumberInput label={t('policy.retry')} description={t('policy.retry_help')} min={0} {...form.getInputProps('retry')} />
    </FormBody>
  )
}

function Whole({ policy: p, replace }: { policy: Policy; replace: (c: Partial<Policy>) => Promise<unknown> }) {
  const t = useT()
  const write = useCan()('settings.write')
  const form = useForm({
    initial: { holdout: p.holdout as number | string, reserve_hours: (p.reserve_hours ?? 0) as number | string },
    follow: true,
    revision: p.revision,
    save: (v, revision) => replace({ holdout: Number(v.holdout), reserve_hours: Number(v.reserve_hours), revision }),
    onDone: () => toast(t('settings.saved')),
  })
  const inputs = (
    <SimpleGrid cols={{ base: 1, sm: 2 }}>
      <NumberInput
        label={t('policy.holdout')}
        description={t('policy.holdout_help')}
        suffix="%"
        min={0}
        max={50}
        disabled={!write}
        {...form.getInputProps('holdout')}
      />
      <NumberInput
        label={t('policy.reserve')}
        description={t('policy.reserve_help')}
        min={0}
        max={168}
        disabled={!write}
        {...form.getInputProps('reserve_hours')}
      />
    </SimpleGrid>
  )
  return (
    <Card title={t('policy.whole')}>
      {write ? (
        <FormBody form={form} action={t('action.save')}>
          {inputs}
        </FormBody>
      ) : (
        inputs
      )}
      {p.holdout > 0 ? null : (
        <Alert mt="sm" variant="light" color="gray">
          {t('policy.no_holdout')}
        </Alert>
      )}
    </Card>
  )
}

function Bounces({ policy: p }: { policy: Schemas['BouncePolicy'] }) {
  const t = useT()
  const write = useCan()('settings.write')
  const put = useSend('put', '/api/v1/sending/bounce-policy', { refresh: ['/api/v1/sending/bounce-policy'] })
  const form = useForm({
    initial: {
      soft_limit: p.soft_limit as number | string,
      soft_days: p.soft_days as number | string,
      block_alert: p.block_alert as number | string,
      block_pause: p.block_pause as number | string,
      honeypot: p.honeypot ?? false,
    },
    follow: true,
    save: (v) =>
      put.mutateAsync({
        body: {
          soft_limit: Number(v.soft_limit),
          soft_days: Number(v.soft_days),
          block_alert: Number(v.block_alert),
          block_pause: Number(v.block_pause),
          honeypot: v.honeypot,
        },
      }),
    onDone: () => toast(t('settings.saved')),
  })
  const number = (name: 'soft_limit' | 'soft_days' | 'block_alert' | 'block_pause', min: number) => (
    <NumberInput
      label={t(`bounce.${name}`)}
      description={t(`bounce.${name}_help`)}
      min={min}
      disabled={!write}
      {...form.getInputProps(name)}
    />
  )
  const inputs = (
    <>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        {number('soft_limit', 0)}
        {number('soft_days', 1)}
        {number('block_alert', 0)}
        {number('block_pause', 0)}
      </SimpleGrid>
      <Switch
        disabled={!write}
        label={t('bounce.honeypot')}
        description={t('bounce.honeypot_help')}
        {...form.getInputProps('honeypot', { type: 'checkbox' })}
      />
    </>
  )
  return (
    <Card title={t('bounce.policy')} help={t('bounce.policy_help')}>
      {write ? (
        <FormBody form={form} action={t('action.save')}>
          {inputs}
        </FormBody>
      ) : (
        inputs
      )}
    </Card>
  )
}
