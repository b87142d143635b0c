import { useMemo } from 'react'
import { useAll } from '@/api'

/** Names of segments and lists by id, for rules in words. */
export function useSegmentNames(): Record<string, string> {
  const segments = useAll('/api/v1/segments')
  const lists = useAll('/api/v1/lists')
  return useMemo(
    () => Object.fromEntries([...(segments.data?.items ?? []), ...(lists.data?.items ?? [])].map((x) => [x.id, x.name])),
    [segments.data, lists.data],
  )
}
