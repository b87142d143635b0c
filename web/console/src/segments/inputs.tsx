// The parts that conditions are made of: comparison and value, window, filters.
import { Plus, X } from 'lucide-react'
import { useState } from 'react'
import { t as text, useT, word } from '@/i18n'
import { Autocomplete, Button, DateTimeInput, IconButton, NumberInput, SegmentedControl, Select, TagsInput } from '@/ui'
import css from './RuleBuilder.module.css'
import { similar } from '@/lib/similar'
import { type RuleData, useFields, useValues } from './data'
import type { Body } from './tree'

/** What the inputs of a kind of condition are given. */
export interface LeafProps {
  body: Body
  onChange: (body: Body, about: string) => void
  data: RuleData
  /** The part of the condition that the server finds wrong. */
  fault?: string
}

export type Kind = 'text' | 'version' | 'number' | 'boolean' | 'moment' | 'date' | 'trait'

const ops: Record<Kind, string[]> = {
  text: ['eq', 'neq', 'in', 'not_in', 'contains', 'starts_with', 'exists', 'not_exists'],
  version: ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'between', 'in', 'not_in', 'starts_with', 'exists', 'not_exists'],
  number: ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'between', 'in', 'not_in', 'exists', 'not_exists'],
  boolean: ['eq', 'exists', 'not_exists'],
  moment: ['lt', 'lte', 'gt', 'gte', 'between', 'exists', 'not_exists'],
  date: ['lt', 'lte', 'gt', 'gte', 'between', 'exists', 'not_exists'],
  trait: ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'contains', 'starts_with'],
}
const units = ['minute', 'hour', 'day', 'week', 'month', 'year']
const listed = (op: unknown) => op === 'in' || op === 'not_in'
const bare = (op: unknown) => op === 'exists' || op === 'not_exists'

/** What kind a value is; undefined while there is none. */
export function kindOf(value: unknown): Kind | undefined {
  const v = Array.isArray(value) ? value[0] : value
  if (typeof v === 'number') return 'number'
  if (typeof v === 'boolean') return 'boolean'
  if (typeof v === 'object' && v !== null) return 'trait' in v ? 'trait' : 'moment'
  if (typeof v === 'string') return /^\d{4}-\d{2}-\d{2}(T|$)/.test(v) ? 'date' : 'text'
}

/** Words to choose from or to type anew; the texts that were seen come first. `names`: one that was never seen is most likely misspelt. */
export function Pick(p: {
  label: string
  value: string
  onChange: (v: string) => void
  data: string[]
  names?: boolean
  error?: boolean
  wide?: boolean
}) {
  const input = (
    <Autocomplete
      size="sm"
      className={p.wide ? css.wide : css.field}
      aria-label={p.label}
      placeholder={p.label}
      data={p.data}
      limit={50}
      value={p.value}
      onChange={p.onChange}
      error={p.error}
      comboboxProps={{ width: 'target', position: 'bottom-start' }}
    />
  )
  return p.names ? (
    <>
      {input}
      <Unseen value={p.value} known={p.data} onChange={p.onChange} />
    </>
  ) : (
    input
  )
}

/** Says that a name was never seen, with the one that may have been meant; nothing while it may still become one that was. */
function Unseen({ value, known, onChange }: { value: string; known: string[]; onChange: (v: string) => void }) {
  const t = useT()
  const word = value.trim().toLowerCase()
  if (word === '' || known.length === 0 || known.includes(value)) return null
  if (known.some((k) => k.length > value.length && k.toLowerCase().startsWith(word))) return null
  const like = similar(value, known)
  return (
    <span className={css.unseen} role="status">
      {t('builder.unseen', { name: value })}{' '}
      {like ? (
        <Button size="compact-xs" variant="light" onClick={() => onChange(like)}>
          {t('builder.use_instead', { name: like })}
        </Button>
      ) : null}
    </span>
  )
}

/** One of a few. */
export function Choose(p: {
  label: string
  value: string | null
  onChange: (v: string) => void
  data: { value: string; label: string }[]
  onClear?: () => void
  error?: boolean
  wide?: boolean
}) {
  return (
    <Select
      size="sm"
      className={p.wide ? css.wide : css.field}
      aria-label={p.label}
      placeholder={p.label}
      data={p.data}
      value={p.value}
      searchable={p.data.length > 8}
      clearable={p.onClear !== undefined}
      allowDeselect={false}
      error={p.error}
      onChange={(v) => (v === null ? p.onClear?.() : p.onChange(v))}
      comboboxProps={{ width: 'max-content', position: 'bottom-start' }}
    />
  )
}

