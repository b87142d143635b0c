// Forms. The server is the validator: what it finds wrong is shown at the input it names.
import { Alert, Button, Drawer, Group, Stack } from '@mantine/core'
import { useForm as useMantineForm, type UseFormReturnType } from '@mantine/form'
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react'
import { describe, fieldErrors, Problem } from '@/api'
import { useT } from '@/i18n'
import { Note } from './pages'

export type Form<T extends object> = UseFormReturnType<T> & {
  busy: boolean
  /** What is wrong and belongs to no input. It goes as soon as something else is written. */
  failure: string | null
  /** The last save went well, but more was written while it was on its way. */
  more: boolean
  /** What was wrong has been changed outside of the values. */
  forgive: () => void
  /** Somebody else has saved something else where this form writes: `reset` takes theirs, `overwrite` saves this over it. */
  clash: boolean
  overwrite: () => Promise<boolean>
  /** Runs `save`; errors land on their inputs, the first of which gets the focus. True if it went well. */
  submit: () => Promise<boolean>
}

interface FormOptions<T extends object, S> {
  initial: T
  /**
   * What `initial` says is saved. What is saved anew, here or elsewhere, shows wherever nothing is written; what is written stays, and what is written while
   * a save is on its way is not taken for saved.
   */
  follow?: boolean
  /** The revision of `initial`, if the server counts. */
  revision?: number
  /**
   * Its second argument is the revision that what is written stands on: not the newest if somebody else has changed the same, so that the server refuses.
   * False says that the reader thought better of it; a revision in the answer is that of what was saved.
   */
  save: (values: T, revision: number) => Promise<S | false>
  /** Names of inputs by names of the API, where they differ: { 'config.host': 'host' } */
  names?: Record<string, string>
  /** Checks that help while typing; the server checks again. */
  check?: (values: T) => Partial<Record<string, string>>
  /** All of it is saved: the form may be closed. */
  onDone?: (saved: S) => void
}

/** const form = useForm({ initial: { name: '' }, save: (v) => create.mutateAsync({ body: v }) }); <TextInput {...form.getInputProps('name')} /> */
export function useForm<T extends object, S = unknown>({
  initial,
  follow,
  revision = 0,
  save,
  names,
  check,
  onDone,
}: FormOptions<T, S>): Form<T> {
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<string | null>(null)
  const [clash, setClash] = useState(false)
  const [more, setMore] = useState(false)
  const forgive = useCallback(() => setFailure(null), [])
  const form = useMantineForm<T>({
    initialValues: initial,
    validate: check ? (v) => check(v) as never : undefined,
    onValuesChange: forgive,
  })
  const [there, setThere] = useState({ initial, revision }) // what is saved, as it was told last
  const [base, setBase] = useState({ revision, behind: false }) // what it stands on, and whether that is no longer what is saved
  // A save on its way is told of before it has ended: what it brings is looked at when it has.
  if (follow && !busy && !same(there, { initial, revision })) {
    const { values, both } = over(form.getInitialValues(), form.getValues(), initial)
    const behind = base.behind || (both && revision !== base.revision)
    setThere({ initial, revision })
    setBase({ revision: behind ? base.revision : revision, behind })
    if (!same(values, form.getValues())) {
      form.setValues(values)
      form.setErrors(form.errors) // what was refused stays refused
      setFailure(failure)
    }
    form.resetDirty(initial)
  }
  const submit = async (on = base.revision) => {
    if (busy || form.validate().hasErrors) return false
    setBusy(true)
    setFailure(null)
    setClash(false)
    setMore(false)
    const sent = form.getValues()
    try {
      const saved = await save(sent, on)
      if (saved === false) return false
      const wroteOn = follow === true && !same(form.getValues(), sent)
      if (follow) {
        form.resetDirty(sent)
        setBase({ revision: revisionOf(saved) ?? on, behind: false })
      }
      if (wroteOn) setMore(true)
      else onDone?.(saved)
      return true
    } catch (err) {
      const known = new Set(paths(form.getValues()))
      const faults = Object.entries(fieldErrors(err)).map(([k, v]) => [names?.[k] ?? k, v] as const)
      const fitting = faults.filter(([k]) => known.has(k))
      form.setErrors(Object.fromEntries(fitting))
      if (follow && isClash(err)) setClash(true)
      else if (fitting.length === 0) setFailure(describe(err))
      return false
    } finally {
      setBusy(false)
    }
  }
  const { reset: goBack } = form
  const reset = () => {
    goBack()
    setBase({ revision: Math.max(base.revision, there.revision), behind: false })
    setClash(false)
    setMore(false)
  }
  return Object.assign(form, {
    busy,
    failure,
    clash,
    more: more && form.isDirty(),
    forgive,
    submit: () => submit(),
    overwrite: () => submit(there.revision),
    reset,
  })
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

/** Codes of a save that stands on a revision that is no longer the newest. */
const isClash = (err: unknown) => err instanceof Problem && err.status === 409 && /\.(changed|stale)$/.test(err.code)

const revisionOf = (saved: unknown) => (saved as { revision?: number } | null | undefined)?.revision

/** What was written over `was`, with what is saved by now wherever nothing was written; `both`: the same was written here and there. */
function over<T extends object>(was: T, written: T, saved: T): { values: T; both: boolean } {
  const changed = (Object.keys({ ...written, ...saved }) as (keyof T)[]).filter((k) => !same(written[k], was[k]))
  return {
    values: { ...saved, ...Object.fromEntries(changed.map((k) => [k, written[k]])) },
    both: changed.some((k) => !same(saved[k], was[k]) && !same(saved[k], written[k])),
  }
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
        {form.clash ? (
          <Alert color="warning" role="alert" title={t('saving.conflict')}>
            <Stack gap="sm">
              {t('form.clash')}
              <Group gap="xs">
                <Button onClick={form.reset}>{t('journeys.conflict_reload')}</Button>
                <Button onClick={() => void form.overwrite()}>{t('journeys.conflict_overwrite')}</Button>
              </Group>
            </Stack>
          </Alert>
        ) : null}
        {form.failure ? (
          <Alert color="danger" role="alert">
            {form.failure}
          </Alert>
        ) : null}
        <Group justify="flex-end" gap="xs">
          {note === undefined && !form.more ? null : (
            <span role="status" style={{ marginInlineEnd: 'auto' }}>
              <Note>{form.more ? t('form.more') : note}</Note>
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
