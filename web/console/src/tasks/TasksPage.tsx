import { Check, Hand, ListTodo, Plus, RotateCcw, UserRound } from 'lucide-react'
import { useState } from 'react'
import { becomes, type Guess, type Schemas, useList, useRead, useSend } from '@/api'
import { useCan, useSession } from '@/app/session'
import { useT, word } from '@/i18n'
import { useBulk } from '@/jobs/useBulk'
import { useFile } from '@/jobs/useFile'
import { useShortcuts } from '@/lib/keys'
import { useMaking, useUrlState } from '@/lib/route'
import {
  Ago,
  Button,
  ListTable,
  DateTimeInput,
  EmptyState,
  FilterBar,
  FilterChip,
  FormBody,
  Group,
  IconButton,
  Link,
  ListPage,
  Note,
  PageTabs,
  SavedViews,
  SearchBox,
  Select,
  Sheet,
  Status,
  Textarea,
  TextInput,
  Time,
  toastError,
  useAtOnce,
  useForm,
} from '@/ui'

type Task = Schemas['Task']
const changed = ['/api/v1/tasks']
/** What is closed leaves the lists of what is open, and the other way round. */
const closes = (id: string): Guess => ({ path: changed[0]!, as: (x: Task) => (x.id === id ? undefined : x) })

