// What a rule comes to while it is edited: how many people fit it, in total and per condition, and what the server finds wrong with it.
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { call, Problem, wordsOf } from '@/api'
import { useDebouncedValue } from '@/ui'
import { complete } from './complete'
import * as tree from './tree'

export interface Fault {
  key: string
  /** Where in the condition. */
  at: string
  message: string
}

/** The conditions that the server finds wrong; whatever names no condition is left to the form. */
export function faultsOf(root: tree.Group, err: unknown): Fault[] {
  if (!(err instanceof Problem)) return []
  const all = err.faults.length > 0 ? err.faults : [{ location: err.field, code: err.code, message: err.message, args: err.args }]
  return all
    .filter((f) => f.location && /^(body\.)?rule(\.|$|\[)/.test(f.location))
    .map((f) => ({ ...tree.faultAt(root, f.location ?? ''), message: wordsOf(f) }))
}

const none = new Map<string, number>()

/** Asks a little after the last change. A new rule makes a new key, and what is on its way for the former one is then cancelled. */
export function usePreview(root: tree.Group, segment?: string, enabled = true) {
  const ready = complete(root)
  const [settled] = useDebouncedValue(root, 120)
  const asked = useMemo(() => tree.toRule(settled), [settled])
  const found = useQuery({
    queryKey: ['/api/v1/segments/preview', asked, segment],
    enabled: enabled && ready && complete(settled),
    retry: false,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => {
      const answer = await call('post', '/api/v1/segments/preview', { body: { rule: asked as never, segment_id: segment } }, { signal })
      return { ...answer, byKey: tree.countsByKey(settled, answer.conditions ?? []) }
    },
  })
  const current = ready && settled === root
  return {
    ready,
    /** The rule that was asked for last; undefined while it is incomplete. */
    asked: ready && complete(settled) ? asked : undefined,
    data: found.data,
    /** People for each node of the tree, by its key. */
    counts: found.data?.byKey ?? none,
    /** The figures are of a former rule. */
    old: !current || found.isFetching,
    error: current ? found.error : null,
  }
}
