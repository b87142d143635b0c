import { Button, Group, Text } from '@mantine/core'
import { hideNotification, showNotification } from '@mantine/notifications'
import { CircleAlert, CircleCheck } from 'lucide-react'
import { describe } from '@/api'
import { t } from '@/i18n'

interface Offer {
  /** Words of the button: undo, retry, open. */
  label: string
  run: () => void
}

function show(text: string, o: { bad?: boolean; offer?: Offer; ms: number }) {
  const id = crypto.randomUUID()
  showNotification({
    id,
    autoClose: o.ms,
    withBorder: true,
    color: o.bad ? 'danger' : 'success',
    icon: o.bad ? <CircleAlert size={18} /> : <CircleCheck size={18} />,
    closeButtonProps: { 'aria-label': t('action.close') },
    message: (
      <Group justify="space-between" wrap="nowrap" gap="sm" role={o.bad ? 'alert' : 'status'}>
        <Text size="sm" miw={0} style={{ overflowWrap: 'anywhere' }}>
          {text}
        </Text>
        {o.offer ? (
          <Button
            size="compact-sm"
            variant="light"
            color="accent"
            flex="none"
            onClick={() => {
              hideNotification(id)
              o.offer?.run()
            }}
          >
            {o.offer.label}
          </Button>
        ) : null}
      </Group>
    ),
  })
}

/** Says shortly that something is done. */
export const toast = (text: string, offer?: Offer) => show(text, { offer, ms: offer ? 10_000 : 3500 })

/** Says that something is done and lets it be undone for ten seconds. */
export const toastUndo = (text: string, undo: () => void) => show(text, { offer: { label: t('action.undo'), run: undo }, ms: 10_000 })

/** Says that a part could not be done, and leads to it. */
export const toastPart = (text: string, offer: Offer) => show(text, { bad: true, offer, ms: 10_000 })

/** Says what went wrong. Fits onError of a change as it is. */
export const toastError = (err: unknown) => show(describe(err), { bad: true, ms: 7000 })

/** Says what went wrong and offers to try again. */
export const toastRetry = (err: unknown, retry: () => void) =>
  show(describe(err), { bad: true, ms: 15_000, offer: { label: t('action.retry'), run: retry } })
