// Names that were really seen, to choose from or to type anew: traits, properties of events, and their values.
import { KeyRound, Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useT } from '@/i18n'
import { useFields, useValues } from '@/segments/data'
import { Autocomplete, Button, Group, IconButton, helpFirst, InputWrapper, NumberInput, Select, Stack } from '@/ui'
import { NewSecret } from './NewSecret'

interface Common {
  label: string
  description?: string
  error?: string
  required?: boolean
  placeholder?: string
}

type Obj = Record<string, unknown>
const obj = (v: unknown): Obj => (typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Obj) : {})

/** A value as it is typed: numbers and true or false are what they look like. */
export const typed = (text: string): unknown =>
  text === 'true' ? true : text === 'false' ? false : text.trim() !== '' && !Number.isNaN(Number(text)) ? Number(text) : text

/** A trait of people, or a property of an event where one is named. */
export function PathInput({ event, value, set, ...w }: Common & { event?: string; value: string; set: (v: string) => void }) {
  const fields = useFields(event, event !== '')
  return <Autocomplete {...w} data={fields.paths} limit={50} value={value} onChange={set} />
}

export function ValueInput({
  path,
  event,
  value,
  set,
  ...w
}: Common & { path: string; event?: string; value: unknown; set: (v: unknown) => void }) {
  const values = useValues(path, event)
  return (
    <Autocomplete
      aria-label={w.label}
      placeholder={w.placeholder ?? w.label}
      data={values}
      limit={50}
      value={value === undefined || value === null ? '' : String(value)}
      onChange={(v) => set(typed(v))}
    />
  )
}

/** Where a value is taken from: event.<property>, trait.<name>, answers.<step>.body.<field>. */
export function SourceInput({
  event,
  steps,
  traits = true,
  value,
  set,
  ...w
}: Common & { event?: string; steps: { value: string; label: string }[]; traits?: boolean; value: string; set: (v: string) => void }) {
  const t = useT()
  const properties = useFields(event, event !== undefined && event !== '')
  const people = useFields(undefined, traits)
  const groups = [
    { group: t('journeys.source_event'), items: properties.paths.map((p) => `event.${p}`) },
    ...(traits ? [{ group: t('journeys.source_trait'), items: people.paths.map((p) => `trait.${p}`) }] : []),
    { group: t('journeys.source_answer'), items: steps.map((s) => `answers.${s.value}.body.`) },
  ].filter((g) => g.items.length > 0)
  return <Autocomplete {...w} data={groups} limit={80} value={value} onChange={set} />
}

interface Row {
  name: string
  value: unknown
}

/** Names with values, kept as an object; a row whose name is not written yet is kept here until it is. */
function Rows({
  value,
  set,
  fresh,
  add,
  draw,
  event,
  ...w
}: Common & {
  event?: string
  value: unknown
  set: (v: Obj | undefined) => void
  fresh: unknown
  add: string
  draw: (row: Row, put: (v: unknown) => void) => React.ReactNode
}) {
  const t = useT()
  const [rows, setRows] = useState<Row[]>(() => Object.entries(obj(value)).map(([name, v]) => ({ name, value: v })))
  const [said, setSaid] = useState(value)
  if (value !== said) {
    setSaid(value)
    setRows((now) => {
      const kept = Object.fromEntries(now.filter((r) => r.name).map((r) => [r.name, r.value]))
      return JSON.stringify(kept) === JSON.stringify(obj(value)) ? now : Object.entries(obj(value)).map(([name, v]) => ({ name, value: v }))
    })
  }
  const put = (next: Row[]) => {
    setRows(next)
    const named = next.filter((r) => r.name)
    const v = named.length ? Object.fromEntries(named.map((r) => [r.name, r.value])) : undefined
    setSaid(v)
    set(v)
  }
  return (
    <InputWrapper {...w} labelElement="div" inputWrapperOrder={helpFirst}>
      <Stack gap="xs" mt={4}>
        {rows.map((r, i) => (
          // oxlint-disable-next-line react/no-array-index-key -- a name is typed here, so it cannot be the key
          <Group key={i} gap="xs" wrap="nowrap" align="flex-start">
            <div style={{ flex: 1, minWidth: 0 }}>
              <PathInput
                label=""
                placeholder={event === undefined ? t('journeys.trait_name') : t('journeys.property')}
                event={event}
                value={r.name}
                set={(name) => put(rows.with(i, { ...r, name }))}
              />
            </div>
            <div style={{ flex: 1, minWidth: 0 }}>{draw(r, (v) => put(rows.with(i, { ...r, value: v })))}</div>
            <IconButton label={t('action.remove')} variant="subtle" mt={4} onClick={() => put(rows.toSpliced(i, 1))}>
              <Trash2 size={15} />
            </IconButton>
          </Group>
        ))}
        <Button
          size="xs"
          variant="subtle"
          leftSection={<Plus size={14} />}
          style={{ alignSelf: 'flex-start' }}
          onClick={() => setRows([...rows, { name: '', value: fresh }])}
        >
          {add}
        </Button>
      </Stack>
    </InputWrapper>
  )
}