export function Num(p: {
  label: string
  value: unknown
  onChange: (n: number | undefined) => void
  min?: number
  max?: number
  error?: boolean
}) {
  return (
    <NumberInput
      size="sm"
      className={css.number}
      aria-label={p.label}
      placeholder={p.label}
      min={p.min}
      max={p.max}
      value={typeof p.value === 'number' ? p.value : ''}
      onChange={(v) => p.onChange(typeof v === 'number' ? v : undefined)}
      error={p.error}
      hideControls
    />
  )
}

/** "7 days" */
export function Span({ value, onChange, least = 1 }: { value: unknown; onChange: (v: Body) => void; least?: number }) {
  const t = useT()
  const v = (value ?? {}) as Body
  return (
    <>
      <Num label={t('builder.field.n')} value={v.n} min={least} onChange={(n) => onChange({ ...v, n: n ?? least })} />
      <Choose
        label={t('builder.field.unit')}
        value={String(v.unit ?? 'day')}
        data={units.map((u) => ({ value: u, label: t(`rule.unit.${u}`) }))}
        onChange={(unit) => onChange({ ...v, unit })}
      />
    </>
  )
}

function Moment({ value, onChange }: { value: unknown; onChange: (v: Body) => void }) {
  const t = useT()
  const v = (value ?? {}) as Body
  const side = 'ahead' in v ? 'ahead' : 'ago'
  return (
    <span className={css.pair}>
      <Span least={0} value={v[side]} onChange={(s) => onChange({ [side]: s })} />
      <Choose
        label={t('builder.field.moment')}
        value={side}
        data={['ago', 'ahead'].map((s) => ({ value: s, label: t(`builder.${s}`) }))}
        onChange={(s) => onChange({ [s]: v[side] ?? { n: 0, unit: 'day' } })}
      />
    </span>
  )
}

/** The name of a trait of the person, which stands for what they have there. */
function TraitName({ label, value, onChange, error }: { label: string; value: unknown; onChange: (v: Body) => void; error?: boolean }) {
  const fields = useFields()
  const path = String(((value ?? {}) as Body).trait ?? '')
  return <Pick names label={label} value={path} data={fields.paths} onChange={(trait) => onChange({ trait })} error={error} />
}

const blank = (kind: Kind, op: unknown): unknown => {
  if (kind === 'trait') return { trait: '' }
  const one = kind === 'moment' ? { ago: { n: 30, unit: 'day' } } : kind === 'boolean' ? true : undefined
  if (bare(op)) return undefined
  if (listed(op)) return []
  if (op === 'between') return kind === 'moment' ? [{ ago: { n: 60, unit: 'day' } }, one] : [undefined, undefined]
  return one
}

/** The value when the operator changes: kept where its shape still fits. */
function fitting(kind: Kind, before: unknown, value: unknown, op: string): unknown {
  if (bare(op)) return undefined
  const one = Array.isArray(value) ? value[0] : value
  if (listed(op)) return Array.isArray(value) && before !== 'between' ? value : one === undefined || one === '' ? [] : [one]
  if (op === 'between') return Array.isArray(value) && value.length === 2 ? value : blank(kind, op)
  return one === undefined ? blank(kind, op) : one
}

interface Comparing {
  op: unknown
  value: unknown
  onChange: (op: string, value: unknown) => void
  /** Kinds of value that make sense here; the first is the default. */
  kinds: Kind[]
  /** The kind that was seen there. */
  seen?: string
  values?: string[]
  error?: boolean
}

