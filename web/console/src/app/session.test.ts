import { expect, test, vi } from 'vitest'
import { signIn } from './session'

vi.mock(import('@/api'), async (original) => ({
  ...(await original()),
  call: (async (_method: string, _path: string, { body }: { body: { email: string } }) => ({
    user: { id: `usr_${body.email}` },
    workspace: 'ws_1',
    permissions: [],
  })) as never,
}))

test('what somebody has not saved is there for them again, and not for the next one at this browser', async () => {
  localStorage.clear()
  await signIn('ann', 'p')
  localStorage.setItem('unsaved.segment.new', 'of Ann')
  localStorage.setItem('language', 'ja')
  await signIn('ann', 'p')
  expect(localStorage.getItem('unsaved.segment.new')).toBe('of Ann')
  await signIn('ben', 'p')
  expect(localStorage.getItem('unsaved.segment.new')).toBeNull()
  expect(localStorage.getItem('language')).toBe('ja')
})
