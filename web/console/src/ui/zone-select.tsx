import { Select, type SelectProps } from '@mantine/core'
import { useState } from 'react'
import { formatZone, formatZoneOffset, useT } from '@/i18n'
import css from './text.module.css'

const label = (zone: string) => {
  const offset = formatZoneOffset(zone)
  return offset ? `${formatZone(zone)} (${offset})` : formatZone(zone)
}
const simple = (s: string) => s.toLowerCase().replaceAll('_', ' ')

/** A time zone, by what it is called in the reader's language; found by its code ("Asia/Tokyo") and its distance ("GMT+9"), too. `also`: what else may be chosen. */
export function ZoneSelect({ also = [], ...p }: Omit<SelectProps, 'data' | 'filter'> & { also?: { value: string; label: string }[] }) {
  useT()
  // Four hundred names take a moment: they are made when the list is opened.
  const [opened, setOpened] = useState(false)
  const zones = ['UTC', ...(opened ? Intl.supportedValuesOf('timeZone').filter((z) => z !== 'UTC') : [])]
  if (p.value && !zones.includes(p.value) && !also.some((x) => x.value === p.value)) zones.unshift(p.value)
  return (
    <Select
      searchable
      allowDeselect={false}
      limit={100}
      {...p}
      data={[...also, ...zones.map((z) => ({ value: z, label: label(z) }))]}
      filter={({ options, search, limit }) => {
        const wanted = simple(search.trim())
        const fits = options.filter(
          (o) => 'value' in o && (simple(o.label).includes(wanted) || simple(o.value).includes(wanted) || o.label === search),
        )
        return fits.slice(0, limit)
      }}
      renderOption={({ option }) => (
        <span>
          {option.label} {option.value.includes('/') ? <span className={css.none}>{option.value.replaceAll('_', ' ')}</span> : null}
        </span>
      )}
      onDropdownOpen={() => setOpened(true)}
    />
  )
}
