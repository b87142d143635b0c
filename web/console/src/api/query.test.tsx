import { QueryClientProvider } from '@tanstack/react-query'
import { renderHook, waitFor } from '@testing-library/react'
import { afterEach, expect, test, vi } from 'vitest'
import { call } from './client'
import { guess, queryClient, refresh, useAll } from './query'

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
