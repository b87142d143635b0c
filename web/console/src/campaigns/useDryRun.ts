import { useEffect, useState } from 'react'
import { call, type Schemas } from '@/api'
import { useDebouncedValue } from '@/ui'

type Ask = Omit<Schemas['DryRunAsk'], '$schema'>
type Count = Schemas['DryRunCount']

/** Asks the gate about an audience while it is being chosen, half a second after the last change. Nothing is stored or sent. */
export function useDryRun(ask: Ask | null): { count: Count | null; error: unknown; busy: boolean } {
  const [asked] = useDebouncedValue(ask ? JSON.stringify(ask) : '', 500)
  const [answer, setAnswer] = useState<{ of: string; count: Count | null; error: unknown }>({ of: '', count: null, error: null })
  useEffect(() => {
    if (!asked) return
    const stop = new AbortController()
    call('post', '/api/v1/sending/dry-run', { body: JSON.parse(asked) as Ask }, { signal: stop.signal }).then(
      (count) => setAnswer({ of: asked, count, error: null }),
      (error: unknown) => {
        if (!stop.signal.aborted) setAnswer({ of: asked, count: null, error })
      },
    )
    return () => stop.abort()
  }, [asked])
  const busy = ask !== null && answer.of !== JSON.stringify(ask)
  return { count: ask ? answer.count : null, error: busy ? null : answer.error, busy }
}