/** Comparison and value. */
export function Comparison({ op, value, onChange, kinds, seen, values = [], error }: Comparing) {
  const t = useT()
  const [chosen, setChosen] = useState<Kind | undefined>()
  const hint = kinds.find((k) => k === seen)
  const kind =
    kinds[0] === 'version'
      ? 'version'
      : kindOf(value) === 'date' && !kinds.includes('date')
        ? 'text'
        : (kindOf(value) ?? chosen ?? hint ?? kinds[0]!)
  const timed = kind === 'moment' || kind === 'date'
  const words = (o: string) => text(timed ? `builder.time_op.${o}` : `builder.op.${o}`)
  const set = (v: unknown) => onChange(String(op ?? ops[kind][0]), v)
  const scalar = (v: unknown, put: (v: unknown) => void, label: string) => {
    switch (kind) {
      case 'number':
        return <Num label={label} value={v} onChange={put} error={error} />
      case 'boolean':
        return (
          <Choose
            label={label}
            value={String(v ?? true)}
            data={['true', 'false'].map((b) => ({ value: b, label: t(`rule.${b}`) }))}
            onChange={(b) => put(b === 'true')}
          />
        )
      case 'moment':
        return <Moment value={v} onChange={put} />
      case 'trait':
        return <TraitName label={t('builder.field.path')} value={v} onChange={put} error={error} />
      case 'date':
        return (
          <span className={css.date}>
            <DateTimeInput dateOnly label="" value={typeof v === 'string' ? v.slice(0, 10) : ''} onChange={put} />
          </span>
        )
      default:
        return <Pick label={label} value={String(v ?? '')} data={values} onChange={put} error={error} />
    }
  }
  const pair = Array.isArray(value) ? value : []
  return (
    <span className={css.parts}>
      {kinds.length > 1 ? (
        <Choose
          label={t('builder.field.value_kind')}
          value={kind}
          data={kinds.map((k) => ({ value: k, label: t(`builder.value.${k}`) }))}
          onChange={(k) => {
            const next = k as Kind
            setChosen(next)
            const o = ops[next].includes(String(op)) ? String(op) : ops[next][0]!
            onChange(o, blank(next, o))
          }}
        />
      ) : null}
      <Choose
        label={t('builder.field.op')}
        value={op === undefined ? null : String(op)}
        data={ops[kind].map((o) => ({ value: o, label: words(o) }))}
        onChange={(o) => onChange(o, fitting(kind, op, value, o))}
      />
      {bare(op) ? null : listed(op) ? (
        <TagsInput
          size="sm"
          className={css.wide}
          aria-label={t('builder.field.values')}
          placeholder={pair.length === 0 ? t('builder.field.values') : undefined}
          data={kind === 'text' ? values : []}
          limit={50}
          value={pair.map(String)}
          error={error}
          onChange={(all) => set(kind === 'number' ? all.map(Number).filter((n) => !Number.isNaN(n)) : all)}
        />
      ) : op === 'between' ? (
        <>
          {scalar(pair[0], (v) => set([v, pair[1]]), t('builder.field.from'))}
          {scalar(pair[1], (v) => set([pair[0], v]), t('builder.field.to'))}
        </>
      ) : (
        scalar(value, set, t('builder.field.value'))
      )}
    </span>
  )
}

/** What people do, by kind. */
export const eventTypes = [
  'page',
  'screen',
  'track',
  'identify',
  'group',
  'message',
  'segment',
  'journey',
  'consent',
  'invoice',
  'standing',
]

/** Which events: by name or by kind. */
export function About({
  body,
  onChange,
  events,
  error,
  label,
}: {
  body: Body
  onChange: (b: Body) => void
  events: string[]
  error?: boolean
  label?: string
}) {
  const t = useT()
  const byType = body.name === undefined && body.type !== undefined
  const { name: _name, type: _type, ...rest } = body
  return (
    <>
      <SegmentedControl
        size="xs"
        aria-label={label ?? t('builder.field.name')}
        value={byType ? 'type' : 'name'}
        data={[
          { value: 'name', label: t('builder.by_name') },
          { value: 'type', label: t('builder.by_type') },
        ]}
        onChange={(v) => onChange(v === 'type' ? { type: 'page', ...rest } : { name: '', ...rest })}
      />
      {byType ? (
        <Choose
          label={t('builder.field.type')}
          value={String(body.type ?? 'page')}
          data={eventTypes.map((value) => ({ value, label: word('rule.type', value) }))}
          onChange={(type) => onChange({ ...body, type })}
        />
      ) : (
        <Pick
          names
          wide
          label={t('builder.field.name')}
          value={String(body.name ?? '')}
          data={events}
          error={error}
          onChange={(name) => onChange({ ...body, name })}
        />
      )}
    </>
  )
}

/** The first or the last time of something. */
export function Which({ value, onChange }: { value: string; onChange: (v: string) => void }) {
  const t = useT()
  return (
    <Choose
      label={t('builder.field.which')}
      value={value}
      data={['first', 'last'].map((v) => ({ value: v, label: t(`builder.which.${v}`) }))}
      onChange={onChange}
    />
  )
}

/** A time limit that may be left open. */
export function Limit({
  value,
  onChange,
  label,
  open,
  some,
}: {
  value: unknown
  onChange: (v: unknown) => void
  label: string
  open: string
  some: string
}) {
  return (
    <>
      <Choose
        label={label}
        value={value === undefined ? 'open' : 'some'}
        data={[
          { value: 'open', label: open },
          { value: 'some', label: some },
        ]}
        onChange={(v) => onChange(v === 'some' ? { n: 7, unit: 'day' } : undefined)}
      />
      {value === undefined ? null : <Span value={value} onChange={onChange} />}
    </>
  )
}

const windows = ['ever', 'within', 'before', 'between', 'absolute', 'since']

