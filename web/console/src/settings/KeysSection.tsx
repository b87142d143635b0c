import { useState } from 'react'
import { type Schemas, useList, useSend } from '@/api'
import { useCan, useSession } from '@/app/session'
import { useT } from '@/i18n'
import {
  Ago,
  Alert,
  Button,
  Card,
  confirm,
  CopyText,
  DataTable,
  EmptyState,
  FormBody,
  MultiSelect,
  Sheet,
  Status,
  TextInput,
  toastError,
  useForm,
} from '@/ui'
import { SettingsSection } from './SettingsSection'

const live = { refresh: ['/api/v1/keys'] }

export default function KeysSection() {
  const t = useT()
  const session = useSession()
  const write = useCan()('keys.write')
  const [making, setMaking] = useState(false)
  const [secret, setSecret] = useState('')
  const keys = useList('/api/v1/keys', {})
  const create = useSend('post', '/api/v1/keys', live)
  const revoke = useSend('delete', '/api/v1/keys/{id}', live)
  const form = useForm({
    initial: { name: '', scopes: ['people.read', 'segments.read', 'reports.read'] },
    save: async (v) => setSecret((await create.mutateAsync({ body: { name: v.name, scopes: v.scopes as never } })).secret ?? ''),
    onDone: () => setMaking(false),
  })
  const end = async (k: Schemas['Key']) => {
    if (
      await confirm({
        title: t('settings.revoke'),
        text: t('settings.revoke_confirm', { name: k.name }),
        action: t('settings.revoke'),
        danger: true,
        name: k.name,
      })
    )
      revoke.mutate({ path: { id: k.id } }, { onError: toastError })
  }
  return (
    <SettingsSection id="keys">
      {secret ? (
        <Alert
          color="success"
          title={t('settings.secret_once')}
          withCloseButton
          closeButtonLabel={t('action.close')}
          onClose={() => setSecret('')}
        >
          <CopyText value={secret} />
        </Alert>
      ) : null}
      <Card
        title={t('settings.keys')}
        help={t('settings.keys_help')}
        flush
        actions={write ? <Button onClick={() => setMaking(true)}>{t('settings.new_key')}</Button> : null}
      >
        <DataTable
          bare
          plain
          name="keys"
          label={t('settings.keys')}
          rows={keys.items}
          rowId={(k) => k.id}
          loading={keys.loading}
          error={keys.error}
          onRetry={keys.reload}
          more={keys.more}
          onMore={keys.loadMore}
          columns={[
            { id: 'name', title: t('field.name'), cell: (k) => k.name },
            {
              id: 'scopes',
              title: t('settings.scopes'),
              cell: (k) => (
                <code>
                  {(k.scopes ?? []).length > 6
                    ? t('settings.scopes_count', { count: (k.scopes ?? []).length })
                    : (k.scopes ?? []).join(' ')}
                </code>
              ),
            },
            { id: 'used', title: t('settings.last_used'), cell: (k) => <Ago at={k.last_used} /> },
            {
              id: 'revoke',
              title: '',
              num: true,
              cell: (k) =>
                k.revoked_at ? (
                  <Status value="revoked" />
                ) : write ? (
                  <Button size="compact-sm" onClick={() => void end(k)}>
                    {t('settings.revoke')}
                  </Button>
                ) : null,
            },
          ]}
          empty={<EmptyState title={t('settings.no_keys')} />}
        />
      </Card>
      <Sheet title={t('settings.new_key')} opened={making} onClose={() => setMaking(false)}>
        <FormBody form={form} action={t('action.create')} onCancel={() => setMaking(false)}>
          <TextInput label={t('field.name')} required maxLength={200} data-autofocus {...form.getInputProps('name')} />
          <MultiSelect
            label={t('settings.scopes')}
            searchable
            required
            data={session.permissions ?? []}
            {...form.getInputProps('scopes')}
          />
        </FormBody>
      </Sheet>
    </SettingsSection>
  )
}
