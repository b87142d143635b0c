import { act, render, renderHook, screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { beforeAll, expect, test } from 'vitest'
import { Problem } from '@/api'
import { speak } from '@/i18n'
import en from '@/i18n/en.json'
import { FormBody, PasswordInput, TextInput, UiProvider, useForm } from '.'

beforeAll(() => speak('en', en))

function Sample({ save }: { save: (v: { name: string; host: string }) => Promise<void> }) {
  const form = useForm({ initial: { name: '', host: '' }, save, names: { 'config.host': 'host' } })
  return (
    <FormBody form={form} action="Save">
      <TextInput label="Name" {...form.getInputProps('name')} />
      <TextInput label="Host" {...form.getInputProps('host')} />
    </FormBody>
  )
}

test('what the server refuses is shown at its input, which gets the focus; the rest above the buttons', async () => {
  const answers = [
    new Problem(422, { code: 'a', errors: [{ location: 'config.host', message: 'no such host' }] }),
    new Problem(409, { code: 'b', detail: 'somebody else was faster' }),
  ]
  const sent: string[] = []
  render(
    <UiProvider>
      <Sample
        save={async (v) => {
          sent.push(v.host)
          throw answers[sent.length - 1]
        }}
      />
    </UiProvider>,
  )
  await userEvent.type(screen.getByLabelText('Host'), 'x{Enter}')
  expect(await screen.findByText('no such host')).toBeTruthy()
  expect(document.activeElement).toBe(screen.getByLabelText('Host'))
  await userEvent.click(screen.getByRole('button', { name: 'Save' }))
  expect((await screen.findByRole('alert')).textContent).toContain('somebody else was faster')
  await userEvent.type(screen.getByLabelText('Name'), 'y') // what was refused is no more what stands here
  await waitFor(() => expect(screen.queryByRole('alert')).toBeNull())
  expect(sent).toEqual(['x', 'x'])
})

function Secret({ save }: { save: () => Promise<void> }) {
  const form = useForm({ initial: { name: '', password: '' }, save })
  return (
    <FormBody form={form} action="Save">
      <PasswordInput label="Password" {...form.getInputProps('password')} />
      <TextInput label="Name" {...form.getInputProps('name')} />
    </FormBody>
  )
}

test('an input of a password takes the focus for its fault like any other, each time', async () => {
  render(
    <UiProvider>
      <Secret
        save={async () => {
          throw new Problem(422, { code: 'a', errors: [{ location: 'password', message: 'too short' }] })
        }}
      />
    </UiProvider>,
  )
  for (const _ of [1, 2]) {
    await userEvent.type(screen.getByLabelText('Name'), 'x{Enter}')
    expect(await screen.findByText('too short')).toBeTruthy()
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText('Password')))
  }
})

interface Told {
  initial: { name: string; host: string }
  revision: number
}

/** A form over something that is saved; its save is answered when the test says so. */
function following(first: Told) {
  let end: { yes: (v: unknown) => void; no: (err: unknown) => void } = { yes: () => {}, no: () => {} }
  const sent: unknown[] = []
  const done: string[] = []
  const hook = renderHook(
    ({ initial, revision }: Told) =>
      useForm({
        initial,
        revision,
        follow: true,
        save: (v, over) => {
          sent.push([v.name, v.host, over])
          return new Promise<unknown>((yes, no) => (end = { yes, no }))
        },
        onDone: () => done.push('done'),
      }),
    { initialProps: first },
  )
  const form = () => hook.result.current
  return {
    form,
    sent,
    done,
    type: (name: string) => act(() => form().setFieldValue('name', name)),
    submit: () => act(() => void form().submit()),
    told: (name: string, host: string, revision: number) => hook.rerender({ initial: { name, host }, revision }),
    answer: (v?: unknown) => act(async () => end.yes(v)),
    refuse: (err: unknown) => act(async () => end.no(err)),
  }
}

