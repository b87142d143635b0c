import { useMemo } from 'react'
import { useAll, useRead } from '@/api'
import { formatNumber } from '@/i18n'

export interface Option {
  value: string
  label: string
}

/** What a campaign can be made of, and the names of all of it by id. */
export function useChoices() {
  const segments = useAll('/api/v1/segments')
  const lists = useAll('/api/v1/lists')
  const topics = useRead('/api/v1/topics', {})
  const templates = useAll('/api/v1/templates')
  const ready = segments.data !== undefined && topics.data !== undefined && templates.data !== undefined
  return useMemo(() => {
    const sized = [...(segments.data?.items ?? []), ...(lists.data?.items ?? [])]
    const all = [...sized, ...(topics.data?.items ?? []), ...(templates.data?.items ?? [])]
    const names: Record<string, string> = Object.fromEntries(all.map((x) => [x.id, x.name]))
    const plain = (items: { id: string; name: string }[]) => items.map((x) => ({ value: x.id, label: x.name }))
    return {
      ready,
      error: segments.error ?? topics.error ?? templates.error,
      names,
      audiences: sized.map((s) => ({ value: s.id, label: `${s.name} (${formatNumber(s.size)})` })),
      topics: plain((topics.data?.items ?? []).filter((x) => !x.archived)),
      templates: plain((templates.data?.items ?? []).filter((x) => x.status === 'active')),
    }
  }, [segments.data, segments.error, lists.data, topics.data, topics.error, templates.data, templates.error, ready])
}
