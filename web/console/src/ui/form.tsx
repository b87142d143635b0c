// Forms. The server is the validator: what it finds wrong is shown at the input it names.
import { Alert, Button, Drawer, Group, Stack } from '@mantine/core'
import { useForm as useMantineForm, type UseFormReturnType } from '@mantine/form'
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react'
import { describe, fieldErrors } from '@/api'
import { useT } from '@/i18n'
import { Note } from './pages'

export type Form<T extends object> = UseFormReturnType<T> & {
  busy: boolean
  /** What is wrong and belongs to no input. It goes as soon as something else is written. */
  failure: string | null
  /** What was wrong has been changed outside of the values. */
  forgive: () => void
  /** Runs `save`; errors land on their inputs, the first of which gets the focus. True if it went well. */
  submit: () => Promise<boolean>
}

interface FormOptions<T extends object> {
  initial: T
  save: (values: T) => Promise<unknown>
  /** Names of inputs by names of the API, where they differ: { 'config.host': 'host' } */
  names?: Record<string, string>
  /** Checks that help while typing; the server checks again. */
  check?: (values: T) => Partial<Record<string, string>>
  onDone?: () => void
}

/** const form = useForm({ initial: { name: '' }, save: (v) => create.mutateAsync({ body: v }) }); <TextInput {...form.getInputProps('name')} /> */
export function useForm<T extends object>({ initial, save, names, check, onDone }: FormOptions<T>): Form<T> {
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<string | null>(null)
  const forgive = useCallback(() => setFailure(null), [])
  const form = useMantineForm<T>({
    initialValues: initial,
    validate: check ? (v) => check(v) as never : undefined,
    onValuesChange: forgive,
  })
  const submit = async () => {
    if (busy || form.validate().hasErrors) return false
    setBusy(true)
    setFailure(null)
    try {
      await save(form.getValues())
      onDone?.()
      return true
    } catch (err) {
      const known = new Set(paths(form.getValues()))
      const faults = Object.entries(fieldErrors(err)).map(([k, v]) => [names?.[k] ?? k, v] as const)
      const fitting = faults.filter(([k]) => known.has(k))
      form.setErrors(Object.fromEntries(fitting))
      if (fitting.length === 0) setFailure(describe(err))
      return false
    } finally {
      setBusy(false)
    }
  }
  return Object.assign(form, { busy, failure, forgive, submit })
}

// Most inputs say aria-invalid; the one of passwords says it on the box around it.
const faultyInput = ':is(input, textarea, select, button)[aria-invalid="true"], [data-error] :is(input, textarea):not([type="hidden"])'

function paths(v: unknown, at = ''): string[] {
  if (typeof v !== 'object' || v === null) return [at]
  return [...(at ? [at] : []), ...Object.entries(v).flatMap(([k, x]) => paths(x, at ? `${at}.${k}` : k))]
}

/** The form element: Enter sends, errors of no input stand above the buttons, the first faulty input gets the focus. */
export function FormBody<T extends object>({
  form,
  action,
  onCancel,
  note,
  children,
}: {
  form: Form<T>
  action: string
  onCancel?: () => void
  /** Beside the buttons: what has become of the last change. */
  note?: ReactNode
  children: ReactNode
}) {
  const t = useT()
  const box = useRef<HTMLFormElement>(null)
  const faulty = Object.keys(form.errors).join()
  useEffect(() => {
    if (faulty && !form.busy) box.current?.querySelector<HTMLElement>(faultyInput)?.focus()
  }, [faulty, form.busy])
  return (
    <form
      ref={box}
      noValidate
      onSubmit={(e) => {
        e.preventDefault()
        void form.submit()
      }}
    >
      <Stack gap="md">
        {children}
        {form.failure ? (
          <Alert color="danger" role="alert">
            {form.failure}
          </Alert>
        ) : null}
        <Group justify="flex-end" gap="xs">
          {note === undefined ? null : (
            <span role="status" style={{ marginInlineEnd: 'auto' }}>
              <Note>{note}</Note>
            </span>
          )}
          {onCancel ? <Button onClick={onCancel}>{t('action.cancel')}</Button> : null}
          <Button type="submit" variant="filled" loading={form.busy}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

/** A sheet from the side: to create or change something with up to eight inputs, or to look at what is behind a figure. */
export function Sheet({
  title,
  opened,
  onClose,
  wide,
  children,
}: {
  title: ReactNode
  opened: boolean
  onClose: () => void
  wide?: boolean
  children: ReactNode
}) {
  const t = useT()
  return (
    <Drawer
      opened={opened}
      onClose={onClose}
      title={title}
      size={wide ? 880 : 520}
      closeButtonProps={{ 'aria-label': t('action.close') }}
      styles={{ title: { fontWeight: 600, fontSize: 16 } }}
    >
      {opened ? children : null}
    </Drawer>
  )
}
