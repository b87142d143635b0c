import { call, refresh } from '@/api'
import { useCan } from '@/app/session'
import { useT } from '@/i18n'
import { toast, toastError } from '@/ui'

/** Has a CSV file made of all that a list shows with a filter, as a job: <ListTable file={useFile('campaigns', query)} />. Undefined for who may not. */
export function useFile(list: string, query: Record<string, string | undefined>) {
  const t = useT()
  if (!useCan()('export')) return undefined
  return async (columns: { title: string; field: string }[], title: string) => {
    try {
      const filter = Object.fromEntries(Object.entries(query).filter(([, v]) => v)) as Record<string, string>
      await call('post', '/api/v1/exports', {
        body: { list, query: filter, columns, title, bom: true, idempotency_key: crypto.randomUUID() },
      })
      await refresh(['/api/v1/jobs'])
      toast(t('export.begun'))
    } catch (err) {
      toastError(err)
    }
  }
}
