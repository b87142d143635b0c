import { useState } from 'react'
import { type Schemas, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatDay, formatNumber, hasText, useT, word } from '@/i18n'
import {
  Ago,
  Alert,
  Button,
  Card,
  Chart,
  confirm,
  DataTable,
  DateTimeInput,
  EmptyState,
  FormBody,
  Group,
  Loaded,
  Note,
  NumberInput,
  Progress,
  Sheet,
  SimpleGrid,
  Stack,
  Switch,
  TagsInput,
  Text,
  TextInput,
  toastError,
  useForm,
  DangerButton,
} from '@/ui'
import { draftOf } from './AccountForm'
import { placed } from './placed'

type Account = Schemas['Account']
type Throttle = Schemas['Throttle']

const live = { refresh: ['/api/v1/accounts'] }
const providerName = (name: string) => (hasText(`provider.${name}`) ? word('provider', name) : name)

/** How fast an account may go: its warm-up, its throttles, and what waits for which reason. */
export function PaceTab({ account: a }: { account: Account }) {
  const t = useT()
  const pace = useRead('/api/v1/accounts/{id}/pace', { path: { id: a.id } }, { every: 10_000 })
  return (
    <>
      <Loaded of={pace}>
        {(p) => (
          <>
            <WarmUp account={a} pace={p} />
            <Throttles account={a} pace={p} />
            <Card title={t('pace.waiting')} help={t('pace.waiting_help')} flush>
              <DataTable
                bare
                plain
                name="waiting"
                label={t('pace.waiting')}
                rows={Object.entries(p.waiting).map(([reason, n]) => ({ reason, n }))}
                rowId={(r) => r.reason || 'turn'}
                columns={[
                  { id: 'reason', title: t('field.reason'), cell: (r) => (r.reason ? word('reason', r.reason) : t('pace.their_turn')) },
                  { id: 'n', title: t('home.messages'), num: true, cell: (r) => formatNumber(r.n) },
                ]}
                empty={<EmptyState title={t('pace.nothing_waits')} />}
              />
            </Card>
          </>
        )}
      </Loaded>
    </>
  )
}

function WarmUp({ account: a, pace: p }: { account: Account; pace: Schemas['PaceProgress'] }) {
  const t = useT()
  const write = useCan()('settings.write')
  const [planning, setPlanning] = useState(false)
  const update = useSend('put', '/api/v1/accounts/{id}', live)
  const zone = useRead('/api/v1/workspace', {}).data?.timezone // a day of the plan is one of the workspace
  const days = p.warm_up ?? []
  const today = days[p.today]
  const end = async () => {
    if (await confirm({ title: t('pace.warm_up_end'), text: t('pace.warm_up_end_text'), action: t('pace.warm_up_end'), danger: true })) {
      const { warm_up: _, ...rest } = draftOf(a)
      update.mutate({ path: { id: a.id }, body: rest }, { onError: toastError })
    }
  }
  return (
    <Card
      title={t('pace.warm_up')}
      help={t('pace.warm_up_help')}
      actions={
        write ? (
          <Group gap="xs">
            {a.warm_up ? <DangerButton onClick={() => void end()}>{t('pace.warm_up_end')}</DangerButton> : null}
            <Button onClick={() => setPlanning(true)}>{t(a.warm_up ? 'action.edit' : 'pace.warm_up_plan')}</Button>
          </Group>
        ) : null
      }
    >
      {days.length > 0 ? (
        <Stack gap="sm">
          {today ? (
            <>
              <Text size="sm">
                {t('pace.warm_up_today', {
                  day: formatNumber(p.today + 1),
                  days: formatNumber(days.length),
                  used: formatNumber(today.used),
                  limit: formatNumber(today.limit),
                })}
              </Text>
              <Progress value={Math.min(100, (100 * today.used) / today.limit)} aria-label={t('pace.warm_up')} />
            </>
          ) : (
            <Text size="sm">{t(p.today < 0 ? 'pace.warm_up_not_yet' : 'pace.warm_up_over')}</Text>
          )}
          <Chart
            title={t('pace.warm_up')}
            kind="stacked"
            height={220}
            zone={zone}
            data={{
              labels: days.map((d, i) =>
                i === p.today ? t('pace.today', { day: formatDay(`${d.date}T12:00`) }) : formatDay(`${d.date}T12:00`),
              ),
              series: [
                { name: t('pace.used'), values: days.map((d) => d.used) },
                { name: t('pace.left'), values: days.map((d, i) => (i === p.today ? 0 : Math.max(0, d.limit - d.used))) },
                { name: t('pace.left_today'), values: days.map((d, i) => (i === p.today ? Math.max(0, d.limit - d.used) : 0)) },
              ],
            }}
          />
        </Stack>
      ) : (
        <EmptyState title={t('pace.no_warm_up')} />
      )}
      <Sheet title={t('pace.warm_up')} opened={planning} onClose={() => setPlanning(false)}>
        <WarmUpForm account={a} onDone={() => setPlanning(false)} />
      </Sheet>
    </Card>
  )
}

