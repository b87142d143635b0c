// The draft while it is edited: history, saving as one goes, and what the server finds wrong with it.
import { useQuery } from '@tanstack/react-query'
import { useCallback, useState } from 'react'
import { call, Problem, type Schemas, wordsOf } from '@/api'
import { useAutosave } from '@/lib/autosave'
import { begin, type Graph, type History, readGraph, record, redo, undo } from './graph'

export interface Draft {
  name: string
  graph: Graph
}

/** Faults by node id; '' holds those of the whole journey. Names of fields are relative to the node. */
export type Faults = Map<string, Record<string, string>>

/** Sorts what the check found by node. */
export function sortFaults(err: unknown): Faults {
  const out: Faults = new Map()
  if (!(err instanceof Problem)) return out
  const all = err.faults.length ? err.faults : [{ location: err.field, code: err.code, message: err.message, args: err.args }]
  for (const f of all) {
    const at = /^nodes\[([^\]]*)\]\.?(.*)$/.exec(f.location ?? '')
    const id = at ? at[1]! : ''
    const field = (at ? at[2]! : (f.location ?? '')).replace(/\[(\d+)\]/g, '.$1')
    out.set(id, { ...out.get(id), [field]: wordsOf(f) })
  }
  return out
}

export function useDraft(journey: Schemas['Journey']) {
  const [history, setHistory] = useState<History<Draft>>(() => begin({ name: journey.name, graph: readGraph(journey.draft) }))
  const [faults, setFaults] = useState<Faults>(new Map())
  const id = journey.id

  const check = useCallback(async () => {
    try {
      await call('post', '/api/v1/journeys/{id}/check', { path: { id } })
      setFaults(new Map())
    } catch (err) {
      if (err instanceof Problem && err.status < 500 && err.status >= 400) setFaults(sortFaults(err))
    }
  }, [id])

  const saver = useAutosave<Draft>({
    name: `journey.${id}`,
    now: history.now,
    revision: journey.revision,
    put: async (d, revision) => {
      const body = { name: d.name, draft: d.graph as never, revision }
      return (await call('put', '/api/v1/journeys/{id}', { path: { id }, body })).revision
    },
    theirs: async () => {
      const j = await call('get', '/api/v1/journeys/{id}', { path: { id } })
      return { draft: { name: j.name, graph: readGraph(j.draft) }, revision: j.revision }
    },
    take: (d) => setHistory((h) => record(h, d)),
    saved: check,
    refresh: ['/api/v1/journeys'],
  })
  useQuery({ queryKey: ['draft-check', id], queryFn: () => check().then(() => true), staleTime: 0, gcTime: 0 })

  const edit = useCallback((make: (d: Draft) => Draft, tag?: string) => setHistory((h) => record(h, make(h.now), tag)), [])
  return {
    draft: history.now,
    edit,
    editGraph: useCallback((make: (g: Graph) => Graph, tag?: string) => edit((d) => ({ ...d, graph: make(d.graph) }), tag), [edit]),
    undo: history.past.length ? () => setHistory(undo) : undefined,
    redo: history.future.length ? () => setHistory(redo) : undefined,
    faults,
    ...saver,
  }
}
