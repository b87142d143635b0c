// Two people who may be one: side by side, why, what joining would do, and the decision.
import { ArrowLeft, ArrowRight, GitMerge, SearchCheck, Split, UsersRound } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { refresh, type Schemas, useAll, useList, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatList, formatNumber, useT, word } from '@/i18n'
import { useShortcuts } from '@/lib/keys'
import { useUrlState } from '@/lib/route'
import {
  Button,
  Card,
  DataTable,
  EmptyState,
  FilterBar,
  FilterChip,
  Group,
  Link,
  ListPage,
  Loaded,
  Note,
  PageTabs,
  personName,
  Stack,
  Status,
  TextInput,
  Time,
  toast,
  toastError,
} from '@/ui'
import css from './Duplicates.module.css'
import { compare, contradict } from './compare'
import { toastJoined } from './unjoin'

type Suggestion = Schemas['Suggestion']
type State = 'open' | 'joined' | 'refused'

const changed = ['/api/v1/people-suggestions', '/api/v1/people']

export default function DuplicatesPage() {
  const t = useT()
  const write = useCan()('people.write')
  const [url, setUrl] = useUrlState({ tab: 'open', source: '' })
  const status = (['joined', 'refused'].includes(url.tab) ? url.tab : 'open') as State
  const job = useRead('/api/v1/jobs/{id}', { path: { id: url.source } }, { enabled: url.source.startsWith('job_') })
  const source = job.data?.title || word('job_kind', 'people_import')
  const look = useSend('post', '/api/v1/people-suggestions/look', { refresh: changed })
  return (
    <ListPage
      title={t('duplicates.title')}
      lead={t('duplicates.lead')}
      crumbs={[{ to: '/people', label: t('nav.people') }]}
      actions={
        write ? (
          <Button
            leftSection={<SearchCheck size={16} />}
            loading={look.isPending}
            onClick={() => look.mutate({}, { onSuccess: () => toast(t('duplicates.looking')), onError: toastError })}
          >
            {t('duplicates.look')}
          </Button>
        ) : null
      }
      views={
        <PageTabs
          label={t('duplicates.title')}
          tabs={['open', 'joined', 'refused'].map((id) => ({ id, label: t(`duplicates.tab.${id}`) }))}
          value={status}
          onChange={(tab) => setUrl({ tab })}
        />
      }
      filters={
        url.source ? (
          <FilterBar>
            <FilterChip
              label={t('duplicates.from')}
              value={url.source}
              choices={[{ value: url.source, label: source }]}
              onChange={(to) => setUrl({ source: to })}
            />
          </FilterBar>
        ) : null
      }
    >
      {status === 'open' ? (
        <Queue write={write} source={url.source || undefined} />
      ) : (
        <Decided status={status} source={url.source || undefined} />
      )}
    </ListPage>
  )
}

