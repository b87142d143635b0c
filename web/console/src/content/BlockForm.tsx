import { Plus, Trash2 } from 'lucide-react'
import { useList } from '@/api'
import { formatNumber, hasText, t as text, useT, word } from '@/i18n'
import { Accordion, Alert, Button, Checkbox, Group, IconButton, NumberInput, SegmentedControl, Select, Stack, Text } from '@/ui'
import css from './content.module.css'
import type { Block, MailDocument, Section, Style } from './document'
import { type BlockSchema, inputsOf, type Property, type Shape } from './kinds'
import { LiquidInput } from './LiquidInput'
import { RichText } from './RichText'
import { pathsOf, type Values, valueAt, type Variable } from './variables'

type Fields = Record<string, unknown>

interface Common {
  schema: BlockSchema
  variables: Variable[]
  /** Message for an input by its name; "items.0.title" for inputs within a list. */
  errorAt: (name: string) => string | undefined
  /** Where in that input's text the fault is, from 1. */
  placeAt?: (name: string) => { line: number; col: number } | undefined
  palette?: Record<string, string>
}

const shapeAt = (schema: BlockSchema, ref: string | undefined) => (ref ? schema.$defs[ref.replace('#/$defs/', '')] : undefined)
const labelOf = (name: string) => word('block.field', name)
const helpOf = (kind: string, name: string) =>
  hasText(`block.help.${kind}.${name}`)
    ? text(`block.help.${kind}.${name}`)
    : hasText(`block.help.${name}`)
      ? text(`block.help.${name}`)
      : undefined

/** The inputs of one block, as the server's schema describes its kind. */
export function BlockForm({
  block,
  values,
  onChange,
  ...common
}: Common & { block: Block; values: Values; onChange: (next: Block, field: string) => void }) {
  const t = useT()
  const shape = common.schema.$defs[`block.${block.type}`]
  const each = typeof block.each === 'string' ? block.each : ''
  const members = each ? valueAt(values, each) : undefined
  const item: Variable[] = each && Array.isArray(members) ? pathsOf('item', members[0] ?? {}) : []
  const set = (name: string, value: unknown) => {
    const next: Block = { ...block, [name]: value }
    if (value === undefined || value === '') delete next[name]
    if (name === 'each' && value) delete next.items
    if (name === 'items' && Array.isArray(value) && value.length > 0) delete next.each
    if (name === 'decorative' && value === true) delete next.alt
    onChange(next, name)
  }
  const names = inputsOf(shape, ['id', 'type', 'if', 'style']).filter((n) => !(n === 'alt' && block.decorative === true))
  const optional = block.type === 'products' ? ['image', 'title', 'note', 'price', 'url', 'label'] : ['dark_src', 'width', 'bleed']
  const draw = (n: string) => (
    <Field
      key={n}
      {...common}
      name={n}
      kind={block.type}
      property={shape!.properties[n]!}
      required={(shape!.required ?? []).includes(n) || (n === 'alt' && block.type === 'image')}
      value={block[n]}
      variables={[...item, ...common.variables]}
      onChange={(v) => set(n, v)}
    />
  )
  return (
    <Stack gap="md">
      {names.filter((n) => !optional.includes(n)).map(draw)}
      {names.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t('content.no_inputs')}
        </Text>
      ) : null}
      <Accordion variant="contained" multiple>
        {names.some((n) => optional.includes(n)) ? (
          <Accordion.Item value="more">
            <Accordion.Control>{t('content.more_inputs')}</Accordion.Control>
            <Accordion.Panel>
              <Stack gap="md">{names.filter((n) => optional.includes(n)).map(draw)}</Stack>
            </Accordion.Panel>
          </Accordion.Item>
        ) : null}
        <Looks {...common} style={block.style} onChange={(style) => set('style', style)} />
        <Condition {...common} value={block.if ?? ''} onChange={(v) => set('if', v)} />
      </Accordion>
    </Stack>
  )
}

