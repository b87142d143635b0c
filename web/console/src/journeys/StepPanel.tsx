// One node of the journey as a form: its title, what its kind asks for, and where its outputs lead.
import { Copy, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useT } from '@/i18n'
import {
  Alert,
  Button,
  Divider,
  type Drawn,
  Group,
  Menu,
  SchemaForm,
  SegmentedControl,
  Select,
  Stack,
  TagsInput,
  Text,
  TextInput,
} from '@/ui'
import { useRead } from '@/api'
import { useFields, useValues } from '@/segments/data'
import { ConditionField } from './ConditionField'
import { CasesInput, EventInput, SharesInput, SpanInput, WeekdaysInput } from './Fields'
import { HeadersInput, IncrementsInput, PathInput, SourceInput, SourcesInput, TraitsInput } from './Pickers'
import { type Graph, outputsOf, type Step, stepOf } from './graph'
import { schemaOf, type Things } from './useThings'
import { kindTitle, outputText, stepTitle } from './words'

// Fields of which one is filled in: the reader chooses which.
const choices: Record<string, string[]> = {
  branch: ['event_since_entry', 'rule', 'trigger'],
  wait_for: ['event', 'rule'],
  switch: ['trait', 'from'],
  wait_for_date: ['before', 'after'],
}

export interface StepEdits {
  change: (patch: Partial<Step>, tag?: string) => void
  lead: (output: string, to: string | undefined) => void
  copy: () => void
  remove: () => void
  removeBranch: () => void
}

interface Props extends StepEdits {
  graph: Graph
  step: Step
  things: Things
  /** Faults of this node by field: "config.for.n". */
  faults: Record<string, string>
  own: string
  readOnly?: boolean
}

export function StepPanel({ graph, step, things, faults, own, readOnly, ...edits }: Props) {
  const t = useT()
  const spec = things.specs.get(step.kind)
  const config = step.config ?? {}
  // Typing in one field is one step back; another field is another.
  const set = (next: Record<string, unknown>) => {
    const field = [...Object.keys(next), ...Object.keys(config)].find((k) => next[k] !== config[k])
    edits.change({ config: next }, `config ${step.id} ${field ?? ''}`)
  }
  const among = choices[step.kind]
  const filled = among?.find((f) => config[f] !== undefined)
  const [chosen, setChosen] = useState(filled)
  const shown = chosen ?? filled ?? among?.[0]
  const form = spec ? schemaOf(spec) : undefined
  const fields = form?.order.filter((f) => !among?.includes(f) || f === shown) ?? []
  const errors = Object.fromEntries(
    Object.entries(faults).flatMap(([k, v]) => (k.startsWith('config.') ? [[k.slice(7).split('.')[0]!, v]] : [])),
  )
  const loose = Object.entries(faults).filter(([k]) => !k.startsWith('config.') || !fields.includes(k.slice(7).split('.')[0]!))
  const draw = (i: Drawn) => drawField(i, form?.refs[i.name], { step, graph, things, own })
  return (
    <Stack gap="md">
      <div>
        <Text size="sm" c="var(--ui-text-muted)">
          {kindTitle(step.kind)}
        </Text>
        <Text size="sm" c="var(--ui-text-secondary)">
          {t(`node_about.${step.kind}`)}
        </Text>
      </div>
      {loose.length ? (
        <Alert color="danger">
          {loose.map(([k, v]) => (
            <div key={k}>{v}</div>
          ))}
        </Alert>
      ) : null}
      <fieldset disabled={readOnly} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
        <Stack gap="md">
          <TextInput
            label={t('journeys.step_title')}
            placeholder={kindTitle(step.kind)}
            maxLength={120}
            value={step.title ?? ''}
            onChange={(e) => edits.change({ title: e.currentTarget.value || undefined }, `title ${step.id}`)}
          />
          {among ? (
            <SegmentedControl
              fullWidth
              orientation={among.length > 2 ? 'vertical' : 'horizontal'}
              aria-label={t('journeys.what_decides')}
              data={among.map((f) => ({ value: f, label: t(`step_choice.${f}`) }))}
              value={shown}
              onChange={(f) => {
                setChosen(f)
                const next = { ...config }
                for (const other of among) if (other !== f) delete next[other]
                set(next)
              }}
            />
          ) : null}
          {form ? (
            <SchemaForm schema={form.schema} values={config} onChange={set} errors={errors} prefix="step_field" only={fields} draw={draw} />
          ) : null}
          <Outputs graph={graph} step={step} outputs={spec?.outputs ?? []} lead={edits.lead} />
        </Stack>
      </fieldset>
      {readOnly ? null : (
        <>
          <Divider />
          <Group gap="xs">
            <Button leftSection={<Copy size={15} />} onClick={edits.copy} disabled={(spec?.outputs ?? []).length === 0}>
              {t('journeys.copy_step')}
            </Button>
            <Menu>
              <Menu.Target>
                <Button leftSection={<Trash2 size={15} />}>{t('action.remove')}</Button>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item onClick={edits.remove}>{t('journeys.remove_one')}</Menu.Item>
                <Menu.Item onClick={edits.removeBranch}>{t('journeys.remove_branch')}</Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </Group>
        </>
      )}
    </Stack>
  )
}

