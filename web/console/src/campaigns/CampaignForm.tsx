import { TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import { call, describe, type Schemas, useSend } from '@/api'
import { formatList, formatNumber, formatPercent, formatZone, hereZone, useT } from '@/i18n'
import { ClashNotice } from '@/app/ClashNotice'
import { PastVersions } from '@/app/PastVersions'
import { DraftNotice, draftState } from '@/app/Unsaved'
import { editedForm, useEditing } from '@/lib/editing'
import { useGo } from '@/lib/route'
import { TargetInputs } from '@/report/NotePanel'
import {
  HeadActions,
  Alert,
  Button,
  Card,
  DateTimeInput,
  ErrorState,
  type Form,
  FormFoot,
  FormPage,
  Group,
  LoadingState,
  MultiSelect,
  Note,
  NumberInput,
  Radio,
  Select,
  SimpleGrid,
  Stack,
  Stepper,
  Switch,
  Textarea,
  TextInput,
  useForm,
} from '@/ui'
import { useChoices } from './choices'
import { askOf, type CampaignForm as Values, differences, draftOf, formOf, type Mode } from './draft'
import { guessed, Reach, Reasons } from './Gate'
import { goalFrom, goalNames, goalOf } from './goal'
import { GoalCard } from './GoalCard'
import { Preview } from './Preview'
import { PrioritySelect } from './PrioritySelect'
import { useDryRun } from './useDryRun'

type Choices = ReturnType<typeof useChoices>
type Props = { form: Form<Values>; choices: Choices }

/** Whether a step still lacks what a launch needs. */
const lacking: Partial<Record<(typeof steps)[number], (v: Values) => boolean>> = {
  who: (v) => !v.name.trim() || !v.include.length || !v.topic,
  what: (v) => (v.write ? !v.subject.trim() || !v.html.trim() : !v.template),
}

const steps = ['who', 'what', 'goal', 'when', 'test'] as const

// The step on which an input stands, so that a fault of the server opens it.
const places: Record<string, number> = {
  name: 0,
  include: 0,
  exclude: 0,
  topic: 0,
  template: 1,
  subject: 1,
  html: 1,
  goalEvent: 2,
  goalDays: 2,
  goalFilter: 2,
  goalValue: 2,
  notePlan: 2,
  figure: 2,
  value: 2,
  mode: 3,
  at: 3,
  perMinute: 3,
  holdout: 3,
  priority: 3,
  variants: 4,
  share: 4,
  metric: 4,
  hours: 4,
}

/** The steps to a campaign: to whom, what, what for, when, and which of several contents. */
export function CampaignForm({ campaign }: { campaign?: Schemas['Campaign'] }) {
  const t = useT()
  const choices = useChoices()
  const crumbs = [
    { to: '/campaigns', label: t('nav.campaigns') },
    ...(campaign ? [{ to: `/campaigns/${campaign.id}`, label: campaign.name }] : []),
  ]
  return (
    <FormPage
      room={!!campaign}
      title={campaign ? t('campaigns.edit_title') : t('campaigns.new')}
      lead={t('campaigns.new_lead')}
      crumbs={crumbs}
    >
      {choices.error ? (
        <ErrorState error={choices.error} />
      ) : choices.ready ? (
        <Wizard campaign={campaign} choices={choices} />
      ) : (
        <LoadingState rows={10} />
      )}
    </FormPage>
  )
}

function Wizard({ campaign, choices }: { campaign?: Schemas['Campaign']; choices: Choices }) {
  const t = useT()
  const go = useGo()
  const [step, setStep] = useState(0)
  const live = { refresh: ['/api/v1/campaigns'] }
  const create = useSend('post', '/api/v1/campaigns', live)
  const update = useSend('put', '/api/v1/campaigns/{id}', live)
  const start = formOf(campaign)
  const form = useForm({
    initial: { ...start, write: start.write || choices.templates.length === 0 },
    names: {
      'audience.include': 'include',
      'audience.exclude': 'exclude',
      ...goalNames,
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
      if (v.write) form.setValues({ write: false, template })
      const body = draftOf(v, template)
      const { saved, more } = await edit.save(async (revision) => {
        if (campaign) return await update.mutateAsync({ path: { id: campaign.id }, body: { ...body, revision } })
        const made = await create.mutateAsync({ body })
        const target =
          v.figure && v.value !== '' ? { figure: v.figure, value: Number(v.value) / 100, at_most: v.side === 'most' } : undefined
        if (v.notePlan || target)
          await call('put', '/api/v1/campaigns/{id}/note', { path: { id: made.id }, body: { base: 0, plan: v.notePlan, target } })
        return made
      })
      go(`/campaigns/${saved.id}${more ? '/edit' : ''}`)
    },
  })
  const edit = useEditing({
    ...editedForm(form),
    kind: 'campaign',
    id: campaign?.id ?? 'new',
    revision: campaign?.revision ?? 0,
    stale: 'campaign.changed',
    read: () => call('get', '/api/v1/campaigns/{id}', { path: { id: campaign?.id ?? '' } }),
    from: formOf,
  })
  const differencesTo = (other: Schemas['Campaign']) =>
    differences(formOf(other), form.values).map(([label, key]) => ({
      label: t(label),
      theirs: shown(t, choices, formOf(other), key),
      mine: shown(t, choices, form.values, key),
    }))
  const last = steps.length - 1
  const faults = Object.keys(form.errors)
  const faulty = new Set(faults.map((f) => places[f.split('.')[0] ?? ''] ?? step))
  const submit = async () => {
    if (step < last) {
      setStep(step + 1)
      return
    }
    await form.submit()
  }
  return (
    <form
      noValidate
      onSubmit={(e) => {
        e.preventDefault()
        void submit()
      }}
    >
      <Stack gap="md">
        <DraftNotice of={edit.unsaved} />
        {campaign ? (
          <HeadActions>
            <PastVersions<Schemas['Campaign']>
              path="/api/v1/campaigns/{id}/versions"
              id={campaign.id}
              now={campaign.revision}
              differences={differencesTo}
              onTake={(then) => form.setValues({ ...formOf(then), write: false })}
            />
          </HeadActions>
        ) : null}
        {edit.clash ? (
          <ClashNotice of={edit.clash} differences={differencesTo(edit.clash.theirs)} onTheirs={edit.takeTheirs} onMine={edit.saveOver} />
        ) : null}
        <Stepper
          active={step}
          onStepClick={setStep}
          size="sm"
          wrap={false}
          // Its width does not count for the page: on a phone the steps scroll inside.
          styles={{ root: { contain: 'inline-size' }, steps: { overflowX: 'auto', paddingBottom: 4 }, stepLabel: { whiteSpace: 'nowrap' } }}
        >
          {steps.map((s, i) => {
            const lacks = i < step && lacking[s]?.(form.getValues())
            return (
              <Stepper.Step
                key={s}
                label={t(`campaigns.step_${s}`)}
                color={faulty.has(i) ? 'danger' : lacks ? 'warning' : undefined}
                completedIcon={lacks ? <TriangleAlert size={16} aria-label={t('campaigns.step_lacks')} role="img" /> : undefined}
              />
            )
          })}
        </Stepper>
        {step === 0 ? <Who form={form} choices={choices} /> : null}
        {step === 1 ? <What form={form} choices={choices} /> : null}
        {step === 2 ? <Goal form={form} fresh={!campaign} /> : null}
        {step === 3 ? <When form={form} /> : null}
        {step === 4 ? <Variants form={form} choices={choices} /> : null}
        {form.failure ? (
          <Alert color="danger" role="alert">
            {form.failure}
          </Alert>
        ) : null}
        {faults.length && !faulty.has(step) ? (
          <Alert color="danger" role="alert">
            {t('campaigns.step_faults', { step: t(`campaigns.step_${steps[[...faulty][0] ?? 0]}`) })}
          </Alert>
        ) : null}
      </Stack>
      <FormFoot>
        <Button
          onClick={() => {
            edit.unsaved.end()
            go(campaign ? `/campaigns/${campaign.id}` : '/campaigns')
          }}
        >
          {t('action.cancel')}
        </Button>
        <Group gap="xs">
          <span role="status">
            <Note>{draftState(edit.unsaved)}</Note>
          </span>
          {step > 0 ? <Button onClick={() => setStep(step - 1)}>{t('campaigns.back')}</Button> : null}
          {step < last ? (
            <Button loading={form.busy} onClick={() => void form.submit()}>
              {t('campaigns.save_draft')}
            </Button>
          ) : null}
          <Button type="submit" variant="filled" loading={step === last && form.busy}>
            {step < last ? t('campaigns.next') : t('campaigns.save_draft')}
          </Button>
        </Group>
      </FormFoot>
    </form>
  )
}

/** One input's value as a reader sees it. */
function shown(t: ReturnType<typeof useT>, choices: Choices, v: Values, key: keyof Values): string {
  const value = v[key]
  if (key === 'mode') return t(`campaigns.mode_${v.mode}`)
  if (key === 'goalFilter') return v.goalFilter.length ? goalOf(goalFrom(v), t) : ''
  if (key === 'at') return v.at.replace('T', ' ')
  if (key === 'priority') return t(`campaigns.priority_${v.priority}`)
  if (key === 'metric') return t(`metric.${v.metric}`)
  if (typeof value === 'boolean') return t(value ? 'rule.true' : 'rule.false')
  if (Array.isArray(value)) return formatList(value.map((id) => choices.names[String(id)] ?? String(id)))
  return choices.names[String(value ?? '')] ?? String(value ?? '')
}

function Who({ form, choices }: Props) {
  const t = useT()
  const ask = askOf({ ...form.getValues(), testing: false })
  const dry = useDryRun(ask)
  const count = dry.count
  return (
    <>
      <Card title={t('campaigns.section_who')}>
        <Stack gap="md">
          <TextInput label={t('field.name')} required maxLength={200} {...form.getInputProps('name')} />
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <MultiSelect label={t('campaigns.audience')} required searchable data={choices.audiences} {...form.getInputProps('include')} />
            <MultiSelect label={t('campaigns.exclude')} searchable data={choices.audiences} {...form.getInputProps('exclude')} />
          </SimpleGrid>
          <Select
            label={t('campaigns.topic')}
            description={t('campaigns.topic_help')}
            required
            data={choices.topics}
            {...form.getInputProps('topic')}
          />
          <Reach ask={ask} {...dry} />
        </Stack>
      </Card>
      {ask && count ? <Reasons ask={ask} about={guessed(count)} refused={count.refused_by_reason} waits={count.waits_by_reason} /> : null}
    </>
  )
}

function What({ form, choices }: Props) {
  const t = useT()
  const v = form.getValues()
  return (
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
          <>
            <Select label={t('campaigns.template')} searchable data={choices.templates} {...form.getInputProps('template')} />
            {v.template ? <Preview template={v.template} /> : null}
          </>
        )}
      </Stack>
    </Card>
  )
}

