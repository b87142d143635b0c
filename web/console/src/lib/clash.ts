// A save that somebody else was faster with: what they saved, and who they are.
import { useState } from 'react'
import { Problem } from '@/api'

export interface Clash<T> {
  /** Who was faster; empty if the server does not know. */
  by: string
  theirs: T
}

/** What was saved meanwhile, if that is why the last save was refused. `read` reads it anew. */
export function useClash<T>(code: string, read: () => Promise<T>) {
  const [found, setFound] = useState<Clash<T> | null>(null)
  return {
    found,
    clear: () => setFound(null),
    /** Runs a save; a refusal because somebody was faster is kept to be shown, and goes on as it came. */
    watch: async <R>(save: () => Promise<R>): Promise<R> => {
      setFound(null)
      try {
        return await save()
      } catch (err) {
        if (err instanceof Problem && err.code === code) setFound({ by: err.args?.[0] ?? '', theirs: await read() })
        throw err
      }
    },
  }
}
