// A list that news reach stays where it is under the reader's pointer or focus: new rows wait, and come in when the reader has left.
import { type FocusEvent, type PointerEvent, useState } from 'react'

/**
 * The rows as the reader has them before them, with the values of now. What has gone is gone; what has come waits (`news` of it), but for what follows the last
 * row: that was asked for. With `more`, rows at the end that news have pushed over the edge of what was read stay as they were; `beyond` says that news fill all
 * of it, so that nobody knows how many there are.
 */
export function inPlace<T>(held: T[], rows: T[], rowId: (row: T) => string, more?: boolean) {
  const now = new Map(rows.map((r) => [rowId(r), r]))
  const known = new Set(held.map(rowId))
  const last = rows.findLastIndex((r) => known.has(rowId(r)))
  const after = last < 0 ? [] : rows.slice(last + 1)
  const edge = held.findLastIndex((r) => now.has(rowId(r)))
  const kept = held.flatMap((r, i) => now.get(rowId(r)) ?? (more && i > edge && after.length === 0 ? r : []))
  return {
    rows: [...kept, ...after],
    news: rows.filter((r) => !known.has(rowId(r))).length - after.length,
    beyond: more === true && last < 0,
  }
}

/** Holds rows in place while a mouse points at them or keys are among them. `asked` says what the rows answer; another answer is never held back. */
export function useHeld<T>(rows: T[], rowId: (row: T) => string, asked: string | undefined, more?: boolean) {
  const [held, setHeld] = useState<{ asked: string; rows: T[] } | null>(null)
  const [by, setBy] = useState({ pointer: false, focus: false })
  const set = (change: Partial<typeof by>) => {
    const next = { ...by, ...change }
    setBy(next)
    if (!next.pointer && !next.focus) setHeld(null)
    else if (asked && held?.asked !== asked) setHeld({ asked, rows })
  }
  return {
    /** How many rows wait (`news`), and whether there may be more of them (`beyond`). */
    ...(held && held.asked === asked ? inPlace(held.rows, rows, rowId, more) : { rows, news: 0, beyond: false }),
    /** Lets them in. */
    show: () => setHeld(null),
    /** For the element that holds the rows. */
    on: {
      onPointerEnter: (e: PointerEvent) => e.pointerType !== 'touch' && set({ pointer: true }),
      onPointerLeave: () => set({ pointer: false }),
      onFocus: (e: FocusEvent) => e.target.matches(':focus-visible') && set({ focus: true }),
      onBlur: (e: FocusEvent) => e.currentTarget.contains(e.relatedTarget) || set({ focus: false }),
    },
  }
}

export type Held = Omit<ReturnType<typeof useHeld>, 'rows'>
