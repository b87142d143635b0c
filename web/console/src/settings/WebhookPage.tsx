import { useState } from 'react'
import { type Schemas, useList, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatList, formatNumber, useT, word } from '@/i18n'
import { useGo, useParam, useUrlState } from '@/lib/route'
import {
  Ago,
  Alert,
  Button,
  Card,
  confirm,
  CopyText,
  ListTable,
  DateTimeInput,
  Definition,
  EmptyState,
  FilterBar,
  FilterChip,
  FormBody,
  Group,
  Loaded,
  Select,
  Sheet,
  Stack,
  Tag,
  Text,
  Time,
  toast,
  toastError,
  type Tone,
  useForm,
} from '@/ui'
import { SettingsSection } from './SettingsSection'
import { useKindName, WebhookForm, WebhookStatus } from './WebhooksSection'

type Webhook = Schemas['Webhook']
type Delivery = Schemas['WebhookDelivery']

const live = { refresh: ['/api/v1/webhooks'] }
const states = ['waiting', 'delivered', 'parked'] as const
const tones: Record<string, Tone> = { waiting: 'info', delivered: 'success', parked: 'danger' }

/** One webhook: its health, its secret, what was sent and how it was answered. */
export default function WebhookPage() {
  const id = useParam('id')
  const hook = useRead('/api/v1/webhooks/{id}', { path: { id } }, { every: 15_000 })
  return <Loaded of={hook}>{(w) => <View hook={w} />}</Loaded>
}

function View({ hook: w }: { hook: Webhook }) {
  const t = useT()
  const kind = useKindName()
  const go = useGo()
  const can = useCan()
  const write = can('settings.write')
  const [sheet, setSheet] = useState<'edit' | 'replay' | null>(null)
  const [secret, setSecret] = useState('')
  const renew = useSend('post', '/api/v1/webhooks/{id}/secret', live)
  const ping = useSend('post', '/api/v1/webhooks/{id}/ping', live)
  const remove = useSend('delete', '/api/v1/webhooks/{id}', live)
  const path = { id: w.id }
  const newSecret = async () => {
    if (await confirm({ title: t('webhook.new_secret'), text: t('webhook.new_secret_text'), action: t('webhook.new_secret') }))
      renew.mutate({ path }, { onSuccess: (a) => setSecret(a.secret), onError: toastError })
  }
  const end = async () => {
    if (
      await confirm({
        title: t('webhook.delete_title', { name: w.name }),
        text: t('webhook.delete_text'),
        action: t('action.delete'),
        danger: true,
        name: w.name,
      })
    )
      remove.mutate({ path }, { onSuccess: () => go('/settings/webhooks'), onError: toastError })
  }
  const said = ping.data
  return (
    <SettingsSection
      id="webhooks"
      thing={w.name}
      more={[
        write && { label: t('action.edit'), run: () => setSheet('edit'), rare: true },
        write && { label: t('webhook.new_secret'), run: () => void newSecret(), rare: true },
        write && { label: t('webhook.replay'), run: () => setSheet('replay'), rare: true },
        write && { label: t('action.delete'), run: () => void end(), red: true, rare: true },
      ]}
      actions={
        write ? (
          <Button variant="filled" loading={ping.isPending} onClick={() => ping.mutate({ path }, { onError: toastError })}>
            {t('webhook.ping')}
          </Button>
        ) : null
      }
    >
      {secret ? (
        <Alert color="success" title={t('settings.secret_once')}>
          <CopyText value={secret} />
        </Alert>
      ) : null}
      {w.status === 'disabled' ? (
        <Alert color="danger" title={t('webhook.disabled')}>
          {t(w.reason === 'gone' ? 'webhook.disabled_gone' : 'webhook.disabled_failing')}
        </Alert>
      ) : w.failing_since ? (
        <Alert color="warning">
          {t('webhook.failing')} <Ago at={w.failing_since} />
        </Alert>
      ) : null}
      <Card>
        <Stack gap="md">
          {said ? (
            <Alert color={said.state === 'delivered' ? 'success' : 'danger'} role="status">
              {t(said.state === 'delivered' ? 'webhook.ping_ok' : 'webhook.ping_failed', { ms: formatNumber(said.took_ms) })}{' '}
              {said.detail ?? ''}
            </Alert>
          ) : null}
          <Definition
            items={[
              [t('field.status'), <WebhookStatus key="status" of={w} />],
              [t('webhook.url'), <code key="url">{w.url}</code>],
              [t('webhook.kinds'), formatList((w.kinds ?? []).map(kind))],
              [t('webhook.last_success'), <Ago key="ago" at={w.succeeded_at} />],
              ...states.map((s): [string, string] => [word('webhook_state', s), w.counts ? formatNumber(w.counts[s]) : '']),
            ]}
          />
        </Stack>
      </Card>
      {can('people.read') ? <Deliveries hook={w} /> : null}
      <Sheet title={w.name} opened={sheet === 'edit'} onClose={() => setSheet(null)}>
        <WebhookForm hook={w} onDone={() => setSheet(null)} onCancel={() => setSheet(null)} />
      </Sheet>
      <Sheet title={t('webhook.replay')} opened={sheet === 'replay'} onClose={() => setSheet(null)}>
        <Replay hook={w} onDone={() => setSheet(null)} />
      </Sheet>
    </SettingsSection>
  )
}

