// Undo and redo over whole values. Edits of one input that follow each other closely are one step.
import { useCallback, useMemo, useState } from 'react'

export interface History<T> {
  past: T[]
  now: T
  future: T[]
  /** What the last edit was about, and when. */
  mark?: { key: string; at: number }
}

const together = 1200 // milliseconds
const most = 200 // steps kept

export const begin = <T>(now: T): History<T> => ({ past: [], now, future: [] })

/** Makes an edit. Edits with the same key within a moment make one step; an empty key is always its own. */
export function edit<T>(h: History<T>, next: T, key: string, at: number): History<T> {
  if (next === h.now) return h
  const joined = key !== '' && h.mark?.key === key && at - h.mark.at < together && h.past.length > 0
  return { past: joined ? h.past : [...h.past, h.now].slice(-most), now: next, future: [], mark: { key, at } }
}

export function undo<T>(h: History<T>): History<T> {
  const before = h.past.at(-1)
  return before === undefined ? h : { past: h.past.slice(0, -1), now: before, future: [h.now, ...h.future] }
}

export function redo<T>(h: History<T>): History<T> {
  const [after, ...future] = h.future
  return after === undefined ? h : { past: [...h.past, h.now], now: after, future }
}

export function useHistory<T>(start: T) {
  const [h, set] = useState(() => begin(start))
  const change = useCallback((next: (now: T) => T, key = '') => set((was) => edit(was, next(was.now), key, Date.now())), [])
  const back = useCallback(() => set((was) => undo(was)), [])
  const forth = useCallback(() => set((was) => redo(was)), [])
  const restart = useCallback((now: T) => set(begin(now)), [])
  return useMemo(
    () => ({ now: h.now, change, undo: back, redo: forth, restart, canUndo: h.past.length > 0, canRedo: h.future.length > 0 }),
    [h, change, back, forth, restart],
  )
}
