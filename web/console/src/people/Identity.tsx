// Who this is: the identifiers, why they are one person, and the tools to correct it.
import { Undo2 } from 'lucide-react'
import { useState } from 'react'
import { type Schemas, refresh, useList, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatList, formatNumber, useT, word } from '@/i18n'
import {
  Ago,
  Button,
  Card,
  confirm,
  DataTable,
  EmptyState,
  FormBody,
  Group,
  Link,
  Note,
  Pending,
  personName,
  SearchBox,
  Sheet,
  Stack,
  Status,
  TextInput,
  Time,
  toast,
  toastError,
  useForm,
} from '@/ui'
import { toastJoined } from './unjoin'

type Person = Schemas['Person']
type Identifier = NonNullable<Person['identifiers']>[number]

const people = ['/api/v1/people']

/** A decision takes effect when the event about it has gone through the log: a second or two. */
const settle = () => setTimeout(() => void refresh(people), 2500)

export function Identity({ person: p }: { person: Person }) {
  const t = useT()
  const write = useCan()('people.write')
  const [taken, setTaken] = useState<Identifier[] | null>(null)
  const [verb, setVerb] = useState<'split' | 'unbind'>('split')
  const [other, setOther] = useState<'join' | 'separate' | null>(null)
  const identifiers = p.identifiers ?? []
  return (
    <>
      <Card
        title={t('person.identifiers')}
        flush
        actions={
          write ? (
            <Group gap="xs">
              <Button onClick={() => setOther('join')}>{t('person.join')}</Button>
              <Button onClick={() => setOther('separate')}>{t('person.separate')}</Button>
            </Group>
          ) : null
        }
      >
        <DataTable
          bare
          plain
          name="person.identifiers"
          label={t('person.identifiers')}
          rows={identifiers}
          rowId={key}
          bulk={
            write && identifiers.length > 1
              ? (ids, clear) => {
                  const chosen = identifiers.filter((i) => ids.includes(key(i)))
                  const open = (verb: 'split' | 'unbind') => {
                    setTaken(chosen)
                    setVerb(verb)
                    clear()
                  }
                  return (
                    <>
                      <Button disabled={chosen.length === identifiers.length} onClick={() => open('split')}>
                        {t('person.split')}
                      </Button>
                      <Button
                        disabled={chosen.length === identifiers.length || chosen.some((i) => i.kind === 'user_id')}
                        onClick={() => open('unbind')}
                      >
                        {t('person.unbind')}
                      </Button>
                    </>
                  )
                }
              : undefined
          }
          columns={[
            { id: 'kind', title: t('field.kind'), cell: (i) => <span style={{ whiteSpace: 'nowrap' }}>{word('identifier', i.kind)}</span> },
            { id: 'value', title: t('field.value'), main: true, cell: (i) => i.value },
            { id: 'status', title: t('field.status'), cell: (i) => <Status value={i.status} /> },
            {
              id: 'since',
              title: t('person.identifier_since'),
              num: true,
              cell: (i) => (i.since ? <Time at={i.since} /> : t('person.identifier_always')),
            },
            { id: 'seen', title: t('field.last_seen'), num: true, cell: (i) => <Ago at={i.last_seen} /> },
          ]}
        />
      </Card>
      <Decisions person={p} write={write} />
      <KeptApart person={p} write={write} />
      <Sheet title={t(`person.${verb}_title`)} opened={taken !== null} onClose={() => setTaken(null)}>
        <SplitForm key={verb} person={p} verb={verb} taken={taken ?? []} onDone={() => setTaken(null)} />
      </Sheet>
      <Sheet title={t(`person.${other ?? 'join'}_title`)} opened={other !== null} onClose={() => setOther(null)}>
        <OtherPerson person={p} verb={other ?? 'join'} onDone={() => setOther(null)} />
      </Sheet>
    </>
  )
}

const key = (i: Identifier) => `${i.kind} ${i.value}`

