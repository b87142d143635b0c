// Inputs for what journeys are made of: spans of time, events with conditions, rules, weekdays, shares.
import { Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useT } from '@/i18n'
import {
  Autocomplete,
  Button,
  Checkbox,
  Group,
  IconButton,
  InputWrapper,
  NumberInput,
  type Rule,
  Select,
  Stack,
  TagsInput,
  Text,
  Textarea,
  TextInput,
  ruleText,
} from '@/ui'
import { type Names, weekday } from './words'

interface Common {
  label: string
  description?: string
  error?: string
  required?: boolean
}

type Obj = Record<string, unknown>
const obj = (v: unknown): Obj => (typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Obj) : {})
const arr = (v: unknown): unknown[] => (Array.isArray(v) ? v : [])

export function SpanInput({ value, set, clearable, ...w }: Common & { value: unknown; set: (v: unknown) => void; clearable?: boolean }) {
  const t = useT()
  const s = obj(value)
  const unit = String(s.unit ?? 'day')
  return (
    <InputWrapper {...w}>
      <Group gap="xs" wrap="nowrap" mt={4}>
        <NumberInput
          aria-label={w.label}
          min={0}
          allowDecimal={false}
          w={110}
          value={typeof s.n === 'number' ? s.n : ''}
          onChange={(n) => set(n === '' ? (clearable ? undefined : { unit }) : { n: Number(n), unit })}
        />
        <Select
          aria-label={t('journeys.unit')}
          flex={1}
          allowDeselect={false}
          data={['minute', 'hour', 'day', 'week'].map((u) => ({ value: u, label: t(`journeys.unit_${u}`) }))}
          value={unit}
          onChange={(u) => set({ ...s, n: s.n ?? 1, unit: u ?? 'day' })}
        />
      </Group>
    </InputWrapper>
  )
}

const operators = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'contains', 'starts_with', 'in', 'exists']

/** A value as it is typed: numbers and true or false are what they look like. */
export const typed = (text: string): unknown =>
  text === 'true' ? true : text === 'false' ? false : text.trim() !== '' && !Number.isNaN(Number(text)) ? Number(text) : text

/** Conditions over the properties of an event. */
function Conditions({ value, set }: { value: unknown[]; set: (v: unknown[]) => void }) {
  const t = useT()
  const put = (i: number, patch: Obj) => set(value.map((c, j) => (i === j ? { ...obj(c), ...patch } : c)))
  return (
    <Stack gap={6}>
      {value.map((raw, i) => {
        const c = obj(raw)
        const many = c.op === 'in'
        return (
          // oxlint-disable-next-line react/no-array-index-key -- conditions have no name of their own
          <Group key={i} gap={6} wrap="nowrap" align="flex-start">
            <TextInput
              aria-label={t('journeys.property')}
              placeholder={t('journeys.property')}
              flex={1}
              miw={0}
              value={String(c.path ?? '')}
              onChange={(e) => put(i, { path: e.currentTarget.value })}
            />
            <Select
              aria-label={t('journeys.comparison')}
              w={104}
              allowDeselect={false}
              data={operators.map((o) => ({ value: o, label: t(`journeys.op_${o}`) }))}
              value={String(c.op ?? 'eq')}
              onChange={(op) => put(i, { op, value: op === 'exists' ? undefined : op === 'in' ? [] : c.value })}
            />
            {c.op === 'exists' ? null : many ? (
              <TagsInput
                aria-label={t('journeys.value')}
                flex={1}
                miw={0}
                value={arr(c.value).map(String)}
                onChange={(v) => put(i, { value: v.map(typed) })}
              />
            ) : (
              <TextInput
                aria-label={t('journeys.value')}
                placeholder={t('journeys.value')}
                flex={1}
                miw={0}
                value={c.value === undefined ? '' : String(c.value)}
                onChange={(e) => put(i, { value: typed(e.currentTarget.value) })}
              />
            )}
            <IconButton label={t('action.remove')} variant="subtle" mt={4} onClick={() => set(value.filter((_, j) => j !== i))}>
              <Trash2 size={15} />
            </IconButton>
          </Group>
        )
      })}
      <Button
        size="xs"
        variant="subtle"
        leftSection={<Plus size={14} />}
        style={{ alignSelf: 'flex-start' }}
        onClick={() => set([...value, { path: '', op: 'eq', value: '' }])}
      >
        {t('journeys.add_condition')}
      </Button>
    </Stack>
  )
}

export function EventInput({ value, set, events, ...w }: Common & { value: unknown; set: (v: unknown) => void; events: string[] }) {
  const t = useT()
  const e = obj(value)
  const put = (patch: Obj) => {
    const next: Obj = { ...e, ...patch }
    for (const k of ['also', 'filter']) if (arr(next[k]).length === 0) delete next[k]
    set(next)
  }
  return (
    <Stack gap={6}>
      <Autocomplete {...w} data={events} value={String(e.name ?? '')} onChange={(name) => put({ name })} />
      <TagsInput label={t('journeys.also')} data={events} value={arr(e.also).map(String)} onChange={(also) => put({ also })} />
      <InputWrapper label={t('journeys.only_if')}>
        <Conditions value={arr(e.filter)} set={(filter) => put({ filter })} />
      </InputWrapper>
    </Stack>
  )
}

