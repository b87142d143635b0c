// Questions before something happens. The window itself is loaded with the first question.
import { lazy, Suspense, useSyncExternalStore } from 'react'
import type { Question } from './confirm-window'

const ConfirmWindow = lazy(() => import('./confirm-window'))

let open: { question: Question; answer: (yes: boolean) => void } | null = null
const listeners = new Set<() => void>()
const show = (next: typeof open) => {
  open = next
  for (const l of listeners) l()
}

/** Asks before something happens: if (await confirm({ title, action: t('action.remove'), danger: true })) ... Another question answers the one before with no. */
export const confirm = (question: Question) =>
  new Promise<boolean>((answer) => {
    open?.answer(false)
    show({ question, answer })
  })

/** Answers an open question with no: the page that asked it is left. */
export const dismiss = () => {
  open?.answer(false)
  show(null)
}

const subscribe = (l: () => void) => {
  listeners.add(l)
  return () => void listeners.delete(l)
}

/** Draws the question; UiProvider holds it. */
export function Confirmations() {
  const now = useSyncExternalStore(subscribe, () => open)
  if (!now) return null
  const close = (yes: boolean) => {
    now.answer(yes)
    show(null)
  }
  return (
    <Suspense fallback={null}>
      <ConfirmWindow question={now.question} onClose={close} />
    </Suspense>
  )
}
