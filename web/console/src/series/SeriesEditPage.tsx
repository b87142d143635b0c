import { call, type Schemas, useRead, useSend } from '@/api'
import { ClashNotice, type Difference } from '@/app/ClashNotice'
import { PastVersions } from '@/app/PastVersions'
import { DraftNotice, draftState } from '@/app/Unsaved'
import { useChoices } from '@/campaigns/choices'
import { guessed, Reach, Reasons } from '@/campaigns/Gate'
import { goalFrom, goalInputs, goalNames, goalOf } from '@/campaigns/goal'
import { GoalCard } from '@/campaigns/GoalCard'
import { PrioritySelect } from '@/campaigns/PrioritySelect'
import { useDryRun } from '@/campaigns/useDryRun'
import { formatList, useT } from '@/i18n'
import { editedForm, useEditing } from '@/lib/editing'
import { useGo, useParam } from '@/lib/route'
import {
  HeadActions,
  Card,
  Chip,
  DateTimeInput,
  ErrorState,
  FormBody,
  FormPage,
  Group,
  InputWrapper,
  Loaded,
  LoadingState,
  MultiSelect,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  Switch,
  TextInput,
  useForm,
} from '@/ui'
import { NextRuns } from './NextRuns'
import { weekday } from './rhythm'

type Series = Schemas['Series']

export default function SeriesEditPage() {
  const id = useParam('id')
  const series = useRead('/api/v1/series/{id}', { path: { id } }, { enabled: id !== '' })
  return id ? <Loaded of={series}>{(s) => <Editor series={s} />}</Loaded> : <Editor />
}

function Editor({ series }: { series?: Series }) {
  const t = useT()
  const choices = useChoices()
  return (
    <FormPage
      title={series ? t('series.edit') : t('series.new')}
      room={!!series}
      lead={t('series.lead')}
      crumbs={[
        { to: '/campaigns', label: t('nav.campaigns') },
        { to: '/campaigns/series', label: t('series.title') },
        ...(series ? [{ to: `/campaigns/series/${series.id}`, label: series.name }] : []),
      ]}
    >
      {choices.error ? (
        <ErrorState error={choices.error} />
      ) : choices.ready ? (
        <Inputs series={series} choices={choices} />
      ) : (
        <LoadingState rows={10} />
      )}
    </FormPage>
  )
}

