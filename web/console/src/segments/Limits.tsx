// What a rule asks for and nobody knows any more: events that are not kept as far back as it asks.
import { useQuery } from '@tanstack/react-query'
import { call } from '@/api'
import { useT, word } from '@/i18n'
import { Alert, Stack, Time } from '@/ui'

/** Says where a rule asks further back than events are kept; nothing if it does not. */
export function Limits({ rule }: { rule: unknown }) {
  const t = useT()
  const found = useQuery({
    queryKey: ['/api/v1/retention/limits', rule],
    enabled: rule !== undefined,
    retry: false,
    queryFn: ({ signal }) => call('post', '/api/v1/retention/limits', { body: { rule: rule as never } }, { signal }),
  })
  const limits = found.data?.limits ?? []
  if (limits.length === 0) return null
  return (
    <Alert color="warning" mt="sm" title={t('segments.limits')}>
      <Stack gap={4}>
        {limits.map((l) => (
          <span key={`${l.type} ${l.name}`}>
            {t('segments.limit', { name: l.name || word('event_type', l.type) })} <Time at={l.before} />
          </span>
        ))}
      </Stack>
    </Alert>
  )
}
