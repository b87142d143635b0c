import { useState } from 'react'
import { useList, useRead } from '@/api'
import { useT } from '@/i18n'
import { personName, Select, useDebouncedValue } from '@/ui'

/** Chooses a person by name, address or identifier. */
export function PersonSelect({ label, value, onChange }: { label: string; value: string; onChange: (id: string) => void }) {
  const t = useT()
  const [q, setQ] = useState('')
  const [asked] = useDebouncedValue(q, 250)
  const people = useList('/api/v1/people', { query: { q: asked || undefined } }, { size: 20 })
  const chosen = useRead('/api/v1/people/{id}', { path: { id: value } }, { enabled: value !== '' })
  const data = people.items.map((p) => ({ value: p.id, label: personName(p) }))
  if (chosen.data && !data.some((d) => d.value === value)) data.unshift({ value, label: personName(chosen.data) })
  return (
    <Select
      aria-label={label}
      placeholder={label}
      searchable
      clearable
      data={data}
      filter={({ options }) => options}
      value={value || null}
      nothingFoundMessage={t('state.nothing_found')}
      w={{ base: '100%', xs: 208 }}
      onSearchChange={(s) => setQ(data.some((d) => d.label === s) ? '' : s)}
      onChange={(id) => onChange(id ?? '')}
    />
  )
}
