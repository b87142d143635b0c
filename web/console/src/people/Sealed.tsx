import { Eye, EyeOff } from 'lucide-react'
import { useState } from 'react'
import { useSend } from '@/api'
import { useCan } from '@/app/session'
import { useT } from '@/i18n'
import { Button, Definition, FormBody, Group, Json, Note, Sheet, Stack, Textarea, useForm } from '@/ui'

type Shown = { value: unknown }

/** Fields of a person, or of one event of theirs, that are kept encrypted: hidden, and revealed one at a time to those who may. */
export function Sealed({ person, messageId, fields }: { person: string; messageId?: string; fields: string[] }) {
  const t = useT()
  const may = useCan()('people.reveal')
  const [asks, setAsks] = useState('')
  const [shown, setShown] = useState<Record<string, Shown>>({})
  const name = (field: string) => field.replace(/^(traits|properties)\./, '')
  const hide = (field: string) => setShown(Object.fromEntries(Object.entries(shown).filter(([f]) => f !== field)))
  const value = (field: string) => {
    const open = shown[field]
    return (
      <Group gap="xs">
        {!open ? <Note>{t('reveal.hidden')}</Note> : typeof open.value === 'object' ? <Json value={open.value} /> : String(open.value)}
        {!may ? null : open ? (
          <Button size="compact-xs" variant="subtle" leftSection={<EyeOff size={13} />} onClick={() => hide(field)}>
            {t('reveal.hide')}
          </Button>
        ) : (
          <Button size="compact-xs" variant="subtle" leftSection={<Eye size={13} />} onClick={() => setAsks(field)}>
            {t('reveal.show')}
          </Button>
        )}
      </Group>
    )
  }
  return (
    <>
      <Definition items={fields.map((f) => [name(f), value(f)])} />
      <Sheet title={t('reveal.title', { field: name(asks) })} opened={asks !== ''} onClose={() => setAsks('')}>
        {asks ? (
          <Ask
            person={person}
            messageId={messageId}
            field={asks}
            onDone={(found) => {
              if (found) setShown({ ...shown, [asks]: found })
              setAsks('')
            }}
          />
        ) : null}
      </Sheet>
    </>
  )
}

function Ask({ person, messageId, field, onDone }: { person: string; messageId?: string; field: string; onDone: (found?: Shown) => void }) {
  const t = useT()
  const reveal = useSend('post', '/api/v1/people/{id}/reveal', { refresh: ['/api/v1/audit'] })
  const form = useForm({
    initial: { reason: '' },
    save: async (v) =>
      onDone({
        value: (await reveal.mutateAsync({ path: { id: person }, body: { field, message_id: messageId, reason: v.reason } })).value,
      }),
  })
  return (
    <FormBody form={form} action={t('reveal.show')} onCancel={() => onDone()}>
      <Stack>
        <Textarea
          label={t('reveal.reason')}
          description={t('reveal.reason_help')}
          required
          autosize
          minRows={2}
          maxLength={300}
          {...form.getInputProps('reason')}
        />
      </Stack>
    </FormBody>
  )
}
