import { useMemo } from 'react'
import { type Schemas, useRead } from '@/api'
import { useT, word } from '@/i18n'
import { Autocomplete, Card, Group, Select, SimpleGrid, Stack, Switch, Textarea, TextInput, ZoneSelect } from '@/ui'
import css from './Import.module.css'
import { type Choice, type Extras, type Layout, needs } from './importplan'

const types = ['text', 'number', 'bool', 'time', 'time_dmy', 'time_mdy', 'json']
const firstKinds = ['user_id', 'email', 'phone']

interface Props {
  /** Values of the file's first rows by column; none without a file. */
  columns: Schemas['ImportHeading'][]
  kinds: string[]
  /** How the file is read; none without a file. */
  layout?: Layout
  choices: Choice[]
  onChoices: (c: Choice[]) => void
  extras: Extras
  onExtras: (e: Extras) => void
  onLayout?: (l: Layout) => void
  busy: boolean
}

/** What the columns of a file are. */
export function ImportColumns({ columns, kinds, layout, choices, onChoices, extras, onExtras, onLayout, busy }: Props) {
  const t = useT()
  const topics = useRead('/api/v1/topics', {})
  const targets = useMemo(
    () => [
      { group: t('imports.group.none'), items: [{ value: 'skip', label: t('imports.to.skip') }] },
      {
        group: t('imports.group.who'),
        items: [...firstKinds, ...kinds.filter((k) => !firstKinds.includes(k))].map((k) => ({
          value: `identifier:${k}`,
          label: word('identifier', k),
        })),
      },
      { group: t('imports.group.person'), items: [{ value: 'trait', label: t('imports.to.trait') }] },
      {
        group: t('imports.group.event'),
        items: ['event', 'time', 'property'].map((value) => ({ value, label: t(`imports.to.${value}`) })),
      },
      {
        group: t('imports.group.consent'),
        items: (topics.data?.items ?? [])
          .filter((x) => !x.archived)
          .map((x) => ({ value: `subscription:${x.id}`, label: t('imports.to.subscription', { topic: x.name }) })),
      },
    ],
    [t, kinds, topics.data],
  )
  const asks = needs(choices, extras.event)
  const set = (name: string, change: Partial<Choice>) => onChoices(choices.map((c) => (c.name === name ? { ...c, ...change } : c)))
  const choose = (c: Choice, what: string) => {
    const timed = c.type.startsWith('time')
    set(c.name, { what, type: what === 'time' && !timed ? 'time' : c.type })
  }
  return (
    <>
      {layout && onLayout ? <FileLayout of={layout} onChange={onLayout} busy={busy} /> : null}
      <Card title={t('imports.step.columns')} help={t(layout ? 'imports.columns_help' : 'imports.mapping.columns_help')}>
        <ul className={css.columns}>
          {choices.map((c) => {
            const samples = columns.find((x) => x.name === c.name)?.samples ?? []
            const named = c.what === 'trait' || c.what === 'property'
            const heading = layout?.header !== false ? c.name : t('imports.column', { n: c.name })
            return (
              <li key={c.name} className={css.column} data-skip={c.what === 'skip' || undefined}>
                <div>
                  <div className={css.name}>{heading}</div>
                  {layout ? (
                    <div className={css.samples} title={samples.join('\n')}>
                      {samples.length > 0 ? samples.join(' · ') : t('imports.no_values')}
                    </div>
                  ) : null}
                </div>
                <Select
                  aria-label={t('imports.becomes', { column: heading })}
                  data={targets}
                  allowDeselect={false}
                  searchable
                  value={c.what}
                  onChange={(what) => choose(c, what ?? 'skip')}
                />
                <div className={css.more}>
                  {named ? (
                    <TextInput
                      aria-label={t('imports.name_of', { column: heading })}
                      value={c.key}
                      maxLength={100}
                      onChange={(e) => set(c.name, { key: e.currentTarget.value })}
                    />
                  ) : null}
                  {named || c.what === 'time' ? (
                    <Select
                      aria-label={t('imports.type_of', { column: heading })}
                      allowDeselect={false}
                      data={types
                        .filter((x) => named || x.startsWith('time'))
                        .map((value) => ({ value, label: t(`imports.type.${value}`) }))}
                      value={c.type}
                      onChange={(type) => set(c.name, { type: type ?? 'text' })}
                    />
                  ) : null}
                </div>
              </li>
            )
          })}
        </ul>
      </Card>
      {asks.event || asks.money || asks.zone ? <More asks={asks} extras={extras} onExtras={onExtras} /> : null}
      {asks.basis ? (
        <Card title={t('imports.basis')} help={t('imports.basis_help')}>
          <Stack gap="md">
            <TextInput
              label={t('imports.source')}
              placeholder={t('imports.source_example')}
              required
              maxLength={200}
              value={extras.source}
              onChange={(e) => onExtras({ ...extras, source: e.currentTarget.value })}
            />
            <Textarea
              label={t('imports.evidence')}
              description={t('imports.evidence_help')}
              autosize
              minRows={2}
              maxLength={2000}
              value={extras.evidence}
              onChange={(e) => onExtras({ ...extras, evidence: e.currentTarget.value })}
            />
          </Stack>
        </Card>
      ) : null}
    </>
  )
}