/** Takes identifiers off a person: as somebody else's, or as nobody's from now on. */
function SplitForm({
  person: p,
  verb,
  taken,
  onDone,
}: {
  person: Person
  verb: 'split' | 'unbind'
  taken: Identifier[]
  onDone: () => void
}) {
  const t = useT()
  const split = useSend('post', '/api/v1/people/{id}/split', { refresh: people })
  const unbind = useSend('post', '/api/v1/people/{id}/unbind', { refresh: people })
  const [once] = useState(() => crypto.randomUUID())
  const identifiers = taken.map(({ kind, value }) => ({ kind, value }))
  const form = useForm({
    initial: { note: '' },
    save: async (v) => {
      if (verb === 'split') await split.mutateAsync({ path: { id: p.id }, body: { identifiers, note: v.note } })
      else await unbind.mutateAsync({ path: { id: p.id }, body: { identifiers, note: v.note, idempotency_key: once } })
    },
    onDone: () => {
      toast(t(`person.${verb}_done`))
      settle()
      onDone()
    },
  })
  return (
    <FormBody form={form} action={t(`person.${verb}`)} onCancel={onDone}>
      <p>{t(`person.${verb}_lead`, { name: personName(p) })}</p>
      <ul>
        {taken.map((i) => (
          <li key={key(i)}>
            {word('identifier', i.kind)} {i.value}
          </li>
        ))}
      </ul>
      <TextInput label={t('field.why')} maxLength={500} {...form.getInputProps('note')} />
    </FormBody>
  )
}

/** Finds the other person, then makes one of two or keeps two apart. */
function OtherPerson({ person: p, verb, onDone }: { person: Person; verb: 'join' | 'separate'; onDone: () => void }) {
  const t = useT()
  const [q, setQ] = useState('')
  const found = useList('/api/v1/people', { query: { q } }, { size: 20, enabled: q.length > 0 })
  const join = useSend('post', '/api/v1/people/{id}/join', { refresh: people })
  const separate = useSend('post', '/api/v1/people/{id}/separate', { refresh: people })
  const act = async (o: Person) => {
    const names = { one: personName(p), two: personName(o) }
    if (!(await confirm({ title: t(`person.${verb}_ask`, names), text: t(`person.${verb}_lead`), action: t(`person.${verb}`) }))) return
    try {
      if (verb === 'join')
        await join.mutateAsync({
          path: { id: p.id },
          body: { other: o.id, idempotency_key: `${p.id}:${o.id}:${crypto.randomUUID()}`.slice(0, 80) },
        })
      else await separate.mutateAsync({ path: { id: p.id }, body: { other: o.id } })
      if (verb === 'join') toastJoined(t('person.join_done'), p, o)
      else toast(t('person.separate_done'))
      settle()
      onDone()
    } catch (err) {
      toastError(err)
    }
  }
  return (
    <Stack gap="md">
      <p>{t(`person.${verb}_lead`)}</p>
      <SearchBox value={q} onChange={setQ} placeholder={t('people.search')} />
      {q ? (
        <DataTable
          bare
          plain
          name="person.other"
          label={t('nav.people')}
          rows={found.items.filter((o) => o.id !== p.id)}
          rowId={(o) => o.id}
          loading={found.loading}
          error={found.error}
          more={found.more}
          loadingMore={found.loadingMore}
          onMore={found.loadMore}
          filtered
          columns={[
            { id: 'person', title: t('field.person'), main: true, cell: (o) => personName(o) },
            { id: 'email', title: t('field.email'), cell: (o) => o.email ?? '' },
            {
              id: 'act',
              title: '',
              num: true,
              cell: (o) => (
                <Button size="compact-sm" onClick={() => void act(o)}>
                  {t(`person.${verb}`)}
                </Button>
              ),
            },
          ]}
        />
      ) : null}
    </Stack>
  )
}

