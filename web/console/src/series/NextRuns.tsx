import { useEffect, useState } from 'react'
import { call, describe, type Schemas, useRead } from '@/api'
import { formatCivil, formatTimeIn, useT } from '@/i18n'
import { Card, Text, useDebouncedValue } from '@/ui'

type Schedule = Schemas['Schedule']

/** When a schedule comes next, told by the server, for a schedule that need not be saved. */
export function NextRuns({ schedule }: { schedule: Schedule }) {
  const t = useT()
  const zone = useRead('/api/v1/workspace', {}).data?.timezone ?? ''
  const [asked] = useDebouncedValue(JSON.stringify(schedule), 400)
  const [answer, setAnswer] = useState<{ runs: Schemas['ScheduleRun'][]; error?: unknown }>({ runs: [] })
  useEffect(() => {
    const stop = new AbortController()
    call('post', '/api/v1/series/next-runs', { body: { schedule: JSON.parse(asked) as Schedule } }, { signal: stop.signal }).then(
      (d) => setAnswer({ runs: d.runs ?? [] }),
      (error: unknown) => {
        if (!stop.signal.aborted) setAnswer({ runs: [], error })
      },
    )
    return () => stop.abort()
  }, [asked])
  return (
    <Card title={t('series.next_runs')}>
      <div role="status">
        {answer.error ? <Text c="dimmed">{describe(answer.error)}</Text> : null}
        <ol>
          {answer.runs.map((r) => (
            <li key={r.at}>
              {schedule.local
                ? t('campaigns.when_local', { time: formatCivil(r.shown) })
                : schedule.best_hour
                  ? t('campaigns.when_best', { time: formatTimeIn(r.at, zone) })
                  : formatTimeIn(r.at, zone)}
            </li>
          ))}
        </ol>
      </div>
    </Card>
  )
}
