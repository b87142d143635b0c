// A save that somebody else was faster with: what they saved, and who they are.
import { Problem } from '@/api'

export interface Clash<T> {
  /** Who was faster; empty if the server does not know. */
  by: string
  theirs: T
}

/** What was saved meanwhile, if that is why a change was refused; null for every other reason. */
export async function clashOf<T>(err: unknown, code: string, read: () => Promise<T>): Promise<Clash<T> | null> {
  if (!(err instanceof Problem) || err.code !== code) return null
  return { by: err.args?.[0] ?? '', theirs: await read() }
}
