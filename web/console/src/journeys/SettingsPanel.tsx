// What holds for the whole journey: its goal, when people leave early, and who is kept out to compare.
import { Plus, Trash2 } from 'lucide-react'
import { useT } from '@/i18n'
import { Button, Card, IconButton, NumberInput, Select, Stack, Switch, Text, TextInput } from '@/ui'
import { ConditionField } from './ConditionField'
import { EventInput, SpanInput } from './Fields'
import type { Graph } from './graph'
import { PathInput } from './Pickers'
import type { Things } from './useThings'
import { exitText } from './words'

type Obj = Record<string, unknown>
const obj = (v: unknown): Obj => (typeof v === 'object' && v !== null ? (v as Obj) : {})

const empty = (rule: unknown) => Array.isArray(obj(rule).all) && (obj(rule).all as unknown[]).length === 0

const exits = ['event', 'segment_entered', 'segment_left', 'rule']

interface Props {
  graph: Graph
  things: Things
  faults: Record<string, string>
  put: (patch: Partial<Graph>, tag?: string) => void
  readOnly?: boolean
}

export function SettingsPanel({ graph, things, faults, put, readOnly }: Props) {
  const t = useT()
  const goal = graph.goal
  const holdout = obj(graph.holdout)
  const age = obj(graph.max_age)
  return (
    <fieldset disabled={readOnly} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
      <Stack gap="lg">
        <Stack gap="sm">
          <Switch
            label={t('journeys.goal_of')}
            description={t('journeys.goal_help')}
            checked={goal !== undefined}
            onChange={(e) => put({ goal: e.currentTarget.checked ? { event: { name: '' } } : undefined })}
          />
          {goal ? (
            <>
              <EventInput
                label={t('journeys.goal_event')}
                required
                value={goal.event}
                events={things.events}
                error={faults['goal.event.name']}
                set={(event) => put({ goal: { ...goal, event } }, 'goal')}
              />
              <SpanInput
                label={t('journeys.goal_window')}
                description={t('journeys.goal_window_help')}
                clearable
                value={goal.window}
                error={faults['goal.window'] ?? faults['goal.window.n']}
                set={(window) => put({ goal: { ...goal, window: obj(window).n === undefined ? undefined : window } }, 'goal')}
              />
              <PathInput
                label={t('journeys.goal_value')}
                description={t('journeys.goal_value_help')}
                event={String(obj(goal.event).name ?? '')}
                value={String(goal.value ?? '')}
                set={(value) => put({ goal: { ...goal, value: value || undefined } }, 'goal value')}
              />
            </>
          ) : null}
        </Stack>
        <Stack gap="sm">
          <Text fw={600}>{t('journeys.exits')}</Text>
          <Text size="sm" c="var(--ui-text-secondary)">
            {t('journeys.exits_help')}
          </Text>
          {(graph.exit ?? []).map((x, i) => (
            <ExitRule
              // oxlint-disable-next-line react/no-array-index-key -- exit rules have no name of their own
              key={i}
              rule={x}
              things={things}
              error={Object.entries(faults).find(([k]) => k.startsWith(`exit.${i}`))?.[1]}
              set={(next) =>
                put({ exit: next ? graph.exit!.map((o, j) => (i === j ? next : o)) : graph.exit!.filter((_, j) => j !== i) }, `exit ${i}`)
              }
            />
          ))}
          <Button
            leftSection={<Plus size={15} />}
            style={{ alignSelf: 'flex-start' }}
            onClick={() => put({ exit: [...(graph.exit ?? []), { event: { name: '' } }] })}
          >
            {t('journeys.add_exit')}
          </Button>
        </Stack>
        <Stack gap="sm">
          <NumberInput
            label={t('journeys.holdout')}
            description={t('journeys.holdout_help')}
            suffix="%"
            min={0}
            max={50}
            value={Number(holdout.percent ?? 0)}
            error={faults['holdout.percent'] ?? faults.holdout}
            onChange={(v) => put({ holdout: Number(v) ? { ...holdout, percent: Number(v) } : undefined }, 'holdout')}
          />
          <SpanInput
            label={t('journeys.max_age')}
            description={t('journeys.max_age_help')}
            clearable
            value={age}
            error={faults.max_age ?? faults['max_age.n']}
            set={(v) => put({ max_age: obj(v).n === undefined ? undefined : obj(v) }, 'max_age')}
          />
        </Stack>
      </Stack>
    </fieldset>
  )
}

function ExitRule({ rule, things, error, set }: { rule: Obj; things: Things; error?: string; set: (next: Obj | undefined) => void }) {
  const t = useT()
  const kind = exits.find((k) => rule[k] !== undefined) ?? 'event'
  const reason = rule.reason ? { reason: rule.reason } : {}
  const fresh: Obj = { event: { name: '' }, segment_entered: { id: '' }, segment_left: { id: '' }, rule: { all: [] } }
  return (
    <Card
      title={
        <Text size="sm" fw={500}>
          {exitText(rule, things.names)}
        </Text>
      }
      actions={
        <IconButton label={t('action.remove')} variant="subtle" onClick={() => set(undefined)}>
          <Trash2 size={15} />
        </IconButton>
      }
    >
      <Stack gap="sm">
        <Select
          label={t('journeys.exit_when')}
          allowDeselect={false}
          data={exits.map((k) => ({ value: k, label: t(`exit_kind.${k}`) }))}
          value={kind}
          error={error}
          onChange={(k) => k && set({ [k]: fresh[k], ...reason })}
        />
        {kind === 'event' ? (
          <EventInput
            label={t('journeys.event')}
            round
            value={rule.event}
            events={things.events}
            set={(event) => set({ event, ...reason })}
          />
        ) : kind === 'rule' ? (
          <ConditionField
            label={t('journeys.exit_condition')}
            value={empty(rule.rule) ? undefined : rule.rule}
            set={(r) => set({ rule: r ?? { all: [] }, ...reason })}
          />
        ) : (
          <Select
            label={t('journeys.segment')}
            searchable
            data={things.segments}
            value={String(obj(rule[kind]).id ?? '') || null}
            onChange={(id) => set({ [kind]: { id: id ?? '' }, ...reason })}
          />
        )}
        <TextInput
          label={t('step_field.reason')}
          value={String(rule.reason ?? '')}
          onChange={(e) => set({ ...rule, reason: e.currentTarget.value || undefined })}
        />
      </Stack>
    </Card>
  )
}