function WarmUpForm({ account: a, onDone }: { account: Account; onDone: () => void }) {
  const t = useT()
  const [today] = useState(() => new Date().toISOString().slice(0, 10))
  const update = useSend('put', '/api/v1/accounts/{id}', live)
  const form = useForm({
    initial: {
      warm_up: {
        start: a.warm_up?.start ?? today,
        first: (a.warm_up?.first ?? 50) as number | string,
        growth: (a.warm_up?.growth ?? 1.5) as number | string,
        target: (a.warm_up?.target ?? 20_000) as number | string,
      },
    },
    follow: true,
    revision: a.revision,
    save: ({ warm_up: w }, revision) =>
      update.mutateAsync({
        path: { id: a.id },
        body: {
          ...draftOf(a),
          revision,
          warm_up: { start: w.start, first: Number(w.first), growth: Number(w.growth), target: Number(w.target) },
        },
      }),
    onDone,
  })
  const w = form.getValues().warm_up
  const days = Math.ceil(Math.log(Number(w.target) / Number(w.first)) / Math.log(Number(w.growth)))
  return (
    <FormBody form={form} action={t('action.save')} onCancel={onDone}>
      <DateTimeInput
        dateOnly
        label={t('pace.start')}
        value={w.start}
        onChange={(v) => form.setFieldValue('warm_up.start', v)}
        error={form.errors['warm_up.start']}
        required
      />
      <NumberInput label={t('pace.first')} min={1} required {...form.getInputProps('warm_up.first')} />
      <NumberInput
        label={t('pace.growth')}
        description={t('pace.growth_help')}
        min={1.05}
        step={0.1}
        decimalScale={2}
        required
        {...form.getInputProps('warm_up.growth')}
      />
      <NumberInput
        label={t('pace.target')}
        description={t('pace.target_help')}
        min={1}
        thousandSeparator
        required
        {...form.getInputProps('warm_up.target')}
      />
      {Number.isFinite(days) && days > 0 ? <Alert color="gray">{t('pace.length', { count: days })}</Alert> : null}
    </FormBody>
  )
}

