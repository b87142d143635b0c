import { QueryClientProvider } from '@tanstack/react-query'
import { act, renderHook } from '@testing-library/react'
import { afterEach, expect, test, vi } from 'vitest'
import { queryClient } from '@/api'
import { call } from '@/api/client'
import { usePreference } from './preferences'

vi.mock('@/api/client', async (original) => ({ ...(await original<object>()), call: vi.fn() }))
afterEach(() => queryClient.clear())

test('what was chosen last stays, however late the server answers and whatever it was asked before', async () => {
  let kept = 'first'
  const answers: (() => void)[] = []
  vi.mocked(call).mockImplementation((...asked: unknown[]) => {
    const then = asked[0] === 'get' ? kept : ''
    return new Promise((answer) =>
      answers.push(() => {
        if (asked[0] === 'get') return answer({ items: [{ key: 'view', value: then || kept }] })
        kept = (asked[2] as { body: { value: string } }).body.value
        answer(undefined)
      }),
    )
  })
  const { result } = renderHook(() => usePreference('view', 'none'), {
    wrapper: ({ children }) => <QueryClientProvider client={queryClient}>{children}</QueryClientProvider>,
  })
  const answer = (n = 0) => act(async () => answers.splice(n, 1)[0]!())
  expect(result.current.slice(0, 1)).toEqual(['none'])
  await answer()
  await vi.waitFor(() => expect(result.current[0]).toBe('first'))

  act(() => void queryClient.invalidateQueries()) // on its way while something is chosen
  await vi.waitFor(() => expect(answers).toHaveLength(1))
  await act(async () => {
    result.current[1]('second')
    result.current[1]('third')
  })
  await answer()
  expect(result.current[0]).toBe('third')
  await vi.waitFor(() => expect(answers).toHaveLength(1)) // the second waits for the first
  await answer()
  await vi.waitFor(() => expect(answers).toHaveLength(1))
  await answer()
  expect(kept).toBe('third')
  await vi.waitFor(() => expect(answers).toHaveLength(1))
  await answer()
  expect(result.current[0]).toBe('third')
})
