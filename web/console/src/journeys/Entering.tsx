// Who comes into a journey: people whom staff add, who is to enter and when, who was not let in and why, and the work on many people at once.
import { useRef, useState } from 'react'
import { describe, type Schemas, useAll, useList, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, hasText, t, useT, word } from '@/i18n'
import { useFoundPeople } from '@/people/found'
import {
  Ago,
  Alert,
  Button,
  Card,
  EmptyState,
  Group,
  ListTable,
  Note,
  PersonLink,
  personName,
  Select,
  Sheet,
  Stack,
  Status,
  Text,
  Time,
  toast,
  toastError,
} from '@/ui'

type Task = Schemas['JourneyTask']
const changed = ['/api/v1/journeys']

export function Entering({ journey: j }: { journey: Schemas['Journey'] }) {
  const t = useT()
  const can = useCan()
  const [adding, setAdding] = useState(false)
  return (
    <>
      {can('journeys.publish') && j.status === 'live' ? (
        <Group justify="flex-end">
          <Button onClick={() => setAdding(true)}>{t('journeys.add_people')}</Button>
        </Group>
      ) : null}
      <Tasks id={j.id} />
      {can('people.read') ? (
        <>
          <Queue id={j.id} />
          <Refused id={j.id} />
        </>
      ) : null}
      <AddPeople id={j.id} opened={adding} onClose={() => setAdding(false)} />
    </>
  )
}

/** What a task moves, in words. */
const taskText = (k: Task) => t(`journeys.task_${k.kind}`)

function Tasks({ id }: { id: string }) {
  const t = useT()
  const can = useCan()
  const tasks = useList('/api/v1/journeys/{id}/tasks', { path: { id } }, { every: 5000 })
  const cancel = useSend('post', '/api/v1/journey-tasks/{id}/cancel', { refresh: changed })
  return (
    <Card title={t('journeys.tasks')} help={t('journeys.tasks_help')} flush>
      <ListTable
        bare
        name="journey-tasks"
        label={t('journeys.tasks')}
        of={tasks}
        rowId={(k) => k.id}
        columns={[
          {
            id: 'kind',
            title: t('field.kind'),
            cell: (k) => (
              <>
                {taskText(k)}
                {k.error ? <Note>{hasText(`journey_turned.${k.error}`) ? t(`journey_turned.${k.error}`) : k.error}</Note> : null}
              </>
            ),
            text: taskText,
          },
          { id: 'status', title: t('field.status'), cell: (k) => <Status value={k.status} />, text: (k) => k.status },
          {
            id: 'done',
            title: t('nav.people'),
            num: true,
            cell: (k) =>
              k.total ? t('journeys.task_done', { done: formatNumber(k.done), total: formatNumber(k.total) }) : formatNumber(k.done),
            text: (k) => k.done,
          },
          { id: 'time', title: t('field.time'), num: true, cell: (k) => <Time at={k.due_at} />, text: (k) => k.due_at },
          {
            id: 'cancel',
            title: '',
            cell: (k) =>
              k.status === 'running' && (k.kind === 'add' || k.kind === 'move') && can('journeys.publish') ? (
                <Button
                  size="compact-sm"
                  loading={cancel.isPending && cancel.variables?.path.id === k.id}
                  onClick={() => cancel.mutate({ path: { id: k.id } }, { onError: toastError })}
                >
                  {t('action.cancel')}
                </Button>
              ) : null,
            text: () => '',
          },
        ]}
        empty={<EmptyState title={t('journeys.no_tasks')} />}
      />
    </Card>
  )
}

function Queue({ id }: { id: string }) {
  const t = useT()
  const queue = useList('/api/v1/journeys/{id}/queue', { path: { id } }, { every: 10_000 })
  return (
    <Card title={t('journeys.queue')} help={t('journeys.queue_help')} flush>
      <ListTable
        bare
        name="journey-queue"
        people
        label={t('journeys.queue')}
        of={queue}
        rowId={(e) => `${e.person_id} ${e.kind} ${e.due_at}`}
        columns={[
          { id: 'person', title: t('field.person'), cell: (e) => <PersonLink person={e.person} />, text: (e) => personName(e.person) },
          {
            id: 'kind',
            title: t('journeys.entrance'),
            cell: (e) => (
              <>
                {word('journey_field', e.kind)}
                {e.error ? <Note>{e.error}</Note> : null}
              </>
            ),
            text: (e) => e.kind,
          },
          {
            id: 'time',
            title: t('journeys.enters_at'),
            num: true,
            cell: (e) => (new Date(e.due_at).getTime() > Date.now() ? <Time at={e.due_at} /> : t('journeys.waits_place')),
            text: (e) => e.due_at,
          },
        ]}
        empty={<EmptyState title={t('journeys.queue_none')} />}
      />
    </Card>
  )
}

