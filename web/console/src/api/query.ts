// Hooks around the client. Keys of the cache are [path, arguments], so that one can invalidate by path.
import {
  QueryClient,
  keepPreviousData,
  notifyManager,
  queryOptions,
  useInfiniteQuery,
  useMutation,
  useQueries,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import { useMemo } from 'react'
import { type Answer, type Args, type Item, type Method, type PathsOf, call } from './client'
import { Problem } from './problem'

// A change that has begun is on the screen before the next click is heard: pressed twice, a button acts once.
notifyManager.setScheduler(queueMicrotask)

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000, // live messages invalidate what has changed sooner
      retry: (count, err) => count < 2 && (!(err instanceof Problem) || err.status === 0 || err.status >= 500),
      refetchOnWindowFocus: true,
    },
  },
})

/** Options of one read; for prefetching and for useQuery with extra settings. */
export function reading<P extends PathsOf<'get'>>(path: P, args: Args<P, 'get'>) {
  return queryOptions({
    queryKey: [path, args] as const,
    queryFn: ({ signal }): Promise<Answer<P, 'get'>> => call('get', path, args, { signal }),
  })
}

interface ReadOptions {
  enabled?: boolean
  /** Milliseconds between reads; only for what no live message tells. */
  every?: number
  /** Show the former answer while what is asked of the same thing changes. */
  keep?: boolean
}

/** useRead reads and keeps one answer: const person = useRead('/api/v1/people/{id}', { path: { id } }) */
export function useRead<P extends PathsOf<'get'>>(path: P, args: Args<P, 'get'>, o: ReadOptions = {}) {
  return useQuery({
    ...reading(path, args),
    enabled: o.enabled ?? true,
    refetchInterval: o.every,
    // What one report or segment said never stands under the name of another.
    placeholderData: o.keep ? (former, before) => (sameThing(before?.queryKey[1], args) ? former : undefined) : undefined,
  })
}

/** useReads reads at several places at once, each former answer shown until the next is there. */
export function useReads<P extends PathsOf<'get'>>(reads: { path: P; args: Args<P, 'get'>; enabled: boolean }[]) {
  return useQueries({ queries: reads.map((r) => ({ ...reading(r.path, r.args), enabled: r.enabled, placeholderData: keepPreviousData })) })
}

const sameThing = (a: object | undefined, b: object): boolean => JSON.stringify(a && thing(a)) === JSON.stringify(thing(b))
const thing = (args: object): unknown => ('path' in args ? args.path : null)

export interface Listing<T> {
  items: T[]
  /** What the items answer; absent while they answer what was asked before. */
  asked?: string
  /** True until the first page is there. */
  loading: boolean
  /** True while a following page is on its way. */
  loadingMore: boolean
  error: Error | null
  more: boolean
  loadMore: () => void
  reload: () => void
}

/** useList reads a list by its cursor, page after page. */
export function useList<P extends PathsOf<'get'>>(
  path: P,
  args: Args<P, 'get'>,
  o: { enabled?: boolean; size?: number; every?: number } = {},
): Listing<Item<P>> {
  const q = useInfiniteQuery({
    queryKey: [path, args, 'pages'] as const,
    enabled: o.enabled ?? true,
    refetchInterval: o.every,
    placeholderData: keepPreviousData,
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) => {
      const query = { ...(args as { query?: object }).query, limit: o.size ?? 50, ...(pageParam ? { cursor: pageParam } : {}) }
      return call('get', path, { ...args, query } as Args<P, 'get'>, { signal }) as unknown as Promise<Page<Item<P>>>
    },
    getNextPageParam: (last) => last.next_cursor || undefined,
  })
  const items = useMemo(() => q.data?.pages.flatMap((p) => p.items ?? []) ?? [], [q.data])
  return {
    items,
    asked: q.isPlaceholderData ? undefined : JSON.stringify([path, args]),
    loading: q.isLoading,
    loadingMore: q.isFetchingNextPage,
    error: q.error,
    more: q.hasNextPage,
    loadMore: () => void (!q.isFetchingNextPage && q.fetchNextPage()),
    reload: () => void q.refetch(),
  }
}

