// The secrets that webhooks of journeys send: renamed, given another value when the other side changes theirs, and deleted when no journey sends them.
import { useState } from 'react'
import { type Schemas, useList, useSend } from '@/api'
import { useCan } from '@/app/session'
import { useT } from '@/i18n'
import {
  Ago,
  Button,
  Card,
  confirm,
  EmptyState,
  FormBody,
  Group,
  ListTable,
  PasswordInput,
  Sheet,
  TextInput,
  toastError,
  useForm,
  DangerButton,
} from '@/ui'
import { NewSecret } from './NewSecret'

type Secret = Schemas['JourneySecret']
const changed = { refresh: ['/api/v1/journey-secrets'] }

export function Secrets() {
  const t = useT()
  const can = useCan()
  const write = can('journeys.write')
  const [making, setMaking] = useState(false)
  const [open, setOpen] = useState<Secret | null>(null)
  const secrets = useList('/api/v1/journey-secrets', {}, { enabled: can('journeys.read') })
  const remove = useSend('delete', '/api/v1/journey-secrets/{id}', changed)
  const end = async (s: Secret) => {
    if (await confirm({ title: t('journeys.delete_secret', { name: s.name }), action: t('action.delete'), danger: true }))
      remove.mutate({ path: { id: s.id } }, { onError: toastError })
  }
  if (!can('journeys.read')) return null
  return (
    <Card
      title={t('journeys.secrets')}
      help={t('journeys.secrets_help')}
      flush
      actions={write ? <Button onClick={() => setMaking(true)}>{t('journeys.new_secret')}</Button> : null}
    >
      <ListTable
        bare
        plain
        name="journey-secrets"
        label={t('journeys.secrets')}
        of={secrets}
        rowId={(s) => s.id}
        columns={[
          { id: 'name', title: t('field.name'), cell: (s) => s.name, text: (s) => s.name },
          { id: 'changed', title: t('field.changed'), num: true, cell: (s) => <Ago at={s.updated_at} />, text: (s) => s.updated_at },
          {
            id: 'acts',
            title: '',
            cell: (s) =>
              write ? (
                <Group gap="xs" justify="flex-end">
                  <Button size="compact-sm" onClick={() => setOpen(s)}>
                    {t('action.edit')}
                  </Button>
                  <DangerButton size="compact-sm" onClick={() => void end(s)}>
                    {t('action.delete')}
                  </DangerButton>
                </Group>
              ) : null,
            text: () => '',
          },
        ]}
        empty={<EmptyState title={t('journeys.no_secrets')} />}
      />
      <NewSecret opened={making} onClose={() => setMaking(false)} onMade={() => undefined} />
      <Sheet title={open?.name ?? ''} opened={open !== null} onClose={() => setOpen(null)}>
        {open ? <Change secret={open} onClose={() => setOpen(null)} /> : null}
      </Sheet>
    </Card>
  )
}

function Change({ secret, onClose }: { secret: Secret; onClose: () => void }) {
  const t = useT()
  const update = useSend('put', '/api/v1/journey-secrets/{id}', changed)
  const form = useForm({
    initial: { name: secret.name, value: '' },
    follow: true,
    save: (body) => update.mutateAsync({ path: { id: secret.id }, body }),
    onDone: onClose,
  })
  return (
    <FormBody form={form} action={t('action.save')} onCancel={onClose}>
      <TextInput label={t('field.name')} required maxLength={200} data-autofocus {...form.getInputProps('name')} />
      <PasswordInput
        label={t('journeys.secret_value')}
        description={t('journeys.secret_keep')}
        maxLength={4096}
        autoComplete="off"
        {...form.getInputProps('value')}
      />
    </FormBody>
  )
}