function Goal({ form, fresh }: { form: Form<Values>; fresh: boolean }) {
  const t = useT()
  return (
    <>
      <GoalCard form={form} />
      {fresh ? (
        <Card title={t('note.title')} help={t('note.empty')}>
          <Stack gap="md">
            <Textarea
              label={t('note.plan')}
              description={t('note.plan_help')}
              autosize
              minRows={2}
              maxRows={8}
              {...form.getInputProps('notePlan')}
            />
            <TargetInputs form={form} />
          </Stack>
        </Card>
      ) : null}
    </>
  )
}

function When({ form }: { form: Form<Values> }) {
  const t = useT()
  const v = form.getValues()
  return (
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
            description={v.mode === 'at' ? formatZone(hereZone()) : undefined}
            required
            value={v.at}
            onChange={(at) => form.setFieldValue('at', at)}
            error={form.errors.at}
          />
        ) : null}
        <SimpleGrid cols={{ base: 1, sm: 3 }}>
          <NumberInput
            label={t('campaigns.per_minute')}
            description={t('campaigns.per_minute_help')}
            min={0}
            {...form.getInputProps('perMinute')}
          />
          <NumberInput
            label={t('campaigns.holdout')}
            suffix="%"
            description={t('campaigns.holdout_help')}
            min={0}
            max={50}
            {...form.getInputProps('holdout')}
          />
          <PrioritySelect {...form.getInputProps('priority')} />
        </SimpleGrid>
      </Stack>
    </Card>
  )
}

