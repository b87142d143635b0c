// Keeps a map saved while it is edited: a moment after the last change, never two requests at once, and never over what somebody else has saved meanwhile
// unless the reader says so.
import { useCallback, useEffect, useRef, useState } from 'react'
import { call, describe, Problem, refresh } from '@/api'
import type { Schemas } from '@/api'
import { type Plan, planOf } from './plan'

export type Saving = 'saved' | 'saving' | 'waiting' | 'conflict' | 'failed'

const pause = 700 // milliseconds without a change before it is saved

export function useAutosave(map: Schemas['JourneyMap'], now: Plan, take: (theirs: Plan) => void) {
  const [saving, setSaving] = useState<Saving>('saved')
  const [failure, setFailure] = useState('')
  const revision = useRef(map.revision)
  const kept = useRef(now)
  const latest = useRef(now)
  const conflict = useRef(false)
  const busy = useRef<Promise<void> | null>(null)
  const id = map.id

  const save = useCallback(
    async (overwrite = false) => {
      while (busy.current) await busy.current
      if (kept.current === latest.current && !overwrite) return
      const sent = latest.current
      setSaving('saving')
      busy.current = (async () => {
        try {
          const body = { ...sent, revision: overwrite ? 0 : revision.current }
          revision.current = (await call('put', '/api/v1/journey-maps/{id}', { path: { id }, body })).revision
          kept.current = sent
          conflict.current = false
          setSaving(kept.current === latest.current ? 'saved' : 'waiting')
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
    [id],
  )

  useEffect(() => {
    latest.current = now
    if (kept.current === now || conflict.current) return
    setSaving('waiting')
    const timer = setTimeout(() => void save(), pause)
    return () => clearTimeout(timer)
  }, [now, save])
  useEffect(() => {
    const leaving = (e: BeforeUnloadEvent) => {
      if (kept.current !== latest.current) e.preventDefault()
    }
    window.addEventListener('beforeunload', leaving)
    return () => {
      window.removeEventListener('beforeunload', leaving)
      const done = kept.current === latest.current ? Promise.resolve() : save()
      void done.then(() => refresh(['/api/v1/journey-maps']))
    }
  }, [save])

  const reload = async () => {
    const theirs = await call('get', '/api/v1/journey-maps/{id}', { path: { id } })
    revision.current = theirs.revision
    const plan = planOf(theirs)
    kept.current = plan
    latest.current = plan
    conflict.current = false
    setSaving('saved')
    take(plan)
  }
  return { saving, failure, save, reload }
}
