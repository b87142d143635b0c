// How long events are kept: a term for everything and one for each kind, what they would remove, and what removals have done.
import { useState } from 'react'
import { call, type Schemas, refresh, useList, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, useT, word } from '@/i18n'
import { eventName } from '@/people/happening'
import { JobState } from '@/jobs/JobState'
import { waits } from '@/jobs/job'
import {
  Alert,
  Button,
  Card,
  confirm,
  DataTable,
  Definition,
  EmptyState,
  Group,
  Link,
  Loaded,
  Note,
  Num,
  Select,
  Sheet,
  Stack,
  Tag,
  Time,
  toast,
  toastError,
  useForm,
  DangerButton,
} from '@/ui'
import { SettingsSection } from './SettingsSection'

type Retention = Schemas['Retention']
type Policy = Schemas['RetentionPolicy']
type Kind = Schemas['RetainedKind']
type Check = Schemas['RetentionCheck']
type Receipt = Schemas['RetentionReceipt']

const spans = [7, 30, 90, 180, 365, 730, 1095, 1825, 3653]
const key = (k: { type: string; name?: string }) => `${k.type} ${k.name ?? ''}`

/** A span of days in the unit that people say it in. */
function daysText(t: ReturnType<typeof useT>, days: number): string {
  if (days === 0) return t('retention.ever')
  const years = Math.round(days / 365.25)
  if (years >= 1 && Math.abs(days - years * 365.25) <= years) return t('retention.years', { count: years, n: formatNumber(years) })
  return t('retention.days', { count: days, n: formatNumber(days) })
}

export const kindText = (t: ReturnType<typeof useT>, k: { type: string; name?: string }): string =>
  k.name
    ? eventName(k)
    : k.type === 'page' || k.type === 'screen'
      ? word('event_name', k.type)
      : t('retention.others', { type: word('event_type', k.type) })

export default function RetentionSection() {
  const got = useRead('/api/v1/retention', {})
  return (
    <SettingsSection id="retention">
      <Loaded of={got}>{(r) => <Terms now={r} />}</Loaded>
    </SettingsSection>
  )
}

