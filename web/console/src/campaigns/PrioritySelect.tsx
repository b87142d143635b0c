import { useT } from '@/i18n'
import { Select } from '@/ui'

/** Who goes first where a cap leaves room for fewer; of campaigns and series alike. */
export function PrioritySelect(props: Pick<Parameters<typeof Select>[0], 'value' | 'defaultValue' | 'onChange' | 'error'>) {
  const t = useT()
  return (
    <Select
      label={t('campaigns.priority')}
      description={t('campaigns.priority_help')}
      allowDeselect={false}
      data={['low', 'normal', 'high'].map((p) => ({ value: p, label: t(`campaigns.priority_${p}`) }))}
      {...props}
    />
  )
}
