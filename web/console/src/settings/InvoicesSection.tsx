import { type Schemas, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { useT } from '@/i18n'
import { Alert, Button, Card, FormBody, Group, Loaded, NumberInput, Stack, Text, TextInput, toast, useForm } from '@/ui'
import { SettingsSection } from './SettingsSection'

/** When reminders of invoices fall due. */
export default function InvoicesSection() {
  const plan = useRead('/api/v1/invoice-plan', {})
  return (
    <SettingsSection id="invoices">
      <Loaded of={plan}>{(p) => <Plan plan={p} />}</Loaded>
    </SettingsSection>
  )
}

function Plan({ plan: p }: { plan: Schemas['ReminderPlan'] }) {
  const t = useT()
  const write = useCan()('settings.write')
  const put = useSend('put', '/api/v1/invoice-plan', { refresh: ['/api/v1/invoice-plan'] })
  const form = useForm({
    initial: { days: (p.days ?? []) as (number | string)[], at: p.at },
    follow: true,
    save: (v) => put.mutateAsync({ body: { at: v.at, days: v.days.map(Number).toSorted((a, b) => a - b) } }),
    onDone: () => toast(t('settings.saved')),
  })
  const { days } = form.getValues()
  const words = (d: number) => (d < 0 ? t('plan.before', { count: -d }) : d > 0 ? t('plan.after', { count: d }) : t('plan.on_day'))
  const inputs = (
    <Stack gap="md">
      <TextInput type="time" label={t('plan.at')} description={t('plan.at_help')} w={220} disabled={!write} {...form.getInputProps('at')} />
      {days.length === 0 ? <Alert color="gray">{t('plan.none')}</Alert> : null}
      {days.map((d, i) => (
        // oxlint-disable-next-line react/no-array-index-key -- steps have no name but their place
        <Group key={i} gap="sm" align="center">
          <NumberInput
            aria-label={t('invoice.reminder_n', { n: i + 1 })}
            w={112}
            allowDecimal={false}
            disabled={!write}
            {...form.getInputProps(`days.${i}`)}
          />
          <Text size="sm" flex={1}>
            {words(Number(d))}
          </Text>
          {write ? (
            <Button size="compact-sm" onClick={() => form.removeListItem('days', i)}>
              {t('action.remove')}
            </Button>
          ) : null}
        </Group>
      ))}
      {form.errors.days ? (
        <Text size="sm" c="danger" role="alert">
          {form.errors.days}
        </Text>
      ) : null}
      {write && days.length < 10 ? (
        <Group>
          <Button onClick={() => form.insertListItem('days', Math.max(0, ...days.map(Number)) + 7)}>{t('plan.add')}</Button>
        </Group>
      ) : null}
    </Stack>
  )
  return (
    <Card title={t('plan.reminders_title')} help={t('plan.help')}>
      {write ? (
        <FormBody form={form} action={t('action.save')}>
          {inputs}
        </FormBody>
      ) : (
        inputs
      )}
    </Card>
  )
}
