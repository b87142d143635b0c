// What a person takes part in: topics, segments, journeys, invoices.
import { useMemo, useState } from 'react'
import { type Answer, type Schemas, useAll, useList, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { decimals, minor, useT, word } from '@/i18n'
import { journeyReason } from '@/journeys/reasons'
import {
  Ago,
  Button,
  Card,
  DataTable,
  EmptyState,
  FormBody,
  Group,
  Link,
  LinkButton,
  Loaded,
  Money,
  Note,
  NumberInput,
  Select,
  Sheet,
  Stack,
  Status,
  Switch,
  TextInput,
  Time,
  toast,
  toastError,
  useForm,
  useAtOnce,
  DangerButton,
  confirm,
} from '@/ui'

const people = ['/api/v1/people']

/** What the person may be sent, by topic and channel, and what they said about it. */
export function Topics({ id }: { id: string }) {
  const t = useT()
  const write = useCan()('consent.write')
  const preferences = useRead('/api/v1/people/{id}/preferences', { path: { id } })
  const history = useList('/api/v1/people/{id}/subscriptions', { path: { id } }, { size: 20 })
  const say = useAtOnce('post', '/api/v1/people/{id}/subscriptions', {
    refresh: people,
    shows: ({ body }) => [
      {
        path: '/api/v1/people/{id}/preferences',
        as: (p: Answer<'/api/v1/people/{id}/preferences', 'get'>) => ({
          ...p,
          topics: p.topics?.map((x) =>
            x.topic === body.topic && x.channel === body.channel ? { ...x, status: body.status, allowed: body.status === 'subscribed' } : x,
          ),
        }),
      },
    ],
  })
  const pause = useSend('put', '/api/v1/people/{id}/preferences', { refresh: people })
  const again = useSend('post', '/api/v1/people/{id}/subscriptions/resend', { refresh: people })
  const askAgain = (topic: string, channel: string) =>
    again.mutate({ path: { id }, body: { topic, channel } }, { onSuccess: () => toast(t('person.asked_again')), onError: toastError })
  const names = useMemo(() => Object.fromEntries((preferences.data?.topics ?? []).map((x) => [x.topic, x.name])), [preferences.data])
  const change = (topic: string, channel: string, on: boolean) =>
    void say({ path: { id }, body: { topic, channel, status: on ? 'subscribed' : 'unsubscribed', evidence: t('person.by_staff') } })
  return (
    <>
      <Loaded of={preferences}>
        {(p) => (
          <Card
            title={t('person.topics')}
            help={t('person.topics_help')}
            flush
            actions={<LinkOut to={p.link}>{t('person.preference_page')}</LinkOut>}
          >
            <DataTable
              bare
              plain
              name="person.topics"
              label={t('person.topics')}
              rows={p.topics ?? []}
              rowId={(x) => `${x.topic} ${x.channel}`}
              columns={[
                { id: 'topic', title: t('field.topic'), main: true, cell: (x) => x.name },
                { id: 'channel', title: t('field.channel'), cell: (x) => word('channel', x.channel) },
                {
                  id: 'status',
                  title: t('field.status'),
                  cell: (x) => (
                    <Group gap="xs">
                      <Status value={x.status} />
                      {write && x.status === 'pending' ? (
                        <Button size="compact-xs" loading={again.isPending} onClick={() => askAgain(x.topic, x.channel)}>
                          {t('person.ask_again')}
                        </Button>
                      ) : null}
                    </Group>
                  ),
                },
                { id: 'since', title: t('field.time'), cell: (x) => <Ago at={x.since} /> },
                {
                  id: 'allowed',
                  title: t('person.allowed'),
                  num: true,
                  cell: (x) => (
                    <Switch
                      aria-label={`${x.name} ${word('channel', x.channel)}`}
                      checked={x.allowed}
                      disabled={!write}
                      onChange={(e) => change(x.topic, x.channel, e.currentTarget.checked)}
                    />
                  ),
                },
              ]}
              empty={<EmptyState title={t('person.no_topics')} />}
            />
            {write ? (
              <Group p="md" gap="md">
                <Select
                  label={t('person.frequency')}
                  value={p.frequency}
                  allowDeselect={false}
                  data={(['all', 'weekly'] as const).map((value) => ({ value, label: t(`person.frequency_${value}`) }))}
                  onChange={(v) =>
                    v &&
                    pause.mutate(
                      { path: { id }, body: { frequency: v as 'all' | 'weekly', paused_until: p.paused_until } },
                      { onError: toastError },
                    )
                  }
                />
                <div>
                  <Note>{p.paused_until ? t('person.paused_until') : t('person.not_paused')}</Note>
                  {p.paused_until ? <Time at={p.paused_until} /> : null}
                </div>
                <Button
                  loading={pause.isPending}
                  onClick={() =>
                    pause.mutate(
                      {
                        path: { id },
                        body: {
                          frequency: p.frequency,
                          paused_until: p.paused_until ? undefined : new Date(Date.now() + 30 * 86_400_000).toISOString(),
                        },
                      },
                      { onError: toastError },
                    )
                  }
                >
                  {p.paused_until ? t('person.unpause') : t('person.pause')}
                </Button>
              </Group>
            ) : null}
          </Card>
        )}
      </Loaded>
      <Card title={t('person.statements')} flush>
        <DataTable
          bare
          plain
          name="person.statements"
          label={t('person.statements')}
          rows={history.items}
          rowId={(s) => `${s.at} ${s.topic} ${s.channel} ${s.status}`}
          loading={history.loading}
          error={history.error}
          more={history.more}
          loadingMore={history.loadingMore}
          onMore={history.loadMore}
          columns={[
            {
              id: 'topic',
              title: t('field.topic'),
              main: true,
              cell: (s) => (s.topic === '*' ? t('person.every_topic') : (names[s.topic] ?? s.topic)),
            },
            {
              id: 'channel',
              title: t('field.channel'),
              cell: (s) => (s.channel === '*' ? t('policy.all_channels') : word('channel', s.channel)),
            },
            { id: 'status', title: t('field.status'), cell: (s) => <Status value={s.status} /> },
            {
              id: 'source',
              title: t('field.source'),
              cell: (s) => (
                <>
                  {saidBy(s.source)}
                  {s.evidence ? <Note>{s.evidence}</Note> : null}
                </>
              ),
            },
            { id: 'at', title: t('field.time'), num: true, cell: (s) => <Time at={s.at} /> },
          ]}
          empty={<EmptyState title={t('person.no_statements')} />}
        />
      </Card>
    </>
  )
}

/** Who or what made a statement, in words: "one_click", "staff:Ann", "event:browser:form". */
function saidBy(source: string): string {
  const [kind = '', ...rest] = source.split(':')
  const name = kind === 'event' ? rest.slice(1).join(':') : rest.join(':')
  return name ? `${word('consent_source', kind)} (${name})` : word('consent_source', kind)
}

function LinkOut({ to, children }: { to: string; children: string }) {
  return (
    <a href={to} target="_blank" rel="noreferrer">
      {children}
    </a>
  )
}

/** Segments and lists that the person is in, and the journeys they went through. */
export function Journeys({ id }: { id: string }) {
  const t = useT()
  const sets = useRead('/api/v1/people/{id}/segments', { path: { id } })
  const rounds = useList('/api/v1/people/{id}/journeys', { path: { id } }, { size: 20 })
  const journeys = useAll('/api/v1/journeys')
  const names = useMemo(() => Object.fromEntries((journeys.data?.items ?? []).map((j) => [j.id, j])), [journeys.data])
  const title = (journey: string, node: string) =>
    (names[journey]?.draft as { nodes?: { id: string; title?: string }[] } | undefined)?.nodes?.find((n) => n.id === node)?.title ?? node
  return (
    <>
      <Card title={t('person.segments')}>
        <Loaded of={sets}>
          {(s) =>
            s.items?.length ? (
              <Group gap="xs">
                {s.items.map((x) => (
                  <LinkButton key={x.id} to={`/${x.kind === 'list' ? 'lists' : 'segments'}/${x.id}`} size="compact-sm" variant="default">
                    {x.name}
                  </LinkButton>
                ))}
              </Group>
            ) : (
              <EmptyState title={t('person.no_segments')} />
            )
          }
        </Loaded>
      </Card>
      <Card title={t('nav.journeys')} flush>
        <DataTable
          bare
          plain
          name="person.journeys"
          label={t('nav.journeys')}
          rows={rounds.items}
          rowId={(r) => r.id}
          loading={rounds.loading}
          error={rounds.error}
          more={rounds.more}
          loadingMore={rounds.loadingMore}
          onMore={rounds.loadMore}
          columns={[
            {
              id: 'journey',
              title: t('field.journey'),
              main: true,
              cell: (r) => <Link to={`/journeys/${r.journey_id}`}>{names[r.journey_id]?.name ?? r.journey_id}</Link>,
            },
            {
              id: 'status',
              title: t('field.status'),
              cell: (r) => (
                <>
                  <Status value={r.goal_at ? 'goal' : r.status} of={r.status === 'active' && !r.goal_at ? 'round' : undefined} />
                  {r.error ? <Note>{journeyReason(r.error)}</Note> : null}
                </>
              ),
            },
            { id: 'where', title: t('person.where'), cell: (r) => title(r.journey_id, r.node) },
            { id: 'entered', title: t('metric.entered'), num: true, cell: (r) => <Time at={r.entered_at} /> },
            { id: 'due', title: t('person.moves_on'), num: true, cell: (r) => <Time at={r.due_at} /> },
          ]}
          empty={<EmptyState title={t('person.no_journeys')} />}
        />
      </Card>
    </>
  )
}

type Invoice = Schemas['Invoice']

/** What the person owes and has paid. */
export function Invoices({ id }: { id: string }) {
  const t = useT()
  const write = useCan()('people.write')
  const [fresh, setFresh] = useState(false)
  const [open, setOpen] = useState<Invoice | null>(null)
  const invoices = useList('/api/v1/invoices', { query: { person: id } }, { size: 20 })
  return (
    <Card title={t('invoice.title')} flush actions={write ? <Button onClick={() => setFresh(true)}>{t('invoice.new')}</Button> : null}>
      <DataTable
        bare
        plain
        name="person.invoices"
        label={t('invoice.title')}
        rows={invoices.items}
        rowId={(i) => i.id}
        loading={invoices.loading}
        error={invoices.error}
        more={invoices.more}
        loadingMore={invoices.loadingMore}
        onMore={invoices.loadMore}
        onOpen={setOpen}
        columns={[
          {
            id: 'number',
            title: t('invoice.number'),
            main: true,
            cell: (i) => (
              <>
                {i.number}
                {i.title ? <Note>{i.title}</Note> : null}
              </>
            ),
          },
          { id: 'status', title: t('field.status'), cell: (i) => <Status value={i.status} tone={invoiceTone[i.status]} /> },
          { id: 'due', title: t('invoice.due_on'), cell: (i) => i.due_on },
          { id: 'reminders', title: t('invoice.reminders'), num: true, cell: (i) => i.reminders?.length ?? 0 },
          { id: 'amount', title: t('invoice.amount'), num: true, cell: (i) => <Money minor={i.amount} currency={i.currency} /> },
          {
            id: 'outstanding',
            title: t('invoice.outstanding'),
            num: true,
            cell: (i) => <Money minor={i.outstanding} currency={i.currency} />,
          },
        ]}
        empty={<EmptyState title={t('invoice.none')} text={t('invoice.none_help')} />}
      />
      <Sheet title={t('invoice.new')} opened={fresh} onClose={() => setFresh(false)}>
        <InvoiceForm person={id} onDone={() => setFresh(false)} />
      </Sheet>
      <Sheet title={open ? t('invoice.of', { number: open.number }) : ''} opened={open !== null} onClose={() => setOpen(null)}>
        {open ? <InvoiceView id={open.id} write={write} /> : null}
      </Sheet>
    </Card>
  )
}

const invoiceTone = { open: 'info', overdue: 'danger', paid: 'success', void: 'gray' } as const
const invoices = ['/api/v1/invoices']

function InvoiceForm({ person, onDone }: { person: string; onDone: () => void }) {
  const t = useT()
  const put = useSend('put', '/api/v1/invoices', { refresh: invoices })
  const form = useForm({
    initial: { number: '', title: '', amount: 0, currency: 'JPY', due_on: '', url: '' },
    save: (v) =>
      put.mutateAsync({
        body: {
          number: v.number,
          person,
          title: v.title,
          amount: minor(v.amount, v.currency),
          currency: v.currency,
          due_on: v.due_on,
          url: v.url || undefined,
        },
      }),
    onDone: () => {
      toast(t('invoice.made'))
      onDone()
    },
  })
  return (
    <FormBody form={form} action={t('invoice.new')} onCancel={onDone}>
      <TextInput label={t('invoice.number')} data-autofocus {...form.getInputProps('number')} />
      <TextInput label={t('invoice.about')} {...form.getInputProps('title')} />
      <Group grow align="flex-start">
        <NumberInput
          label={t('invoice.amount')}
          min={0}
          decimalScale={decimals(form.values.currency)}
          thousandSeparator=","
          {...form.getInputProps('amount')}
        />
        <Select
          label={t('invoice.currency')}
          searchable
          data={['JPY', 'CNY', 'USD', 'EUR', 'GBP', 'TWD', 'HKD', 'KRW', 'AUD', 'CAD']}
          {...form.getInputProps('currency')}
        />
      </Group>
      <TextInput type="date" label={t('invoice.due_on')} {...form.getInputProps('due_on')} />
      <TextInput type="url" label={t('invoice.url')} {...form.getInputProps('url')} />
    </FormBody>
  )
}

function InvoiceView({ id, write }: { id: string; write: boolean }) {
  const t = useT()
  const invoice = useRead('/api/v1/invoices/{id}', { path: { id } })
  const pay = useSend('post', '/api/v1/invoices/{id}/payments', { refresh: invoices })
  const settle = useSend('post', '/api/v1/invoices/{id}/settle', { refresh: invoices })
  const cancel = useSend('post', '/api/v1/invoices/{id}/void', { refresh: invoices })
  const takeBack = async (number: string) => {
    const title = t('invoice.void_title', { number })
    if (await confirm({ title, text: t('bulk_sure.for_good'), action: t('invoice.void'), danger: true }))
      cancel.mutate({ path: { id } }, { onError: toastError })
  }
  const [attempt, setAttempt] = useState(() => crypto.randomUUID())
  const form = useForm({
    initial: { amount: 0 },
    save: (v) => pay.mutateAsync({ path: { id }, body: { key: attempt, amount: minor(v.amount, invoice.data?.currency ?? 'JPY') } }),
    onDone: () => {
      setAttempt(crypto.randomUUID())
      form.reset()
      toast(t('invoice.payment_made'))
    },
  })
  return (
    <Loaded of={invoice}>
      {(i) => (
        <Stack gap="md">
          <Group justify="space-between">
            <Status value={i.status} tone={invoiceTone[i.status]} />
            <strong>
              <Money minor={i.outstanding} currency={i.currency} />
            </strong>
          </Group>
          <DataTable
            plain
            name="invoice.history"
            label={t('invoice.history')}
            rows={[
              ...(i.payments ?? []).map((p) => ({ id: p.key, what: t('invoice.payment'), amount: p.amount, at: p.at })),
              ...(i.reminders ?? []).map((r) => ({
                id: `r${r.at}`,
                what: t('invoice.reminder_n', { n: r.step }),
                amount: null as number | null,
                at: r.at,
              })),
            ].sort((a, b) => b.at.localeCompare(a.at))}
            rowId={(r) => r.id}
            columns={[
              { id: 'what', title: t('invoice.history'), main: true, cell: (r) => r.what },
              {
                id: 'amount',
                title: t('invoice.amount'),
                num: true,
                cell: (r) => (r.amount === null ? '' : <Money minor={r.amount} currency={i.currency} />),
              },
              { id: 'at', title: t('field.time'), num: true, cell: (r) => <Time at={r.at} /> },
            ]}
            empty={<EmptyState title={t('invoice.nothing_yet')} />}
          />
          {write && i.status !== 'void' ? (
            <FormBody form={form} action={t('invoice.pay')}>
              <NumberInput
                label={t('invoice.received')}
                description={t('invoice.received_help')}
                decimalScale={decimals(i.currency)}
                thousandSeparator=","
                {...form.getInputProps('amount')}
              />
            </FormBody>
          ) : null}
          {write && (i.status === 'open' || i.status === 'overdue') ? (
            <Group gap="xs">
              <Button onClick={() => settle.mutate({ path: { id } }, { onError: toastError })}>{t('invoice.settle')}</Button>
              <DangerButton onClick={() => void takeBack(i.number)}>{t('invoice.void')}</DangerButton>
            </Group>
          ) : null}
        </Stack>
      )}
    </Loaded>
  )
}
