// What the reader has arranged for themselves, kept by the server and shared by all their browsers.
import { useQueryClient } from '@tanstack/react-query'
import { useCallback } from 'react'
import { type Answer, useRead, useSend } from '@/api'

const path = '/api/v1/personal-settings'

/** const [views, setViews, ready] = usePreference('views.people', []): the value is shown at once and stored behind the scenes; a refusal puts it back. */
export function usePreference<T>(
  key: string,
  fallback: T,
  onError?: (err: unknown, again: () => void) => void,
): [T, (value: T) => void, boolean] {
  const client = useQueryClient()
  const all = useRead(path, {})
  const put = useSend('put', '/api/v1/personal-settings/{key}')
  const found = all.data?.items.find((p) => p.key === key)
  const { mutate } = put
  const set = useCallback(
    function store(value: T) {
      client.setQueryData<Answer<typeof path, 'get'>>([path, {}], (before) => {
        const items = (before?.items ?? []).filter((p) => p.key !== key)
        return { next_cursor: '', items: [...items, { key, value, updated_at: new Date().toISOString() }] }
      })
      mutate(
        { path: { key }, body: { value } },
        {
          onError: (err) => {
            void client.invalidateQueries({ queryKey: [path] })
            onError?.(err, () => store(value))
          },
        },
      )
    },
    [client, key, mutate, onError],
  )
  return [(found?.value as T | undefined) ?? fallback, set, all.data !== undefined]
}
