import { useState } from 'react'
import { type Schemas, useList, useSend } from '@/api'
import { useCan } from '@/app/session'
import { useT } from '@/i18n'
import { useShortcuts } from '@/lib/keys'
import { useGo } from '@/lib/route'
import {
  Ago,
  Button,
  Card,
  confirm,
  CopyText,
  DataTable,
  EmptyState,
  FormBody,
  Link,
  Radio,
  Sheet,
  Stack,
  Status,
  TextInput,
  ThingActs,
  toast,
  toastError,
  useForm,
} from '@/ui'
import { SettingsSection } from './SettingsSection'

type Source = Schemas['Source']

const live = { refresh: ['/api/v1/sources'] }

export default function SourcesSection() {
  const t = useT()
  const go = useGo()
  const write = useCan()('keys.write')
  const [making, setMaking] = useState(false)
  useShortcuts(write ? [{ keys: 'n', label: t('settings.new_source'), run: () => setMaking(true) }] : [])
  const [renaming, setRenaming] = useState<Source | null>(null)
  const sources = useList('/api/v1/sources', {})
  const create = useSend('post', '/api/v1/sources', live)
  const update = useSend('put', '/api/v1/sources/{id}', live)
  const remove = useSend('delete', '/api/v1/sources/{id}', live)
  const form = useForm({
    initial: { name: '', kind: 'browser' as Source['kind'] },
    save: async (v) => go(`/settings/sources/${(await create.mutateAsync({ body: v })).id}`),
  })
  const turn = async (s: Source) => {
    if (
      !s.disabled &&
      !(await confirm({ title: t('source.disable_title', { name: s.name }), text: t('source.disable_text'), action: t('action.disable') }))
    )
      return
    update.mutate({ path: { id: s.id }, body: { name: s.name, disabled: !s.disabled } }, { onError: toastError })
  }
  const end = async (s: Source) => {
    if (
      await confirm({
        title: t('source.delete_title', { name: s.name }),
        text: t('source.delete_text'),
        action: t('action.delete'),
        danger: true,
        name: s.name,
      })
    )
      remove.mutate({ path: { id: s.id } }, { onSuccess: () => toast(t('source.deleted', { name: s.name })), onError: toastError })
  }
  return (
    <SettingsSection
      id="sources"
      actions={
        write ? (
          <Button variant="filled" onClick={() => setMaking(true)}>
            {t('settings.new_source')}
          </Button>
        ) : null
      }
    >
      <Card flush>
        <DataTable
          bare
          plain
          name="sources"
          label={t('settings.section.sources')}
          rows={sources.items}
          rowId={(s) => s.id}
          loading={sources.loading}
          error={sources.error}
          onRetry={sources.reload}
          more={sources.more}
          onMore={sources.loadMore}
          columns={[
            { id: 'name', title: t('field.name'), cell: (s) => <Link to={`/settings/sources/${s.id}`}>{s.name}</Link> },
            { id: 'kind', title: t('field.kind'), cell: (s) => t(`source.${s.kind}`) },
            {
              id: 'status',
              title: t('field.status'),
              cell: (s) =>
                s.disabled ? (
                  <Status value="disabled" />
                ) : s.last_used ? (
                  <Status value="connected" tone="success" />
                ) : (
                  <Status value="no_event_yet" tone="warning" />
                ),
            },
            { id: 'used', title: t('settings.last_used'), cell: (s) => <Ago at={s.last_used} /> },
            {
              id: 'more',
              title: '',
              num: true,
              cell: (s) => (
                <ThingActs
                  name={s.name}
                  acts={[
                    { label: t('source.connect'), to: `/settings/sources/${s.id}` },
                    write && { label: t('source.rename'), run: () => setRenaming(s) },
                    write && { label: t(s.disabled ? 'action.enable' : 'action.disable'), run: () => void turn(s) },
                    write && { label: t('action.delete'), red: true, run: () => void end(s) },
                  ]}
                />
              ),
            },
          ]}
          empty={<EmptyState title={t('settings.no_sources')} />}
        />
      </Card>
      <Sheet title={t('settings.new_source')} opened={making} onClose={() => setMaking(false)}>
        <FormBody form={form} action={t('action.create')} onCancel={() => setMaking(false)}>
          <TextInput label={t('field.name')} required maxLength={200} data-autofocus {...form.getInputProps('name')} />
          <Radio.Group label={t('field.kind')} required {...form.getInputProps('kind')}>
            <Stack gap="sm" mt="xs">
              {(['browser', 'server'] as const).map((k) => (
                <Radio key={k} value={k} label={t(`source.${k}`)} description={t(`source.${k}_help`)} />
              ))}
            </Stack>
          </Radio.Group>
        </FormBody>
      </Sheet>
      <Sheet title={t('source.rename')} opened={renaming !== null} onClose={() => setRenaming(null)}>
        {renaming ? <Rename source={renaming} onDone={() => setRenaming(null)} /> : null}
      </Sheet>
    </SettingsSection>
  )
}

function Rename({ source: s, onDone }: { source: Source; onDone: () => void }) {
  const t = useT()
  const update = useSend('put', '/api/v1/sources/{id}', live)
  const form = useForm({
    initial: { name: s.name },
    follow: true,
    save: (v) => update.mutateAsync({ path: { id: s.id }, body: { name: v.name, disabled: s.disabled } }),
    onDone,
  })
  return (
    <FormBody form={form} action={t('action.save')} onCancel={onDone}>
      <TextInput label={t('field.name')} required maxLength={200} data-autofocus {...form.getInputProps('name')} />
      <CopyText value={s.write_key} />
    </FormBody>
  )
}