function Field({
  name,
  kind,
  property: p,
  required,
  value,
  onChange,
  ...common
}: Common & { name: string; kind: string; property: Property; required: boolean; value: unknown; onChange: (v: unknown) => void }) {
  const t = useT()
  const label = labelOf(name)
  const description = helpOf(kind, name)
  const error = common.errorAt(name)
  if (p.enum)
    return (
      <Choice
        label={label}
        description={description}
        error={error}
        choices={p.enum}
        name={name}
        value={(value as string | undefined) ?? ''}
        onChange={(v) => onChange(v || undefined)}
      />
    )
  if (p.type === 'boolean')
    return (
      <Checkbox
        label={label}
        description={description}
        error={error}
        checked={value === true}
        onChange={(e) => onChange(e.currentTarget.checked || undefined)}
      />
    )
  if (p.type === 'integer')
    return (
      <NumberInput
        label={label}
        description={description ?? t('content.range', { from: formatNumber(p.minimum ?? 0), to: formatNumber(p.maximum ?? 0) })}
        error={error}
        min={p.minimum}
        max={p.maximum}
        allowDecimal={false}
        value={(value as number | undefined) ?? ''}
        onChange={(v) => onChange(v === '' ? undefined : Number(v))}
      />
    )
  if (p.type === 'array')
    return <Items {...common} name={name} kind={kind} property={p} value={(value as Fields[] | undefined) ?? []} onChange={onChange} />
  if (p['x-is'] === 'key')
    return <SnippetChoice label={label} error={error} value={(value as string | undefined) ?? ''} onChange={onChange} />
  const is = p['x-is'] ?? 'line'
  if (is === 'rich')
    return (
      <RichText
        label={label}
        description={description}
        error={error}
        errorAt={common.placeAt?.(name)}
        required={required}
        name={name}
        maxLength={p.maxLength}
        value={(value as string | undefined) ?? ''}
        variables={common.variables}
        onChange={(v) => onChange(v || undefined)}
      />
    )
  return (
    <LiquidInput
      label={label}
      description={description}
      error={error}
      required={required}
      name={name}
      maxLength={p.maxLength}
      value={(value as string | undefined) ?? ''}
      variables={is === 'path' ? common.variables.filter((v) => v.list) : common.variables}
      lines={is === 'text' || is === 'html'}
      mono={is === 'html' || is === 'url'}
      bare={is === 'path' || is === 'cond'}
      onChange={(v) => onChange(v || undefined)}
    />
  )
}

/** A choice of a few words; the empty one leaves it to the product. */
function Choice({
  label,
  description,
  error,
  choices,
  name,
  value,
  onChange,
}: {
  label: string
  description?: string
  error?: string
  choices: string[]
  name: string
  value: string
  onChange: (v: string) => void
}) {
  const t = useT()
  const named = (c: string) => (hasText(`block.choice.${name}.${c}`) ? text(`block.choice.${name}.${c}`) : word('block.choice', c))
  return (
    <Select
      label={label}
      description={description}
      error={error}
      data={[{ value: '', label: t('content.as_usual') }, ...choices.map((c) => ({ value: c, label: named(c) }))]}
      value={value}
      allowDeselect={false}
      onChange={(v) => onChange(v ?? '')}
    />
  )
}

