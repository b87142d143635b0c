import { QueryClientProvider } from '@tanstack/react-query'
import { fireEvent, render, renderHook, waitFor } from '@testing-library/react'
import { afterEach, expect, test, vi } from 'vitest'
import { call } from './client'
import { guess, queryClient, refresh, useAll, useSend } from './query'

vi.mock('./client', () => ({ call: vi.fn() }))
afterEach(() => queryClient.clear())

test('a list is read to its end, shows guesses, and is read anew with its path', async () => {
  const pages: Record<string, object> = {
    '': { items: [{ id: 's1', name: 'A' }], next_cursor: 'two' },
    two: { items: [{ id: 's2', name: 'B' }], next_cursor: 'three' },
    three: { items: null },
  }
  vi.mocked(call).mockImplementation(async (...asked: unknown[]) => pages[(asked[2] as { query: { cursor?: string } }).query.cursor ?? ''])
  const { result } = renderHook(() => useAll('/api/v1/segments'), {
    wrapper: ({ children }) => <QueryClientProvider client={queryClient}>{children}</QueryClientProvider>,
  })
  const names = () => result.current.data?.items.map((s) => s.name)
  await waitFor(() => expect(names()).toEqual(['A', 'B']))
  expect(vi.mocked(call)).toHaveBeenCalledTimes(3)

  guess([{ path: '/api/v1/segments', as: (s) => (s.id === 's2' ? { ...s, name: 'C' } : s) }])
  await waitFor(() => expect(names()).toEqual(['A', 'C']))

  pages['two'] = { items: [{ id: 's3', name: 'D' }] }
  await refresh(['/api/v1/segments'])
  await waitFor(() => expect(names()).toEqual(['A', 'D']))
})

test('a button that is pressed twice before anything else happens acts once', async () => {
  vi.mocked(call)
    .mockReset()
    .mockImplementation(() => new Promise(() => {}))
  function Make() {
    const make = useSend('post', '/api/v1/lists')
    return (
      <button disabled={make.isPending} onClick={() => make.mutate({ body: { name: 'x' } })}>
        make
      </button>
    )
  }
  const { getByText } = render(
    <QueryClientProvider client={queryClient}>
      <Make />
    </QueryClientProvider>,
  )
  // Clicks are heard before timers: between two of them only what was put off to the end of the first is done.
  fireEvent.click(getByText('make'))
  for (let n = 0; n < 20; n++) await Promise.resolve()
  fireEvent.click(getByText('make'))
  await waitFor(() => expect(call).toHaveBeenCalled())
  expect(call).toHaveBeenCalledOnce()
})
