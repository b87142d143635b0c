// Events of a period that were removed, so that its figures are known to be too small.
import { type Schemas, useRead } from '@/api'
import { formatDate, useT, word } from '@/i18n'
import { Alert, Card } from '@/ui'

type Line = Schemas['RetentionCount']

/** Says which events of a period are gone, if a figure counts them; nothing if all are there. from is a day. */
export function Forgotten({ from, counts }: { from?: string; counts: (line: Line) => boolean }) {
  const t = useT()
  const gone = useRead('/api/v1/retention/gone', {})
  const short = (gone.data?.items ?? []).filter((g) => from && `${from}T00:00:00Z` < g.before && counts(g))
  if (short.length === 0) return null
  return (
    <Card wide>
      <Alert color="warning">
        {t('report.forgotten', {
          events: short
            .map((g) => t('report.forgotten_of', { name: g.name || word('event_type', g.type), date: formatDate(g.before) }))
            .join(t('report.forgotten_and')),
        })}
      </Alert>
    </Card>
  )
}