function Terms({ now }: { now: Retention }) {
  const t = useT()
  const write = useCan()('privacy.write')
  const [seen, setSeen] = useState<{ of: Policy; check: Check } | null>(null)
  const check = useSend('post', '/api/v1/retention/check')
  const save = useSend('put', '/api/v1/retention', { refresh: ['/api/v1/retention'] })
  const form = useForm<Policy>({
    initial: { ...now.policy, rules: now.policy.rules ?? [] },
    follow: true,
    save: (v) => keep(v),
    onDone: () => toast(t('retention.saved')),
  })
  const draft = form.values
  const changed = form.isDirty()
  const rules = draft.rules ?? []
  const ruleOf = (k: Kind) => rules.find((r) => key(r) === key(k))
  const choose = (k: Kind, value: string) => {
    const others = rules.filter((r) => key(r) !== key(k))
    const rule = { type: k.type as Schemas['RetentionRule']['type'], name: k.name, days: Number(value) }
    form.setFieldValue('rules', value === '' ? others : [...others, rule])
  }
  const look = () => check.mutate({ body: draft }, { onSuccess: (found) => setSeen({ of: draft, check: found }), onError: toastError })
  const keep = async (policy: Policy) => {
    try {
      const found = await call('post', '/api/v1/retention/check', { body: policy })
      setSeen({ of: policy, check: found })
      const n = (found.removed ?? []).reduce((sum, r) => sum + r.count, 0)
      const asks = (found.segments ?? []).length
      if (n > 0 || asks > 0) {
        const text = [
          n > 0 ? t('retention.save_removes', { count: n, n: formatNumber(n) }) : '',
          asks > 0 ? t('retention.save_asks', { count: asks, n: formatNumber(asks) }) : '',
        ]
        const title = t('retention.save_title')
        if (!(await confirm({ title, text: text.filter(Boolean).join(' '), action: t('action.save'), danger: n > 0 }))) return false
      }
      return await save.mutateAsync({ body: policy })
    } catch (err) {
      toastError(err)
      return false
    }
  }
  const choices = (k: Kind) => {
    const rule = ruleOf(k)
    const all = [...new Set([...spans, ...(rule?.days ? [rule.days] : [])])].filter((d) => !k.ledger || d >= now.ledger_days)
    return [
      { value: '', label: t('retention.default') },
      ...all.toSorted((a, b) => a - b).map((d) => ({ value: String(d), label: daysText(t, d) })),
      { value: '0', label: t('retention.ever') },
    ]
  }
  return (
    <Stack>
      <Card title={t('retention.terms')} help={t('retention.terms_help')}>
        <Stack>
          <Select
            label={t('retention.all')}
            description={t('retention.all_help')}
            maw={320}
            allowDeselect={false}
            disabled={!write}
            value={String(draft.days)}
            data={[...new Set([...spans, ...(draft.days ? [draft.days] : [])])]
              .toSorted((a, b) => a - b)
              .map((d) => ({ value: String(d), label: daysText(t, d) }))
              .concat({ value: '0', label: t('retention.ever') })}
            onChange={(v) => form.setFieldValue('days', Number(v))}
          />
          <DataTable
            name="retention"
            label={t('retention.terms')}
            rows={now.kinds ?? []}
            rowId={key}
            plain
            columns={[
              {
                id: 'kind',
                title: t('field.event'),
                cell: (k) => (
                  <div>
                    <div>{kindText(t, k)}</div>
                    {k.name ? <Note>{word('event_type', k.type)}</Note> : null}
                  </div>
                ),
                text: (k) => key(k),
              },
              { id: 'count', title: t('retention.count'), num: true, cell: (k) => <Num value={k.count} />, text: (k) => String(k.count) },
              {
                id: 'oldest',
                title: t('retention.oldest'),
                cell: (k) => (
                  <div>
                    {k.oldest ? <Time at={k.oldest} /> : '–'}
                    {k.gone_before ? (
                      <Note>
                        {t('retention.gone', { n: formatNumber(k.removed) })} <Time at={k.gone_before} />
                      </Note>
                    ) : null}
                  </div>
                ),
                text: (k) => k.oldest,
              },
              {
                id: 'days',
                title: t('retention.kept'),
                cell: (k) =>
                  k.lasting ? (
                    <Note>{t(`retention.lasting_${k.lasting}`)}</Note>
                  ) : (
                    <div style={{ minWidth: 170 }}>
                      <Select
                        aria-label={t('retention.kept_of', { name: kindText(t, k) })}
                        allowDeselect={false}
                        disabled={!write}
                        value={String(ruleOf(k)?.days ?? '')}
                        data={choices(k)}
                        onChange={(v) => choose(k, v ?? '')}
                      />
                      {k.ledger ? <Note>{t('retention.ledger', { n: daysText(t, now.ledger_days) })}</Note> : null}
                    </div>
                  ),
                text: (k) => String(k.days),
              },
            ]}
            empty={<EmptyState title={t('retention.empty')} text={t('retention.empty_help')} />}
          />
          {write ? (
            <Group justify="flex-end">
              {form.more ? <Note>{t('form.more')}</Note> : null}
              {changed ? <Button onClick={form.reset}>{t('retention.discard')}</Button> : null}
              <Button loading={check.isPending} onClick={look}>
                {t('retention.check')}
              </Button>
              <Button variant="filled" disabled={!changed} loading={form.busy} onClick={() => void form.submit()}>
                {t('action.save')}
              </Button>
            </Group>
          ) : null}
          {seen ? <Foreseen check={seen.check} stale={JSON.stringify(seen.of) !== JSON.stringify(draft)} /> : null}
        </Stack>
      </Card>
      {write ? <Removals /> : null}
    </Stack>
  )
}

/** What the terms as they stand in the form would do. */
function Foreseen({ check, stale }: { check: Check; stale: boolean }) {
  const t = useT()
  const removed = check.removed ?? []
  const segments = check.segments ?? []
  return (
    <Alert color="gray" title={t(stale ? 'retention.foreseen_stale' : 'retention.foreseen')}>
      <Stack gap="xs">
        {removed.length === 0 ? <span>{t('retention.foreseen_none')}</span> : <Lines lines={removed} />}
        {segments.length > 0 ? <span>{t('retention.asks')}</span> : null}
        {segments.map((s) => (
          <div key={s.id}>
            <Link to={`/segments/${s.id}`}>{s.name}</Link>{' '}
            <Note>
              {(s.limits ?? []).map((l) => t('retention.asks_of', { name: kindText(t, l), days: daysText(t, l.days) })).join(' · ')}
            </Note>
          </div>
        ))}
      </Stack>
    </Alert>
  )
}

