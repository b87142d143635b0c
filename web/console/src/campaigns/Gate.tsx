import { useEffect, useState } from 'react'
import { call, describe, type Schemas } from '@/api'
import { useCan } from '@/app/session'
import { formatAbout, formatLanguage, formatNumber, useT, word } from '@/i18n'
import figures from '@/report/Figures.module.css'
import css from './Gate.module.css'
import { Alert, Card, DataTable, EmptyState, Note, Num, PersonLink, Sheet, Stat, Tag, Text, Time, type Tone, UnstyledButton } from '@/ui'

type Ask = Omit<Schemas['DryRunAsk'], '$schema'>

interface Which {
  outcome?: 'allowed' | 'waits' | 'refused'
  reason?: string
  /** Only those who get it and read this language. */
  language?: string
  title: string
}

/** How many get a text in a language that they do not read, each language leading to its people. */
export function Fallbacks({ ask, of, about }: { ask: Ask; of: Schemas['PreflightFallback'][]; about?: boolean }) {
  const t = useT()
  const said = about ? formatAbout : formatNumber
  const can = useCan()
  const [which, setWhich] = useState<Which | null>(null)
  if (of.length === 0) return null
  const all = of.reduce((sum, f) => sum + f.people, 0)
  return (
    <Alert color="warning" title={t('preflight.fallback', { count: all, n: said(all) })}>
      <ul className={css.fallbacks}>
        {of.map((f) => {
          const line = t('preflight.fallback_line', {
            count: f.people,
            n: said(f.people),
            language: formatLanguage(f.language),
            gets: formatLanguage(f.gets),
          })
          return (
            <li key={f.language}>
              {can('people.read') ? (
                <UnstyledButton data-finger className={figures.link} onClick={() => setWhich({ language: f.language, title: line })}>
                  {line}
                </UnstyledButton>
              ) : (
                line
              )}
            </li>
          )
        })}
      </ul>
      <Sheet wide title={which?.title} opened={which !== null} onClose={() => setWhich(null)}>
        {which ? <People ask={ask} which={which} /> : null}
      </Sheet>
    </Alert>
  )
}

/** What the gate said by reason; each reason leads to its people. */
export function Reasons({
  ask,
  refused,
  waits,
  about,
}: {
  ask: Ask
  /** They are estimates. */
  about?: boolean
  refused: Schemas['ReasonCount'][] | null
  waits: Schemas['ReasonCount'][] | null
}) {
  const t = useT()
  const can = useCan()
  const [which, setWhich] = useState<Which | null>(null)
  const rows = [
    ...(refused ?? []).map((x) => ({ ...x, outcome: 'refused' as const })),
    ...(waits ?? []).map((x) => ({ ...x, outcome: 'waits' as const })),
  ]
  if (rows.length === 0) return null
  return (
    <Card title={t('preflight.reasons')} flush>
      <DataTable
        bare
        plain
        name="gate-reasons"
        label={t('preflight.reasons')}
        rows={rows}
        rowId={(x) => `${x.outcome} ${x.reason}`}
        columns={[
          {
            id: 'reason',
            title: t('field.reason'),
            cell: (x) =>
              can('people.read') ? (
                <UnstyledButton
                  data-finger
                  className={figures.link}
                  onClick={() =>
                    setWhich({
                      outcome: x.outcome,
                      reason: x.reason,
                      title: `${t(`preflight.${x.outcome}`)} · ${word('reason', x.reason)}`,
                    })
                  }
                >
                  {word('reason', x.reason)}
                </UnstyledButton>
              ) : (
                word('reason', x.reason)
              ),
          },
          { id: 'outcome', title: t('preflight.outcome'), cell: (x) => t(`preflight.${x.outcome}`) },
          { id: 'count', title: t('field.people'), num: true, cell: (x) => <Num value={x.count} about={about} /> },
        ]}
      />
      <Sheet wide title={which?.title} opened={which !== null} onClose={() => setWhich(null)}>
        {which ? <People ask={ask} which={which} /> : null}
      </Sheet>
    </Card>
  )
}