/** Traits with their values; properties where an event is named. */
export function TraitsInput(p: Common & { event?: string; value: unknown; set: (v: Obj | undefined) => void }) {
  const t = useT()
  return (
    <Rows
      {...p}
      fresh=""
      add={p.event === undefined ? t('journeys.add_trait') : t('journeys.add_property')}
      draw={(r, put) => <ValueInput label={t('journeys.value')} path={r.name} event={p.event} value={r.value} set={put} />}
    />
  )
}

/** Traits with what is added to them. */
export function IncrementsInput(p: Common & { value: unknown; set: (v: Obj | undefined) => void }) {
  const t = useT()
  return (
    <Rows
      {...p}
      fresh={1}
      add={t('journeys.add_trait')}
      draw={(r, put) => (
        <NumberInput aria-label={t('journeys.add_by')} value={Number(r.value ?? 0)} onChange={(v) => put(Number(v) || 0)} />
      )}
    />
  )
}

/** Traits with where their value is taken from. */
export function SourcesInput({
  event,
  steps,
  ...p
}: Common & { event?: string; steps: { value: string; label: string }[]; value: unknown; set: (v: Obj | undefined) => void }) {
  const t = useT()
  return (
    <Rows
      {...p}
      fresh=""
      add={t('journeys.add_trait')}
      draw={(r, put) => (
        <SourceInput label="" placeholder={t('journeys.source')} event={event} steps={steps} value={String(r.value ?? '')} set={put} />
      )}
    />
  )
}

/** What most servers ask for: a token in the header of HTTP's own. */
const bearer: Obj = { name: 'Authorization', secret: '', prefix: 'Bearer ' }

/** Headers of a request: a value, or a stored secret. */
export function HeadersInput({
  value,
  set,
  secrets,
  ...w
}: Common & { value: unknown; set: (v: unknown) => void; secrets: { value: string; label: string }[] }) {
  const t = useT()
  const [making, setMaking] = useState(false)
  const all = Array.isArray(value) ? (value as Obj[]) : []
  const put = (next: Obj[]) => set(next.length ? next : undefined)
  return (
    <InputWrapper {...w} labelElement="div" inputWrapperOrder={helpFirst}>
      <Stack gap="xs" mt={4}>
        {all.map((h, i) => (
          // oxlint-disable-next-line react/no-array-index-key -- headers have no name of their own yet
          <Group key={i} gap="xs" align="flex-start">
            <Autocomplete
              aria-label={t('journeys.header')}
              placeholder={t('journeys.header')}
              data={['Authorization', 'X-Api-Key', 'Accept']}
              flex={1}
              miw={120}
              value={String(h.name ?? '')}
              onChange={(name) => put(all.with(i, { ...h, name }))}
            />
            {h.secret !== undefined ? (
              <Select
                aria-label={t('journeys.secret')}
                placeholder={t('journeys.secret')}
                data={secrets}
                flex={1}
                miw={120}
                value={String(h.secret) || null}
                onChange={(secret) => put(all.with(i, { ...h, secret: secret ?? '' }))}
              />
            ) : (
              <Autocomplete
                aria-label={t('journeys.value')}
                placeholder={t('journeys.value')}
                flex={1}
                miw={120}
                value={String(h.value ?? '')}
                onChange={(v) => put(all.with(i, { ...h, value: v }))}
              />
            )}
            <IconButton label={t('action.remove')} variant="subtle" mt={4} onClick={() => put(all.toSpliced(i, 1))}>
              <Trash2 size={15} />
            </IconButton>
          </Group>
        ))}
        <Group gap={4}>
          <Button size="xs" variant="subtle" leftSection={<Plus size={14} />} onClick={() => put([...all, { name: '', value: '' }])}>
            {t('journeys.add_header')}
          </Button>
          {secrets.length ? (
            <Button size="xs" variant="subtle" leftSection={<Plus size={14} />} onClick={() => put([...all, bearer])}>
              {t('journeys.add_secret_header')}
            </Button>
          ) : null}
          <Button size="xs" variant="subtle" leftSection={<KeyRound size={14} />} onClick={() => setMaking(true)}>
            {t('journeys.new_secret')}
          </Button>
        </Group>
        <NewSecret
          opened={making}
          onClose={() => setMaking(false)}
          onMade={(secret) => {
            const waiting = all.findIndex((h) => h.secret === '')
            put(waiting < 0 ? [...all, { ...bearer, secret }] : all.with(waiting, { ...all[waiting], secret }))
          }}
        />
      </Stack>
    </InputWrapper>
  )
}
