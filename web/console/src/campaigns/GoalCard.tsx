import { useRead } from '@/api'
import { useT } from '@/i18n'
import { PathInput } from '@/journeys/Pickers'
import { Filters } from '@/segments/inputs'
import builder from '@/segments/RuleBuilder.module.css'
import { Alert, Card, type Form, InputWrapper, NumberInput, Select, SimpleGrid, Stack } from '@/ui'
import type { GoalInputs } from './goal'

/** What counts as success: an event within some days of sending, on conditions and with a worth if wanted. */
export function GoalCard<T extends GoalInputs>({ form }: { form: Form<T> }) {
  const t = useT()
  const names = useRead('/api/v1/event-names', { query: { limit: 200 } })
  const now = form.getValues()
  const chosen = now.goalEvent
  const set = (patch: Partial<GoalInputs>) => form.setValues(patch as Partial<T>)
  const events = [
    ...new Set([...(names.data?.items ?? []).filter((n) => n.type === 'track').map((n) => n.name), ...(chosen ? [chosen] : [])]),
  ]
  const fault = Object.entries(form.errors).find(([name]) => name.startsWith('goalFilter'))?.[1]
  return (
    <Card title={t('campaigns.section_goal')} help={t('campaigns.goal_help')}>
      <Stack gap="md">
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <Select
            label={t('campaigns.goal_event')}
            placeholder={t('campaigns.goal_if_none')}
            searchable
            clearable
            data={events}
            {...form.getInputProps('goalEvent')}
            value={chosen || null}
            // Properties belong to the event that was chosen before.
            onChange={(x) => set({ goalEvent: x ?? '', goalFilter: [], goalValue: '' })}
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
        {chosen ? (
          <>
            <InputWrapper label={t('journeys.only_if')} description={t('campaigns.goal_filter_help')} labelElement="div">
              <div className={builder.narrow}>
                <Filters event={chosen} value={now.goalFilter} onChange={(f) => set({ goalFilter: (f as unknown[] | undefined) ?? [] })} />
              </div>
            </InputWrapper>
            {fault ? (
              <Alert color="danger" role="alert">
                {fault}
              </Alert>
            ) : null}
            <PathInput
              label={t('journeys.goal_value')}
              description={t('journeys.goal_value_help')}
              error={form.errors.goalValue as string | undefined}
              event={chosen}
              value={now.goalValue}
              set={(goalValue) => set({ goalValue })}
            />
          </>
        ) : null}
      </Stack>
    </Card>
  )
}