/** A list of small forms: products, profiles. */
function Items({
  name,
  kind,
  property,
  value,
  onChange,
  ...common
}: Common & { name: string; kind: string; property: Property; value: Fields[]; onChange: (v: unknown) => void }) {
  const t = useT()
  const shape: Shape | undefined = shapeAt(common.schema, property.items?.$ref)
  if (!shape) return null
  return (
    <div>
      <Text size="sm" fw={500} mb="xs">
        {labelOf(name)}
      </Text>
      <Stack gap="sm">
        {value.map((item, i) => (
          // oxlint-disable-next-line react/no-array-index-key
          <div key={i} className={css.item}>
            <Group justify="space-between">
              <Text size="xs" c="dimmed">
                {t('content.item', { n: formatNumber(i + 1) })}
              </Text>
              <IconButton label={t('action.remove')} size="sm" onClick={() => onChange(value.filter((_, j) => j !== i))}>
                <Trash2 size={14} />
              </IconButton>
            </Group>
            <Stack gap="xs">
              {inputsOf(shape).map((n) => (
                <Field
                  key={n}
                  {...common}
                  errorAt={(x) => common.errorAt(`${name}.${i}.${x}`)}
                  placeAt={(x) => common.placeAt?.(`${name}.${i}.${x}`)}
                  name={n}
                  kind={kind}
                  property={shape.properties[n]!}
                  required={(shape.required ?? []).includes(n)}
                  value={item[n]}
                  onChange={(v) => onChange(value.map((x, j) => (j === i ? { ...x, [n]: v } : x)))}
                />
              ))}
            </Stack>
          </div>
        ))}
        <Button
          size="xs"
          variant="subtle"
          leftSection={<Plus size={14} />}
          onClick={() => onChange([...value, Object.fromEntries((shape.required ?? []).map((n) => [n, n === 'url' ? 'https://' : '']))])}
        >
          {t('content.add_item')}
        </Button>
        {common.errorAt(name) ? <Alert color="danger">{common.errorAt(name)}</Alert> : null}
      </Stack>
    </div>
  )
}

function SnippetChoice({ label, error, value, onChange }: { label: string; error?: string; value: string; onChange: (v: string) => void }) {
  const t = useT()
  const snippets = useList('/api/v1/snippets', {}, { size: 200 })
  const data = snippets.items.map((s) => ({ value: s.key, label: `${s.name} (${s.key})` }))
  if (value && !data.some((d) => d.value === value)) data.push({ value, label: value })
  return (
    <Select
      label={label}
      error={error}
      required
      searchable
      data={data}
      value={value || null}
      nothingFoundMessage={t('content.no_snippets')}
      placeholder={t('content.choose_snippet')}
      onChange={(v) => onChange(v ?? '')}
    />
  )
}

const looks = ['align', 'size', 'color', 'background', 'padding', 'gap', 'border', 'rounded']
const coloured = new Set(['color', 'background'])

/** How it looks, in words of the brand: colours are the brand's, so that a new brand restyles every mail. */
function Looks({ schema, palette, errorAt, style, onChange }: Common & { style?: Style; onChange: (s: Style | undefined) => void }) {
  const t = useT()
  const shape = schema.$defs.style
  if (!shape) return null
  const set = (n: string, v: string | boolean | undefined) => {
    const next = { ...style, [n]: v }
    if (!v) delete next[n]
    onChange(Object.keys(next).length > 0 ? next : undefined)
  }
  return (
    <Accordion.Item value="style">
      <Accordion.Control>{t('content.looks')}</Accordion.Control>
      <Accordion.Panel>
        <Stack gap="sm">
          {looks
            .filter((n) => shape.properties[n])
            .map((n) => {
              const p = shape.properties[n]!
              const value = style?.[n]
              if (p.enum && coloured.has(n))
                return (
                  <Colours
                    key={n}
                    label={labelOf(n)}
                    choices={p.enum}
                    palette={palette}
                    value={(value as string) ?? ''}
                    onChange={(v) => set(n, v)}
                  />
                )
              if (p.enum)
                return (
                  <Choice
                    key={n}
                    name={n}
                    label={labelOf(n)}
                    error={errorAt(`style.${n}`)}
                    choices={p.enum}
                    value={(value as string) ?? ''}
                    onChange={(v) => set(n, v)}
                  />
                )
              return <Checkbox key={n} label={labelOf(n)} checked={value === true} onChange={(e) => set(n, e.currentTarget.checked)} />
            })}
        </Stack>
      </Accordion.Panel>
    </Accordion.Item>
  )
}