/** A figure of the gate that leads to its people; without an outcome to all of the audience. */
export function GateStat({
  ask,
  outcome,
  label,
  value,
  about,
}: {
  ask: Ask
  outcome?: Which['outcome']
  label: string
  value: number
  /** It is an estimate. */
  about?: boolean
}) {
  const can = useCan()
  const [open, setOpen] = useState(false)
  return (
    <>
      <Stat
        label={label}
        value={<Num value={value} about={about} />}
        onClick={can('people.read') && value > 0 ? () => setOpen(true) : undefined}
      />
      <Sheet wide title={label} opened={open} onClose={() => setOpen(false)}>
        {open ? <People ask={ask} which={{ outcome, title: label }} /> : null}
      </Sheet>
    </>
  )
}

const tones: Record<string, Tone> = { allowed: 'success', waits: 'warning', refused: 'danger' }

function Outcome({ of }: { of: string }) {
  const t = useT()
  return <Tag tone={tones[of]}>{t(of === 'allowed' ? 'preflight.gets_it' : `preflight.${of}`)}</Tag>
}

function People({ ask, which }: { ask: Ask; which: Which }) {
  const t = useT()
  const [rows, setRows] = useState<Schemas['DryRunPerson'][]>([])
  const [next, setNext] = useState<string | null>('')
  const [wanted, setWanted] = useState('')
  const [error, setError] = useState<unknown>(null)
  const [again, setAgain] = useState(0)
  const key = JSON.stringify(ask)
  // A page may be short and still have a next one, so pages are read until one has people.
  // oxlint-disable-next-line react/exhaustive-deps
  useEffect(() => {
    const stop = new AbortController()
    const query = { outcome: which.outcome, reason: which.reason, language: which.language, limit: 50, cursor: wanted || undefined }
    call('post', '/api/v1/sending/dry-run/people', { query, body: JSON.parse(key) as Ask }, { signal: stop.signal }).then(
      (page) => {
        setError(null)
        setRows((before) => [...(wanted ? before : []), ...(page.items ?? [])])
        if (!page.items?.length && page.next_cursor) setWanted(page.next_cursor)
        else setNext(page.next_cursor || null)
      },
      (err: unknown) => {
        if (!stop.signal.aborted) setError(err)
      },
    )
    return () => stop.abort()
  }, [key, which.outcome, which.reason, which.language, wanted, again])
  return (
    <DataTable
      name="gate-people"
      people
      label={which.title}
      rows={rows}
      rowId={(x) => x.person.id}
      loading={rows.length === 0 && next === '' && !error}
      error={error ?? undefined}
      onRetry={() => setAgain(again + 1)}
      more={Boolean(next)}
      loadingMore={Boolean(next) && wanted === next}
      onMore={() => setWanted(next ?? '')}
      columns={[
        {
          id: 'person',
          title: t('field.person'),
          cell: (x) => <PersonLink person={x.person} />,
          text: (x) => x.person.name ?? x.person.id,
        },
        { id: 'outcome', title: t('preflight.outcome'), cell: (x) => <Outcome of={x.outcome} /> },
        { id: 'reason', title: t('field.reason'), cell: (x) => (x.reason ? word('reason', x.reason) : ''), text: (x) => x.reason },
        { id: 'at', title: t('preflight.at'), num: true, cell: (x) => <Time at={x.at} />, text: (x) => x.at },
      ]}
      empty={<EmptyState title={t('list.nobody')} />}
    />
  )
}

/** Whether the figures of the gate are from a sample of the audience. */
export const guessed = (of: { checked: number; audience: number }) => of.checked < of.audience

interface Looked {
  ask: Ask | null
  count: Schemas['DryRunCount'] | null
  error: unknown
  busy: boolean
}

/** One line below a form: how many would get it. */
export function Reach({ ask, count, error, busy }: Looked) {
  const t = useT()
  return (
    <div role="status" aria-live="polite" style={{ opacity: busy ? 0.55 : 1, minHeight: 24 }}>
      {ask === null ? <Text c="dimmed">{t('campaigns.count_needs')}</Text> : null}
      {error ? <Text c="var(--ui-danger-text)">{describe(error)}</Text> : null}
      {count ? (
        <Text fw={600}>
          {t('campaigns.count', {
            allowed: (guessed(count) ? formatAbout : formatNumber)(count.allowed),
            audience: formatNumber(count.audience),
          })}
        </Text>
      ) : null}
      {count?.unsettled.length ? <Note>{t('preflight.unsettled')}</Note> : null}
    </div>
  )
}