function Variants({ form, choices }: Props) {
  const t = useT()
  const v = form.getValues()
  const ask = askOf(v)
  const { count, error } = useDryRun(ask?.test ? ask : null)
  const arm = count?.arms?.[0]
  return (
    <Card title={t('campaigns.test')} help={t('campaigns.test_lead')}>
      <Stack gap="md">
        <Switch label={t('campaigns.test_on')} {...form.getInputProps('testing', { type: 'checkbox' })} />
        {v.testing ? (
          <>
            <MultiSelect
              label={t('campaigns.variants')}
              description={t('campaigns.variants_help')}
              searchable
              maxValues={4}
              data={choices.templates}
              {...form.getInputProps('variants')}
            />
            <SimpleGrid cols={{ base: 1, sm: 3 }}>
              <NumberInput label={t('campaigns.test_share')} suffix="%" min={1} max={100} {...form.getInputProps('share')} />
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
            <div role="status">
              {error ? <Alert color="danger">{describe(error)}</Alert> : null}
              {arm ? (
                <Alert color={(arm.detectable ?? 1) > 0.1 ? 'warning' : 'info'}>
                  {t('campaigns.test_detects', {
                    people: formatNumber(arm.people),
                    points: formatNumber((arm.detectable ?? 1) * 100, { maximumFractionDigits: 1 }),
                    metric: t(`metric.${v.metric}`),
                    share: formatPercent(Number(v.share) / 100, 0),
                  })}
                </Alert>
              ) : null}
            </div>
          </>
        ) : null}
      </Stack>
    </Card>
  )
}