/** A rule as for segments, with its sentence below. */
export function RuleInput({ value, set, names, ...w }: Common & { value: unknown; set: (v: unknown) => void; names: Names }) {
  const t = useT()
  const [text, setText] = useState(() => (value === undefined ? '' : JSON.stringify(value, null, 2)))
  const [bad, setBad] = useState(false)
  return (
    <Stack gap={6}>
      <Textarea
        {...w}
        error={bad ? t('segments.not_json') : w.error}
        autosize
        minRows={5}
        maxRows={18}
        spellCheck={false}
        styles={{ input: { fontFamily: 'var(--ui-mono)', fontSize: 13 } }}
        value={text}
        onChange={(e) => {
          const now = e.currentTarget.value
          setText(now)
          try {
            set(now.trim() ? JSON.parse(now) : undefined)
            setBad(false)
          } catch {
            setBad(true)
          }
        }}
      />
      {!bad && value ? (
        <Text size="sm" c="var(--ui-text-secondary)">
          {ruleText(value as Rule, names)}
        </Text>
      ) : null}
    </Stack>
  )
}

export function WeekdaysInput({ value, set, ...w }: Common & { value: unknown; set: (v: unknown) => void }) {
  const chosen = arr(value).map(String)
  return (
    <Checkbox.Group {...w} value={chosen} onChange={(v) => set(v.length ? v.map(Number).toSorted((a, b) => a - b) : undefined)}>
      <Group gap="sm" mt={6}>
        {[1, 2, 3, 4, 5, 6, 0].map((d) => (
          <Checkbox key={d} value={String(d)} label={weekday(d)} aria-label={weekday(d, 'long')} />
        ))}
      </Group>
    </Checkbox.Group>
  )
}

/** Shares of a split, from two to five, with their sum. */
export function SharesInput({ value, set, ...w }: Common & { value: unknown; set: (v: unknown) => void }) {
  const t = useT()
  const shares = arr(value).map(Number)
  const sum = Math.round(shares.reduce((a, b) => a + b, 0) * 1000) / 1000
  return (
    <InputWrapper {...w} error={w.error ?? (sum === 100 ? undefined : t('journeys.sum_is', { n: sum }))}>
      <Stack gap={6} mt={4}>
        {shares.map((p, i) => (
          // oxlint-disable-next-line react/no-array-index-key -- the place is the name of the output
          <Group key={i} gap={6} wrap="nowrap">
            <Text w={20} fw={600}>
              {'ABCDE'[i]}
            </Text>
            <NumberInput
              aria-label={`${w.label} ${'ABCDE'[i]}`}
              flex={1}
              min={0}
              max={100}
              suffix=" %"
              value={p}
              onChange={(v) => set(shares.map((x, j) => (i === j ? Number(v) : x)))}
            />
            <IconButton
              label={t('action.remove')}
              variant="subtle"
              disabled={shares.length <= 2}
              onClick={() => set(shares.filter((_, j) => j !== i))}
            >
              <Trash2 size={15} />
            </IconButton>
          </Group>
        ))}
        {shares.length < 5 ? (
          <Button
            size="xs"
            variant="subtle"
            leftSection={<Plus size={14} />}
            style={{ alignSelf: 'flex-start' }}
            onClick={() => {
              const n = shares.length + 1
              const even = Math.floor(100 / n)
              set(Array.from({ length: n }, (_, i) => (i === 0 ? 100 - even * (n - 1) : even)))
            }}
          >
            {t('journeys.add_way')}
          </Button>
        ) : null}
      </Stack>
    </InputWrapper>
  )
}

/** The values that lead to each way of a switch. */
export function CasesInput({ value, set, ...w }: Common & { value: unknown; set: (v: unknown) => void }) {
  const t = useT()
  const cases = arr(value).map((c) => arr(c).map(String))
  return (
    <InputWrapper {...w}>
      <Stack gap={6} mt={4}>
        {cases.map((c, i) => (
          // oxlint-disable-next-line react/no-array-index-key -- the place is the name of the output
          <Group key={i} gap={6} wrap="nowrap" align="flex-start">
            <TagsInput
              aria-label={`${w.label} ${'ABCDE'[i]}`}
              flex={1}
              value={c}
              onChange={(v) => set(cases.map((x, j) => (i === j ? v : x)))}
            />
            <IconButton label={t('action.remove')} variant="subtle" mt={4} onClick={() => set(cases.filter((_, j) => j !== i))}>
              <Trash2 size={15} />
            </IconButton>
          </Group>
        ))}
        {cases.length < 5 ? (
          <Button
            size="xs"
            variant="subtle"
            leftSection={<Plus size={14} />}
            style={{ alignSelf: 'flex-start' }}
            onClick={() => set([...cases, []])}
          >
            {t('journeys.add_way')}
          </Button>
        ) : null}
      </Stack>
    </InputWrapper>
  )
}
