import { fireEvent, screen, waitFor } from '@testing-library/react'
import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { queryClient } from '@/api'
import { speak } from '@/i18n'
import en from '@/i18n/en.json'
import { show } from '../../test/show'
import { Stop } from './SendingSection'

// The client takes fetch as it is when it is loaded, so this comes before.
const server = vi.hoisted(() => {
  const state = { answers: {} as Record<string, unknown>, asked: [] as unknown[] }
  globalThis.fetch = async (r) => {
    const path = new URL((r as Request).url, 'http://x').pathname
    if ((r as Request).method === 'PUT') state.asked.push(await (r as Request).json())
    return new Response(JSON.stringify(state.answers[path] ?? { items: [], next_cursor: '' }), {
      headers: { 'Content-Type': 'application/json' },
    })
  }
  return state
})

beforeAll(() => speak('en', en))

beforeEach(() => {
  queryClient.clear()
  server.asked = []
  server.answers = {
    '/api/v1/session': {
      user: { id: 'usr_1', name: 'Mei' },
      workspace: 'ws',
      role: 'owner',
      permissions: ['settings.read', 'campaigns.send'],
    },
    '/api/v1/campaigns/cmp_1': { id: 'cmp_1', name: 'Spring letter' },
  }
})

const sending = (stopped: boolean, waiting: unknown[]) => {
  server.answers['/api/v1/sending'] = { stopped, waiting, ...(stopped ? { stopped_since: '2026-03-01T09:00:00Z' } : {}) }
}

test('what waits while sending is stopped is listed, and sending resumes without it once somebody has said so twice', async () => {
  sending(true, [
    { kind: 'campaign', id: 'cmp_1', count: 1200 },
    { kind: 'api', count: 3 },
  ])
  await show(Stop)
  expect((await screen.findByText('Spring letter')).closest('a')?.getAttribute('href')).toBe('/campaigns/cmp_1')
  expect(screen.getByText('Waiting: 1,203')).toBeTruthy()
  fireEvent.click(screen.getByRole('button', { name: en['sending.afresh'] }))
  await screen.findByText(en['sending.afresh_title'])
  expect(server.asked).toEqual([])
  fireEvent.click(screen.getAllByRole('button', { name: en['sending.afresh'] }).at(-1)!)
  await waitFor(() => expect(server.asked).toEqual([{ stopped: false, waiting: 'cancel' }]))
})

test('sending resumes with what waits, and nothing is listed of what goes', async () => {
  sending(true, [{ kind: 'api', count: 3 }])
  const { unmount } = await show(Stop)
  fireEvent.click(await screen.findByRole('button', { name: en['sending.resume'] }))
  await waitFor(() => expect(server.asked).toEqual([{ stopped: false }]))
  unmount()
  queryClient.clear()
  sending(false, [{ kind: 'api', count: 3 }])
  await show(Stop)
  await screen.findByRole('button', { name: en['sending.stop'] })
  expect(screen.queryByText('Waiting: 3')).toBeNull()
  expect(screen.queryByRole('button', { name: en['sending.afresh'] })).toBeNull()
})
