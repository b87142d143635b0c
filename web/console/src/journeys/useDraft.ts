// The draft while it is edited: history, saving as one goes, and what is wrong with it.
import { useQuery } from '@tanstack/react-query'
import { useCallback, useMemo, useRef, useState } from 'react'
import { call, Problem, type Schemas } from '@/api'
import { useAutosave } from '@/lib/autosave'
import { type Fault, joined, type Kinds, seen, told } from './faults'
import { begin, type Graph, type History, readGraph, record, redo, undo } from './graph'

export interface Draft {
  name: string
  graph: Graph
}

export function useDraft(journey: Schemas['Journey'], kinds: Kinds) {
  const [history, setHistory] = useState<History<Draft>>(() => begin({ name: journey.name, graph: readGraph(journey.draft) }))
  const id = journey.id
  // What the server has, and what it found in it.
  const kept = useRef(history.now.graph)
  const [checked, setChecked] = useState<{ graph: Graph; faults: Fault[] }>({ graph: history.now.graph, faults: [] })
  const checks = useRef(0)
  const check = useCallback(async () => {
    const graph = kept.current
    const n = ++checks.current
    const found = (faults: Fault[]) => n === checks.current && setChecked({ graph, faults }) // a late answer is about a former draft
    try {
      await call('post', '/api/v1/journeys/{id}/check', { path: { id } })
      found([])
    } catch (err) {
      if (err instanceof Problem && err.status < 500 && err.status >= 400) found(told(err))
    }
  }, [id])

  const saver = useAutosave<Draft>({
    name: `journey.${id}`,
    now: history.now,
    revision: journey.revision,
    put: async (d, revision) => {
      const body = { name: d.name, draft: d.graph as never, revision }
      const saved = await call('put', '/api/v1/journeys/{id}', { path: { id }, body })
      kept.current = d.graph
      return saved.revision
    },
    theirs: async () => {
      const j = await call('get', '/api/v1/journeys/{id}', { path: { id } })
      const draft = { name: j.name, graph: readGraph(j.draft) }
      kept.current = draft.graph
      return { draft, revision: j.revision }
    },
    take: (d) => setHistory((h) => record(h, d)),
    saved: check,
    refresh: ['/api/v1/journeys'],
  })
  useQuery({ queryKey: ['draft-check', id], queryFn: () => check().then(() => true), staleTime: 0, gcTime: 0 })

  const edit = useCallback((make: (d: Draft) => Draft, tag?: string) => setHistory((h) => record(h, make(h.now), tag)), [])
  const now = history.now.graph
  return {
    draft: history.now,
    edit,
    editGraph: useCallback((make: (g: Graph) => Graph, tag?: string) => edit((d) => ({ ...d, graph: make(d.graph) }), tag), [edit]),
    undo: history.past.length ? () => setHistory(undo) : undefined,
    redo: history.future.length ? () => setHistory(redo) : undefined,
    faults: useMemo(() => joined(seen(now, kinds), checked.faults, checked.graph, now), [now, kinds, checked]),
    ...saver,
  }
}