function FileLayout({ of: l, onChange, busy }: { of: Layout; onChange: (l: Layout) => void; busy: boolean }) {
  const t = useT()
  const choices = (prefix: string, codes: string[]) => codes.map((value) => ({ value, label: t(`imports.${prefix}.${value}`) }))
  return (
    <Card title={t('imports.layout')} help={t('imports.layout_help')}>
      <SimpleGrid cols={{ base: 1, sm: l.form === 'delimited' ? 3 : 1 }}>
        <Select
          label={t('imports.encoding')}
          allowDeselect={false}
          disabled={busy}
          data={choices('encoding_is', ['utf-8', 'gb18030', 'shift_jis', 'utf-16'])}
          value={l.encoding}
          onChange={(v) => onChange({ ...l, encoding: (v ?? 'utf-8') as Layout['encoding'] })}
        />
        {l.form === 'delimited' ? (
          <>
            <Select
              label={t('imports.delimiter')}
              allowDeselect={false}
              disabled={busy}
              data={choices('delimiter_is', ['comma', 'tab', 'semicolon', 'pipe', 'space'])}
              value={l.delimiter}
              onChange={(v) => onChange({ ...l, delimiter: (v ?? 'comma') as Layout['delimiter'] })}
            />
            <Group align="flex-end" pb={8}>
              <Switch
                label={t('imports.header')}
                disabled={busy}
                checked={l.header}
                onChange={(e) => onChange({ ...l, header: e.currentTarget.checked })}
              />
            </Group>
          </>
        ) : null}
      </SimpleGrid>
    </Card>
  )
}

function More({ asks, extras, onExtras }: { asks: ReturnType<typeof needs>; extras: Extras; onExtras: (e: Extras) => void }) {
  const t = useT()
  const names = useRead('/api/v1/event-names', {}, { enabled: asks.event })
  return (
    <Card title={t('imports.more')}>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        {asks.event ? (
          <Autocomplete
            label={t('imports.event')}
            description={t('imports.event_help')}
            data={[...new Set(['Order Completed', ...(names.data?.items ?? []).map((x) => x.name)])]}
            limit={20}
            maxLength={100}
            value={extras.event}
            onChange={(event) => onExtras({ ...extras, event })}
          />
        ) : null}
        {asks.money ? (
          <TextInput
            label={t('imports.currency')}
            description={t('imports.currency_help')}
            placeholder="JPY"
            maxLength={3}
            value={extras.currency}
            onChange={(e) => onExtras({ ...extras, currency: e.currentTarget.value })}
          />
        ) : null}
        {asks.zone ? (
          <ZoneSelect
            label={t('imports.zone')}
            description={t('imports.zone_help')}
            value={extras.zone}
            onChange={(zone) => onExtras({ ...extras, zone: zone ?? 'UTC' })}
          />
        ) : null}
      </SimpleGrid>
    </Card>
  )
}