function Deliveries({ hook: w }: { hook: Webhook }) {
  const t = useT()
  const kind = useKindName()
  const write = useCan()('settings.write')
  const [filter, setFilter] = useUrlState({ state: '' })
  const [open, setOpen] = useState<Delivery | null>(null)
  const replay = useSend('post', '/api/v1/webhooks/{id}/deliveries/{delivery}/replay', live)
  const found = useList(
    '/api/v1/webhooks/{id}/deliveries',
    { path: { id: w.id }, query: { state: (filter.state || undefined) as Delivery['state'] | undefined } },
    { every: 15_000 },
  )
  return (
    <>
      <FilterBar active={filter.state !== ''} onClear={() => setFilter({ state: '' })}>
        <FilterChip
          label={t('field.status')}
          value={filter.state}
          choices={states.map((s) => ({ value: s, label: t(`webhook_state.${s}`) }))}
          onChange={(state) => setFilter({ state })}
        />
      </FilterBar>
      <ListTable
        name="deliveries"
        label={t('webhook.deliveries')}
        of={found}
        rowId={(d) => d.id}
        filtered={filter.state !== ''}
        onClearFilters={() => setFilter({ state: '' })}
        onOpen={setOpen}
        columns={[
          {
            id: 'kind',
            opens: true,
            title: t('field.event'),
            cell: (d) => kind(d.kind),
            text: (d) => d.kind,
          },
          {
            id: 'state',
            title: t('field.status'),
            cell: (d) => <Tag tone={tones[d.state]}>{word('webhook_state', d.state)}</Tag>,
            text: (d) => d.state,
          },
          { id: 'answer', title: t('webhook.answer'), cell: (d) => d.status || (d.error ?? '–'), text: (d) => d.status },
          { id: 'attempts', title: t('webhook.attempts'), num: true, cell: (d) => formatNumber(d.attempts), text: (d) => d.attempts },
          { id: 'time', title: t('field.time'), num: true, cell: (d) => <Time at={d.created_at} />, text: (d) => d.created_at },
        ]}
        empty={<EmptyState title={t('webhook.no_deliveries')} />}
      />
      <Sheet title={open ? kind(open.kind) : ''} wide opened={open !== null} onClose={() => setOpen(null)}>
        {open ? (
          <Stack gap="md">
            <Definition
              items={[
                ['webhook-id', <CopyText key="id" value={open.id} />],
                [
                  t('field.status'),
                  <Tag key="state" tone={tones[open.state]}>
                    {word('webhook_state', open.state)}
                  </Tag>,
                ],
                [t('webhook.answer'), open.status],
                [t('field.reason'), open.detail ?? open.error],
                [t('webhook.took'), `${formatNumber(open.took_ms)} ms`],
                [t('webhook.next'), open.due_at ? <Time key="due" at={open.due_at} /> : ''],
              ]}
            />
            <Text size="sm">{t('webhook.body')}</Text>
            <CopyText value={open.body} block />
            {open.answer ? (
              <>
                <Text size="sm">{t('webhook.answer_text')}</Text>
                <CopyText value={open.answer} block />
              </>
            ) : null}
            {write ? (
              <Group justify="flex-end">
                <Button
                  variant="filled"
                  loading={replay.isPending}
                  onClick={() =>
                    replay.mutate(
                      { path: { id: w.id, delivery: open.id } },
                      {
                        onSuccess: () => {
                          setOpen(null)
                          toast(t('webhook.replayed', { n: formatNumber(1) }))
                        },
                        onError: toastError,
                      },
                    )
                  }
                >
                  {t('webhook.replay_this')}
                </Button>
              </Group>
            ) : null}
          </Stack>
        ) : null}
      </Sheet>
    </>
  )
}

function Replay({ hook: w, onDone }: { hook: Webhook; onDone: () => void }) {
  const t = useT()
  const replay = useSend('post', '/api/v1/webhooks/{id}/replay', live)
  const form = useForm({
    initial: { from: '', to: '', state: 'parked' as '' | 'parked' | 'delivered' },
    check: (v) => (v.from ? {} : { from: t('webhook.from_missing') }),
    save: async (v) => {
      const a = await replay.mutateAsync({
        path: { id: w.id },
        body: {
          from: new Date(v.from).toISOString(),
          ...(v.to ? { to: new Date(v.to).toISOString() } : {}),
          ...(v.state ? { state: v.state } : {}),
        },
      })
      toast(t('webhook.replayed', { n: formatNumber(a.replayed) }))
    },
    onDone,
  })
  const { from, to } = form.getValues()
  return (
    <FormBody form={form} action={t('webhook.replay')} onCancel={onDone}>
      <DateTimeInput
        label={t('audit.from')}
        value={from}
        required
        onChange={(v) => form.setFieldValue('from', v)}
        error={form.errors.from}
      />
      <DateTimeInput label={t('audit.to')} value={to} onChange={(v) => form.setFieldValue('to', v)} error={form.errors.to} />
      <Select
        label={t('field.status')}
        allowDeselect={false}
        data={[
          { value: '', label: t('filter.all') },
          ...(['parked', 'delivered'] as const).map((s) => ({ value: s, label: t(`webhook_state.${s}`) })),
        ]}
        {...form.getInputProps('state')}
      />
    </FormBody>
  )
}