/** What waits, one pair at a time. */
function Queue({ write, source }: { write: boolean; source?: string }) {
  const t = useT()
  const waiting = useList('/api/v1/people-suggestions', { query: { status: 'open', source } }, { size: 100 })
  const [at, setAt] = useState(0)
  const [note, setNote] = useState('')
  const accept = useSend('post', '/api/v1/people-suggestions/{id}/accept', { refresh: changed })
  const refuse = useSend('post', '/api/v1/people-suggestions/{id}/refuse', { refresh: changed })
  const place = Math.min(at, Math.max(0, waiting.items.length - 1))
  const now = waiting.items[place]
  const go = (n: number) => {
    setAt(Math.max(0, Math.min(n, waiting.items.length - 1)))
    setNote('')
    if (n >= waiting.items.length - 2 && waiting.more) waiting.loadMore()
  }
  const decide = async (send: typeof accept, said: string) => {
    if (!now || !write || accept.isPending || refuse.isPending) return
    try {
      await send.mutateAsync({ path: { id: now.id }, body: note ? { note } : {} })
      const text = t(said, { one: personName(now.one), two: personName(now.two) })
      if (send === accept) toastJoined(text, now.one, now.two)
      else toast(text)
      setNote('')
      setTimeout(() => void refresh(changed), 2500) // until the event has gone through the log
    } catch (err) {
      toastError(err)
    }
  }
  useShortcuts(
    now
      ? [
          { keys: 'j', label: t('duplicates.next'), run: () => go(place + 1) },
          { keys: 'k', label: t('duplicates.previous'), run: () => go(place - 1) },
          ...(write
            ? [
                { keys: 'a', label: t('duplicates.accept'), run: () => void decide(accept, 'duplicates.accepted') },
                { keys: 'r', label: t('duplicates.refuse'), run: () => void decide(refuse, 'duplicates.refused') },
              ]
            : []),
        ]
      : [],
  )
  if (waiting.loading || waiting.error || !now)
    return (
      <DataTable
        name="duplicates"
        label={t('duplicates.title')}
        rows={[] as Suggestion[]}
        rowId={(s) => s.id}
        loading={waiting.loading}
        error={waiting.error}
        onRetry={waiting.reload}
        columns={[{ id: 'one', title: t('field.person'), cell: (s) => personName(s.one) }]}
        empty={<EmptyState icon={UsersRound} title={t('duplicates.empty_title')} text={t('duplicates.empty')} />}
      />
    )
  const total = `${formatNumber(waiting.items.length)}${waiting.more ? '+' : ''}`
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Note>{t('duplicates.place', { n: formatNumber(place + 1), total })}</Note>
        <Group gap="xs">
          <Button size="compact-sm" leftSection={<ArrowLeft size={14} />} disabled={place === 0} onClick={() => go(place - 1)}>
            {t('duplicates.previous')}
          </Button>
          <Button
            size="compact-sm"
            rightSection={<ArrowRight size={14} />}
            disabled={place >= waiting.items.length - 1}
            onClick={() => go(place + 1)}
          >
            {t('duplicates.next')}
          </Button>
        </Group>
      </Group>
      <Pair key={now.id} id={now.id} />
      {write ? (
        <Card>
          <div className={css.decide}>
            <TextInput
              className={css.why}
              label={t('field.why')}
              placeholder={t('duplicates.why')}
              maxLength={500}
              value={note}
              onChange={(e) => setNote(e.currentTarget.value)}
            />
            <Button
              variant="filled"
              leftSection={<GitMerge size={16} />}
              loading={accept.isPending}
              onClick={() => void decide(accept, 'duplicates.accepted')}
            >
              {t('duplicates.accept')}
            </Button>
            <Button leftSection={<Split size={16} />} loading={refuse.isPending} onClick={() => void decide(refuse, 'duplicates.refused')}>
              {t('duplicates.refuse')}
            </Button>
          </div>
          <Note>{t('duplicates.keys')}</Note>
        </Card>
      ) : null}
    </Stack>
  )
}

/** The two, why, and what joining would do. */
function Pair({ id }: { id: string }) {
  const t = useT()
  const one = useRead('/api/v1/people-suggestions/{id}', { path: { id } })
  return (
    <Loaded of={one}>
      {(s) => (
        <>
          <Card title={t('duplicates.evidence')}>
            <ul className={css.reasons}>
              {s.evidence.map((e) => (
                <li key={`${e.reason} ${e.kind} ${e.value}`}>
                  <strong>{word('suggestion', e.reason)}</strong>
                  <span>{[e.kind ? word('identifier', e.kind) : '', e.value ?? ''].filter(Boolean).join(' ')}</span>
                  <Note>
                    {e.times > 1 ? `${t('duplicates.times', { count: e.times, n: formatNumber(e.times) })} · ` : ''}
                    {t('duplicates.since')} <Time at={e.first_at} />
                  </Note>
                </li>
              ))}
            </ul>
          </Card>
          <SideBySide suggestion={s} />
          <Effect suggestion={s} />
        </>
      )}
    </Loaded>
  )
}

