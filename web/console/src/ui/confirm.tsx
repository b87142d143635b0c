import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useState, useSyncExternalStore } from 'react'
import { useT } from '@/i18n'
import { composing } from '@/lib/keys'

export interface Question {
  title: string
  text?: string
  /** The button that goes on; a verb. */
  action: string
  /** Colours the button as a warning; for what takes something away. */
  danger?: boolean
  /** The reader must type this name: only for what cannot be undone. */
  name?: string
}

let open: { question: Question; answer: (yes: boolean) => void } | null = null
const listeners = new Set<() => void>()
const show = (next: typeof open) => {
  open = next
  for (const l of listeners) l()
}

/** Asks before something happens: if (await confirm({ title, action: t('action.remove'), danger: true })) ... */
export const confirm = (question: Question) => new Promise<boolean>((answer) => show({ question, answer }))

/** Draws the question; UiProvider holds it. */
export function Confirmations() {
  const t = useT()
  const now = useSyncExternalStore(
    (l) => {
      listeners.add(l)
      return () => void listeners.delete(l)
    },
    () => open,
  )
  const [typed, setTyped] = useState('')
  const close = (yes: boolean) => {
    now?.answer(yes)
    setTyped('')
    show(null)
  }
  const q = now?.question
  const ready = !q?.name || typed.trim() === q.name
  return (
    <Modal
      opened={now !== null}
      onClose={() => close(false)}
      title={q?.title}
      size="sm"
      closeButtonProps={{ 'aria-label': t('action.close') }}
      styles={{ title: { fontWeight: 600, fontSize: 16 } }}
    >
      <Stack gap="md">
        {q?.text ? <Text c="dimmed">{q.text}</Text> : null}
        {q?.name ? (
          <TextInput
            label={t('confirm.type_name', { name: q.name })}
            value={typed}
            data-autofocus
            autoComplete="off"
            onChange={(e) => setTyped(e.currentTarget.value)}
            onKeyDown={(e) => e.key === 'Enter' && !composing(e) && ready && close(true)}
          />
        ) : null}
        <Group justify="flex-end" gap="xs">
          <Button onClick={() => close(false)}>{t('action.cancel')}</Button>
          <Button
            variant="filled"
            color={q?.danger ? 'danger' : 'accent'}
            disabled={!ready}
            onClick={() => close(true)}
            data-autofocus={q?.name ? undefined : true}
          >
            {q?.action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