function Decisions({ person: p, write }: { person: Person; write: boolean }) {
  const t = useT()
  const decisions = useList('/api/v1/people/{id}/identity', { path: { id: p.id } }, { size: 30 })
  const split = useSend('post', '/api/v1/people/{id}/split', { refresh: people })
  const undo = async (merge: string) => {
    if (!(await confirm({ title: t('person.unmerge_ask'), text: t('person.unmerge_lead'), action: t('person.unmerge') }))) return
    split.mutate(
      { path: { id: p.id }, body: { merge } },
      {
        onSuccess: () => {
          toast(t('person.split_done'))
          settle()
        },
        onError: toastError,
      },
    )
  }
  const another = (d: Decision) => !!d.other && d.other !== p.id
  const parts = (d: Decision) => write && d.kind === 'merged'
  return (
    <Card title={t('person.why_one')} help={t('person.why_one_help')} flush>
      <DataTable
        bare
        plain
        name="person.decisions"
        label={t('person.why_one')}
        rows={decisions.items}
        rowId={(d) => d.id}
        loading={decisions.loading}
        error={decisions.error}
        more={decisions.more}
        loadingMore={decisions.loadingMore}
        onMore={decisions.loadMore}
        columns={[
          {
            id: 'decision',
            title: t('field.decision'),
            main: true,
            cell: (d) => (
              <>
                {why(t, d)}
                {d.reason || d.count > 1 ? (
                  <Note>
                    {[
                      d.reason ? word('identity_reason', d.reason) : '',
                      d.count > 1 ? t('why.times', { count: d.count, n: formatNumber(d.count) }) : '',
                    ]
                      .filter(Boolean)
                      .join(' · ')}
                  </Note>
                ) : null}
              </>
            ),
          },
          ...(decisions.items.some(another)
            ? [
                {
                  id: 'other',
                  title: t('field.other_person'),
                  cell: (d: Decision) => (another(d) ? <Link to={`/people/${d.other}`}>{t('person.open')}</Link> : ''),
                },
              ]
            : []),
          { id: 'time', title: t('field.time'), num: true, cell: (d) => <Time at={d.at} /> },
          ...(decisions.items.some(parts)
            ? [
                {
                  id: 'undo',
                  title: '',
                  num: true,
                  cell: (d: Decision) =>
                    parts(d) ? (
                      <Button size="compact-sm" leftSection={<Undo2 size={14} />} onClick={() => void undo(d.id)}>
                        {t('person.unmerge')}
                      </Button>
                    ) : null,
                },
              ]
            : []),
        ]}
      />
    </Card>
  )
}

type Decision = Schemas['Decision']

/** An entry of the identity log as a sentence. */
function why(t: ReturnType<typeof useT>, d: Decision): string {
  const ids = (d.identifiers ?? []).map((x) => {
    const at = x.indexOf(':')
    return `${word('identifier', x.slice(0, at))} ${x.slice(at + 1)}`
  })
  if (ids.length === 0) return word('identity', d.kind)
  return t(`why.${d.kind}`, { ids: formatList(ids) })
}

function KeptApart({ person: p, write }: { person: Person; write: boolean }) {
  const t = useT()
  const apart = useList('/api/v1/people/{id}/apart', { path: { id: p.id } }, { size: 20 })
  const back = useSend('delete', '/api/v1/people-apart/{id}', { refresh: people })
  if (apart.items.length === 0) return apart.loading ? <Pending /> : null
  const list = (ids: { kind: string; value: string }[]) => formatList(ids.map((i) => `${word('identifier', i.kind)} ${i.value}`))
  const takeBack = async (id: string) => {
    if (!(await confirm({ title: t('person.take_back_ask'), text: t('person.take_back_lead'), action: t('person.take_back') }))) return
    back.mutate(
      { path: { id } },
      {
        onSuccess: () => {
          toast(t('person.take_back_done'))
          settle()
        },
        onError: toastError,
      },
    )
  }
  return (
    <Card title={t('person.apart')} help={t('person.apart_help')} flush>
      <DataTable
        bare
        plain
        name="person.apart"
        label={t('person.apart')}
        rows={apart.items}
        rowId={(a) => a.id}
        more={apart.more}
        loadingMore={apart.loadingMore}
        onMore={apart.loadMore}
        columns={[
          { id: 'one', title: t('person.apart_one'), main: true, cell: (a) => list(a.one) },
          { id: 'two', title: t('person.apart_two'), cell: (a) => list(a.two) },
          { id: 'note', title: t('field.why'), cell: (a) => a.note ?? '' },
          { id: 'at', title: t('field.time'), num: true, cell: (a) => <Time at={a.at} /> },
          {
            id: 'back',
            title: '',
            num: true,
            cell: (a) =>
              write ? (
                <Button size="compact-sm" onClick={() => void takeBack(a.id)}>
                  {t('person.take_back')}
                </Button>
              ) : null,
          },
        ]}
        empty={<EmptyState title={t('person.apart')} />}
      />
    </Card>
  )
}