function SideBySide({ suggestion: s }: { suggestion: Suggestion }) {
  const t = useT()
  const rows = compare(s.one, s.two)
  const head = (p: Suggestion['one']): ReactNode => (
    <>
      <Link to={`/people/${p.id}`}>{personName(p)}</Link> <Status value={p.status} />
    </>
  )
  return (
    <Card title={t('duplicates.side_by_side')} help={t('duplicates.side_by_side_help')} flush>
      <table className={css.compare}>
        <thead>
          <tr>
            <th scope="col">
              <span className={css.away}>{t('field.what')}</span>
            </th>
            <th scope="col">{head(s.one)}</th>
            <th scope="col">{head(s.two)}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((r) => {
            const differs = contradict(r)
            return (
              <tr key={r.id} data-differs={differs || undefined}>
                <th scope="row">
                  {r.trait ? r.id : t(`duplicates.field.${r.id}`)}
                  {differs ? <span className={css.mark}> {t('duplicates.differs')}</span> : null}
                </th>
                <td>{cell(r.one, r.time)}</td>
                <td>{cell(r.two, r.time)}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </Card>
  )
}

const cell = (text: string, time?: boolean) => (text && time ? <Time at={text} /> : text || <span aria-hidden>–</span>)

function Effect({ suggestion: s }: { suggestion: Suggestion }) {
  const t = useT()
  const can = useCan()
  const journeys = useAll('/api/v1/journeys', { enabled: can('journeys.read') })
  const topics = useRead('/api/v1/topics', {}, { enabled: can('settings.read') })
  const e = s.effect
  if (!e) return null
  const journey = (id: string) => journeys.data?.items?.find((j) => j.id === id)?.name ?? id
  const topic = (id: string) => (id === '*' ? t('duplicates.all_topics') : (topics.data?.items?.find((x) => x.id === id)?.name ?? id))
  return (
    <Card title={t('duplicates.effect')}>
      <ul className={css.effects}>
        <li>{t('duplicates.keeps', { name: personName(s.one) })}</li>
        <li>{t('duplicates.identifiers', { count: e.identifiers, n: formatNumber(e.identifiers) })}</li>
        {e.journeys.map((j) => (
          <li key={j.journey_id}>
            {t(j.of === 'both' ? 'duplicates.journey_both' : 'duplicates.journey_goes_on', { name: journey(j.journey_id) })}
          </li>
        ))}
        {e.consents.map((c) => (
          <li key={`${c.topic} ${c.channel}`}>
            {t('duplicates.consent', { topic: topic(c.topic), channel: word('channel', c.channel), then: word('status', c.then) })}
          </li>
        ))}
        {e.journeys.length + e.consents.length === 0 ? <li>{t('duplicates.no_conflict')}</li> : null}
        <li>{t('duplicates.undo')}</li>
      </ul>
    </Card>
  )
}

/** What was decided, by whom and why. */
function Decided({ status, source }: { status: State; source?: string }) {
  const t = useT()
  const can = useCan()
  const done = useList('/api/v1/people-suggestions', { query: { status, source } }, { size: 100 })
  const staff = useAll('/api/v1/staff', { enabled: can('staff.read') })
  const name = (id?: string) => staff.data?.items?.find((s) => s.id === id)?.name ?? ''
  return (
    <DataTable
      name={`duplicates.${status}`}
      label={t(`duplicates.tab.${status}`)}
      rows={done.items}
      rowId={(s) => s.id}
      loading={done.loading}
      error={done.error}
      onRetry={done.reload}
      more={done.more}
      loadingMore={done.loadingMore}
      onMore={done.loadMore}
      columns={[
        {
          id: 'one',
          title: t('duplicates.two_people'),
          main: true,
          cell: (s) =>
            s.one.id === s.two.id ? (
              <Link to={`/people/${s.one.id}`}>{personName(s.one)}</Link>
            ) : (
              <>
                <Link to={`/people/${s.one.id}`}>{personName(s.one)}</Link> · <Link to={`/people/${s.two.id}`}>{personName(s.two)}</Link>
              </>
            ),
        },
        { id: 'reason', title: t('duplicates.evidence'), cell: (s) => formatList(s.evidence.map((e) => word('suggestion', e.reason))) },
        { id: 'why', title: t('field.why'), cell: (s) => s.note ?? '' },
        { id: 'by', title: t('duplicates.by'), cell: (s) => name(s.by) },
        { id: 'at', title: t('field.time'), num: true, cell: (s) => <Time at={s.decided_at} /> },
      ]}
      empty={<EmptyState icon={UsersRound} title={t(`duplicates.none_${status}`)} />}
    />
  )
}
