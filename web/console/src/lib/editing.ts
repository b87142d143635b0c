// A form over something that is saved: what is written is kept until it is saved, and who was faster is told before anything is saved over.
import { useRef, useState } from 'react'
import { type Form } from '@/ui'
import { useClash } from './clash'
import { type Kind, useUnsaved } from './unsaved'

/** What is edited, of type D, and how it is put on the screen. */
interface Edited<D> {
  now: D
  /** It differs from what is saved. */
  dirty: boolean
  /** Shows something that is not saved. */
  show: (d: D) => void
  /** Shows something that is. */
  settle: (d: D) => void
  /** Shows again what was saved last. */
  reset: () => void
  submit: () => Promise<unknown>
}

/** A form whose values are all that is edited. */
export const editedForm = <V extends object>(form: Form<V>): Edited<V> => ({
  now: form.values,
  dirty: form.isDirty(),
  show: form.setValues,
  settle: (v) => {
    form.setInitialValues(v)
    form.setValues(v)
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
  /** The code of a save that somebody else was faster with. */
  stale: string
  /** Reads what they saved. */
  read: () => Promise<S>
  /** It as something to edit. */
  from: (saved: S) => D
}

export function useEditing<D, S extends { revision: number }>(o: Options<D, S>) {
  const [base, setBase] = useState(o.revision)
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
      setBase(o.revision)
      o.reset()
    },
  })
  return {
    unsaved,
    /** What somebody else saved meanwhile, if that is why the last save was refused. */
    clash: clash.found,
    /** Saves over the revision that it is called with; what was written is kept until that has gone well. */
    save: async <R>(save: (revision: number) => Promise<R>): Promise<R> => {
      const saved = await clash.watch(() => save(over.current ?? base))
      unsaved.end()
      return saved
    },
    /** Lets go of what was written. */
    takeTheirs: (theirs: S) => {
      unsaved.drop()
      o.settle(o.from(theirs))
      setBase(theirs.revision)
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
