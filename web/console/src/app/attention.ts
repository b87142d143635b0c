// What waits for somebody: read from what is there, so that it goes away by itself once it is dealt with.
import { useQueries } from '@tanstack/react-query'
import { reading, useRead } from '@/api'
import { formatNumber, useT } from '@/i18n'
import { useCan } from './session'

export interface Notice {
  id: string
  text: string
  to: string
  /** Something has stopped, or waits for a decision. */
  urgent: boolean
}

const day = 24 * 3600_000

/** Everything that waits, most urgent first; undefined until it is known. */
export function useAttention(): Notice[] | undefined {
  const t = useT()
  const can = useCan()
  const campaigns = useRead('/api/v1/campaigns', { query: { limit: 100 } }, { enabled: can('campaigns.read') })
  const trouble = useRead('/api/v1/journey-trouble', {}, { enabled: can('journeys.read'), every: 60_000 })
  const rejections = useRead('/api/v1/rejections', { query: { limit: 100 } }, { enabled: can('settings.read') })
  const accounts = useRead('/api/v1/accounts', {}, { enabled: can('settings.read') })
  const health = useQueries({
    queries: (accounts.data?.items ?? []).map((a) => ({
      ...reading('/api/v1/accounts/{id}/health', { path: { id: a.id } }),
      refetchInterval: 60_000,
    })),
  })
  if ([campaigns, trouble, rejections, accounts].some((r) => r.isLoading)) return undefined
  const out: Notice[] = []
  for (const c of campaigns.data?.items ?? []) {
    if (c.status === 'review') out.push({ id: c.id, urgent: true, to: `/campaigns/${c.id}`, text: t('attention.review', { name: c.name }) })
    if (c.status === 'failed') out.push({ id: c.id, urgent: true, to: `/campaigns/${c.id}`, text: t('attention.failed', { name: c.name }) })
  }
  for (const [i, a] of (accounts.data?.items ?? []).entries()) {
    const alert = health[i]?.data?.alert
    if (alert)
      out.push({
        id: a.id,
        urgent: alert.paused,
        to: '/settings/accounts',
        text: t(alert.paused ? 'attention.account_paused' : 'attention.account_blocked', { name: a.name }),
      })
  }
  const stuck = (kind: 'endless' | 'parked' | 'trying', n: number | undefined, urgent: boolean) => {
    if (n) out.push({ id: kind, urgent, to: '/journeys', text: t(`attention.${kind}`, { count: n, n: formatNumber(n) }) })
  }
  stuck('endless', trouble.data?.endless, true)
  stuck('parked', trouble.data?.parked, true)
  stuck('trying', trouble.data?.trying, false)
  const refused = (rejections.data?.items ?? []).filter((r) => rejections.dataUpdatedAt - Date.parse(r.at) < day).length
  if (refused)
    out.push({
      id: 'rejected',
      urgent: false,
      to: '/settings/rejections',
      text: t('attention.rejected', { count: refused, n: formatNumber(refused) }),
    })
  return out.toSorted((a, b) => Number(b.urgent) - Number(a.urgent))
}