/** The time in which events count. */
export function Window({ value, onChange, events }: { value: unknown; onChange: (w: unknown) => void; events: string[] }) {
  const t = useT()
  const w = (typeof value === 'object' && value !== null ? value : {}) as Body
  const kind = windows.find((k) => k in w) ?? 'ever'
  const body = (w[kind] ?? {}) as Body
  const begin = (kind: string): unknown =>
    (
      ({
        ever: undefined,
        within: { within: { n: 30, unit: 'day' } },
        before: { before: { n: 30, unit: 'day' } },
        since: { since: { name: '', which: 'last' } },
        between: { between: { from_ago: { n: 60, unit: 'day' }, to_ago: { n: 30, unit: 'day' } } },
        absolute: { absolute: { from: new Date().toISOString().slice(0, 10) } },
      }) as Record<string, unknown>
    )[kind]
  const dates = (key: string) => (
    <span className={css.date}>
      <DateTimeInput
        dateOnly
        label=""
        value={typeof body[key] === 'string' ? String(body[key]).slice(0, 10) : ''}
        onChange={(d) => {
          const next = { ...body, [key]: d }
          if (!d) delete next[key]
          onChange(Object.keys(next).length ? { absolute: next } : undefined)
        }}
      />
    </span>
  )
  return (
    <span className={css.parts}>
      <Choose
        label={t('builder.field.window')}
        value={kind}
        data={windows.map((k) => ({ value: k, label: t(`builder.window.${k}`) }))}
        onChange={(k) => onChange(begin(k))}
      />
      {kind === 'within' ? <Span value={body} onChange={(s) => onChange({ within: s })} /> : null}
      {kind === 'before' ? <Span value={body} onChange={(s) => onChange({ before: s })} /> : null}
      {kind === 'since' ? (
        <>
          <Which value={String(body.which ?? 'last')} onChange={(which) => onChange({ since: { ...body, which } })} />
          <About body={body} events={events} label={t('builder.field.since')} onChange={(b) => onChange({ since: b })} />
          <Limit
            value={body.within}
            label={t('builder.field.since_within')}
            open={t('builder.since_open')}
            some={t('builder.since_some')}
            onChange={(within) => {
              const next = { ...body, within }
              if (within === undefined) delete next.within
              onChange({ since: next })
            }}
          />
        </>
      ) : null}
      {kind === 'between' ? (
        <>
          <Span value={body.from_ago} onChange={(s) => onChange({ between: { ...body, from_ago: s } })} />
          <Span least={0} value={body.to_ago} onChange={(s) => onChange({ between: { ...body, to_ago: s } })} />
        </>
      ) : null}
      {kind === 'absolute' ? (
        <>
          {dates('from')}
          <span className={css.word}>{t('builder.field.to')}</span>
          {dates('to')}
        </>
      ) : null}
    </span>
  )
}

function Filter({
  event,
  value,
  onChange,
  onRemove,
  error,
  word: say,
}: {
  event: string
  word?: string
  value: Body
  onChange: (f: Body) => void
  onRemove: () => void
  error?: boolean
}) {
  const t = useT()
  const fields = useFields(event)
  const path = String(value.path ?? '')
  const values = useValues(path, event)
  return (
    <div className={css.filter}>
      <span className={css.word}>{say ?? t('builder.field.filter')}</span>
      <Pick names label={t('builder.field.property')} value={path} data={fields.paths} onChange={(p) => onChange({ ...value, path: p })} />
      <Comparison
        op={value.op}
        value={value.value}
        kinds={['text', 'number', 'boolean', 'trait']}
        seen={fields.kind(path)}
        values={values}
        error={error}
        onChange={(op, v) => onChange({ path: value.path, op, ...(v === undefined ? {} : { value: v }) })}
      />
      <IconButton label={t('builder.remove_filter')} variant="subtle" color="gray" onClick={onRemove}>
        <X size={16} />
      </IconButton>
    </div>
  )
}

/** Limits on the properties of the events that count. */
export function Filters({
  event,
  value,
  onChange,
  fault,
  member = 'filter',
  word: say,
  add,
}: {
  event: string
  value: unknown
  onChange: (f: unknown) => void
  fault?: string
  /** The member of the condition that holds them. */
  member?: string
  /** What stands before each. */
  word?: string
  /** What the button says. */
  add?: string
}) {
  const t = useT()
  const all = Array.isArray(value) ? (value as Body[]) : []
  const set = (next: Body[]) => onChange(next.length ? next : undefined)
  return (
    <>
      {all.map((f, i) => (
        <Filter
          // A filter has no name of its own, and its order means nothing.
          // oxlint-disable-next-line react/no-array-index-key
          key={i}
          event={event}
          value={f}
          word={say}
          error={fault?.startsWith(`${member}[${i}]`)}
          onChange={(next) => set(all.with(i, next))}
          onRemove={() => set(all.toSpliced(i, 1))}
        />
      ))}
      {all.length < 10 ? (
        <Button size="compact-sm" variant="subtle" leftSection={<Plus size={14} />} onClick={() => set([...all, { path: '', op: 'eq' }])}>
          {add ?? t('builder.add_filter')}
        </Button>
      ) : null}
    </>
  )
}