function Inputs({ series, choices }: { series?: Series; choices: ReturnType<typeof useChoices> }) {
  const t = useT()
  const go = useGo()
  const live = { refresh: ['/api/v1/series', '/api/v1/plan'] }
  const create = useSend('post', '/api/v1/series', live)
  const update = useSend('put', '/api/v1/series/{id}', live)
  const form = useForm({
    initial: valuesOf(series),
    names: {
      'audience.include': 'include',
      'audience.exclude': 'exclude',
      'schedule.at': 'at',
      'schedule.weekdays': 'weekdays',
      'schedule.day': 'day',
      'schedule.cron': 'cron',
      'schedule.every': 'every',
      'schedule.best_hour': 'clock',
      'feed.url': 'url',
      'feed.max': 'max',
      ...goalNames,
      per_minute: 'perMinute',
    },
    save: async (v) => {
      const body = {
        name: v.name,
        audience: { include: v.include, exclude: v.exclude },
        topic: v.topic ?? undefined,
        template: v.template ?? undefined,
        goal: goalFrom(v),
        holdout: Number(v.holdout || 0),
        per_minute: Number(v.perMinute || 0),
        priority: v.priority,
        schedule: scheduleOf(v),
        feed: v.feed ? { url: v.url, max: Number(v.max || 0) } : undefined,
        until: v.until ? new Date(`${v.until}T23:59:59`).toISOString() : undefined,
      }
      const { saved, more } = await edit.save((revision) =>
        series ? update.mutateAsync({ path: { id: series.id }, body: { ...body, revision } }) : create.mutateAsync({ body }),
      )
      go(`/campaigns/series/${saved.id}${more ? '/edit' : ''}`)
    },
  })
  const edit = useEditing({
    ...editedForm(form),
    kind: 'series',
    id: series?.id ?? 'new',
    revision: series?.revision ?? 0,
    stale: 'series.changed',
    read: () => call('get', '/api/v1/series/{id}', { path: { id: series?.id ?? '' } }),
    from: valuesOf,
  })
  const v = form.getValues()
  const ask = v.include.length > 0 && v.topic ? { include: v.include, exclude: v.exclude, topic: v.topic } : null
  const dry = useDryRun(ask)
  return (
    <FormBody
      form={form}
      action={t('action.save')}
      note={draftState(edit.unsaved)}
      onCancel={() => {
        edit.unsaved.end()
        go(series ? `/campaigns/series/${series.id}` : '/campaigns/series')
      }}
    >
      <DraftNotice of={edit.unsaved} />
      {series ? (
        <HeadActions>
          <PastVersions<Series>
            path="/api/v1/series/{id}/versions"
            id={series.id}
            now={series.revision}
            differences={(then) => differences(t, choices.names, valuesOf(then), form.values)}
            onTake={(then) => form.setValues(valuesOf(then))}
          />
        </HeadActions>
      ) : null}
      {edit.clash ? (
        <ClashNotice
          of={edit.clash}
          differences={differences(t, choices.names, valuesOf(edit.clash.theirs), form.values)}
          onTheirs={edit.takeTheirs}
          onMine={edit.saveOver}
        />
      ) : null}
      <Card title={t('campaigns.section_who')}>
        <Stack gap="md">
          <TextInput label={t('field.name')} required maxLength={200} {...form.getInputProps('name')} />
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <MultiSelect label={t('campaigns.audience')} required searchable data={choices.audiences} {...form.getInputProps('include')} />
            <MultiSelect label={t('campaigns.exclude')} searchable data={choices.audiences} {...form.getInputProps('exclude')} />
            <Select label={t('campaigns.topic')} required data={choices.topics} {...form.getInputProps('topic')} />
            <Select label={t('campaigns.template')} required searchable data={choices.templates} {...form.getInputProps('template')} />
          </SimpleGrid>
          <Reach ask={ask} {...dry} />
        </Stack>
      </Card>
      {ask && dry.count ? (
        <Reasons ask={ask} about={guessed(dry.count)} refused={dry.count.refused_by_reason} waits={dry.count.waits_by_reason} />
      ) : null}
      <GoalCard form={form} />
      <Card title={t('series.rhythm')}>
        <Stack gap="md">
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <Select
              label={t('series.every')}
              allowDeselect={false}
              data={['day', 'week', 'month', 'cron'].map((e) => ({ value: e, label: t(`series.by_${e}`) }))}
              {...form.getInputProps('every')}
            />
            {v.every === 'cron' ? (
              <TextInput label={t('series.cron')} description={t('series.cron_help')} {...form.getInputProps('cron')} />
            ) : (
              <TextInput type="time" label={t('series.at')} {...form.getInputProps('at')} />
            )}
          </SimpleGrid>
          {v.every === 'week' ? (
            <InputWrapper label={t('series.weekdays')} labelElement="div" error={form.errors.weekdays}>
              <Chip.Group multiple value={v.weekdays} onChange={(d) => form.setFieldValue('weekdays', d)}>
                <Group gap="xs" mt="xs">
                  {[1, 2, 3, 4, 5, 6, 0].map((d) => (
                    <Chip key={d} value={String(d)}>
                      {weekday(d, 'short')}
                    </Chip>
                  ))}
                </Group>
              </Chip.Group>
            </InputWrapper>
          ) : null}
          {v.every === 'month' ? (
            <NumberInput label={t('series.day')} description={t('series.day_help')} min={1} max={31} {...form.getInputProps('day')} />
          ) : null}
          <Select
            label={t('series.clock')}
            allowDeselect={false}
            data={['home', 'local', 'best'].map((c) => ({ value: c, label: t(`series.clock_${c}`) }))}
            {...form.getInputProps('clock')}
          />
          <DateTimeInput
            dateOnly
            label={t('series.until')}
            value={v.until}
            onChange={(x) => form.setFieldValue('until', x)}
            error={form.errors.until}
          />
        </Stack>
      </Card>
      <NextRuns schedule={scheduleOf(v)} />
      <Card title={t('series.feed')}>
        <Stack gap="md">
          <Switch label={t('series.feed_on')} description={t('series.feed_help')} {...form.getInputProps('feed', { type: 'checkbox' })} />
          {v.feed ? (
            <SimpleGrid cols={{ base: 1, sm: 2 }}>
              <TextInput label={t('series.url')} placeholder="https://example.com/feed.xml" {...form.getInputProps('url')} />
              <NumberInput label={t('series.max')} min={1} {...form.getInputProps('max')} />
            </SimpleGrid>
          ) : null}
        </Stack>
      </Card>
      <Card title={t('series.more')}>
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
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
      </Card>
    </FormBody>
  )
}

