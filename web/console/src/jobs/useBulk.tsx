// What can be done to many rows of a list at once: the buttons of a selection, over pages too, with what comes of it and the way back.
import { useQuery } from '@tanstack/react-query'
import { Archive, ArchiveRestore } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { call, Problem, refresh, type Schemas } from '@/api'
import { formatNumber, t as text, word } from '@/i18n'
import { useGo } from '@/lib/route'
import { Button, confirm, Menu, Note, type Question, toast, toastError, toastPart, toastUndo } from '@/ui'
import { waited } from './job'

type Query = Record<string, string | undefined>

/** What is done: to rows of these ids, or to all that a list shows with a filter, of which the reader was told how many. */
export interface Bulk {
  act: string
  with?: string
  ids?: string[]
  query?: Query
  expected?: number
}

export interface Act {
  /** As the server names it. */
  act: string
  label: string
  icon?: ReactNode
  /** It cannot be undone. */
  danger?: boolean
  /** What the act needs is chosen from these. */
  choices?: { value: string; label: string }[]
  /** What is asked before it runs, if anything is. */
  sure?: (todo: Bulk, count: number) => Question | null | Promise<Question | null>
  /** Asks for what the act needs before it runs; for what cannot be undone. */
  ask?: (todo: Bulk, count: number, clear: () => void) => void
}

/** Puts things away, or takes them out of the archive where that is what is shown: archiving('segment', filter.status === 'archived'). */
export const archiving = (thing: string, archived: boolean): Act =>
  archived
    ? { act: `${thing}_restore`, label: text('action.restore'), icon: <ArchiveRestore size={14} /> }
    : { act: `${thing}_archive`, label: text('action.archive'), icon: <Archive size={14} /> }

/** What cannot be undone: the number is typed first. `help` says what it means. */
export const forGood = (act: string, label: string, help: string): Act => ({
  act,
  label,
  danger: true,
  sure: (_, count) => ({
    title: text(`bulk_sure.${act}`, { count, n: formatNumber(count) }),
    text: `${help} ${text('bulk_sure.for_good')}`,
    action: label,
    danger: true,
    name: String(count),
  }),
})

const patience = 2000 // milliseconds after which it goes on in the background

/** The members of a filter that narrow something. */
export const given = (q: Query) => Object.fromEntries(Object.entries(q).filter(([, v]) => v)) as Record<string, string>

/** Waits for the end of a job, but not for ever: returns how it is then. */
async function settled(id: string): Promise<Schemas['BulkAct']> {
  waited.add(id)
  for (const until = Date.now() + patience; ; ) {
    const now = await call('get', '/api/v1/bulk-acts/{id}', { path: { id } })
    if (now.job.ended_at || Date.now() > until) {
      if (!now.job.ended_at) waited.delete(id)
      return now
    }
    await new Promise((go) => setTimeout(go, 150))
  }
}

/** Does it and says what came of it; `lists` are the paths that show it. */
export async function doBulk(todo: Bulk, lists: string[], go: (to: string) => void) {
  const again = () => refresh([...lists, '/api/v1/bulk-acts', '/api/v1/jobs'])
  const what = word('job_kind', todo.act)
  try {
    const begun = await call('post', '/api/v1/bulk-acts', {
      body: {
        act: todo.act,
        with: todo.with,
        idempotency_key: crypto.randomUUID(),
        ...(todo.ids ? { ids: todo.ids } : { query: given(todo.query ?? {}), expected_count: todo.expected }),
      },
    })
    const { job, refused, undo } = await settled(begun.id)
    void again()
    const show = { label: text('bulk.show'), run: () => go(`/jobs?open=${job.id}`) }
    const back = () => void takeBack(job.id, what, again)
    const n = formatNumber(job.ended_at ? (job.figures.changed ?? 0) : job.total)
    if (job.state === 'failed') {
      toastError(new Problem(0, { code: job.code, detail: job.error }))
      return
    }
    const said = text(job.ended_at ? 'bulk.done' : 'bulk.going', { what, n })
    if (!job.ended_at || (job.figures.changed ?? 0) > 0) {
      if (undo) toastUndo(said, back)
      else toast(said)
    } else if (refused.length === 0) toast(text('bulk.nothing', { what }))
    if (refused.length > 0) toastPart(text('bulk.not_done', { what, n: formatNumber(job.figures.not_done ?? refused.length) }), show)
  } catch (err) {
    toastError(err)
  }
}

async function takeBack(id: string, what: string, again: () => Promise<unknown>) {
  try {
    const undone = await call('post', '/api/v1/bulk-acts/{id}/undo', { path: { id } })
    await settled(undone.id)
    await again()
    toast(text('bulk.undone', { what }))
  } catch (err) {
    toastError(err)
  }
}

/**
 * The selection of a list: <ListTable {...useBulk({ acts, query, lists: ['/api/v1/segments'] })} />. `query` is what the list was asked for; all that fit it can
 * be selected, counted by the server. `without` is a row to which nothing of it is done, and why; of all that fit the server leaves it out.
 */
export function useBulk({
  acts,
  query,
  lists,
  without,
}: {
  acts: Act[]
  query: Query
  lists: string[]
  without?: { id: string; note: string }
}) {
  const go = useGo()
  const [counting, setCounting] = useState(false)
  const first = acts[0]?.act ?? ''
  const count = useQuery({
    queryKey: ['/api/v1/bulk-acts/count', first, given(query)],
    enabled: counting && first !== '',
    staleTime: 0,
    queryFn: () => call('post', '/api/v1/bulk-acts/count', { body: { act: first, query: given(query) } }),
  })
  if (acts.length === 0) return {}
  const total = count.data?.count
  return {
    matching: { scope: JSON.stringify(given(query)), total, onAsk: () => setCounting(true) },
    bulk: (chosen: string[], clear: () => void, all: boolean) => {
      const ids = chosen.filter((id) => id !== without?.id)
      const note = without && (all || ids.length < chosen.length) ? <Note key="without">{without.note}</Note> : null
      if (!all && chosen.length > 0 && ids.length === 0) return note
      const todo = (act: string): Bulk => (all ? { act, query, expected: total } : { act, ids })
      const run = (act: string, needs?: string) => {
        clear()
        void doBulk({ ...todo(act), with: needs }, lists, go)
      }
      const count = all ? (total ?? ids.length) : ids.length
      const press = async (a: Act) => {
        if (a.ask) return a.ask(todo(a.act), count, clear)
        try {
          const question = await a.sure?.(todo(a.act), count)
          if (!question || (await confirm(question))) run(a.act)
        } catch (err) {
          toastError(err)
        }
      }
      const buttons = acts.map((a) =>
        a.choices ? (
          <Menu key={a.act} position="bottom-start">
            <Menu.Target>
              <Button size="compact-sm" variant="light" leftSection={a.icon}>
                {a.label}
              </Button>
            </Menu.Target>
            <Menu.Dropdown mah={320} style={{ overflowY: 'auto' }}>
              {a.choices.map((c) => (
                <Menu.Item key={c.value} onClick={() => run(a.act, c.value)}>
                  {c.label}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
        ) : (
          <Button
            key={a.act}
            size="compact-sm"
            variant="light"
            color={a.danger ? 'danger' : undefined}
            leftSection={a.icon}
            onClick={() => void press(a)}
          >
            {a.label}
          </Button>
        ),
      )
      return note ? [...buttons, note] : buttons
    },
  }
}
