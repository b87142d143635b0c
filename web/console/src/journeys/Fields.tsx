// Inputs for what journeys are made of: spans of time, events with conditions, weekdays, shares.
import { Plus, Trash2 } from 'lucide-react'
import { useFields } from '@/segments/data'
import { useT } from '@/i18n'
import { Autocomplete, Button, Checkbox, Group, IconButton, InputWrapper, NumberInput, Select, Stack, TagsInput, Text } from '@/ui'
import builder from '@/segments/RuleBuilder.module.css'
import { Filters } from '@/segments/inputs'
import { weekday } from './words'

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
          w={112}
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

// What proxies, scanners and automatic answers do as well as people.
const machined = new Set(['Message Opened', 'Message Clicked', 'Message Replied'])

/** An event to look out for. With round, somebody is inside by then: it may have to say the same as what brought them in. */
export function EventInput({
  value,
  set,
  events,
  round,
  ...w
}: Common & { value: unknown; set: (v: unknown) => void; events: string[]; round?: boolean }) {
  const t = useT()
  const e = obj(value)
  const name = String(e.name ?? '')
  const put = (patch: Obj) => {
    const next: Obj = { ...e, ...patch }
    for (const k of ['also', 'filter', 'same']) if (arr(next[k]).length === 0) delete next[k]
    if (!next.machines) delete next.machines
    set(next)
  }
  return (
    <Stack gap="xs">
      <Autocomplete {...w} data={events} limit={50} value={name} onChange={(next) => put({ name: next })} />
      <TagsInput label={t('journeys.also')} data={events} value={arr(e.also).map(String)} onChange={(also) => put({ also })} />
      {machined.has(name) || e.machines ? (
        <Checkbox
          label={t('journeys.machines')}
          description={t('journeys.machines_help')}
          checked={e.machines === true}
          onChange={(x) => put({ machines: x.currentTarget.checked || undefined })}
        />
      ) : null}
      <InputWrapper label={t('journeys.only_if')} labelElement="div">
        <div className={builder.narrow}>
          <Filters event={name} value={e.filter} onChange={(filter) => put({ filter })} />
        </div>
      </InputWrapper>
      {round ? <SameInput event={name} value={arr(e.same).map(String)} set={(same) => put({ same })} /> : null}
    </Stack>
  )
}

function SameInput({ event, value, set }: { event: string; value: string[]; set: (v: string[]) => void }) {
  const t = useT()
  const fields = useFields(event, event !== '')
  return (
    <TagsInput
      label={t('journeys.same')}
      description={t('journeys.same_help')}
      data={fields.paths}
      value={value}
      maxTags={5}
      onChange={set}
    />
  )
}

export function WeekdaysInput({ value, set, ...w }: Common & { value: unknown; set: (v: unknown) => void }) {
  const chosen = arr(value).map(String)
  return (
    <Checkbox.Group {...w} value={chosen} onChange={(v) => set(v.length ? v.map(Number).toSorted((a, b) => a - b) : undefined)}>
      <Group gap="sm" mt="xs">
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
      <Stack gap="xs" mt={4}>
        {shares.map((p, i) => (
          // oxlint-disable-next-line react/no-array-index-key -- the place is the name of the output
          <Group key={i} gap="xs" wrap="nowrap">
            <Text w={20} fw={600}>
              {'ABCDE'[i]}
            </Text>
            <NumberInput
              aria-label={`${w.label} ${'ABCDE'[i]}`}
              flex={1}
              min={0}
              max={100}
              suffix="%"
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
export function CasesInput({ value, set, values, ...w }: Common & { value: unknown; set: (v: unknown) => void; values: string[] }) {
  const t = useT()
  const cases = arr(value).map((c) => arr(c).map(String))
  return (
    <InputWrapper {...w}>
      <Stack gap="xs" mt={4}>
        {cases.map((c, i) => (
          // oxlint-disable-next-line react/no-array-index-key -- the place is the name of the output
          <Group key={i} gap="xs" wrap="nowrap" align="flex-start">
            <TagsInput
              aria-label={`${w.label} ${'ABCDE'[i]}`}
              flex={1}
              data={values.filter((v) => c.includes(v) || !cases.some((o) => o.includes(v)))}
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