test('what is written while a save is on its way stays and is not saved, whatever the server has made of what was', async () => {
  const f = following({ initial: { name: 'a', host: 'h' }, revision: 1 })
  f.type('ab ')
  f.submit()
  f.type('ab c')
  f.told('ab', 'h', 2) // read anew before the save has ended
  await f.answer({ revision: 2 })
  expect(f.form().values).toEqual({ name: 'ab c', host: 'h' })
  expect([f.form().isDirty(), f.form().more, f.done]).toEqual([true, true, []])
  f.submit()
  await f.answer({ revision: 3 })
  f.told('ab c', 'h', 3)
  expect(f.sent).toEqual([
    ['ab ', 'h', 1],
    ['ab c', 'h', 2],
  ])
  expect([f.form().isDirty(), f.form().more, f.done]).toEqual([false, false, ['done']])
})

test('without a word more it shows what the server has made of it', async () => {
  const f = following({ initial: { name: 'a', host: 'h' }, revision: 1 })
  f.type(' ab')
  f.submit()
  await f.answer({ revision: 2 })
  expect(f.form().values.name).toBe(' ab') // and not what it was before, if nothing is read anew
  f.told('ab', 'h', 2)
  expect(f.form().values.name).toBe('ab')
  expect(f.form().isDirty()).toBe(false)
})

test('a refused save keeps what was written and what was wrong, also when news come', async () => {
  const f = following({ initial: { name: 'a', host: 'h' }, revision: 1 })
  f.type('ab')
  f.submit()
  f.type('abc')
  f.told('a', 'there', 2)
  await f.refuse(new Problem(422, { code: 'x', errors: [{ location: 'name', message: 'too short' }] }))
  expect(f.form().values).toEqual({ name: 'abc', host: 'there' })
  expect(f.form().errors).toEqual({ name: 'too short' })
  expect([f.form().isDirty(), f.done]).toEqual([true, []])
})

test('news show where nothing is written, and move what is saved over', async () => {
  const f = following({ initial: { name: 'a', host: 'h' }, revision: 1 })
  f.type('mine')
  f.told('a', 'there', 2)
  expect(f.form().values).toEqual({ name: 'mine', host: 'there' })
  f.submit()
  expect(f.sent).toEqual([['mine', 'there', 2]])
  await f.answer()
})

test('what was written here and elsewhere stays as it is here, and is sent as what it was written over, until it is let go', async () => {
  const f = following({ initial: { name: 'a', host: 'h' }, revision: 1 })
  f.type('mine')
  f.told('theirs', 'h', 2)
  f.told('theirs', 'there', 3)
  expect(f.form().values).toEqual({ name: 'mine', host: 'there' })
  f.submit()
  await f.refuse(new Problem(409, { code: 'x', detail: 'somebody else was faster' }))
  expect(f.form().failure).toBe('somebody else was faster')
  f.told('theirs', 'over there', 4)
  expect(f.form().values.name).toBe('mine')
  expect(f.form().failure).toBe('somebody else was faster')
  act(() => f.form().reset())
  expect(f.form().values).toEqual({ name: 'theirs', host: 'over there' })
  f.type('theirs and mine')
  f.submit()
  expect(f.sent.map((x) => (x as unknown[])[2])).toEqual([1, 4])
  await f.answer()
})

test('where two wrote the same, the reader chooses whose stays', async () => {
  const faster = new Problem(409, { code: 'task.changed', detail: 'somebody else was faster' })
  const clashed = async () => {
    const f = following({ initial: { name: 'a', host: 'h' }, revision: 1 })
    f.type('mine')
    f.told('theirs', 'h', 2)
    f.submit()
    await f.refuse(faster)
    expect([f.form().clash, f.form().failure, f.form().values.name]).toEqual([true, null, 'mine'])
    return f
  }
  const theirs = await clashed()
  act(() => theirs.form().reset())
  expect([theirs.form().clash, theirs.form().isDirty(), theirs.form().values.name]).toEqual([false, false, 'theirs'])
  const mine = await clashed()
  act(() => void mine.form().overwrite())
  expect(mine.sent.at(-1)).toEqual(['mine', 'h', 2])
  await mine.answer({ revision: 3 })
  expect([mine.form().clash, mine.done]).toEqual([false, ['done']])
})

test('a save that the reader thought better of is none', async () => {
  const f = following({ initial: { name: 'a', host: 'h' }, revision: 1 })
  f.type('ab')
  f.submit()
  await f.answer(false)
  expect([f.form().isDirty(), f.form().busy, f.done]).toEqual([true, false, []])
})