// The time on this machine's clock, as the input wants it.
const civil = (at: string) => {
  const d = new Date(at)
  return new Date(d.getTime() - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

const none = { tab: 'mine', q: '', assignee: '' }

/** What staff are asked to do: one's own, everybody's, and what is done. */
export default function TasksPage() {
  const t = useT()
  const write = useCan()('people.write')
  const me = useSession()?.user.id ?? ''
  const [url, setUrl] = useUrlState(none)
  const [making, setMaking] = useMaking()
  const [task, setTask] = useState<Task | null>(null)
  const open = making && write ? 'new' : task
  const setOpen = (what: Task | 'new' | null) => (setMaking(what === 'new'), setTask(what === 'new' ? null : what))
  const query: { q?: string; status: 'open' | 'done'; assignee?: string } = {
    q: url.q || undefined,
    status: url.tab === 'done' ? 'done' : 'open',
    assignee: url.tab === 'mine' ? me : url.assignee || undefined,
  }
  const tasks = useList('/api/v1/tasks', { query })
  const staff = useRead('/api/v1/staff', {}, { enabled: useCan()('staff.read') })
  const people = (staff.data?.items ?? []).map((s) => ({ value: s.id, label: s.name || s.email }))
  const name = (id?: string) => staff.data?.items?.find((s) => s.id === id)?.name ?? id
  useShortcuts(write ? [{ keys: 'n', label: t('tasks.new'), run: () => setOpen('new') }] : [])
  const complete = useAtOnce('post', '/api/v1/tasks/{id}/complete', { refresh: changed, shows: (a) => [closes(a.path.id)] })
  const take = useAtOnce('put', '/api/v1/tasks/{id}', {
    refresh: changed,
    shows: (a) => [becomes(changed[0]!, a.path.id, { assignee: a.body.assignee })],
  })
  const acts =
    url.tab === 'done'
      ? [{ act: 'task_reopen', label: t('tasks.reopen'), icon: <RotateCcw size={14} /> }]
      : [
          { act: 'task_complete', label: t('tasks.complete'), icon: <Check size={14} /> },
          {
            act: 'task_assign',
            label: t('tasks.assign'),
            icon: <UserRound size={14} />,
            choices: [{ value: '', label: t('tasks.anybody') }, ...people],
          },
        ]
  const bulk = useBulk({ acts: write ? acts : [], query, lists: changed })
  const file = useFile('tasks', query)
  const filtered = url.q !== '' || (url.tab !== 'mine' && url.assignee !== '')
  const fresh = write ? (
    <Button variant="filled" leftSection={<Plus size={16} />} onClick={() => setOpen('new')}>
      {t('tasks.new')}
    </Button>
  ) : null
  return (
    <ListPage
      title={t('nav.tasks')}
      lead={t('tasks.lead')}
      actions={fresh}
      views={
        <>
          <PageTabs
            label={t('nav.tasks')}
            tabs={['mine', 'open', 'done'].map((x) => ({ id: x, label: t(`tasks.tab_${x}`) }))}
            value={url.tab}
            onChange={(tab) => setUrl({ tab })}
          />
          <SavedViews list="tasks" state={url} defaults={none} onApply={setUrl} />
        </>
      }
      filters={
        <FilterBar active={filtered} onClear={() => setUrl({ q: '', assignee: '' })}>
          <SearchBox value={url.q} onChange={(q) => setUrl({ q })} placeholder={t('tasks.search')} />
          {url.tab !== 'mine' && people.length > 1 ? (
            <FilterChip label={t('tasks.who')} value={url.assignee} choices={people} onChange={(assignee) => setUrl({ assignee })} />
          ) : null}
        </FilterBar>
      }
    >
      <ListTable
        name="tasks"
        label={t('nav.tasks')}
        of={tasks}
        rowId={(x) => x.id}
        onOpen={setOpen}
        {...bulk}
        file={file}
        filtered={filtered}
        onClearFilters={() => setUrl({ q: '', assignee: '' })}
        columns={[
          {
            id: 'title',
            opens: true,
            title: t('tasks.what'),
            cell: (x) => (
              <div>
                {x.title}
                {x.outcome ? <Note>{x.outcome}</Note> : null}
              </div>
            ),
            text: (x) => x.title,
          },
          {
            id: 'person',
            title: t('field.person'),
            cell: (x) => (x.person_id ? <Link to={`/people/${x.person_id}`}>{t('action.open')}</Link> : null),
            text: (x) => x.person_id,
            field: 'person_id',
          },
          {
            id: 'who',
            title: t('tasks.who'),
            cell: (x) => name(x.assignee) ?? (x.role ? word('role', x.role) : t('tasks.anybody')),
            text: (x) => name(x.assignee) ?? x.role,
            field: 'assignee',
          },
          { id: 'status', title: t('field.status'), cell: (x) => <Status of="task" value={x.status} />, text: (x) => x.status },
          { id: 'due', title: t('tasks.due'), num: true, cell: (x) => <Time at={x.due_at} />, text: (x) => x.due_at, field: 'due_at' },
          {
            id: 'made',
            title: t('tasks.made'),
            num: true,
            cell: (x) => <Ago at={x.created_at} />,
            text: (x) => x.created_at,
            field: 'created_at',
          },
          ...(write && url.tab !== 'done'
            ? [
                {
                  id: 'act',
                  title: '',
                  num: true,
                  cell: (x: Task) => (
                    <Group gap={2} wrap="nowrap" justify="flex-end">
                      {x.assignee === me ? null : (
                        <IconButton
                          label={t('tasks.take', { title: x.title })}
                          variant="subtle"
                          onClick={() =>
                            void take({
                              path: { id: x.id },
                              body: {
                                title: x.title,
                                note: x.note,
                                due_at: x.due_at,
                                role: x.role,
                                person_id: x.person_id,
                                revision: x.revision,
                                assignee: me,
                              },
                            })
                          }
                        >
                          <Hand size={16} />
                        </IconButton>
                      )}
                      <IconButton
                        label={t('tasks.complete_one', { title: x.title })}
                        variant="subtle"
                        onClick={() => void complete({ path: { id: x.id }, body: {} })}
                      >
                        <Check size={16} />
                      </IconButton>
                    </Group>
                  ),
                },
              ]
            : []),
        ]}
        empty={<EmptyState icon={ListTodo} title={t(`tasks.empty_${url.tab}`)} action={fresh} />}
      />
      <Sheet title={open === 'new' ? t('tasks.new') : open?.title} opened={open !== null} onClose={() => setOpen(null)}>
        {open ? (
          <TaskForm
            key={open === 'new' ? 'new' : open.id}
            task={open === 'new' ? undefined : open}
            staff={people}
            me={me}
            write={write}
            onClose={() => setOpen(null)}
          />
        ) : null}
      </Sheet>
    </ListPage>
  )
}

function TaskForm({
  task,
  staff,
  me,
  write,
  onClose,
}: {
  task?: Task
  staff: { value: string; label: string }[]
  me: string
  write: boolean
  onClose: () => void
}) {
  const t = useT()
  const [outcome, setOutcome] = useState('')
  const create = useSend('post', '/api/v1/tasks', { refresh: changed })
  const update = useSend('put', '/api/v1/tasks/{id}', { refresh: changed })
  const complete = useSend('post', '/api/v1/tasks/{id}/complete', { refresh: changed })
  const cancel = useSend('post', '/api/v1/tasks/{id}/cancel', { refresh: changed })
  const form = useForm({
    initial: {
      title: task?.title ?? '',
      note: task?.note ?? '',
      assignee: task?.assignee ?? (task ? '' : me),
      due_at: task?.due_at ? civil(task.due_at) : '',
    },
    follow: task !== undefined,
    revision: task?.revision,
    save: (v, revision) => {
      const body = {
        title: v.title,
        note: v.note || undefined,
        assignee: v.assignee || undefined,
        due_at: v.due_at ? new Date(v.due_at).toISOString() : undefined,
        role: task?.role,
        person_id: task?.person_id,
      }
      return task ? update.mutateAsync({ path: { id: task.id }, body: { ...body, revision } }) : create.mutateAsync({ body })
    },
    onDone: onClose,
  })
  const closed = task !== undefined && task.status !== 'open'
  const end = (how: typeof complete) =>
    how.mutate({ path: { id: task!.id }, body: { outcome: outcome || undefined } }, { onSuccess: onClose, onError: toastError })
  return (
    <>
      {task && !closed && write ? (
        <Group align="flex-end" mb="lg">
          <Textarea
            label={t('tasks.outcome')}
            flex={1}
            autosize
            minRows={2}
            maxLength={4000}
            value={outcome}
            onChange={(e) => setOutcome(e.currentTarget.value)}
          />
          <Button variant="filled" loading={complete.isPending} onClick={() => end(complete)}>
            {t('tasks.complete')}
          </Button>
          <Button loading={cancel.isPending} onClick={() => end(cancel)}>
            {t('tasks.cancel')}
          </Button>
        </Group>
      ) : null}
      <fieldset disabled={closed || !write} style={{ border: 0, padding: 0, margin: 0 }}>
        <FormBody form={form} action={t('action.save')} onCancel={onClose}>
          <TextInput label={t('tasks.what')} required maxLength={200} {...form.getInputProps('title')} />
          <Textarea label={t('tasks.note')} autosize minRows={3} maxLength={4000} {...form.getInputProps('note')} />
          <Select
            label={t('tasks.who')}
            placeholder={t('tasks.anybody')}
            data={staff}
            searchable
            clearable
            {...form.getInputProps('assignee')}
          />
          <DateTimeInput
            label={t('tasks.due')}
            value={form.values.due_at}
            error={form.errors.due_at}
            onChange={(v) => form.setFieldValue('due_at', v)}
          />
        </FormBody>
      </fieldset>
    </>
  )
}
