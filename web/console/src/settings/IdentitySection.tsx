// What identifies a person: the kinds of identifiers in their order, what other kinds would do, and the change itself.
import { ArrowDown, ArrowUp, Plus, Trash2 } from 'lucide-react'
import { useEffect, useState } from 'react'
import { type Schemas, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, formatTime, useT, word } from '@/i18n'
import { JobState } from '@/jobs/JobState'
import { waits } from '@/jobs/job'
import {
  Button,
  Card,
  confirm,
  Group,
  IconButton,
  Loaded,
  Note,
  NumberInput,
  PersonLink,
  Select,
  Stack,
  Stat,
  Tag,
  TextInput,
  toast,
  toastError,
  useForm,
} from '@/ui'
import { SettingsSection } from './SettingsSection'
import css from './Identity.module.css'

type Kind = Schemas['IdentifierKind']
type Scheme = Schemas['IdentityScheme']

export default function IdentitySection() {
  const scheme = useRead('/api/v1/identity-scheme', {})
  return (
    <SettingsSection id="identity">
      <Loaded of={scheme}>{(s) => <Kinds scheme={s} />}</Loaded>
    </SettingsSection>
  )
}

const same = (a: Kind[], b: Kind[]) => JSON.stringify(a) === JSON.stringify(b)

function Kinds({ scheme }: { scheme: Scheme }) {
  const t = useT()
  const write = useCan()('settings.write')
  const [trial, setTrial] = useState<{ id: string; kinds: Kind[] } | null>(null)
  const simulate = useSend('post', '/api/v1/identity-scheme/simulations', { refresh: ['/api/v1/jobs'] })
  const apply = useSend('put', '/api/v1/identity-scheme', { refresh: ['/api/v1/identity-scheme', '/api/v1/jobs'] })
  const form = useForm({
    initial: { kinds: scheme.kinds },
    follow: true,
    save: ({ kinds }) =>
      apply
        .mutateAsync({ body: { kinds, simulation: trial?.id ?? '' } })
        .then(() => (setTrial(null), toast(t('identity_scheme.applying'))))
        .catch((err: unknown) => (toastError(err), false as const)),
  })
  const draft = form.values.kinds
  const setDraft = (kinds: Kind[]) => form.setFieldValue('kinds', kinds)
  const changed = form.isDirty()
  const set = (i: number, patch: Partial<Kind>) => setDraft(draft.with(i, { ...draft[i]!, ...patch }))
  const move = (i: number, step: -1 | 1) => {
    const next = [...draft]
    ;[next[i], next[i + step]] = [next[i + step]!, next[i]!]
    setDraft(next)
  }
  /** A device never stands above a person, and the user id stays first. */
  const may = (i: number, step: -1 | 1) => {
    const other = draft[i + step]
    return i > 0 && i + step > 0 && other !== undefined && other.strength === draft[i]!.strength
  }
  const add = () => {
    const at = draft.findIndex((k) => k.strength === 'weak')
    setDraft(draft.toSpliced(at < 0 ? draft.length : at, 0, { name: '', strength: 'strong', form: 'trim', joins: true, limit: 5 }))
  }
  return (
    <Stack>
      <Card
        title={t('identity_scheme.kinds')}
        actions={
          write ? (
            <Button leftSection={<Plus size={16} />} onClick={add}>
              {t('identity_scheme.add')}
            </Button>
          ) : null
        }
      >
        <Stack gap="sm">
          <Note>
            {t('identity_scheme.order_help')}
            <br />
            {scheme.changed_at ? t('identity_scheme.changed', { time: formatTime(scheme.changed_at) }) : t('identity_scheme.default')}
          </Note>
          <ol className={css.kinds}>
            {draft.map((k, i) => (
              // A kind that is being added has no name yet; its place is what it is.
              // oxlint-disable-next-line react/no-array-index-key
              <li key={i} className={css.kind} aria-label={k.name || t('identity_scheme.new')}>
                <div className={css.name}>
                  {scheme.kinds.some((x) => x.name === k.name) ? (
                    <strong>{word('identifier', k.name)}</strong>
                  ) : (
                    <TextInput
                      aria-label={t('identity_scheme.name')}
                      placeholder="member_id"
                      value={k.name}
                      onChange={(e) => set(i, { name: e.currentTarget.value })}
                    />
                  )}
                  <Note>
                    <code>{k.name}</code>
                  </Note>
                  <Note>{t(`identity_scheme.strength.${k.strength}`)}</Note>
                </div>
                <Select
                  className={css.choice}
                  label={t('identity_scheme.joins')}
                  disabled={!write || i === 0}
                  value={k.joins ? 'joins' : 'binds'}
                  allowDeselect={false}
                  data={['joins', 'binds'].map((v) => ({ value: v, label: t(`identity_scheme.${v}_word`) }))}
                  onChange={(v) => set(i, { joins: v === 'joins' })}
                />
                <NumberInput
                  className={css.number}
                  label={t('identity_scheme.limit')}
                  disabled={!write || i === 0}
                  min={1}
                  max={1000}
                  prefix="≤ "
                  hideControls
                  value={k.limit}
                  onChange={(v) => set(i, { limit: typeof v === 'number' ? v : 1 })}
                />
                <Select
                  className={css.window}
                  label={t('identity_scheme.window')}
                  disabled={!write || i === 0}
                  value={String(k.days ?? 0)}
                  allowDeselect={false}
                  data={[...new Set([0, 7, 30, 365, k.days ?? 0])]
                    .toSorted((a, b) => a - b)
                    .map((d) => ({
                      value: String(d),
                      label: d === 0 ? t('identity_scheme.ever') : t('identity_scheme.days', { count: d, n: formatNumber(d) }),
                    }))}
                  onChange={(v) => set(i, { days: Number(v) || undefined })}
                />
                {write ? (
                  <Group gap={2} wrap="nowrap">
                    <IconButton label={t('builder.up')} variant="subtle" color="gray" disabled={!may(i, -1)} onClick={() => move(i, -1)}>
                      <ArrowUp size={16} />
                    </IconButton>
                    <IconButton label={t('builder.down')} variant="subtle" color="gray" disabled={!may(i, 1)} onClick={() => move(i, 1)}>
                      <ArrowDown size={16} />
                    </IconButton>
                    <IconButton
                      label={t('identity_scheme.remove')}
                      variant="subtle"
                      color="gray"
                      disabled={i === 0 || k.name === 'anonymous_id'}
                      onClick={() => setDraft(draft.toSpliced(i, 1))}
                    >
                      <Trash2 size={16} />
                    </IconButton>
                  </Group>
                ) : null}
              </li>
            ))}
          </ol>
          {write ? (
            <Group>
              <Button
                variant="filled"
                disabled={!changed}
                loading={simulate.isPending}
                onClick={() =>
                  simulate.mutate(
                    { body: { kinds: draft } },
                    { onSuccess: (job) => setTrial({ id: job.id, kinds: draft }), onError: toastError },
                  )
                }
              >
                {t('identity_scheme.simulate')}
              </Button>
              {changed ? <Button onClick={form.reset}>{t('identity_scheme.reset')}</Button> : null}
              <Note>{t(changed ? 'identity_scheme.simulate_help' : 'identity_scheme.unchanged')}</Note>
            </Group>
          ) : null}
        </Stack>
      </Card>
      {trial ? <Trial id={trial.id} stale={!same(trial.kinds, draft)} applying={form.busy} apply={form.submit} /> : null}
    </Stack>
  )
}

