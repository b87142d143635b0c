// Who is signed in. The session itself is a cookie that scripts cannot read; changes carry its token.
import { useSyncExternalStore } from 'react'
import { call, Problem, queryClient, type Schemas } from '@/api'
import { setCsrf, whenSignedOut } from '@/api/client'

export type Session = Schemas['Session']

type State = { session: Session | null; known: boolean; error?: unknown }

let state: State = { session: null, known: false }
const listeners = new Set<() => void>()

/** What one member has written and not saved lies in the browser under "unsaved." (see lib/unsaved, lib/autosave): the next one to sign in here may not find it. */
function forgetOthers(member: string) {
  if (localStorage.getItem('member') === member) return
  for (const key of Object.keys(localStorage)) if (key.startsWith('unsaved.')) localStorage.removeItem(key)
  localStorage.setItem('member', member)
}

function set(session: Session | null, error?: unknown) {
  if (session) forgetOthers(session.user.id)
  setCsrf(session?.csrf ?? '')
  state = { session, known: true, error }
  for (const l of listeners) l()
}

/** Finds out whether this browser is signed in. */
export async function start() {
  try {
    set(await call('get', '/api/v1/session', {}))
  } catch (err) {
    set(null, err instanceof Problem && err.status === 401 ? undefined : err)
  }
}

export async function signIn(email: string, password: string) {
  set(await call('post', '/api/v1/session', { body: { email, password } }))
}

export async function setUp(email: string, password: string) {
  set(await call('post', '/api/v1/setup', { body: { email, password } }))
}

export async function signOut() {
  try {
    await call('delete', '/api/v1/session', {})
  } finally {
    queryClient.clear()
    set(null)
  }
}

whenSignedOut(() => {
  queryClient.clear()
  set(null)
})

const subscribe = (l: () => void) => {
  listeners.add(l)
  return () => void listeners.delete(l)
}

export const useSessionState = () => useSyncExternalStore(subscribe, () => state)

/** Who is signed in; only below the frame, where somebody is. */
export function useSession(): Session {
  const { session } = useSessionState()
  if (!session) throw new Error('nobody is signed in')
  return session
}

/** useCan()('segments.write'): whether the reader may do it. The server decides anyway; this spares useless buttons. */
export function useCan() {
  const { session } = useSessionState()
  return (permission?: string) => !permission || (session?.permissions ?? []).includes(permission)
}
