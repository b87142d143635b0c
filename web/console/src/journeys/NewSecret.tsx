// A secret that webhooks of journeys send in a header: typed in, or made here and shown this once for the other side.
import { useState } from 'react'
import { useSend } from '@/api'
import { useT } from '@/i18n'
import { Alert, Button, CopyText, FormBody, Group, PasswordInput, Sheet, Stack, Text, TextInput, useForm } from '@/ui'

/** 256 random bits, as letters that every header and configuration file takes. */
const random = () =>
  btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32)))).replace(/[+/=]/g, (c) => ({ '+': '-', '/': '_' })[c] ?? '')

export function NewSecret({ opened, onClose, onMade }: { opened: boolean; onClose: () => void; onMade: (id: string) => void }) {
  const t = useT()
  return (
    <Sheet opened={opened} onClose={onClose} title={t('journeys.new_secret')}>
      {opened ? <Body onClose={onClose} onMade={onMade} /> : null}
    </Sheet>
  )
}

function Body({ onClose, onMade }: { onClose: () => void; onMade: (id: string) => void }) {
  const t = useT()
  const create = useSend('post', '/api/v1/journey-secrets', { refresh: ['/api/v1/journey-secrets'] })
  const [made, setMade] = useState('') // here, and not typed
  const [kept, setKept] = useState(false)
  const form = useForm({
    initial: { name: '', value: '' },
    save: async (v) => {
      const secret = await create.mutateAsync({ body: v })
      onMade(secret.id)
      if (made && made === v.value) setKept(true)
      else onClose()
    },
  })
  if (kept)
    return (
      <Stack>
        <Alert color="success" title={t('settings.secret_once')}>
          <CopyText value={made} block />
        </Alert>
        <Text size="sm">{t('journeys.secret_made')}</Text>
        <Group justify="flex-end">
          <Button variant="filled" onClick={onClose}>
            {t('action.close')}
          </Button>
        </Group>
      </Stack>
    )
  return (
    <FormBody form={form} action={t('action.save')} onCancel={onClose}>
      <TextInput label={t('field.name')} required maxLength={200} data-autofocus {...form.getInputProps('name')} />
      <PasswordInput
        label={t('journeys.secret_value')}
        description={t('journeys.secret_value_help')}
        required
        maxLength={4096}
        autoComplete="off"
        {...form.getInputProps('value')}
      />
      <Group>
        <Button
          onClick={() => {
            const value = random()
            setMade(value)
            form.setFieldValue('value', value)
          }}
        >
          {t('journeys.secret_make')}
        </Button>
      </Group>
    </FormBody>
  )
}