/** What the simulated kinds would do, and the button that does it. */
function Trial({ id, stale, applying, apply }: { id: string; stale: boolean; applying: boolean; apply: () => void }) {
  const t = useT()
  // The job is told of as it goes on; what it has found is read again with it.
  const job = useRead('/api/v1/jobs/{id}', { path: { id } })
  const found = useRead('/api/v1/identity-scheme/simulations/{id}', { path: { id } })
  const { refetch } = found
  const at = job.data?.updated_at
  useEffect(() => {
    if (at) void refetch()
  }, [at, refetch])
  return (
    <Loaded of={found}>
      {(s) => {
        const n = (figure: string) => s.job.figures[figure] ?? 0
        const run = async () => {
          const title = t('identity_scheme.apply_title')
          const text = t('identity_scheme.apply_text', { merged: formatNumber(n('merged')), split: formatNumber(n('split')) })
          if (await confirm({ title, text, action: t('identity_scheme.apply'), danger: true })) apply()
        }
        return (
          <Card title={t('identity_scheme.trial')}>
            <Stack>
              {waits(s.job) || s.job.state !== 'done' ? <JobState job={s.job} full /> : null}
              <div className={css.stats} aria-live="polite">
                <Stat label={t('identity_scheme.people')} value={formatNumber(n('people'))} />
                <Stat label={t('identity_scheme.merged')} value={formatNumber(n('merged'))} />
                <Stat label={t('identity_scheme.split')} value={formatNumber(n('split'))} />
                <Stat label={t('identity_scheme.refused')} value={formatNumber(n('refused'))} />
              </div>
              {s.examples?.length ? (
                <ul className={css.examples}>
                  {s.examples.map((e, i) => (
                    // Examples have no names, and nobody moves them.
                    // oxlint-disable-next-line react/no-array-index-key
                    <li key={i}>
                      <Tag tone={e.what === 'merge' ? 'accent' : e.what === 'split' ? 'warning' : undefined}>
                        {t(`identity_scheme.what.${e.what}`)}
                      </Tag>{' '}
                      {e.people?.map((p, j) => (
                        <span key={p.id}>
                          {j > 0 ? ' · ' : ''}
                          <PersonLink person={p} />
                        </span>
                      ))}
                      <div>
                        <Note>
                          {[
                            e.reason ? word('identity_reason', e.reason) : '',
                            ...(e.identifiers ?? []).map((x) => `${word('identifier', x.kind)} ${x.value}`),
                          ]
                            .filter(Boolean)
                            .join(' · ')}
                        </Note>
                      </div>
                    </li>
                  ))}
                </ul>
              ) : s.job.state === 'done' ? (
                <Note>{t('identity_scheme.nothing')}</Note>
              ) : null}
              <Group>
                <Button
                  variant="filled"
                  color="danger"
                  disabled={s.job.state !== 'done' || stale || !s.current}
                  loading={applying}
                  onClick={() => void run()}
                >
                  {t('identity_scheme.apply')}
                </Button>
                {stale ? <Note>{t('identity_scheme.stale')}</Note> : null}
              </Group>
            </Stack>
          </Card>
        )
      }}
    </Loaded>
  )
}