/** A colour of the brand, shown as it is. */
function Colours({
  label,
  choices,
  palette,
  value,
  onChange,
}: {
  label: string
  choices: string[]
  palette?: Record<string, string>
  value: string
  onChange: (v: string) => void
}) {
  const t = useT()
  return (
    <div role="radiogroup" aria-label={label}>
      <Text size="sm" fw={500} mb={4}>
        {label}
      </Text>
      <div className={css.colours}>
        {['', ...choices].map((c) => (
          <button key={c} type="button" role="radio" aria-checked={c === value} className={css.colour} onClick={() => onChange(c)}>
            <span className={css.swatch} style={{ background: palette?.[c] ?? 'none' }} data-none={!palette?.[c] || undefined} />
            {c ? word('block.colour', c) : t('content.as_usual')}
          </button>
        ))}
      </div>
    </div>
  )
}

function Condition({ variables, errorAt, value, onChange }: Common & { value: string; onChange: (v: string) => void }) {
  const t = useT()
  return (
    <Accordion.Item value="if">
      <Accordion.Control>{t('content.condition')}</Accordion.Control>
      <Accordion.Panel>
        <LiquidInput
          bare
          label={t('block.field.if')}
          description={t('block.help.if')}
          error={errorAt('if')}
          value={value}
          variables={variables}
          placeholder="person.vip == true"
          onChange={onChange}
        />
      </Accordion.Panel>
    </Accordion.Item>
  )
}

/** The inputs of a section: how many columns, how wide, how it looks. */
export function SectionForm({
  section,
  onChange,
  onColumns,
  ...common
}: Common & { section: Section; onChange: (next: Section, field: string) => void; onColumns: (n: number) => void }) {
  const t = useT()
  return (
    <Stack gap="md">
      <div>
        <Text size="sm" fw={500} mb={4}>
          {t('content.columns')}
        </Text>
        <SegmentedControl
          fullWidth
          aria-label={t('content.columns')}
          data={['1', '2', '3', '4']}
          value={String(section.columns.length)}
          onChange={(v) => onColumns(Number(v))}
        />
      </div>
      {section.columns.length > 1
        ? section.columns.map((c, i) => (
            <Group key={i /* oxlint-disable-line react/no-array-index-key */} grow align="flex-end">
              <NumberInput
                label={t('content.column_width', { n: formatNumber(i + 1) })}
                min={0}
                max={100}
                suffix="%"
                value={c.width ?? ''}
                onChange={(v) =>
                  onChange(
                    {
                      ...section,
                      columns: section.columns.map((x, j) => (j === i ? { ...x, width: v === '' ? undefined : Number(v) } : x)),
                    },
                    `w${i}`,
                  )
                }
              />
              <Choice
                name="valign"
                label={labelOf('valign')}
                choices={['top', 'middle', 'bottom']}
                value={c.valign ?? ''}
                onChange={(v) =>
                  onChange({ ...section, columns: section.columns.map((x, j) => (j === i ? { ...x, valign: v || undefined } : x)) }, '')
                }
              />
            </Group>
          ))
        : null}
      <Accordion variant="contained" multiple defaultValue={['style']}>
        <Looks {...common} style={section.style} onChange={(style) => onChange({ ...section, style }, 'style')} />
        <Condition {...common} value={section.if ?? ''} onChange={(v) => onChange({ ...section, if: v || undefined }, 'if')} />
      </Accordion>
    </Stack>
  )
}

/** What stands above and below the letter. */
export function FrameForm({ document: d, onChange }: { document: MailDocument; onChange: (next: MailDocument) => void }) {
  const t = useT()
  return (
    <Stack gap="sm">
      <Choice
        name="header"
        label={labelOf('header')}
        choices={['logo', 'none']}
        value={d.header ?? ''}
        onChange={(v) => onChange({ ...d, header: v || undefined })}
      />
      <Choice
        name="footer"
        label={labelOf('footer')}
        choices={['full', 'short']}
        value={d.footer ?? ''}
        onChange={(v) => onChange({ ...d, footer: v || undefined })}
      />
      <NumberInput
        label={labelOf('mail_width')}
        description={t('content.range', { from: formatNumber(320), to: formatNumber(800) })}
        min={320}
        max={800}
        value={d.width ?? ''}
        placeholder="600"
        onChange={(v) => onChange({ ...d, width: v === '' ? undefined : Number(v) })}
      />
    </Stack>
  )
}
