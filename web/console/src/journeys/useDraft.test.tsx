import { QueryClientProvider } from '@tanstack/react-query'
import { act, renderHook } from '@testing-library/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Problem, queryClient, type Schemas } from '@/api'
import { useDraft } from './useDraft'

const checks = vi.hoisted(() => [] as { answer: () => void; refuse: (why: unknown) => void }[])
vi.mock(import('@/api'), async (original) => {
  const real = await original()
  const call = async (method: string) =>
    method === 'put' ? { revision: 2 } : new Promise<void>((answer, refuse) => checks.push({ answer, refuse }))
  return { ...real, call: call as unknown as typeof real.call }
})
beforeEach(() => void vi.useFakeTimers({ shouldAdvanceTime: true }))
afterEach(() => vi.useRealTimers())

test('what the server found in a former draft is not shown when it says so late', async () => {
  const journey = { id: 'jrn_1', name: 'a', revision: 1, draft: { trigger: { manual: {} }, nodes: [] } } as unknown as Schemas['Journey']
  const { result } = renderHook(() => useDraft(journey, new Map()), {
    wrapper: ({ children }) => <QueryClientProvider client={queryClient}>{children}</QueryClientProvider>,
  })
  const found = () => result.current.faults.get('')?.caps
  await vi.waitFor(() => expect(checks).toHaveLength(1))
  act(() => result.current.edit((d) => ({ ...d, name: 'b' })))
  await act(() => vi.advanceTimersByTimeAsync(1000))
  expect(checks).toHaveLength(2)
  const fault = new Problem(422, { code: 'x', field: 'caps', detail: 'too many' })
  await act(async () => checks[1]!.answer())
  await act(async () => checks[0]!.refuse(fault))
  expect(found()).toBeUndefined()
  act(() => result.current.edit((d) => ({ ...d, name: 'c' })))
  await act(() => vi.advanceTimersByTimeAsync(1000))
  await act(async () => checks[2]!.refuse(fault))
  expect(found()).toBeDefined()
})
