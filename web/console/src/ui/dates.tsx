// Dates and times. The calendar is loaded when the first one is shown.
import { Skeleton } from '@mantine/core'
import { lazy, Suspense } from 'react'
import type { DateTimeProps } from './dates-lazy'

const Lazy = lazy(() => import('./dates-lazy'))

/** A civil date and time in the reader's format. */
export function DateTimeInput(p: DateTimeProps) {
  return (
    <Suspense fallback={<Skeleton height={60} />}>
      <Lazy {...p} />
    </Suspense>
  )
}
