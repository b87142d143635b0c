import { useRead } from '@/api'
import { useT } from '@/i18n'
import { Card, type Form, NumberInput, Select, SimpleGrid } from '@/ui'

/** What counts as success: an event within some days of sending. The form's inputs are goalEvent and goalDays. */
export function GoalCard<T extends { goalEvent: string; goalDays: number | string }>({ form }: { form: Form<T> }) {
  const t = useT()
  const names = useRead('/api/v1/event-names', { query: { limit: 200 } })
  const chosen = form.getValues().goalEvent
  const events = [
    ...new Set([...(names.data?.items ?? []).filter((n) => n.type === 'track').map((n) => n.name), ...(chosen ? [chosen] : [])]),
  ]
  return (
    <Card title={t('campaigns.section_goal')} help={t('campaigns.goal_help')}>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <Select
          label={t('campaigns.goal_event')}
          placeholder={t('campaigns.goal_default')}
          searchable
          clearable
          data={events}
          {...form.getInputProps('goalEvent')}
          value={chosen || null}
          onChange={(x) => form.setFieldValue('goalEvent', x ?? '')}
        />
        <NumberInput
          label={t('campaigns.goal_days')}
          description={t('campaigns.goal_days_help')}
          min={0.05}
          max={90}
          decimalScale={2}
          disabled={!chosen}
          {...form.getInputProps('goalDays')}
        />
      </SimpleGrid>
    </Card>
  )
}
