// The typed client of /api/v1. Paths, parameters, bodies and answers come from api/openapi.json.
import createClient from 'openapi-fetch'
import { Problem } from './problem'
import type { paths } from './schema'

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'
export type PathsOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends { [K in M]: { responses: unknown } } ? P : never
}[keyof paths]

type Op<P extends keyof paths, M extends Method> = paths[P] extends { [K in M]: infer O } ? O : never
type Json<R, Status extends number> = R extends { [K in Status]: { content: { 'application/json': infer T } } } ? T : never

/** What a call answers; undefined where the answer has no body. */
export type Answer<P extends keyof paths, M extends Method> =
  Op<P, M> extends { responses: infer R }
    ? [Json<R, 200> | Json<R, 201> | Json<R, 202>] extends [never]
      ? undefined
      : Json<R, 200> | Json<R, 201> | Json<R, 202>
    : never

type PathParams<O> = O extends { parameters: { path: infer T } } ? (T extends object ? { path: T } : { path?: never }) : { path?: never }
type QueryParams<O> = O extends { parameters: { query?: infer T } } ? { query?: T } : { query?: never }
type BodyOf<O> = O extends { requestBody: { content: { 'application/json': infer T } } } ? { body: Omit<T, '$schema'> } : { body?: never }

/** The arguments of a call: path parameters, query and body as the operation declares them. */
export type Args<P extends keyof paths, M extends Method> = PathParams<Op<P, M>> & QueryParams<Op<P, M>> & BodyOf<Op<P, M>>

/** One item of a paged list. */
export type Item<P extends PathsOf<'get'>> = Answer<P, 'get'> extends { items: (infer T)[] | null } ? T : never

const client = createClient<paths>({ baseUrl: globalThis.location?.origin, credentials: 'same-origin' })

let csrf = ''
let onSignedOut: (() => void) | undefined

/** The token that changes must carry; comes with the session. */
export function setCsrf(token: string) {
  csrf = token
}

/** Says what happens when the server no longer knows this browser. */
export function whenSignedOut(callback: () => void) {
  onSignedOut = callback
}

type Loose = { path?: object; query?: object; body?: unknown; signal?: AbortSignal; headers?: Record<string, string> }

/** Calls the API. Throws a Problem for every answer that is no success, also when there is none at all. */
export async function call<M extends Method, P extends PathsOf<M>>(
  method: M,
  path: P,
  args: Args<P, M>,
  more: { signal?: AbortSignal; idempotencyKey?: string; file?: Blob } = {},
): Promise<Answer<P, M>> {
  const { path: inPath, query, body } = args as Loose
  const headers: Record<string, string> = {}
  if (method !== 'get' && csrf) headers['X-CSRF-Token'] = csrf
  if (more.idempotencyKey) headers['Idempotency-Key'] = more.idempotencyKey
  let answer: { data?: unknown; error?: unknown; response: Response }
  try {
    const request = client.request as unknown as (m: string, p: string, i: object) => Promise<typeof answer>
    const file = more.file ? { body: more.file, bodySerializer: (b: Blob) => b } : { body }
    if (more.file) headers['Content-Type'] = 'application/octet-stream'
    answer = await request(method, path as string, { params: { path: inPath, query }, ...file, headers, signal: more.signal })
  } catch (err) {
    if (more.signal?.aborted) throw err
    throw new Problem(0, { code: 'offline', detail: 'the server does not answer' })
  }
  if (answer.response.ok) return answer.data as Answer<P, M>
  const problem = Problem.from(answer.response, answer.error)
  if (problem.status === 401 && csrf) {
    csrf = ''
    onSignedOut?.()
  }
  throw problem
}

/** Sends a file to the server, where it waits for the job that reads it. */
export const upload = (file: Blob) => call('post', '/api/v1/uploads', {} as Args<'/api/v1/uploads', 'post'>, { file })
