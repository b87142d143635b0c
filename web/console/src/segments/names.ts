import { useMemo } from 'react'
import { useRead } from '@/api'

/** Names of segments and lists by id, for rules in words. */
export function useSegmentNames(): Record<string, string> {
  const segments = useRead('/api/v1/segments', { query: { limit: 200 } })
  const lists = useRead('/api/v1/lists', { query: { limit: 200 } })
  return useMemo(
    () => Object.fromEntries([...(segments.data?.items ?? []), ...(lists.data?.items ?? [])].map((x) => [x.id, x.name])),
    [segments.data, lists.data],
  )
}
