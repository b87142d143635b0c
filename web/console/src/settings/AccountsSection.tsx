import { useState } from 'react'
import { type Schemas, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { useT } from '@/i18n'
import {
  Accordion,
  Button,
  Card,
  DataTable,
  EmptyState,
  FormBody,
  Loaded,
  type Schema,
  SchemaForm,
  Sheet,
  Status,
  TextInput,
  toast,
  toastError,
  useForm,
  type Values,
} from '@/ui'
import { SettingsSection } from './SettingsSection'

const main = ['host', 'port', 'security', 'username', 'password'] // what nearly every mail server needs; the rest is folded away

export default function AccountsSection() {
  const t = useT()
  const write = useCan()('settings.write')
  const [making, setMaking] = useState(false)
  const accounts = useRead('/api/v1/accounts', {})
  const channels = useRead('/api/v1/channels', {}, { enabled: making })
  const check = useSend('post', '/api/v1/accounts/{id}/check')
  const test = (a: Schemas['Account']) =>
    check.mutate({ path: { id: a.id } }, { onSuccess: () => toast(t('account.works')), onError: toastError })
  const config = (a: Schemas['Account']) => a.config as Record<string, string | number | undefined>
  return (
    <SettingsSection id="accounts">
      <Card
        title={t('settings.accounts')}
        help={t('settings.accounts_help')}
        flush
        actions={write ? <Button onClick={() => setMaking(true)}>{t('settings.new_account')}</Button> : null}
      >
        <Loaded of={accounts}>
          {(d) => (
            <DataTable
              bare
              plain
              name="accounts"
              label={t('settings.accounts')}
              rows={d.items ?? []}
              rowId={(a) => a.id}
              columns={[
                { id: 'name', title: t('field.name'), cell: (a) => a.name },
                { id: 'from', title: t('account.from_address'), cell: (a) => a.from_address },
                {
                  id: 'host',
                  title: t('account.host'),
                  cell: (a) => `${config(a).host ?? ''}${config(a).port ? `:${config(a).port}` : ''}`,
                },
                { id: 'status', title: t('field.status'), cell: (a) => <Status value={a.status} /> },
                {
                  id: 'check',
                  title: '',
                  num: true,
                  cell: (a) =>
                    write ? (
                      <Button size="compact-sm" loading={check.isPending && check.variables?.path.id === a.id} onClick={() => test(a)}>
                        {t('account.check')}
                      </Button>
                    ) : null,
                },
              ]}
              empty={<EmptyState title={t('account.empty')} />}
            />
          )}
        </Loaded>
      </Card>
      <Sheet title={t('settings.new_account')} opened={making} onClose={() => setMaking(false)}>
        <Loaded of={channels}>
          {(d) => <NewAccount channel={d.items?.find((c) => c.kind === 'email')} onDone={() => setMaking(false)} />}
        </Loaded>
      </Sheet>
    </SettingsSection>
  )
}

function NewAccount({ channel, onDone }: { channel: Schemas['ChannelKind'] | undefined; onDone: () => void }) {
  const t = useT()
  const create = useSend('post', '/api/v1/accounts', { refresh: ['/api/v1/accounts'] })
  const schema = (channel?.config_schema ?? {}) as Schema
  const empty: Values = Object.fromEntries(Object.keys(schema.properties ?? {}).map((k) => [k, undefined]))
  const form = useForm({
    initial: { name: '', from_name: '', from_address: '', config: { ...empty, port: 587, security: 'required' } as Values },
    save: (v) => create.mutateAsync({ body: { ...v, kind: 'email', default: true, config: JSON.parse(JSON.stringify(v.config)) } }),
    onDone,
  })
  const inputs = {
    schema,
    values: form.getValues().config,
    onChange: (config: Values) => form.setFieldValue('config', config),
    errors: form.errors,
    prefix: 'account',
    at: 'config',
  }
  return (
    <FormBody form={form} action={t('action.save')} onCancel={onDone}>
      <TextInput label={t('field.name')} required {...form.getInputProps('name')} />
      <TextInput label={t('account.from_name')} {...form.getInputProps('from_name')} />
      <TextInput label={t('account.from_address')} type="email" required {...form.getInputProps('from_address')} />
      <SchemaForm {...inputs} only={main} />
      <Accordion variant="contained">
        <Accordion.Item value="more">
          <Accordion.Control>{t('settings.more')}</Accordion.Control>
          <Accordion.Panel>
            <SchemaForm {...inputs} except={main} />
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
    </FormBody>
  )
}
