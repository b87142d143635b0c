// What rules can be about in this workspace: names, traits, properties and values that were really seen.
import { useMemo } from 'react'
import { useAll, useRead } from '@/api'
import { useCan } from '@/app/session'
import { word } from '@/i18n'

export interface Option {
  value: string
  label: string
}

const options = (items: { id: string; name: string }[] | null | undefined): Option[] =>
  (items ?? []).map((x) => ({ value: x.id, label: x.name }))

/** Everything that has a name, for pickers. */
export function useRuleData() {
  const can = useCan()
  const workspace = useRead('/api/v1/workspace', {})
  const segments = useAll('/api/v1/segments')
  const lists = useAll('/api/v1/lists')
  const topics = useRead('/api/v1/topics', {}, { enabled: can('settings.read') })
  const channels = useRead('/api/v1/channels', {}, { enabled: can('settings.read') })
  const events = useRead('/api/v1/event-names', { query: { limit: 500 } }, { enabled: can('people.read') })
  const campaigns = useAll('/api/v1/campaigns', { enabled: can('campaigns.read') })
  const journeys = useAll('/api/v1/journeys', { enabled: can('journeys.read') })
  return useMemo(() => {
    const all = {
      segments: options(segments.data?.items),
      lists: options(lists.data?.items),
      topics: options(topics.data?.items),
      campaigns: options(campaigns.data?.items),
      journeys: options(journeys.data?.items),
      channels: (channels.data?.items ?? [{ kind: 'email' }]).map((c) => ({ value: c.kind, label: word('channel', c.kind) })),
      events: [...new Set((events.data?.items ?? []).map((e) => e.name).filter(Boolean))],
    }
    const names: Record<string, string> = {}
    for (const o of [...all.segments, ...all.lists, ...all.topics, ...all.campaigns, ...all.journeys]) names[o.value] = o.label
    return { ...all, names, zone: workspace.data?.timezone ?? '' }
  }, [workspace.data, segments.data, lists.data, topics.data, channels.data, events.data, campaigns.data, journeys.data])
}

export type RuleData = ReturnType<typeof useRuleData>

/** Traits (no event) or properties of an event that were seen, with the kind of their values. */
export function useFields(event?: string, enabled = true) {
  const can = useCan()
  const fields = useRead('/api/v1/seen-fields', { query: { event } }, { enabled: enabled && can('people.read') })
  return useMemo(() => {
    const found = (fields.data?.items ?? []).filter((f) => f.kind !== 'object')
    return { paths: found.map((f) => f.path), kind: (path: string) => found.find((f) => f.path === path)?.kind }
  }, [fields.data])
}

/** Texts seen at a path, most frequent first. */
export function useValues(path: string, event?: string, enabled = true): string[] {
  const can = useCan()
  const values = useRead('/api/v1/seen-values', { query: { event, path } }, { enabled: enabled && path !== '' && can('people.read') })
  return useMemo(() => (values.data?.items ?? []).filter((v) => v.kind === 'text').map((v) => v.value), [values.data])
}
