// The draft while it is edited: history, saving as one goes, and what the server finds wrong with it.
import { useQuery } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import { call, describe, Problem, refresh, type Schemas, wordsOf } from '@/api'
import { begin, type Graph, type History, readGraph, record, redo, undo } from './graph'

export interface Draft {
  name: string
  graph: Graph
}

export type Saving = 'saved' | 'saving' | 'waiting' | 'conflict' | 'failed'

/** Faults by node id; '' holds those of the whole journey. Names of fields are relative to the node. */
export type Faults = Map<string, Record<string, string>>

const pause = 700 // milliseconds without a change before it is saved

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
  const [saving, setSaving] = useState<Saving>('saved')
  const [failure, setFailure] = useState('')
  const [faults, setFaults] = useState<Faults>(new Map())
  const revision = useRef(journey.revision)
  const kept = useRef(history.now)
  const latest = useRef(history.now)
  const conflict = useRef(false)
  const busy = useRef<Promise<void> | null>(null)
  const id = journey.id

  const check = useCallback(async () => {
    try {
      await call('post', '/api/v1/journeys/{id}/check', { path: { id } })
      setFaults(new Map())
    } catch (err) {
      if (err instanceof Problem && err.status < 500 && err.status >= 400) setFaults(sortFaults(err))
    }
  }, [id])

  const save = useCallback(
    async (overwrite = false) => {
      while (busy.current) await busy.current
      if (kept.current === latest.current && !overwrite) return
      const now = latest.current
      setSaving('saving')
      busy.current = (async () => {
        try {
          if (overwrite) revision.current = (await call('get', '/api/v1/journeys/{id}', { path: { id } })).revision
          const body = { name: now.name, draft: now.graph as never, revision: revision.current }
          revision.current = (await call('put', '/api/v1/journeys/{id}', { path: { id }, body })).revision
          kept.current = now
          conflict.current = false
          setSaving(kept.current === latest.current ? 'saved' : 'waiting')
          await check()
        } catch (err) {
          conflict.current = err instanceof Problem && err.status === 409
          setSaving(conflict.current ? 'conflict' : 'failed')
          setFailure(describe(err))
        } finally {
          busy.current = null
        }
      })()
      await busy.current
    },
    [id, check],
  )

  useQuery({ queryKey: ['draft-check', id], queryFn: () => check().then(() => true), staleTime: 0, gcTime: 0 })
  useEffect(() => {
    latest.current = history.now
    if (kept.current === history.now) return
    if (conflict.current) return // the reader decides first
    setSaving('waiting')
    const timer = setTimeout(() => void save(), pause)
    return () => clearTimeout(timer)
  }, [history.now, save])
  useEffect(() => {
    const leaving = (e: BeforeUnloadEvent) => {
      if (kept.current !== latest.current) e.preventDefault()
    }
    window.addEventListener('beforeunload', leaving)
    return () => {
      window.removeEventListener('beforeunload', leaving)
      if (kept.current !== latest.current) void save().then(() => refresh(['/api/v1/journeys']))
      else void refresh(['/api/v1/journeys'])
    }
  }, [save])

  const edit = useCallback((make: (d: Draft) => Draft, tag?: string) => setHistory((h) => record(h, make(h.now), tag)), [])
  return {
    draft: history.now,
    edit,
    editGraph: useCallback((make: (g: Graph) => Graph, tag?: string) => edit((d) => ({ ...d, graph: make(d.graph) }), tag), [edit]),
    undo: history.past.length ? () => setHistory(undo) : undefined,
    redo: history.future.length ? () => setHistory(redo) : undefined,
    saving,
    failure,
    faults,
    save,
    /** Takes what the server has instead of what was written here. */
    reload: async () => {
      const theirs = await call('get', '/api/v1/journeys/{id}', { path: { id } })
      revision.current = theirs.revision
      const now = { name: theirs.name, graph: readGraph(theirs.draft) }
      kept.current = now
      latest.current = now
      conflict.current = false
      setHistory((h) => record(h, now))
      setSaving('saved')
      await check()
    },
  }
}
