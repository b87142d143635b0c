import { render, screen, waitFor } from '@testing-library/react'
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