function Outputs({ graph, step, outputs, lead }: { graph: Graph; step: Step; outputs: string[]; lead: StepEdits['lead'] }) {
  const t = useT()
  const used = outputsOf(step, outputs)
  if (used.length === 0) return null
  return (
    <Stack gap="xs">
      <Text size="sm" fw={500}>
        {t('journeys.leads_to')}
      </Text>
      {used.map((o) => (
        <Select
          key={o}
          label={used.length > 1 ? outputText(o, step) : undefined}
          aria-label={outputText(o, step)}
          searchable
          clearable
          placeholder={t('journeys.leaves')}
          data={graph.nodes.filter((n) => n.id !== step.id).map((n) => ({ value: n.id, label: stepTitle(n) }))}
          value={step.next?.[o] && stepOf(graph, step.next[o]) ? step.next[o] : null}
          onChange={(v) => lead(o, v ?? undefined)}
        />
      ))}
    </Stack>
  )
}

// Things by id, spans, events and rules have inputs of their own; everything else is drawn as its schema says.
function drawField(i: Drawn, ref: string | undefined, at: { step: Step; graph: Graph; things: Things; own: string }) {
  const { step, graph, things, own } = at
  const { kind } = step
  const w = { label: i.label, description: i.description, error: i.error, required: i.required }
  const text = typeof i.value === 'string' ? i.value : ''
  const pick = (data: { value: string; label: string }[]) => (
    <Select
      {...w}
      searchable
      clearable={!i.required}
      data={data}
      value={(i.value as string | undefined) ?? null}
      onChange={(v) => i.set(v ?? undefined)}
    />
  )
  if (ref === 'Span') return <SpanInput {...w} value={i.value} set={i.set} clearable={!i.required} />
  if (ref === 'EventMatch')
    return <EventInput {...w} round={kind !== 'goal' && i.name !== 'trigger'} value={i.value} set={i.set} events={things.events} />
  switch (i.name) {
    case 'template':
      return pick(things.templates)
    case 'topic':
      return pick(things.topics)
    case 'journey':
      return pick(things.journeys.filter((j) => j.value !== own))
    case 'list':
      return pick(things.lists)
    case 'assignee':
      return pick(things.staff)
    case 'channel':
      return pick(things.channels)
    case 'rule':
      return <ConditionField {...w} value={i.value} set={i.set} />
    case 'days':
      return kind === 'wait_until' ? <WeekdaysInput {...w} value={i.value} set={i.set} /> : undefined
    case 'time':
      return (
        <TextInput
          {...w}
          type="time"
          value={(i.value as string | undefined) ?? ''}
          onChange={(e) => i.set(e.currentTarget.value || undefined)}
        />
      )
    case 'percent':
      return kind === 'split' ? <SharesInput {...w} value={i.value} set={i.set} /> : undefined
    case 'cases':
      return <Cases {...w} value={i.value} set={i.set} step={step} graph={graph} />
    case 'trait':
      return <PathInput {...w} value={text} set={(v) => i.set(v || undefined)} />
    case 'unset':
      return <TraitNames {...w} value={i.value} set={i.set} />
    case 'traits':
      return <TraitsInput {...w} value={i.value} set={i.set} />
    case 'increment':
      return <IncrementsInput {...w} value={i.value} set={i.set} />
    case 'from':
      return kind === 'switch' ? (
        <SourceInput
          {...w}
          event={cause(graph)}
          steps={answering(graph, step)}
          traits={false}
          value={text}
          set={(v) => i.set(v || undefined)}
        />
      ) : (
        <SourcesInput {...w} event={cause(graph)} steps={answering(graph, step)} value={i.value} set={i.set} />
      )
    case 'value':
      return <PathInput {...w} event={eventName(step.config?.event)} value={text} set={(v) => i.set(v || undefined)} />
    case 'headers':
      return <Headers {...w} value={i.value} set={i.set} />
    default:
      return undefined
  }
}

const eventName = (v: unknown): string => {
  const name = (v as { name?: unknown } | undefined)?.name
  return typeof name === 'string' ? name : ''
}

/** The event that brings people in, to name its properties; '' where another kind of thing does. */
const cause = (g: Graph) => eventName(g.trigger?.event)

/** Steps whose answers others may read. */
const answering = (g: Graph, self: Step) =>
  g.nodes
    .filter((n) => n.id !== self.id && (n.kind === 'webhook' || n.kind === 'create_task'))
    .map((n) => ({ value: n.id, label: stepTitle(n) }))

interface Input {
  label: string
  description?: string
  error?: string
  required?: boolean
  value: unknown
  set: (v: unknown) => void
}

/** The values of each way, with those that were seen to choose from. */
function Cases({ step, graph, ...p }: Input & { step: Step; graph: Graph }) {
  const from = String(step.config?.from ?? '')
  const ofEvent = from.startsWith('event.')
  const path = step.config?.trait ? String(step.config.trait) : ofEvent ? from.slice('event.'.length) : ''
  const values = useValues(path, ofEvent ? cause(graph) : undefined)
  return <CasesInput {...p} values={values} />
}

function TraitNames({ value, set, ...w }: Input) {
  const fields = useFields()
  const names = Array.isArray(value) ? value.map(String) : []
  return <TagsInput {...w} data={fields.paths} value={names} onChange={(v) => set(v.length ? v : undefined)} />
}

function Headers(p: Input) {
  const secrets = useRead('/api/v1/journey-secrets', { query: { limit: 100 } })
  return <HeadersInput {...p} secrets={(secrets.data?.items ?? []).map((s) => ({ value: s.id, label: s.name }))} />
}