/** useAll reads a list to its end, to choose from or to name what is known by its id: const segments = useAll('/api/v1/segments') */
export function useAll<P extends PathsOf<'get'>>(path: P, o: { enabled?: boolean } = {}) {
  return useQuery({
    queryKey: [path, 'all'] as const,
    enabled: o.enabled ?? true,
    queryFn: async ({ signal }) => {
      const items: Item<P>[] = []
      for (let cursor: string | undefined = ''; cursor !== undefined; ) {
        const query = { limit: longestPage, ...(cursor ? { cursor } : {}) }
        const page = (await call('get', path, { query } as unknown as Args<P, 'get'>, { signal })) as unknown as Page<Item<P>>
        items.push(...(page.items ?? []))
        cursor = page.next_cursor || undefined
      }
      return { items }
    },
  })
}

/** The most that the API gives in one page. */
const longestPage = 500

interface Page<T> {
  items: T[] | null
  next_cursor?: string
}

/**
 * useSend makes a change and then reads anew whatever starts with one of the `refresh` paths.
 * const pause = useSend('post', '/api/v1/campaigns/{id}/pause', { refresh: ['/api/v1/campaigns'] }); pause.mutate({ path: { id } })
 */
export function useSend<M extends Exclude<Method, 'get'>, P extends PathsOf<M>>(method: M, path: P, o: { refresh?: string[] } = {}) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (args: Args<P, M>) => call(method, path, args),
    onSuccess: () => refresh(o.refresh ?? [], client),
  })
}

/** refresh reads anew every answer whose path starts with one of the prefixes, if a screen shows it. */
export function refresh(prefixes: string[], client: QueryClient = queryClient) {
  return client.invalidateQueries({ predicate: (q) => prefixes.some((p) => String(q.queryKey[0]).startsWith(p)) })
}

/** What a change will make of things, before the server has said so. */
export interface Guess {
  /** Answers whose path starts with it. */
  path: string
  /** Things of which `as` makes what they will be; undefined takes them out of lists. `any`: their shape is that of the path. */
  // oxlint-disable-next-line typescript/no-explicit-any
  as: (thing: any) => unknown
}

/** guess shows it in every answer that is kept and returns what takes it back, and has read anew what it kept from being read. */
export function guess(all: Guess[], client: QueryClient = queryClient): () => void {
  const before: [readonly unknown[], unknown][] = []
  for (const g of all) {
    const filter = { predicate: (q: { queryKey: readonly unknown[] }) => String(q.queryKey[0]).startsWith(g.path) }
    void client.cancelQueries(filter) // an answer on its way knows nothing of it
    for (const [key, answer] of client.getQueriesData(filter)) {
      if (answer === undefined) continue
      before.push([key, answer])
      client.setQueryData(key, guessed(answer, g.as))
    }
  }
  return () => {
    for (const [key, answer] of before.toReversed()) client.setQueryData(key, answer)
    void refresh(
      all.map((g) => g.path),
      client,
    )
  }
}

function guessed(answer: unknown, as: Guess['as']): unknown {
  if (typeof answer !== 'object' || answer === null) return answer
  if ('pages' in answer) return { ...answer, pages: (answer.pages as unknown[]).map((p) => guessed(p, as)) }
  if ('items' in answer) return { ...answer, items: ((answer.items ?? []) as unknown[]).map((x) => as(x)).filter((x) => x !== undefined) }
  return as(answer) ?? answer
}

/** A guess about one thing: of its id, with other members. */
export const becomes = (path: string, id: string, patch: object): Guess => ({
  path,
  as: (x: { id?: string }) => (x.id === id ? { ...x, ...patch } : x),
})
