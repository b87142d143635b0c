import { act, configure, fireEvent, screen, waitFor, within } from '@testing-library/react'
import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { queryClient, refresh, type Schemas, useRead } from '@/api'
import { speak } from '@/i18n'
import en from '@/i18n/en.json'
import { show } from '../../test/show'
import { PaceTab } from './AccountPace'
import SendingSection, { Stop } from './SendingSection'

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

configure({ asyncUtilTimeout: 20_000 }) // the page of sending is long
beforeAll(() => speak('en', en))

beforeEach(() => {
  queryClient.clear()
  server.asked = []
  server.answers = {
    '/api/v1/session': {
      user: { id: 'usr_1', name: 'Mei' },
      workspace: 'ws',
      role: 'owner',
      permissions: ['settings.read', 'settings.write', 'campaigns.send'],
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

const night = (from: string) => ({ from, to: '08:00', then: 'hold' })
const cap = (limit: number) => ({ limit, days: 7 })
const rules = (quiet: unknown[], caps: unknown[], revision: number) => {
  server.answers['/api/v1/sending/policy'] = { quiet, caps, holdout: 5, revision }
}
const news = () => act(() => refresh(['/api/v1/']))
const row = async (text: string) => (await screen.findByText(text)).closest('tr')!
const edit = async (text: string) => fireEvent.click(within(await row(text)).getByRole('button', { name: en['action.edit'] }))

/** Opens the second cap of two and writes another limit. */
async function writeTheSecond(limit: number) {
  sending(false, [])
  server.answers['/api/v1/sending/bounce-policy'] = { soft_limit: 5, soft_days: 7, block_alert: 1, block_pause: 1 }
  rules([night('22:00')], [cap(3), cap(30)], 4)
  await show(SendingSection)
  await edit('30')
  const field = await screen.findByDisplayValue('30')
  fireEvent.change(field, { target: { value: String(limit) } })
  return () => fireEvent.click(within(field.closest('form')!).getByRole('button', { name: en['action.save'] }))
}

test('a cap is written to its place in the list as it is by now, whatever somebody else has changed beside it', async () => {
  const save = await writeTheSecond(40)
  rules([night('22:00'), night('12:00')], [cap(30), cap(9)], 5)
  await news()
  save()
  await waitFor(() =>
    expect(server.asked).toEqual([{ quiet: [night('22:00'), night('12:00')], caps: [cap(40), cap(9)], holdout: 5, revision: 5 }]),
  )
})

test('a cap that somebody else has changed is sent over what was seen, so that the server refuses', async () => {
  const save = await writeTheSecond(40)
  rules([night('22:00')], [cap(3), cap(31)], 5)
  await news()
  save()
  await waitFor(() => expect(server.asked).toEqual([{ quiet: [night('22:00')], caps: [cap(3), cap(40)], holdout: 5, revision: 4 }]))
})

test('a throttle is written to its place in the list as it is by now, over the account that is known', async () => {
  const throttle = (name: string, per_minute: number) => ({ name, domains: [`${name}.example`], per_minute })
  const account = (throttles: unknown[], revision: number) => {
    server.answers['/api/v1/accounts/acc_1'] = {
      id: 'acc_1',
      kind: 'email',
      name: 'Post',
      status: 'active',
      config: {},
      throttles,
      revision,
    }
    server.answers['/api/v1/accounts/acc_1/pace'] = { throttles: throttles.map((x) => ({ ...(x as object), used: 0 })), waiting: {} }
  }
  account([throttle('a', 10), throttle('b', 20)], 4)
  await show(function Page() {
    const { data } = useRead('/api/v1/accounts/{id}', { path: { id: 'acc_1' } })
    return data ? <PaceTab account={data as Schemas['Account']} /> : null
  })
  await edit('b')
  const field = await screen.findByDisplayValue('20')
  fireEvent.change(field, { target: { value: '25' } })
  account([throttle('b', 20)], 5)
  await news()
  fireEvent.click(within(field.closest('form')!).getByRole('button', { name: en['action.save'] }))
  await waitFor(() =>
    expect(server.asked).toMatchObject([{ name: 'Post', throttles: [{ name: 'b', domains: ['b.example'], per_minute: 25 }], revision: 5 }]),
  )
})
