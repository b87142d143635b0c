// All that is known of a person by name, and changing it by hand.
import { Plus, X } from 'lucide-react'
import { useMemo, useState } from 'react'
import { type Schemas, useSend } from '@/api'
import { useCan } from '@/app/session'
import { useTraits } from '@/content/variables'
import { formatNumber, useT } from '@/i18n'
import {
  Accordion,
  Autocomplete,
  Button,
  Card,
  Definition,
  EmptyState,
  FormBody,
  Group,
  IconButton,
  Json,
  Note,
  Select,
  Sheet,
  Textarea,
  TextInput,
  toast,
  useForm,
} from '@/ui'
import { Sealed } from './Sealed'
import css from './Traits.module.css'
import { changesOf, faultsOf, rowsOf, type TraitKind } from './traits'

type Person = Schemas['Person']

export function Traits({ person: p }: { person: Person }) {
  const t = useT()
  const write = useCan()('people.write')
  const [edits, setEdits] = useState(false)
  const entries = Object.entries(p.traits)
  const hidden = p.encrypted ?? []
  const n = entries.length + hidden.length
  return (
    <Card
      title={t('person.traits', { count: n, n: formatNumber(n) })}
      actions={write ? <Button onClick={() => setEdits(true)}>{t('action.edit')}</Button> : null}
    >
      {n === 0 ? <EmptyState title={t('portrait.nothing')} /> : null}
      <Definition items={entries.map(([k, v]) => [k, typeof v === 'object' ? <Json key={k} value={v} /> : String(v)])} />
      {hidden.length ? <Sealed person={p.id} fields={hidden} /> : null}
      <Accordion mt="md">
        <Accordion.Item value="counters">
          <Accordion.Control>{t('person.counters')}</Accordion.Control>
          <Accordion.Panel>
            <Definition items={Object.entries(p.counters ?? {}).map(([k, x]) => [k, formatNumber(x)])} />
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
      <Sheet title={t('traits.edit')} opened={edits} onClose={() => setEdits(false)}>
        <TraitsForm person={p} onDone={() => setEdits(false)} />
      </Sheet>
    </Card>
  )
}

const kinds: TraitKind[] = ['text', 'number', 'boolean', 'json']

function TraitsForm({ person: p, onDone }: { person: Person; onDone: () => void }) {
  const t = useT()
  const [before] = useState(p.traits) // what arrives meanwhile is not what was changed here
  const send = useSend('patch', '/api/v1/people/{id}/traits')
  const seen = useTraits()
  const form = useForm({
    initial: { rows: rowsOf(before) },
    check: ({ rows }) => Object.fromEntries(Object.entries(faultsOf(rows)).map(([input, fault]) => [input, t(`trait_fault.${fault}`)])),
    save: async ({ rows }) => {
      const traits = changesOf(before, rows)
      if (Object.keys(traits).length > 0)
        await send.mutateAsync({ path: { id: p.id }, body: { traits, idempotency_key: crypto.randomUUID() } })
    },
    onDone: () => {
      toast(t('traits.saved'))
      onDone()
    },
  })
  const { rows } = form.values
  const names = useMemo(() => {
    const there = new Set(rows.map((r) => r.name))
    return seen
      .filter((v) => !v.open && !v.path.slice(7).includes('.'))
      .map((v) => v.path.slice('person.'.length))
      .filter((x) => !there.has(x))
  }, [seen, rows])
  return (
    <FormBody form={form} action={t('action.save')} onCancel={onDone}>
      <Note>{t('traits.help')}</Note>
      {rows.map((r, i) => {
        const value = form.getInputProps(`rows.${i}.value`)
        const label = r.fresh ? t('field.value') : r.name
        return (
          <div key={r.key} className={css.row}>
            {r.fresh ? (
              <Group gap="xs" grow align="flex-start">
                <Autocomplete
                  label={t('field.name')}
                  data={names}
                  limit={50}
                  maxLength={200}
                  data-autofocus
                  {...form.getInputProps(`rows.${i}.name`)}
                />
                <Select
                  label={t('field.kind')}
                  allowDeselect={false}
                  data={kinds.map((k) => ({ value: k, label: t(`trait_kind.${k}`) }))}
                  {...form.getInputProps(`rows.${i}.kind`)}
                  onChange={(kind) => {
                    form.setFieldValue(`rows.${i}.kind`, kind)
                    form.setFieldValue(`rows.${i}.value`, kind === 'boolean' ? 'true' : '')
                  }}
                />
              </Group>
            ) : null}
            <div className={css.value}>
              {r.kind === 'boolean' ? (
                <Select
                  label={label}
                  data={(['true', 'false'] as const).map((v) => ({ value: v, label: t(`trait_value.${v}`) }))}
                  {...value}
                  onChange={(v) => form.setFieldValue(`rows.${i}.value`, v ?? '')}
                />
              ) : r.kind === 'json' ? (
                <Textarea label={label} autosize minRows={2} maxRows={8} ff="monospace" spellCheck={false} {...value} />
              ) : (
                <TextInput label={label} inputMode={r.kind === 'number' ? 'decimal' : undefined} {...value} />
              )}
              <IconButton label={t('traits.remove', { name: r.name || t('field.value') })} onClick={() => form.removeListItem('rows', i)}>
                <X size={16} />
              </IconButton>
            </div>
          </div>
        )
      })}
      <Button
        variant="subtle"
        leftSection={<Plus size={14} />}
        className={css.add}
        onClick={() => form.insertListItem('rows', { key: crypto.randomUUID(), name: '', kind: 'text', value: '', fresh: true })}
      >
        {t('traits.add')}
      </Button>
    </FormBody>
  )
}
