import { call, type Schemas, useSend } from '@/api'
import { useT } from '@/i18n'
import { useGo } from '@/lib/route'
import {
  Card,
  DateTimeInput,
  ErrorState,
  FormBody,
  FormPage,
  LoadingState,
  MultiSelect,
  NumberInput,
  Radio,
  Select,
  SimpleGrid,
  Stack,
  Switch,
  Textarea,
  TextInput,
  useForm,
} from '@/ui'
import { useChoices } from './choices'
import { draftOf, formOf, type Mode } from './draft'

/** The form of a campaign: to whom, what, when. */
export function CampaignForm({ campaign }: { campaign?: Schemas['Campaign'] }) {
  const t = useT()
  const choices = useChoices()
  const title = campaign?.name ?? t('campaigns.new')
  const crumbs = [
    { to: '/campaigns', label: t('nav.campaigns') },
    ...(campaign ? [{ to: `/campaigns/${campaign.id}`, label: campaign.name }] : []),
  ]
  return (
    <FormPage title={campaign ? t('campaigns.edit') : title} lead={t('campaigns.new_lead')} crumbs={crumbs}>
      {choices.error ? (
        <ErrorState error={choices.error} />
      ) : choices.ready ? (
        <Inputs campaign={campaign} choices={choices} />
      ) : (
        <LoadingState rows={10} />
      )}
    </FormPage>
  )
}

function Inputs({ campaign, choices }: { campaign?: Schemas['Campaign']; choices: ReturnType<typeof useChoices> }) {
  const t = useT()
  const go = useGo()
  const live = { refresh: ['/api/v1/campaigns'] }
  const create = useSend('post', '/api/v1/campaigns', live)
  const update = useSend('put', '/api/v1/campaigns/{id}', live)
  const start = formOf(campaign)
  const form = useForm({
    initial: { ...start, write: start.write || choices.templates.length === 0 },
    names: {
      'audience.include': 'include',
      'audience.exclude': 'exclude',
      'plan.local': 'at',
      scheduled_at: 'at',
      'plan.per_minute': 'perMinute',
      'plan.holdout': 'holdout',
      'plan.test.variants': 'variants',
      'plan.test.share': 'share',
      'plan.test.hours': 'hours',
    },
    save: async (v) => {
      const template = v.write
        ? (await call('post', '/api/v1/templates', { body: { name: v.name, channel: 'email', subject: v.subject, html: v.html } })).id
        : v.template
      const body = draftOf(v, template, campaign)
      const saved = campaign ? await update.mutateAsync({ path: { id: campaign.id }, body }) : await create.mutateAsync({ body })
      go(`/campaigns/${saved.id}`)
    },
  })
  const v = form.getValues()
  return (
    <FormBody form={form} action={t('action.save')} onCancel={() => go(campaign ? `/campaigns/${campaign.id}` : '/campaigns')}>
      <Card title={t('campaigns.section_who')}>
        <Stack gap="md">
          <TextInput label={t('field.name')} required maxLength={200} {...form.getInputProps('name')} />
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <MultiSelect label={t('campaigns.audience')} required searchable data={choices.audiences} {...form.getInputProps('include')} />
            <MultiSelect label={t('campaigns.exclude')} searchable data={choices.audiences} {...form.getInputProps('exclude')} />
          </SimpleGrid>
          <Select label={t('campaigns.topic')} required data={choices.topics} {...form.getInputProps('topic')} />
        </Stack>
      </Card>
      <Card title={t('campaigns.section_what')}>
        <Stack gap="md">
          {choices.templates.length > 0 ? (
            <Switch label={t('campaigns.write')} {...form.getInputProps('write', { type: 'checkbox' })} />
          ) : null}
          {v.write ? (
            <>
              <TextInput label={t('field.subject')} maxLength={200} {...form.getInputProps('subject')} />
              <Textarea
                label={t('campaigns.body')}
                autosize
                minRows={6}
                maxRows={18}
                styles={{ input: { fontFamily: 'var(--ui-mono)', fontSize: 13 } }}
                {...form.getInputProps('html')}
              />
            </>
          ) : (
            <Select label={t('campaigns.template')} searchable data={choices.templates} {...form.getInputProps('template')} />
          )}
          <Switch label={t('campaigns.test')} {...form.getInputProps('testing', { type: 'checkbox' })} />
          {v.testing ? (
            <>
              <MultiSelect
                label={t('campaigns.variants')}
                description={t('campaigns.variants_help')}
                maxValues={4}
                data={choices.templates}
                {...form.getInputProps('variants')}
              />
              <SimpleGrid cols={{ base: 1, sm: 3 }}>
                <NumberInput label={t('campaigns.test_share')} min={1} max={100} {...form.getInputProps('share')} />
                <Select
                  label={t('campaigns.test_metric')}
                  allowDeselect={false}
                  data={['opened', 'clicked', 'converted'].map((m) => ({ value: m, label: t(`metric.${m}`) }))}
                  {...form.getInputProps('metric')}
                />
                <NumberInput
                  label={t('campaigns.test_hours')}
                  description={t('campaigns.test_hours_help')}
                  min={1}
                  max={336}
                  {...form.getInputProps('hours')}
                />
              </SimpleGrid>
            </>
          ) : null}
        </Stack>
      </Card>
      <Card title={t('campaigns.section_when')}>
        <Stack gap="md">
          <Radio.Group aria-label={t('campaigns.when')} {...form.getInputProps('mode')}>
            <Stack gap="xs">
              {(['now', 'at', 'local', 'best'] as Mode[]).map((m) => (
                <Radio key={m} value={m} label={t(`campaigns.mode_${m}`)} />
              ))}
            </Stack>
          </Radio.Group>
          {v.mode === 'at' || v.mode === 'local' ? (
            <DateTimeInput
              label={t('field.time')}
              required
              value={v.at}
              onChange={(at) => form.setFieldValue('at', at)}
              error={form.errors.at}
            />
          ) : null}
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <NumberInput
              label={t('campaigns.per_minute')}
              description={t('campaigns.per_minute_help')}
              min={0}
              {...form.getInputProps('perMinute')}
            />
            <NumberInput
              label={t('campaigns.holdout')}
              description={t('campaigns.holdout_help')}
              min={0}
              max={50}
              {...form.getInputProps('holdout')}
            />
          </SimpleGrid>
        </Stack>
      </Card>
    </FormBody>
  )
}
