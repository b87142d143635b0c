import { useRead } from '@/api'
import { useT } from '@/i18n'
import { personName, useDebouncedValue } from '@/ui'

/**
 * People to choose from, by what is typed of a name, an address or an identifier, and what is said where there is none. Until the server has answered, of those
 * found before only who fits stays: whoever chooses at once chooses nobody else.
 */
export function useFoundPeople(typed: string, may = true) {
  const t = useT()
  const [asked] = useDebouncedValue(typed, 250)
  const people = useRead('/api/v1/people', { query: { q: asked || undefined, limit: 20 } }, { keep: true, enabled: may })
  const waits = asked !== typed || people.isPlaceholderData || people.isLoading
  const wanted = typed.trim().toLowerCase()
  return {
    data: (people.data?.items ?? [])
      .filter((p) => !waits || `${personName(p)} ${p.email ?? ''}`.toLowerCase().includes(wanted))
      .map((p) => ({ value: p.id, label: personName(p) })),
    nothingFoundMessage: t(waits ? 'state.loading' : 'state.nothing_found'),
  }
}
