import type { ComponentProps } from 'react'
import { useT } from '@/i18n'
import { Textarea } from '@/ui'

/** Asks why somebody may be written to again: <LiftReason {...form.getInputProps('why')} />. */
export function LiftReason(input: ComponentProps<typeof Textarea>) {
  const t = useT()
  return (
    <Textarea
      label={t('suppression.why')}
      description={t('suppression.why_help')}
      required
      autosize
      minRows={2}
      maxLength={500}
      data-autofocus
      {...input}
    />
  )
}
