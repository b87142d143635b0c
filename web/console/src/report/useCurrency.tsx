import { type ReactNode, useState } from 'react'
import { useT } from '@/i18n'
import { SegmentedControl } from '@/ui'

/** The currencies of some amounts, each once, in their order. */
export const currenciesOf = (amounts: { currency: string }[]): string[] => [...new Set(amounts.map((m) => m.currency))]

/** One currency at a time, since adding them would say nothing: the one that is shown, and what chooses another if there are several. */
export function useCurrency(amounts: { currency: string }[]): [string | undefined, ReactNode] {
  const t = useT()
  const [chosen, choose] = useState('')
  const all = currenciesOf(amounts)
  const currency = all.includes(chosen) ? chosen : all[0]
  const choice =
    all.length > 1 ? (
      <SegmentedControl
        aria-label={t('workspace.currency')}
        data={all.map((c) => ({ value: c, label: c }))}
        value={currency}
        onChange={choose}
      />
    ) : null
  return [currency, choice]
}
