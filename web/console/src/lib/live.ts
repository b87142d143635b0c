// Live changes: the server says what has changed, and answers on screen that depend on it are read anew.
import type { Query } from '@tanstack/react-query'
import { useEffect, useEffectEvent } from 'react'
import { queryClient } from '@/api'

export interface Change {
  topic: string
  id?: string
}

// Paths whose answers depend on a topic. A nested path of one thing ("/people/{id}/events") is read anew only for the thing that changed.
const paths: Record<string, string[]> = {
  event: ['/api/v1/stats', '/api/v1/events', '/api/v1/reports', '/api/v1/event-names', '/api/v1/rejections', '/api/v1/sources'],
  person: ['/api/v1/people', '/api/v1/lists'],
  segment: ['/api/v1/segments'],
  list: ['/api/v1/lists'],
  journey_map: ['/api/v1/journey-maps'],
  campaign: ['/api/v1/campaigns'],
  journey: ['/api/v1/journeys', '/api/v1/journey-trouble'],
  round: ['/api/v1/journeys', '/api/v1/journey-trouble'],
  template: ['/api/v1/templates'],
  topic: ['/api/v1/topics'],
  account: ['/api/v1/accounts'],
  account_inbound: ['/api/v1/accounts'],
  bounce_policy: ['/api/v1/sending'],
  invoice_plan: ['/api/v1/invoice-plan'],
  sending_domain: ['/api/v1/sending/domains'],
  sending_policy: ['/api/v1/sending'],
  user: ['/api/v1/staff'],
  source: ['/api/v1/sources'],
  key: ['/api/v1/keys'],
  invoice: ['/api/v1/invoices'],
  policy: ['/api/v1/sending'],
  sending: ['/api/v1/sending'],
  workspace: ['/api/v1/workspace'],
  suggestion: ['/api/v1/people-suggestions'],
  import_mapping: ['/api/v1/import-mappings'],
}

const idOf = (args: unknown) => (args as { path?: { id?: string } } | undefined)?.path?.id

/** Whether an answer with this key may have changed. */
export function concerned(key: readonly unknown[], changes: Change[]): boolean {
  const path = String(key[0])
  return changes.some(
    (c) => (paths[c.topic] ?? [`/api/v1/${c.topic}s`]).some((p) => path.startsWith(p)) && (!c.id || !idOf(key[1]) || idOf(key[1]) === c.id),
  )
}

const late = new Set<string>() // answers on their way that are asked for once more when they are there

/**
 * Reads anew what is concerned. What is on its way may know nothing of the change, and is read once more when it is there: cut off each time, a slow server
 * would never get to answer while something changes all the time.
 */
export function reread(concerns: (q: Query) => boolean) {
  for (const q of queryClient.getQueryCache().findAll({ predicate: (x) => x.state.fetchStatus === 'fetching' && concerns(x) })) {
    if (late.has(q.queryHash)) continue
    late.add(q.queryHash)
    void q.promise
      ?.finally(() => late.delete(q.queryHash))
      .then(() => queryClient.invalidateQueries({ queryKey: q.queryKey, exact: true }))
      .catch(() => {}) // what could not be read says so on the screen, and stays there to be read
  }
  void queryClient.invalidateQueries({ predicate: (q) => q.state.fetchStatus !== 'fetching' && concerns(q) })
}

const calm = 2000 // at most one reading of a screen in this many milliseconds, however much happens

/** Follows the server's changes since that mark of the session while the page is visible; a hidden page holds no connection. */
export function useLive(since = '') {
  const begin = useEffectEvent(() => since)
  useEffect(() => {
    let source: EventSource | null = null
    let last = begin()
    let gathered: Change[] | 'all' = []
    let timer: ReturnType<typeof setTimeout> | undefined
    let readAt = 0

    const read = () => {
      timer = undefined
      readAt = Date.now()
      const now = gathered
      gathered = []
      reread((q) => (now === 'all' ? String(q.queryKey[0]).startsWith('/api/') : concerned(q.queryKey, now)))
    }
    const open = () => {
      if (source || document.hidden) return
      source = new EventSource(`/api/v1/live${last ? `?last=${encodeURIComponent(last)}` : ''}`)
      source.onmessage = (e) => {
        last = e.lastEventId || last
        const { changes, all } = JSON.parse(e.data) as { changes: Change[]; all?: boolean }
        gathered = all || gathered === 'all' ? 'all' : [...gathered, ...changes]
        timer ??= setTimeout(read, Math.max(0, readAt + calm - Date.now()))
      }
      source.onerror = () => {
        // The browser tries again by itself unless the server refused; then we do, unhurriedly.
        if (source?.readyState !== EventSource.CLOSED) return
        close()
        retry = setTimeout(open, 15_000)
      }
    }
    let retry: ReturnType<typeof setTimeout> | undefined
    const close = () => {
      source?.close()
      source = null
    }
    const seen = () => (document.hidden ? close() : open())
    open()
    document.addEventListener('visibilitychange', seen)
    return () => {
      document.removeEventListener('visibilitychange', seen)
      clearTimeout(timer)
      clearTimeout(retry)
      close()
    }
  }, [])
}
