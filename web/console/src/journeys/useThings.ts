import { useMemo } from 'react'
import { type Schemas, useAll, useRead } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, word } from '@/i18n'
import type { Schema } from '@/ui'
import type { Names } from './words'

export interface Option {
  value: string
  label: string
}

/** What segments, lists, journeys, campaigns and topics are called, by their ids, as far as one may know. */
export function useNames(): Names {
  const can = useCan()
  const segments = useAll('/api/v1/segments', { enabled: can('segments.read') }).data
  const lists = useAll('/api/v1/lists', { enabled: can('segments.read') }).data
  const journeys = useAll('/api/v1/journeys', { enabled: can('journeys.read') }).data
  const campaigns = useAll('/api/v1/campaigns', { enabled: can('campaigns.read') }).data
  const topics = useAll('/api/v1/topics', { enabled: can('settings.read') }).data
  return useMemo(
    () => Object.fromEntries([segments, lists, journeys, campaigns, topics].flatMap((of) => (of?.items ?? []).map((x) => [x.id, x.name]))),
    [segments, lists, journeys, campaigns, topics],
  )
}

/** What a journey can be made of: kinds of nodes, and things by id with their names. */
export function useThings() {
  const can = useCan()
  const kinds = useRead('/api/v1/journey-nodes', {})
  const segments = useAll('/api/v1/segments', { enabled: can('segments.read') })
  const lists = useAll('/api/v1/lists', { enabled: can('segments.read') })
  const topics = useRead('/api/v1/topics', {})
  const templates = useAll('/api/v1/templates', { enabled: can('content.read') })
  const journeys = useAll('/api/v1/journeys')
  const events = useRead('/api/v1/event-names', { query: { limit: 200 } }, { enabled: can('people.read') })
  const channels = useRead('/api/v1/channels', {})
  const staff = useRead('/api/v1/staff', {}, { enabled: can('staff.read') })
  return useMemo(() => {
    const items = <T>(page: { items: T[] | null } | undefined): T[] => page?.items ?? []
    const plain = (all: { id: string; name: string }[]): Option[] => all.map((x) => ({ value: x.id, label: x.name }))
    const sized = (all: { id: string; name: string; size: number }[]): Option[] =>
      all.map((x) => ({ value: x.id, label: `${x.name} (${formatNumber(x.size)})` }))
    const all = [...items(segments.data), ...items(lists.data), ...items(topics.data), ...items(templates.data), ...items(journeys.data)]
    const people = items(staff.data).map((m) => ({ id: m.id, name: m.name || m.email }))
    const names: Names = Object.fromEntries([...all, ...people].map((x) => [x.id, x.name]))
    const specs = new Map<string, Schemas['NodeKind']>(items(kinds.data).map((k) => [k.kind, k]))
    return {
      loading: kinds.isLoading,
      error: kinds.error,
      reload: () => void kinds.refetch(),
      specs,
      outputs: new Map([...specs].map(([k, s]) => [k, s.outputs ?? []])),
      names,
      segments: sized(items(segments.data)),
      lists: sized(items(lists.data)),
      topics: plain(items(topics.data).filter((x) => !x.archived)),
      templates: plain(items(templates.data).filter((x) => x.status === 'active')),
      journeys: plain(items(journeys.data)),
      staff: plain(people),
      events: [...new Set(items(events.data).flatMap((e) => (e.type === 'track' ? [e.name] : [])))],
      channels: items(channels.data).map((c) => ({ value: c.kind, label: word('channel', c.kind) })),
    }
  }, [kinds, segments.data, lists.data, topics.data, templates.data, journeys.data, events.data, channels.data, staff.data])
}

export type Things = ReturnType<typeof useThings>

interface Definitions extends Schema {
  $defs?: Record<string, Schema>
  'x-order'?: string[]
}

/** The schema of a node kind with its definitions put in place and its inputs in order. */
export function schemaOf(kind: Schemas['NodeKind']): { schema: Schema; order: string[]; refs: Record<string, string> } {
  const raw = (kind.config_schema ?? {}) as Definitions
  const refs: Record<string, string> = {}
  const properties: Record<string, Schema> = {}
  for (const [name, p] of Object.entries(raw.properties ?? {})) {
    const ref = (p as { $ref?: string }).$ref?.split('/').at(-1)
    if (ref) refs[name] = ref
    properties[name] = ref ? { ...raw.$defs?.[ref], ...p } : p
  }
  return { schema: { ...raw, properties }, order: raw['x-order'] ?? Object.keys(properties), refs }
}