function Lines({ lines }: { lines: Schemas['RetentionCount'][] }) {
  const t = useT()
  return (
    <Definition
      items={lines.map((l) => [
        kindText(t, l),
        <span key={key(l)}>
          {t('retention.line', { count: l.count, n: formatNumber(l.count) })} <Time at={l.before} />
        </span>,
      ])}
    />
  )
}

/** Removals: one that runs, a button for one now, and the receipts. */
function Removals() {
  const t = useT()
  const [open, setOpen] = useState<Receipt | null>(null)
  const receipts = useList('/api/v1/retention/receipts', {})
  const jobs = useList('/api/v1/jobs', { query: { active: true } })
  const running = jobs.items.find((j) => j.kind === 'retention' && waits(j))
  const remove = useSend('post', '/api/v1/retention/removal', { refresh: ['/api/v1/jobs'] })
  const run = async () => {
    if (
      !(await confirm({
        title: t('retention.remove_title'),
        text: t('retention.remove_text'),
        action: t('retention.remove'),
        danger: true,
      }))
    )
      return
    remove.mutate({}, { onSuccess: () => toast(t('retention.begun')), onError: toastError })
  }
  // A removal that has ended has a receipt, and other figures above.
  const [was, setWas] = useState(running?.id)
  if (was !== running?.id) {
    setWas(running?.id)
    if (was) void refresh(['/api/v1/retention'])
  }
  return (
    <Card
      title={t('retention.removals')}
      help={t('retention.removals_help')}
      actions={
        <DangerButton loading={remove.isPending} disabled={running !== undefined} onClick={() => void run()}>
          {t('retention.remove')}
        </DangerButton>
      }
    >
      <Stack>
        {running ? <JobState job={running} full /> : null}
        <DataTable
          name="retention-receipts"
          label={t('retention.removals')}
          rows={receipts.items}
          rowId={(r) => r.id}
          loading={receipts.loading}
          error={receipts.error}
          onRetry={receipts.reload}
          more={receipts.more}
          loadingMore={receipts.loadingMore}
          onMore={receipts.loadMore}
          plain
          columns={[
            { id: 'at', title: t('privacy.finished'), cell: (r) => <Time at={r.finished_at} /> },
            { id: 'by', title: t('privacy.who'), cell: (r) => r.by },
            { id: 'count', title: t('retention.removed'), num: true, cell: (r) => <Num value={r.count} /> },
            {
              id: 'bytes',
              title: t('retention.bytes'),
              cell: (r) => (
                <Tag tone={r.rewritten ? 'success' : undefined}>{t(r.rewritten ? 'retention.bytes_gone' : 'retention.bytes_later')}</Tag>
              ),
            },
            {
              id: 'more',
              title: '',
              num: true,
              cell: (r) => (
                <Button size="compact-sm" onClick={() => setOpen(r)}>
                  {t('privacy.receipt')}
                </Button>
              ),
            },
          ]}
          empty={<EmptyState title={t('retention.removals_empty')} />}
        />
      </Stack>
      <Sheet title={t('privacy.receipt')} opened={open !== null} onClose={() => setOpen(null)}>
        {open ? (
          <Stack>
            <Definition
              items={[
                [t('privacy.number'), open.id],
                [t('privacy.who'), open.by],
                [t('privacy.finished'), <Time key="f" at={open.finished_at} />],
                [t('retention.bytes'), t(open.rewritten ? 'retention.bytes_gone' : 'retention.bytes_later')],
                [t('retention.segments'), formatNumber(open.segments)],
              ]}
            />
            {open.lines?.length ? <Lines lines={open.lines} /> : <Note>{t('retention.foreseen_none')}</Note>}
            <Note>{t('retention.caveat')}</Note>
          </Stack>
        ) : null}
      </Sheet>
    </Card>
  )
}