/** A series as the form holds it. */
function valuesOf(series?: Series) {
  const schedule = series?.schedule
  return {
    name: series?.name ?? '',
    include: series?.audience.include ?? [],
    exclude: series?.audience.exclude ?? [],
    topic: series?.topic ?? (null as string | null),
    template: series?.template ?? (null as string | null),
    every: (schedule?.every ?? 'week') as string,
    at: schedule?.at ?? '09:00',
    weekdays: (schedule?.weekdays ?? [1]).map(String),
    day: (schedule?.day ?? 1) as number | string,
    cron: schedule?.cron ?? '0 9 * * 1',
    clock: schedule?.local ? 'local' : schedule?.best_hour ? 'best' : 'home',
    feed: series?.feed !== undefined,
    url: series?.feed?.url ?? '',
    max: (series?.feed?.max || '') as number | string,
    holdout: (series?.holdout || '') as number | string,
    perMinute: (series?.per_minute || '') as number | string,
    priority: series?.priority ?? 'normal',
    ...goalInputs(series?.goal),
    until: series?.until?.slice(0, 10) ?? '',
  }
}

type Values = ReturnType<typeof valuesOf>

/** The inputs that a colleague can have changed too: text of the label, and which it is. */
const inputs: [string, keyof Values][] = [
  ['field.name', 'name'],
  ['campaigns.audience', 'include'],
  ['campaigns.exclude', 'exclude'],
  ['campaigns.topic', 'topic'],
  ['campaigns.template', 'template'],
  ['campaigns.goal_event', 'goalEvent'],
  ['campaigns.goal_days', 'goalDays'],
  ['journeys.only_if', 'goalFilter'],
  ['journeys.goal_value', 'goalValue'],
  ['series.every', 'every'],
  ['series.at', 'at'],
  ['series.weekdays', 'weekdays'],
  ['series.day', 'day'],
  ['series.cron', 'cron'],
  ['series.clock', 'clock'],
  ['series.until', 'until'],
  ['series.feed_on', 'feed'],
  ['series.url', 'url'],
  ['series.max', 'max'],
  ['campaigns.per_minute', 'perMinute'],
  ['campaigns.holdout', 'holdout'],
  ['campaigns.priority', 'priority'],
]

function differences(t: ReturnType<typeof useT>, names: Record<string, string>, theirs: Values, mine: Values): Difference[] {
  const shown = (v: Values, key: keyof Values): string => {
    const value = v[key]
    if (key === 'clock') return t(`series.clock_${v.clock}`)
    if (key === 'every') return t(`series.by_${v.every}`)
    if (key === 'priority') return t(`campaigns.priority_${v.priority}`)
    if (key === 'goalFilter') return v.goalFilter.length ? goalOf(goalFrom(v), t) : ''
    if (key === 'weekdays') return formatList(v.weekdays.toSorted().map((d) => weekday(Number(d), 'short')))
    if (typeof value === 'boolean') return t(value ? 'rule.true' : 'rule.false')
    if (Array.isArray(value)) return formatList(value.map((id) => names[String(id)] ?? String(id)))
    return names[String(value ?? '')] ?? String(value ?? '')
  }
  return inputs
    .filter(([, key]) => JSON.stringify(theirs[key] ?? '') !== JSON.stringify(mine[key] ?? ''))
    .map(([label, key]) => ({ label: t(label), theirs: shown(theirs, key), mine: shown(mine, key) }))
}

function scheduleOf(v: {
  every: string
  at: string
  weekdays: string[]
  day: number | string
  cron: string
  clock: string
}): Schemas['Schedule'] {
  const every = v.every as Schemas['Schedule']['every']
  return {
    every,
    at: every === 'cron' ? undefined : v.at,
    weekdays: every === 'week' ? v.weekdays.map(Number).toSorted((a, b) => a - b) : undefined,
    day: every === 'month' ? Number(v.day || 0) : undefined,
    cron: every === 'cron' ? v.cron : undefined,
    local: v.clock === 'local' || undefined,
    best_hour: v.clock === 'best' || undefined,
  }
}
