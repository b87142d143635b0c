import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useT } from '@/i18n'
import { composing } from '@/lib/keys'

export interface Question {
  title: string
  text?: string
  /** The button that goes on; a verb. */
  action: string
  /** Colours the button as that of what cannot be taken back, as the one that led here is: see DangerButton. */
  danger?: boolean
  /** The reader must type this name: only for what cannot be undone. */
  name?: string
}

export default function ConfirmWindow({ question: q, onClose }: { question: Question; onClose: (yes: boolean) => void }) {
  const t = useT()
  const [typed, setTyped] = useState('')
  const ready = !q.name || typed.trim() === q.name
  return (
    <Modal
      opened
      onClose={() => onClose(false)}
      title={q.title}
      size="sm"
      closeButtonProps={{ 'aria-label': t('action.close') }}
      styles={{ title: { fontWeight: 600, fontSize: 16 } }}
    >
      <Stack gap="md">
        {q.text ? <Text c="dimmed">{q.text}</Text> : null}
        {q.name ? (
          <TextInput
            label={t('confirm.type_name', { name: q.name })}
            value={typed}
            data-autofocus
            autoComplete="off"
            onChange={(e) => setTyped(e.currentTarget.value)}
            onKeyDown={(e) => e.key === 'Enter' && !composing(e) && ready && onClose(true)}
          />
        ) : null}
        <Group justify="flex-end" gap="xs">
          <Button onClick={() => onClose(false)}>{t('action.cancel')}</Button>
          <Button
            variant="filled"
            color={q.danger ? 'danger' : 'accent'}
            disabled={!ready}
            onClick={() => onClose(true)}
            data-autofocus={q.name ? undefined : true}
          >
            {q.action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
