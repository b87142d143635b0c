import { useEffect, useState } from 'react'
import { Problem, refresh, type Schemas, upload, useList, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { codesBelow, formatNumber, useT, word } from '@/i18n'
import { JobState } from '@/jobs/JobState'
import { download, toCsv } from '@/lib/download'
import { type Bulk, doBulk, useBulk } from '@/jobs/useBulk'
import { useFile } from '@/jobs/useFile'
import { useShortcuts } from '@/lib/keys'
import { useGo, useUrlState } from '@/lib/route'
import { LiftReason } from '@/people/LiftReason'
import {
  Alert,
  Button,
  ListTable,
  Definition,
  EmptyState,
  FileInput,
  FilterBar,
  FilterChip,
  FormBody,
  Group,
  Loaded,
  Note,
  SavedViews,
  SearchBox,
  Select,
  Sheet,
  Stack,
  Textarea,
  TextInput,
  Time,
  toast,
  useForm,
} from '@/ui'
import { SettingsSection } from './SettingsSection'

type Suppression = Schemas['Suppression']
type Reason = NonNullable<Schemas['SuppressionFile']['reason']>

const live = { refresh: ['/api/v1/suppressions'] }
const clear = { q: '', channel: '', reason: '' }

/** Addresses that are never written to. The list holds no addresses, so one is looked for as a whole. */
export default function SuppressionsSection() {
  const t = useT()
  const can = useCan()
  const write = can('consent.write')
  const [filter, setFilter] = useUrlState(clear)
  const [sheet, setSheet] = useState<'add' | 'import' | Suppression | null>(null)
  useShortcuts(write ? [{ keys: 'n', label: t('suppression.add'), run: () => setSheet('add') }] : [])
  const channels = useRead('/api/v1/channels', {})
  const query = { channel: filter.channel || undefined, reason: (filter.reason || undefined) as Reason | undefined }
  const asked = { ...query, address: filter.q.trim() || undefined }
  const found = useList('/api/v1/suppressions', { query: asked })
  const [lifting, setLifting] = useState<{ todo: Bulk; count: number; clear: () => void } | null>(null)
  const bulk = useBulk({
    acts: write
      ? [{ act: 'suppression_lift', label: t('suppression.lift'), ask: (todo, count, clear) => setLifting({ todo, count, clear }) }]
      : [],
    query: asked,
    lists: live.refresh,
  })
  const file = useFile('suppressions', asked)
  const kinds = (channels.data?.items ?? []).map((c) => ({ value: c.kind, label: word('channel', c.kind) }))
  const reasons = codesBelow('suppression_reason').map((r) => ({ value: r, label: t(`suppression_reason.${r}`) }))
  const active = Object.values(filter).some(Boolean)
  const exported = new URLSearchParams({
    bom: 'true',
    ...(query.channel ? { channel: query.channel } : {}),
    ...(query.reason ? { reason: query.reason } : {}),
  })
  const close = () => setSheet(null)
  return (
    <SettingsSection
      id="suppressions"
      more={[
        can('export') && { label: t('suppression.export'), file: `/api/v1/suppressions/csv?${exported}` },
        write && { label: t('suppression.import'), run: () => setSheet('import') },
      ]}
      actions={
        write ? (
          <Button variant="filled" onClick={() => setSheet('add')}>
            {t('suppression.add')}
          </Button>
        ) : null
      }
    >
      <SavedViews list="suppressions" state={filter} defaults={clear} onApply={setFilter} />
      <FilterBar active={active} onClear={() => setFilter(clear)}>
        <SearchBox value={filter.q} onChange={(q) => setFilter({ q })} placeholder={t('suppression.search')} />
        {kinds.length > 1 ? (
          <FilterChip label={t('field.channel')} value={filter.channel} choices={kinds} onChange={(channel) => setFilter({ channel })} />
        ) : null}
        <FilterChip label={t('field.reason')} value={filter.reason} choices={reasons} onChange={(reason) => setFilter({ reason })} />
      </FilterBar>
      <ListTable
        name="suppressions"
        label={t('settings.section.suppressions')}
        of={found}
        rowId={(s) => `${s.channel}/${s.hash}`}
        {...bulk}
        file={file}
        filtered={active}
        onClearFilters={() => setFilter(clear)}
        columns={[
          { id: 'hint', title: t('suppression.address'), cell: (s) => s.hint, text: (s) => s.hint },
          { id: 'channel', title: t('field.channel'), cell: (s) => word('channel', s.channel), text: (s) => s.channel },
          {
            id: 'reason',
            title: t('field.reason'),
            cell: (s) => (
              <>
                {word('suppression_reason', s.reason)}
                {s.detail ? (
                  <div>
                    <Note>{s.detail}</Note>
                  </div>
                ) : null}
              </>
            ),
            text: (s) => s.reason,
          },
          { id: 'since', title: t('suppression.since'), cell: (s) => <Time at={s.at} />, text: (s) => s.at, field: 'at' },
          {
            id: 'more',
            title: '',
            num: true,
            cell: (s) =>
              write ? (
                <Button size="compact-sm" onClick={() => setSheet(s)}>
                  {t('action.remove')}
                </Button>
              ) : null,
          },
        ]}
        empty={<EmptyState title={t('suppression.empty')} text={t('suppression.empty_help')} />}
      />
      <Sheet title={t('suppression.add')} opened={sheet === 'add'} onClose={close}>
        <Add kinds={kinds} reasons={reasons} onDone={close} />
      </Sheet>
      <Sheet title={t('suppression.import')} opened={sheet === 'import'} onClose={close}>
        <Import kinds={kinds} reasons={reasons} onDone={close} />
      </Sheet>
      <Sheet title={t('suppression.remove')} opened={sheet !== null && typeof sheet === 'object'} onClose={close}>
        {sheet !== null && typeof sheet === 'object' ? <Remove entry={sheet} onDone={close} /> : null}
      </Sheet>
      <Sheet title={t('suppression.lift')} opened={lifting !== null} onClose={() => setLifting(null)}>
        {lifting ? <Lift {...lifting} onDone={() => setLifting(null)} /> : null}
      </Sheet>
    </SettingsSection>
  )
}

interface Choices {
  kinds: { value: string; label: string }[]
  reasons: { value: string; label: string }[]
  onDone: () => void
}

function Add({ kinds, reasons, onDone }: Choices) {
  const t = useT()
  const add = useSend('post', '/api/v1/suppressions', live)
  const form = useForm({
    initial: { addresses: '', channel: kinds[0]?.value ?? 'email', reason: 'manual', detail: '' },
    save: async (v) => {
      const addresses = v.addresses.split(/[\s,;]+/).filter(Boolean)
      const a = await add.mutateAsync({
        body: { addresses, channel: v.channel, reason: v.reason as Reason, detail: v.detail || undefined },
      })
      toast(t('suppression.added', { n: formatNumber(a.added), all: formatNumber(addresses.length) }))
    },
    onDone,
  })
  return (
    <FormBody form={form} action={t('suppression.add')} onCancel={onDone}>
      <Textarea
        label={t('suppression.addresses')}
        description={t('suppression.addresses_help')}
        placeholder={'aya@example.com\nben@example.com'}
        autosize
        minRows={3}
        maxRows={12}
        spellCheck={false}
        required
        data-autofocus
        {...form.getInputProps('addresses')}
      />
      <Select label={t('field.channel')} allowDeselect={false} data={kinds} {...form.getInputProps('channel')} />
      <Select label={t('field.reason')} allowDeselect={false} data={reasons} {...form.getInputProps('reason')} />
      <TextInput label={t('suppression.detail')} maxLength={500} {...form.getInputProps('detail')} />
    </FormBody>
  )
}

function Remove({ entry: s, onDone }: { entry: Suppression; onDone: () => void }) {
  const t = useT()
  const remove = useSend('delete', '/api/v1/suppressions/{channel}/{hash}', live)
  const form = useForm({
    initial: { why: '' },
    check: (v) => (v.why.trim() ? {} : { why: t('suppression.why_missing') }),
    save: (v) => remove.mutateAsync({ path: { channel: s.channel, hash: s.hash }, query: { why: v.why.trim() } }),
    onDone: () => {
      toast(t('suppression.removed', { hint: s.hint }))
      onDone()
    },
  })
  return (
    <FormBody form={form} action={t('suppression.remove')} onCancel={onDone}>
      <Definition
        items={[
          [t('suppression.address'), s.hint],
          [t('field.reason'), word('suppression_reason', s.reason)],
          [t('suppression.since'), <Time key="at" at={s.at} />],
        ]}
      />
      <LiftReason {...form.getInputProps('why')} />
    </FormBody>
  )
}

/** Many at once. The list holds no addresses, so nobody could put them back: the number is typed first. */
function Lift({ todo, count, clear, onDone }: { todo: Bulk; count: number; clear: () => void; onDone: () => void }) {
  const t = useT()
  const go = useGo()
  const form = useForm({
    initial: { why: '', count: '' },
    check: (v) => ({
      ...(v.why.trim() ? {} : { why: t('suppression.why_missing') }),
      ...(v.count.trim() === String(count) ? {} : { count: t('suppression.count_wrong', { n: String(count) }) }),
    }),
    save: async (v) => {
      clear()
      await doBulk({ ...todo, with: v.why.trim() }, live.refresh, go)
    },
    onDone,
  })
  return (
    <FormBody form={form} action={t('suppression.lift')} onCancel={onDone}>
      <Note>{t('suppression.lift_many', { count, n: formatNumber(count) })}</Note>
      <LiftReason {...form.getInputProps('why')} />
      <TextInput
        label={t('confirm.type_name', { name: String(count) })}
        inputMode="numeric"
        autoComplete="off"
        {...form.getInputProps('count')}
      />
    </FormBody>
  )
}

function Import({ kinds, reasons, onDone }: Choices) {
  const t = useT()
  const check = useSend('post', '/api/v1/suppressions/import/check')
  const begin = useSend('post', '/api/v1/suppressions/import', { refresh: ['/api/v1/jobs'] })
  const [file, setFile] = useState<File | null>(null)
  const [sent, setSent] = useState('')
  const [preview, setPreview] = useState<Schemas['SuppressionFileResult'] | null>(null)
  const [job, setJob] = useState('')
  const form = useForm({
    initial: { channel: kinds[0]?.value ?? 'email', column: '', reason: 'import', detail: '' },
    save: async (v) => {
      if (!file) throw new Problem(422, { code: 'file_missing', field: 'file', detail: t('suppression.file_missing') })
      const id = sent || (await upload(file)).id
      setSent(id)
      const body = {
        upload: id,
        channel: v.channel,
        column: v.column || undefined,
        reason: v.reason as Reason,
        detail: v.detail || undefined,
      }
      if (preview) setJob((await begin.mutateAsync({ body: { ...body, name: file.name } })).id)
      else setPreview(await check.mutateAsync({ body }))
    },
  })
  // What was looked at is what is taken: any change asks for another look.
  const inputs = (name: 'channel' | 'column' | 'reason' | 'detail') => {
    const p = form.getInputProps(name)
    return {
      ...p,
      onChange: (e: unknown) => {
        setPreview(null)
        p.onChange(e)
      },
    }
  }
  const faults = preview?.faults ?? []
  const rejects = () =>
    download(
      'suppression-rejects.csv',
      toCsv([['line', 'value', 'reason'], ...faults.map((f) => [f.line, f.value, word('suppression_fault', f.code)])]),
      'text/csv;charset=utf-8',
    )
  if (job) return <Begun id={job} onDone={onDone} />
  return (
    <FormBody
      form={form}
      action={preview ? t('suppression.import_now', { count: preview.added, n: formatNumber(preview.added) }) : t('suppression.look')}
      onCancel={onDone}
    >
      <FileInput
        label={t('suppression.file')}
        description={t('suppression.file_help')}
        placeholder={t('lists.file')}
        accept=".csv,.txt,text/csv"
        required
        clearable
        value={file}
        error={form.errors.file}
        onChange={(f) => {
          setPreview(null)
          setSent('')
          setFile(f)
        }}
      />
      <TextInput label={t('suppression.column')} description={t('suppression.column_help')} placeholder="email" {...inputs('column')} />
      <Select label={t('field.channel')} allowDeselect={false} data={kinds} {...inputs('channel')} />
      <Select label={t('field.reason')} allowDeselect={false} data={reasons} {...inputs('reason')} />
      <TextInput label={t('suppression.detail')} maxLength={500} {...inputs('detail')} />
      {preview ? (
        <Alert color={preview.rejected > 0 ? 'warning' : 'gray'} role="status" title={t('suppression.import_preview')}>
          <Stack gap="xs">
            <Definition
              items={[
                [t('suppression.rows'), formatNumber(preview.rows)],
                [t('suppression.rows_new'), formatNumber(preview.added)],
                [t('suppression.rows_known'), formatNumber(preview.known)],
                [t('suppression.rows_rejected'), formatNumber(preview.rejected)],
              ]}
            />
            {faults.length > 0 ? (
              <>
                {faults.slice(0, 5).map((f) => (
                  <Note key={f.line}>
                    {t('suppression.fault', { line: formatNumber(f.line), value: f.value, reason: word('suppression_fault', f.code) })}
                  </Note>
                ))}
                <Group>
                  <Button size="compact-sm" onClick={rejects}>
                    {t('suppression.rejects')}
                  </Button>
                </Group>
              </>
            ) : null}
          </Stack>
        </Alert>
      ) : null}
    </FormBody>
  )
}

/** The import at work. It goes on when the sheet is closed. */
function Begun({ id, onDone }: { id: string; onDone: () => void }) {
  const t = useT()
  const job = useRead('/api/v1/jobs/{id}', { path: { id } })
  const state = job.data?.state
  useEffect(() => {
    if (state === 'done') void refresh(live.refresh)
  }, [state])
  return (
    <Stack gap="md">
      <Loaded of={job}>{(j) => <JobState job={j} onGo={onDone} />}</Loaded>
      <Note>{t('jobs.goes_on')}</Note>
      <Group justify="flex-end">
        <Button variant="filled" onClick={onDone}>
          {t('action.close')}
        </Button>
      </Group>
    </Stack>
  )
}
