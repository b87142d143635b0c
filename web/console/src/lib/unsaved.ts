// What is written and not saved yet lies in this browser: for editors that are saved by a button, since what they save goes live at once. A page that is
// closed, a crash or a lost connection takes nothing with it. Editors of drafts save themselves: see autosave.
import { useCallback, useEffect, useEffectEvent, useRef, useState } from 'react'

interface Kept<D> {
  revision: number
  draft: D
}

interface Options<D> {
  /** Names what is written in this browser: "template.tpl_1". Nothing is kept without it. */
  name: string | undefined
  /** What the reader has begun with; 0 where nobody counts. */
  revision: number
  now: D
  /** There is something to keep. */
  dirty: boolean
  /** Shows what was left over from the last time, and what it was written over. */
  take: (draft: D, revision: number) => void
}

export function useUnsaved<D>({ name, revision, now, dirty, take }: Options<D>) {
  const place = name && `unsaved.${name}`
  const [left] = useState(() => (place ? read<Kept<D>>(place) : undefined))
  const [found, setFound] = useState(left !== undefined)
  const over = useRef(false)
  const restore = useEffectEvent(() => {
    if (left) take(left.draft, left.revision)
  })
  useEffect(() => restore(), [])
  const text = dirty ? JSON.stringify({ revision, draft: now } satisfies Kept<D>) : ''
  useEffect(() => {
    if (!place || over.current) return
    try {
      if (text) localStorage.setItem(place, text)
      else localStorage.removeItem(place)
    } catch {
      // Full: it can still be saved.
    }
  }, [place, text])
  /** Lets go of it: it was saved, or the reader does not want it. */
  const drop = useCallback(() => {
    if (place) localStorage.removeItem(place)
    setFound(false)
  }, [place])
  return {
    /** What is shown was left over from the last time. */
    found: found && dirty,
    drop,
    /** The page is about to be left with everything saved. */
    end: useCallback(() => {
      over.current = true
      drop()
    }, [drop]),
  }
}

function read<T>(place: string): T | undefined {
  try {
    return JSON.parse(localStorage.getItem(place) ?? 'null') ?? undefined
  } catch {
    return undefined
  }
}
