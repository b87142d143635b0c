// Keeps a draft saved while it is edited: a moment after the last change, never two requests at once, and never over what somebody else has saved meanwhile
// unless the reader says so. What is not saved yet also lies in this browser: a page that is closed, a crash or a lost connection takes nothing with it.
import { useCallback, useEffect, useEffectEvent, useRef, useState } from 'react'
import { describe, Problem, refresh } from '@/api'

export type Saving = 'saved' | 'saving' | 'waiting' | 'conflict' | 'failed'

const pause = 700 // milliseconds without a change before it is saved
const again = 5000 // milliseconds before it is tried again when the server could not be reached

interface Kept<D> {
  revision: number
  draft: D
}

interface Options<D> {
  /** Names the draft in this browser: "journey.jrn_1". */
  name: string
  now: D
  /** The one that the reader has begun with. */
  revision: number
  /** Saves over that revision and returns the new one; a Problem with status 409 says that the revision has moved on. */
  put: (draft: D, revision: number) => Promise<number>
  theirs: () => Promise<Kept<D>>
  /** Shows a draft that was not made here: what the server has, or what was left over in this browser. */
  take: (draft: D) => void
  /** Runs after each save. */
  saved?: () => Promise<void>
  /** Paths to read anew when the page is left. */
  refresh: string[]
}

const unreachable = (err: unknown) => !(err instanceof Problem) || err.status === 0 || err.status >= 500

export function useAutosave<D>(o: Options<D>) {
  const { name, now } = o
  const place = `unsaved.${name}`
  const [saving, setSaving] = useState<Saving>('saved')
  const [there, setThere] = useState(now) // what the server has, as the screen knows it
  const [failure, setFailure] = useState('')
  const revision = useRef(o.revision)
  const kept = useRef(now)
  const latest = useRef(now)
  const conflict = useRef(false)
  const busy = useRef<Promise<void> | null>(null)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const ways = useRef(o)
  useEffect(() => {
    ways.current = o
  })

  const retry = useRef(() => {})
  // Nothing is left to save: also if what was written was taken back.
  const settle = useCallback(() => {
    localStorage.removeItem(place)
    setSaving('saved')
  }, [place])
  const save = useCallback(
    async (overwrite = false) => {
      clearTimeout(timer.current)
      while (busy.current) await busy.current
      if (kept.current === latest.current && !overwrite) return conflict.current ? undefined : settle()
      const sent = latest.current
      setSaving('saving')
      busy.current = (async () => {
        try {
          if (overwrite) revision.current = (await ways.current.theirs()).revision
          revision.current = await ways.current.put(sent, revision.current)
          kept.current = sent
          setThere(sent)
          conflict.current = false
          if (sent === latest.current) settle()
          else setSaving('waiting')
          await ways.current.saved?.()
        } catch (err) {
          conflict.current = err instanceof Problem && err.status === 409
          setSaving(conflict.current ? 'conflict' : 'failed')
          setFailure(describe(err))
          if (unreachable(err)) timer.current = setTimeout(() => retry.current(), again)
        } finally {
          busy.current = null
        }
      })()
      await busy.current
    },
    [settle],
  )

  useEffect(() => {
    retry.current = () => void save()
  }, [save])

  // What was left over from the last time.
  const restore = useEffectEvent(() => {
    const left = read<Kept<D>>(place)
    if (!left || JSON.stringify(left.draft) === JSON.stringify(now)) return
    conflict.current = left.revision !== revision.current
    o.take(left.draft)
    if (!conflict.current) return
    latest.current = left.draft
    setSaving('conflict')
  })
  useEffect(() => restore(), [])

  useEffect(() => {
    const moved = latest.current !== now
    latest.current = now
    if (kept.current === now && !busy.current) {
      if (moved && !conflict.current) settle()
      return
    }
    try {
      localStorage.setItem(place, JSON.stringify({ revision: revision.current, draft: now } satisfies Kept<D>))
    } catch {
      // Full: it is still saved to the server.
    }
    if (conflict.current) return // the reader decides first
    setSaving('waiting')
    timer.current = setTimeout(() => void save(), pause)
    return () => clearTimeout(timer.current)
  }, [now, save, settle, place])
  useEffect(() => {
    const open = () => kept.current !== latest.current || busy.current !== null
    const leaving = (e: BeforeUnloadEvent) => {
      if (open()) e.preventDefault()
    }
    const back = () => void (conflict.current || save())
    window.addEventListener('beforeunload', leaving)
    window.addEventListener('online', back)
    return () => {
      window.removeEventListener('beforeunload', leaving)
      window.removeEventListener('online', back)
      const done = open() && !conflict.current ? save() : Promise.resolve()
      void done.then(() => refresh(ways.current.refresh))
    }
  }, [save])

  return {
    saving: saving === 'saved' && there !== now ? 'waiting' : saving, // not for a moment does it stand beside what is not
    failure,
    save,
    /** Takes what the server has instead of what was written here. */
    reload: async () => {
      const { draft, revision: theirs } = await ways.current.theirs()
      revision.current = theirs
      kept.current = draft
      setThere(draft)
      latest.current = draft
      conflict.current = false
      localStorage.removeItem(place)
      setSaving('saved')
      ways.current.take(draft)
      await ways.current.saved?.()
    },
  }
}

function read<T>(place: string): T | undefined {
  try {
    return JSON.parse(localStorage.getItem(place) ?? 'null') ?? undefined
  } catch {
    return undefined
  }
}
