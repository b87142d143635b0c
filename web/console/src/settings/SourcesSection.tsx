import { useState } from 'react'
import { useList, useSend } from '@/api'
import { useCan } from '@/app/session'
import { useT } from '@/i18n'
import {
  Ago,
  Button,
  Card,
  CopyText,
  DataTable,
  EmptyState,
  FormBody,
  SegmentedControl,
  Sheet,
  Status,
  TextInput,
  toastError,
  useForm,
} from '@/ui'
import { SettingsSection } from './SettingsSection'

const live = { refresh: ['/api/v1/sources'] }

export default function SourcesSection() {
  const t = useT()
  const write = useCan()('keys.write')
  const [making, setMaking] = useState(false)
  const sources = useList('/api/v1/sources', {})
  const create = useSend('post', '/api/v1/sources', live)
  const update = useSend('put', '/api/v1/sources/{id}', live)
  const form = useForm({
    initial: { name: '', kind: 'server' as 'server' | 'browser' },
    save: (v) => create.mutateAsync({ body: v }),
    onDone: () => setMaking(false),
  })
  return (
    <SettingsSection id="sources">
      <Card
        title={t('settings.sources')}
        help={t('settings.sources_help')}
        flush
        actions={write ? <Button onClick={() => setMaking(true)}>{t('settings.new_source')}</Button> : null}
      >
        <DataTable
          bare
          plain
          name="sources"
          label={t('settings.sources')}
          rows={sources.items}
          rowId={(s) => s.id}
          loading={sources.loading}
          error={sources.error}
          onRetry={sources.reload}
          more={sources.more}
          onMore={sources.loadMore}
          columns={[
            { id: 'name', title: t('field.name'), cell: (s) => s.name },
            { id: 'kind', title: t('field.kind'), cell: (s) => t(`source.${s.kind}`) },
            { id: 'status', title: t('field.status'), cell: (s) => <Status value={s.disabled ? 'disabled' : 'active'} /> },
            { id: 'key', title: t('settings.write_key'), cell: (s) => <CopyText value={s.write_key} /> },
            { id: 'used', title: t('settings.last_used'), cell: (s) => <Ago at={s.last_used} /> },
            {
              id: 'switch',
              title: '',
              num: true,
              cell: (s) =>
                write ? (
                  <Button
                    size="compact-sm"
                    onClick={() =>
                      update.mutate({ path: { id: s.id }, body: { name: s.name, disabled: !s.disabled } }, { onError: toastError })
                    }
                  >
                    {t(s.disabled ? 'action.enable' : 'action.disable')}
                  </Button>
                ) : null,
            },
          ]}
          empty={<EmptyState title={t('settings.no_sources')} text={t('settings.sources_help')} />}
        />
      </Card>
      <Sheet title={t('settings.new_source')} opened={making} onClose={() => setMaking(false)}>
        <FormBody form={form} action={t('action.create')} onCancel={() => setMaking(false)}>
          <TextInput label={t('field.name')} required maxLength={200} data-autofocus {...form.getInputProps('name')} />
          <SegmentedControl
            aria-label={t('field.kind')}
            data={['server', 'browser'].map((k) => ({ value: k, label: t(`source.${k}`) }))}
            {...form.getInputProps('kind')}
          />
        </FormBody>
      </Sheet>
    </SettingsSection>
  )
}
