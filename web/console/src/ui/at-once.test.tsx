import { QueryClientProvider } from '@tanstack/react-query'
import { act, renderHook } from '@testing-library/react'
import { afterEach, expect, test, vi } from 'vitest'
import { becomes, Problem, queryClient, useRead } from '@/api'
import { call } from '@/api/client'
import { useAtOnce } from './at-once'
import { toastRetry } from './toast'

vi.mock('./toast', () => ({ toastRetry: vi.fn() }))
vi.mock('@/api/client', async (original) => ({ ...(await original<object>()), call: vi.fn() }))
afterEach(() => queryClient.clear())

const journeys = ['/api/v1/journeys', {}, 'pages'] as const
const one = ['/api/v1/journeys/{id}', { path: { id: 'j1' } }] as const

test('a change is shown before the server answers, and taken back with an offer to try again if it is refused', async () => {
  let refuse: (why: unknown) => void = () => {}
  vi.mocked(call).mockImplementation(() => new Promise((_, reject) => (refuse = reject)))
  queryClient.setQueryData(journeys, {
    pages: [
      {
        items: [
          { id: 'j1', status: 'live' },
          { id: 'j2', status: 'live' },
        ],
      },
    ],
  })
  queryClient.setQueryData(one, { id: 'j1', status: 'live' })
  const status = () => [
    (queryClient.getQueryData(one) as { status: string }).status,
    ...(queryClient.getQueryData(journeys) as { pages: { items: { status: string }[] }[] }).pages[0]!.items.map((x) => x.status),
  ]
  const { result } = renderHook(
    () =>
      useAtOnce('post', '/api/v1/journeys/{id}/pause', {
        refresh: [],
        shows: (a) => [becomes('/api/v1/journeys', a.path.id, { status: 'paused' })],
      }),
    { wrapper: ({ children }) => <QueryClientProvider client={queryClient}>{children}</QueryClientProvider> },
  )
  let ended: Promise<boolean> = Promise.resolve(true)
  act(() => void (ended = result.current({ path: { id: 'j1' } })))
  expect(status()).toEqual(['paused', 'paused', 'live'])
  await vi.waitFor(() => expect(call).toHaveBeenCalled())
  await act(async () => {
    refuse(new Problem(409, { code: 'journey.state' }))
    expect(await ended).toBe(false)
  })
  expect(status()).toEqual(['live', 'live', 'live'])
  expect(vi.mocked(toastRetry).mock.calls[0]![0]).toMatchObject({ code: 'journey.state' })
  act(() => vi.mocked(toastRetry).mock.calls[0]![1]())
  expect(status()).toEqual(['paused', 'paused', 'live'])
})

test('an answer that was on its way is asked for again if the change is refused', async () => {
  const asked: ((answer: object) => void)[] = []
  let refuse: (why: unknown) => void = () => {}
  vi.mocked(call).mockImplementation((...a: unknown[]) =>
    a[0] === 'get' ? new Promise((answer) => asked.push(answer as never)) : new Promise((_, reject) => (refuse = reject)),
  )
  const { result } = renderHook(
    () => ({
      one: useRead('/api/v1/journeys/{id}', { path: { id: 'j1' } }),
      pause: useAtOnce('post', '/api/v1/journeys/{id}/pause', {
        refresh: [],
        shows: () => [becomes('/api/v1/journeys', 'j1', { status: 'paused' })],
      }),
    }),
    { wrapper: ({ children }) => <QueryClientProvider client={queryClient}>{children}</QueryClientProvider> },
  )
  await vi.waitFor(() => expect(asked).toHaveLength(1))
  let ended: Promise<boolean> = Promise.resolve(true)
  await act(async () => void (ended = result.current.pause({ path: { id: 'j1' } })))
  await act(async () => {
    refuse(new Problem(409, { code: 'journey.state' }))
    expect(await ended).toBe(false)
  })
  await vi.waitFor(() => expect(asked).toHaveLength(2))
  await act(async () => asked[1]!({ id: 'j1', status: 'live' }))
  await vi.waitFor(() => expect(result.current.one.data).toMatchObject({ status: 'live' }))
})
