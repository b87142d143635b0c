// Dates and times. The calendar is loaded when the first one is shown.
import { Skeleton } from '@mantine/core'
import { lazy, Suspense } from 'react'

const Lazy = lazy(() => import('./dates-lazy'))

export interface DateTimeProps {
  label: string
  description?: string
  /** Civil time "2026-03-01T09:00", without a zone; the empty text for none. */
  value: string
  onChange: (civil: string) => void
  error?: React.ReactNode
  required?: boolean
  /** Only a date: "2026-03-01". */
  dateOnly?: boolean
  /** Earliest choice, civil. */
  min?: string
}

/** A civil date and time in the reader's format. */
export function DateTimeInput(p: DateTimeProps) {
  return (
    <Suspense fallback={<Skeleton height={60} />}>
      <Lazy {...p} />
    </Suspense>
  )
}