function Throttles({ account: a, pace: p }: { account: Account; pace: Schemas['PaceProgress'] }) {
  const t = useT()
  const write = useCan()('settings.write')
  const [editing, setEditing] = useState<{ at: number; seen: Account } | null>(null) // its place in the list as it was when it was opened
  const [showing, setShowing] = useState(false)
  const update = useSend('put', '/api/v1/accounts/{id}', live)
  const providers = useRead('/api/v1/sending/providers', {}, { enabled: showing })
  const own = a.throttles ?? []
  const put = (change: Partial<Schemas['AccountDraft']>, on = a) =>
    update.mutateAsync({ path: { id: a.id }, body: { ...draftOf(on), ...change } })
  const written = editing?.seen.throttles ?? []
  const entry = editing && placed(editing.at, written, own)
  const save = async (x: Throttle) => {
    if (!editing || !entry) return
    const on = entry.gone ? editing.seen : a
    const seen = await put({ throttles: (on.throttles ?? []).toSpliced(entry.at, 1, x) }, on)
    setEditing((e) => e && { at: entry.at, seen })
  }
  const ownAt = (name: string) => own.findIndex((x) => x.name === name)
  return (
    <Card
      title={t('pace.throttles')}
      help={t('pace.throttles_help')}
      flush
      actions={write ? <Button onClick={() => setEditing({ at: -1, seen: a })}>{t('pace.throttle_add')}</Button> : null}
    >
      <Stack gap="sm" p="md">
        <Group justify="space-between">
          <Switch
            label={t('pace.providers')}
            description={t('pace.providers_help')}
            disabled={!write || update.isPending}
            checked={a.provider_throttles ?? false}
            onChange={(e) => void put({ provider_throttles: e.currentTarget.checked }).catch(toastError)}
          />
          <Button size="compact-sm" variant="subtle" onClick={() => setShowing(true)}>
            {t('pace.providers_show')}
          </Button>
        </Group>
      </Stack>
      <DataTable
        bare
        plain
        name="throttles"
        label={t('pace.throttles')}
        rows={p.throttles ?? []}
        rowId={(x) => x.name}
        columns={[
          {
            id: 'name',
            title: t('field.name'),
            cell: (x) => (
              <>
                {providerName(x.name)}
                <div>
                  <Note>{(x.domains ?? []).join(', ')}</Note>
                </div>
              </>
            ),
          },
          {
            id: 'minute',
            title: t('pace.this_minute'),
            cell: (x) =>
              x.per_minute ? t('pace.of', { used: formatNumber(x.used), limit: formatNumber(x.per_minute) }) : formatNumber(x.used),
          },
          {
            id: 'connections',
            title: t('account.connections'),
            num: true,
            cell: (x) => (x.connections ? formatNumber(x.connections) : '–'),
          },
          { id: 'full', title: t('pace.full_until'), cell: (x) => (x.full_until ? <Ago at={x.full_until} /> : '–') },
          {
            id: 'more',
            title: '',
            num: true,
            cell: (x) =>
              write && ownAt(x.name) >= 0 ? (
                <Group gap="xs" justify="flex-end" wrap="nowrap">
                  <Button size="compact-sm" onClick={() => setEditing({ at: ownAt(x.name), seen: a })}>
                    {t('action.edit')}
                  </Button>
                  <Button size="compact-sm" onClick={() => void put({ throttles: own.toSpliced(ownAt(x.name), 1) }).catch(toastError)}>
                    {t('action.remove')}
                  </Button>
                </Group>
              ) : null,
          },
        ]}
        empty={<EmptyState title={t('pace.no_throttles')} />}
      />
      <Sheet
        title={t(editing?.at === -1 ? 'pace.throttle_add' : 'pace.throttles')}
        opened={editing !== null}
        onClose={() => setEditing(null)}
      >
        {editing && entry ? <ThrottleForm at={entry.at} value={written[editing.at]} save={save} onDone={() => setEditing(null)} /> : null}
      </Sheet>
      <Sheet title={t('pace.providers')} opened={showing} onClose={() => setShowing(false)}>
        <Loaded of={providers}>
          {(d) => (
            <DataTable
              bare
              plain
              name="providers"
              label={t('pace.providers')}
              rows={d.throttles ?? []}
              rowId={(x) => x.name}
              columns={[
                {
                  id: 'name',
                  title: t('field.name'),
                  cell: (x) => (
                    <>
                      {providerName(x.name)}
                      <div>
                        <Note>{(x.domains ?? []).join(', ')}</Note>
                      </div>
                    </>
                  ),
                },
                { id: 'minute', title: t('pace.per_minute'), num: true, cell: (x) => formatNumber(x.per_minute ?? 0) },
                { id: 'connections', title: t('account.connections'), num: true, cell: (x) => formatNumber(x.connections ?? 0) },
              ]}
            />
          )}
        </Loaded>
      </Sheet>
    </Card>
  )
}

function ThrottleForm(p: { at: number; value: Throttle | undefined; save: (x: Throttle) => Promise<unknown>; onDone: () => void }) {
  const t = useT()
  const form = useForm({
    initial: {
      name: p.value?.name ?? '',
      domains: p.value?.domains ?? [],
      per_minute: (p.value?.per_minute ?? 60) as number | string,
      connections: (p.value?.connections ?? 0) as number | string,
    },
    follow: p.value !== undefined,
    names: Object.fromEntries(['name', 'domains', 'per_minute', 'connections'].map((n) => [`throttles.${p.at}.${n}`, n])),
    save: (v) =>
      p.save({ name: v.name, domains: v.domains, per_minute: Number(v.per_minute) || 0, connections: Number(v.connections) || 0 }),
    onDone: p.onDone,
  })
  return (
    <FormBody form={form} action={t('action.save')} onCancel={p.onDone}>
      <TextInput label={t('field.name')} required maxLength={60} data-autofocus {...form.getInputProps('name')} />
      <TagsInput
        label={t('pace.domains')}
        description={t('pace.domains_help')}
        placeholder="gmail.com"
        splitChars={[',', ' ', ';']}
        required
        {...form.getInputProps('domains')}
      />
      <SimpleGrid cols={2}>
        <NumberInput label={t('pace.per_minute')} description={t('pace.zero_help')} min={0} {...form.getInputProps('per_minute')} />
        <NumberInput label={t('account.connections')} description={t('pace.zero_help')} min={0} {...form.getInputProps('connections')} />
      </SimpleGrid>
    </FormBody>
  )
}
