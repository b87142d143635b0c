// What the reader has arranged for themselves, kept by the server and shared by all their browsers.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef } from 'react'
import { type Answer, call, useRead } from '@/api'

const path = '/api/v1/personal-settings'

/**
 * const [views, setViews, ready] = usePreference('views.people', []): the value is shown at once and stored behind the scenes; a refusal puts it back. Until
 * it is ready the fallback stands for what is not known yet: what is made of it may not be stored.
 */
export function usePreference<T>(
  key: string,
  fallback: T,
  onError?: (err: unknown, again: () => void) => void,
): [T, (value: T) => void, boolean] {
  const client = useQueryClient()
  const all = useRead(path, {})
  const found = all.data?.items.find((p) => p.key === key)
  const { mutate } = useMutation({
    mutationKey: [path],
    scope: { id: path }, // one after the other: what was chosen last stays
    mutationFn: (value: T) => call('put', '/api/v1/personal-settings/{key}', { path: { key }, body: { value } }),
    onSettled: () => client.isMutating({ mutationKey: [path] }) === 1 && client.invalidateQueries({ queryKey: [path] }),
  })
  const set = useCallback(
    function store(value: T) {
      void client.cancelQueries({ queryKey: [path] }) // an answer on its way knows nothing of it
      client.setQueryData<Answer<typeof path, 'get'>>([path, {}], (before) => {
        const items = (before?.items ?? []).filter((p) => p.key !== key)
        return { next_cursor: '', items: [...items, { key, value, updated_at: new Date().toISOString() }] }
      })
      mutate(value, { onError: (err) => onError?.(err, () => store(value)) })
    },
    [client, key, mutate, onError],
  )
  return [(found?.value as T | undefined) ?? fallback, set, all.data !== undefined]
}

type Looked = 'journey' | 'campaign'

/** What the reader has looked at, for the steps of those who only look: a journey that was published, a campaign that was sent. */
export const useLookedAt = () => usePreference<Looked[]>('onboarding.looked', [])

/** Keeps that the reader has looked at one, once it is there. */
export function useLooked(what: Looked, there: boolean) {
  const [looked, setLooked, ready] = useLookedAt()
  const told = useRef(false) // a refusal puts it back, and is not asked again
  useEffect(() => {
    if (!ready || !there || told.current || looked.includes(what)) return
    told.current = true
    setLooked([...looked, what])
  }, [ready, there, looked, what, setLooked])
}
