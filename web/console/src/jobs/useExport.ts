import { type Schemas, useSend } from '@/api'
import { useT } from '@/i18n'
import { toast, toastError } from '@/ui'

/** Has files made as jobs: they wait below the jobs at the top of the navigation. */
export function useExport() {
  const t = useT()
  const people = useSend('post', '/api/v1/people/exports', { refresh: ['/api/v1/jobs'] })
  const events = useSend('post', '/api/v1/events/exports', { refresh: ['/api/v1/jobs'] })
  const then = { onSuccess: () => toast(t('export.begun')), onError: toastError }
  return {
    busy: people.isPending || events.isPending,
    people: (who: Schemas['PeopleFilter'], title?: string) => people.mutate({ body: { who, title, bom: true } }, then),
    events: (which: { source?: string; type?: string; name?: string }, title?: string) =>
      events.mutate({ body: { ...which, title, bom: true } }, then),
  }
}
