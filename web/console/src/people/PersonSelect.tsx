import { useState } from 'react'
import { useRead } from '@/api'
import { personName, Select } from '@/ui'
import { useFoundPeople } from './found'

/** Chooses a person by name, address or identifier. */
export function PersonSelect({ label, value, onChange }: { label: string; value: string; onChange: (id: string) => void }) {
  const [q, setQ] = useState('')
  const { data, nothingFoundMessage } = useFoundPeople(q)
  const chosen = useRead('/api/v1/people/{id}', { path: { id: value } }, { enabled: value !== '' })
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
      nothingFoundMessage={nothingFoundMessage}
      w={{ base: '100%', xs: 208 }}
      onSearchChange={(s) => setQ(data.some((d) => d.label === s) ? '' : s)}
      onChange={(id) => onChange(id ?? '')}
    />
  )
}