function Refused({ id }: { id: string }) {
  const t = useT()
  const refused = useList('/api/v1/journeys/{id}/refusals', { path: { id } }, { every: 10_000 })
  return (
    <Card title={t('journeys.turned_away')} help={t('journeys.turned_away_help')} flush>
      <ListTable
        bare
        name="journey-refusals"
        label={t('journeys.turned_away')}
        of={refused}
        rowId={(r) => `${r.person_id} ${r.kind} ${r.at}`}
        columns={[
          { id: 'person', title: t('field.person'), cell: (r) => <PersonLink person={r.person} />, text: (r) => personName(r.person) },
          { id: 'kind', title: t('journeys.entrance'), cell: (r) => word('journey_field', r.kind), text: (r) => r.kind },
          { id: 'reason', title: t('field.reason'), cell: (r) => word('journey_turned', r.reason), text: (r) => r.reason },
          { id: 'time', title: t('field.time'), num: true, cell: (r) => <Ago at={r.at} />, text: (r) => r.at },
        ]}
        empty={<EmptyState title={t('journeys.turned_none')} />}
      />
    </Card>
  )
}

function AddPeople({ id, opened, onClose }: { id: string; opened: boolean; onClose: () => void }) {
  const t = useT()
  return (
    <Sheet opened={opened} onClose={onClose} title={t('journeys.add_people')}>
      {opened ? <AddForm id={id} onClose={onClose} /> : null}
    </Sheet>
  )
}

/** Everybody in a segment or list, or one person; how many that are is asked before, and no more are let in than were shown. */
function AddForm({ id, onClose }: { id: string; onClose: () => void }) {
  const t = useT()
  const can = useCan()
  const key = useRef(crypto.randomUUID())
  const segments = useAll('/api/v1/segments', { enabled: can('segments.read') })
  const lists = useAll('/api/v1/lists', { enabled: can('segments.read') })
  const [q, setQ] = useState('')
  const found = useFoundPeople(q, can('people.read'))
  const [set, setSet] = useState<string | null>(null)
  const [person, setPerson] = useState<string | null>(null)
  const preview = useSend('post', '/api/v1/journeys/{id}/additions/preview', { refresh: [] })
  const add = useSend('post', '/api/v1/journeys/{id}/additions', { refresh: changed })
  const who = person ? { person_ids: [person] } : { set_id: set ?? undefined }
  const choose = (body: { person_ids?: string[]; set_id?: string }) => {
    key.current = crypto.randomUUID()
    preview.mutate({ path: { id }, body })
  }
  const count = person || set ? preview.data?.count : undefined
  const trouble = add.error ?? preview.error
  return (
    <Stack>
      <Text size="sm">{t('journeys.add_people_help')}</Text>
      <Select
        label={t('journeys.add_set')}
        searchable
        clearable
        data={[...(segments.data?.items ?? []), ...(lists.data?.items ?? [])].map((s) => ({
          value: s.id,
          label: `${s.name} (${formatNumber(s.size)})`,
        }))}
        value={set}
        onChange={(v) => {
          setSet(v)
          setPerson(null)
          if (v) choose({ set_id: v })
        }}
      />
      <Select
        label={t('journeys.add_person')}
        searchable
        clearable
        {...found}
        filter={({ options }) => options}
        value={person}
        onSearchChange={setQ}
        onChange={(v) => {
          setPerson(v)
          setSet(null)
          if (v) choose({ person_ids: [v] })
        }}
      />
      {count === 0 ? <Note>{t('list.nobody')}</Note> : null}
      {trouble ? <Alert color="danger">{describe(trouble)}</Alert> : null}
      <Group justify="flex-end">
        <Button onClick={onClose}>{t('action.cancel')}</Button>
        <Button
          variant="filled"
          loading={add.isPending || preview.isPending}
          disabled={!count}
          onClick={() =>
            add.mutate(
              { path: { id }, body: { ...who, confirmed_count: count ?? 0, idempotency_key: key.current } },
              {
                onSuccess: (k) => {
                  toast(t('journeys.adding', { count: k.total, n: formatNumber(k.total) }))
                  onClose()
                },
              },
            )
          }
        >
          {count ? t('journeys.add_n', { count, n: formatNumber(count) }) : t('journeys.add_people')}
        </Button>
      </Group>
    </Stack>
  )
}
