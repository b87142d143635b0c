// A form from a JSON Schema: a new channel or journey node brings its schema and needs no code here.
import { Checkbox, Fieldset, NumberInput, PasswordInput, Select, Stack, TagsInput, Textarea, TextInput } from '@mantine/core'
import { type ReactNode } from 'react'
import { hasText, t as text, useT } from '@/i18n'

export interface Schema {
  type?: string | string[]
  title?: string
  description?: string
  enum?: (string | number)[]
  format?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  default?: unknown
  examples?: unknown[]
  writeOnly?: boolean
  contentMediaType?: string
}

export type Values = Record<string, unknown>

interface Props {
  schema: Schema
  values: Values
  onChange: (values: Values) => void
  /** Errors by input name, as fieldErrors gives them. */
  errors?: Record<string, unknown>
  /** Keys of texts begin with it: `<prefix>.<name>` for the label, `<prefix>.<name>_help` below it. */
  prefix: string
  /** Inputs to show, in order; all of them if absent. */
  only?: string[]
  /** Inputs that somebody else draws. */
  except?: string[]
  /** Name of these inputs within the whole form, for errors: "config". */
  at?: string
  /** Draws inputs that know more than their schema says, such as a picker of things by id; undefined leaves it to the schema. */
  draw?: (input: Drawn) => ReactNode | undefined
}

export interface Drawn {
  name: string
  schema: Schema
  value: unknown
  set: (v: unknown) => void
  label: string
  description?: string
  error?: string
  required: boolean
}

const words = (prefix: string, name: string, s: Schema) => ({
  label: hasText(`${prefix}.${name}`) ? text(`${prefix}.${name}`) : (s.title ?? name.replaceAll('_', ' ')),
  description: hasText(`${prefix}.${name}_help`)
    ? text(`${prefix}.${name}_help`)
    : hasText(`${prefix}.${name}`)
      ? undefined
      : s.description,
})

const typeOf = (s: Schema) =>
  Array.isArray(s.type) ? (s.type.find((x) => x !== 'null') ?? 'string') : (s.type ?? (s.properties ? 'object' : 'string'))

export function SchemaForm({ schema, values, onChange, errors, prefix, only, except, at, draw }: Props) {
  useT()
  const names = (only ?? Object.keys(schema.properties ?? {})).filter((n) => !except?.includes(n) && schema.properties?.[n])
  const set = (name: string, value: unknown) => {
    const next = { ...values, [name]: value }
    if (value === undefined || value === '') delete next[name]
    onChange(next)
  }
  return (
    <Stack gap="md">
      {names.map((name) => {
        const part = schema.properties![name]!
        const input = {
          name,
          schema: part,
          required: schema.required?.includes(name) ?? false,
          value: values[name],
          set: (v: unknown) => set(name, v),
        }
        const full = at ? `${at}.${name}` : name
        const drawn = draw?.({ ...input, ...words(prefix, name, part), error: errors?.[full] as string | undefined })
        return (
          <div key={name} data-field={full}>
            {drawn === undefined ? <Input {...input} errors={errors} prefix={prefix} at={full} /> : drawn}
          </div>
        )
      })}
    </Stack>
  )
}

interface InputProps {
  name: string
  schema: Schema
  required: boolean
  value: unknown
  set: (v: unknown) => void
  errors?: Record<string, unknown>
  prefix: string
  at: string
}

function Input({ name, schema: s, required, value, set, errors, prefix, at }: InputProps) {
  const w = words(prefix, name, s)
  const error = errors?.[at] as string | undefined
  const common = { ...w, error, required, name: at }
  const example = s.examples?.[0]
  if (s.enum) {
    const data = s.enum.map((e) => ({
      value: String(e),
      label: hasText(`${prefix}.${name}.${e}`) ? text(`${prefix}.${name}.${e}`) : String(e),
    }))
    return (
      <Select
        {...common}
        data={data}
        value={value === undefined ? ((s.default as string) ?? null) : String(value)}
        onChange={(v) => set(v ?? undefined)}
        clearable={!required}
      />
    )
  }
  switch (typeOf(s)) {
    case 'boolean':
      return (
        <Checkbox
          label={w.label}
          description={w.description}
          error={error}
          checked={value === true}
          onChange={(e) => set(e.currentTarget.checked)}
        />
      )
    case 'integer':
    case 'number':
      return (
        <NumberInput
          {...common}
          min={s.minimum}
          max={s.maximum}
          allowDecimal={typeOf(s) === 'number'}
          value={(value as number | undefined) ?? ''}
          placeholder={example === undefined ? undefined : String(example)}
          onChange={(v) => set(v === '' ? undefined : Number(v))}
        />
      )
    case 'array':
      if (typeOf(s.items ?? {}) === 'string') return <TagsInput {...common} value={(value as string[] | undefined) ?? []} onChange={set} />
      return <JsonInput {...common} value={value} set={set} />
    case 'object':
      if (!s.properties) return <JsonInput {...common} value={value} set={set} />
      return (
        <Fieldset legend={w.label}>
          <SchemaForm
            schema={s}
            values={(value as Values | undefined) ?? {}}
            onChange={set}
            errors={errors}
            prefix={hasText(`${prefix}.${name}`) ? `${prefix}.${name}` : prefix}
            at={at}
          />
        </Fieldset>
      )
    default: {
      const v = (value as string | undefined) ?? ''
      if (s.writeOnly || s.format === 'password')
        return <PasswordInput {...common} value={v} autoComplete="new-password" onChange={(e) => set(e.currentTarget.value)} />
      if (s.contentMediaType || (s.maxLength ?? 0) > 400)
        return <Textarea {...common} autosize minRows={3} maxRows={14} value={v} onChange={(e) => set(e.currentTarget.value)} />
      return (
        <TextInput
          {...common}
          type={s.format === 'email' ? 'email' : s.format === 'uri' ? 'url' : 'text'}
          value={v}
          placeholder={example === undefined ? undefined : String(example)}
          onChange={(e) => set(e.currentTarget.value)}
        />
      )
    }
  }
}

// What no input fits is edited as JSON; text that is no JSON yet stays as it is until it is one.
function JsonInput({
  value,
  set,
  ...common
}: {
  value: unknown
  set: (v: unknown) => void
  label: string
  description?: string
  error?: string
  required: boolean
}) {
  return (
    <Textarea
      {...common}
      autosize
      minRows={3}
      styles={{ input: { fontFamily: 'var(--ui-mono)' } }}
      defaultValue={value === undefined ? '' : JSON.stringify(value, null, 2)}
      onBlur={(e) => {
        try {
          set(e.currentTarget.value.trim() === '' ? undefined : JSON.parse(e.currentTarget.value))
        } catch {
          set(e.currentTarget.value)
        }
      }}
    />
  )
}

/** An input for JSON, for those who know it; what is no JSON yet comes as the text that was typed. */
export const JsonTextarea = ({
  onChange,
  ...p
}: {
  label: string
  description?: string
  error?: string
  value: unknown
  onChange: (v: unknown) => void
}) => <JsonInput {...p} required={false} set={onChange} />
