// A form over something that is saved: what is written is kept until it is saved, and who was faster is told before anything is saved over.
import { useRef, useState } from 'react'
import { type Form } from '@/ui'
import { useClash } from './clash'
import { type Kind, leave, useUnsaved } from './unsaved'

/** What is edited, of type D, and how it is put on the screen. */
interface Edited<D> {
  now: D
  /** What is written at this moment, also if a later rendering shows it. */
  current: () => D
  /** It differs from what is saved. */
  dirty: boolean
  /** Shows something that is not saved. */
  show: (d: D) => void
  /** Shows something that is. */
  settle: (d: D) => void
  /** It is saved, whatever is shown by now. */
  saved: (d: D) => void
  /** Shows again what was saved last. */
  reset: () => void
  submit: () => Promise<unknown>
}

/** A form whose values are all that is edited. */
export const editedForm = <V extends object>(form: Form<V>): Edited<V> => ({
  now: form.values,
  current: form.getValues,
  dirty: form.isDirty(),
  show: form.setValues,
  settle: (v) => {
    form.setInitialValues(v)
    form.setValues(v)
    form.resetDirty(v)
  },
  saved: (v) => {
    form.setInitialValues(v)
    form.resetDirty(v)
  },
  reset: form.reset,
  submit: form.submit,
})

interface Options<D, S> extends Edited<D> {
  kind: Kind
  /** What is edited; "new" if it does not exist yet. Nothing is kept without it. */
  id: string | undefined
  /** What the reader has begun with; 0 of something new. */
  revision: number
  /** What is saved by now, of a screen that stays: a colleague's save shows at once while nothing is changed here. */
  there?: S
  /** The code of a save that somebody else was faster with. */
  stale: string
  /** Reads what they saved. */
  read: () => Promise<S>
  /** It as something to edit. */
  from: (saved: S) => D
}

export function useEditing<D, S extends { revision: number; id?: string }>(o: Options<D, S>) {
  const [base, setBase] = useState(o.revision)
  const [settled, setSettled] = useState(o.revision) // what resetting shows
  const over = useRef<number | null>(null) // what is saved over knowingly
  const clash = useClash(o.stale, o.read)
  const unsaved = useUnsaved<D>({
    kind: o.kind,
    id: o.id,
    revision: base,
    now: o.now,
    dirty: o.dirty,
    take: (left, revision) => {
      setBase((b) => Math.min(b, revision)) // over what it was written, so that saving it asks if somebody was faster
      o.show(left)
    },
    reset: () => {
      setBase(settled)
      o.reset()
    },
  })
  const settleAt = (revision: number) => {
    setBase(revision)
    setSettled(revision)
  }
  const { there } = o
  if (there && !o.dirty && there.revision > settled) {
    settleAt(there.revision)
    o.settle(o.from(there))
  }
  return {
    unsaved,
    /** What somebody else saved meanwhile, if that is why the last save was refused. */
    clash: clash.found,
    /**
     * Saves over the revision that it is called with; what was written is kept until that has gone well. `more` says that the reader has written on meanwhile:
     * that is not saved, and what is edited next is what was. Something new has left it to its own editor.
     */
    save: async (save: (revision: number) => Promise<S>): Promise<{ saved: S; more: boolean }> => {
      const sent = o.current()
      const saved = await clash.watch(() => save(over.current ?? base))
      const now = o.current()
      const more = JSON.stringify(now) !== JSON.stringify(sent)
      o.saved(sent)
      settleAt(saved.revision)
      const made = saved.id && saved.id !== o.id
      if (made) unsaved.end()
      else unsaved.drop()
      if (made && more) leave(o.kind, saved.id!, { revision: saved.revision, draft: now })
      return { saved, more }
    },
    /** Lets go of what was written. */
    takeTheirs: (theirs: S) => {
      unsaved.drop()
      o.settle(o.from(theirs))
      settleAt(theirs.revision)
      clash.clear()
    },
    /** Saves what was written over theirs. */
    saveOver: (theirs: S) => {
      setBase(theirs.revision)
      over.current = theirs.revision
      void o.submit().finally(() => (over.current = null))
    },
  }
}
