import { QueryClientProvider } from '@tanstack/react-query'
import { renderHook } from '@testing-library/react'
import { afterEach, expect, test, vi } from 'vitest'
import { queryClient } from '@/api'
import { call } from '@/api/client'
import { speak } from '@/i18n'
import en from '@/i18n/en.json'
import { useFoundPeople } from './found'

vi.mock('@/api/client', async (original) => ({ ...(await original<object>()), call: vi.fn() }))
afterEach(() => queryClient.clear())

test('until the server has answered, nobody stands there who does not fit what is typed', async () => {
  await speak('en', en)
  const answers = new Map<string, (found: object) => void>()
  vi.mocked(call).mockImplementation((...asked: unknown[]) => {
    const { q } = (asked[2] as { query: { q?: string } }).query
    return new Promise((answer) => answers.set(q ?? '', answer as never))
  })
  const person = (id: string, name: string, email: string) => ({ id, name, email, traits: {} })
  const { result, rerender } = renderHook(({ typed }) => useFoundPeople(typed), {
    initialProps: { typed: '' },
    wrapper: ({ children }) => <QueryClientProvider client={queryClient}>{children}</QueryClientProvider>,
  })
  const names = () => result.current.data.map((d) => d.label)
  const loading = result.current.nothingFoundMessage
  await vi.waitFor(() => expect(answers.has('')).toBe(true))
  answers.get('')!({ items: [person('p1', 'Ann', 'ann@a.example'), person('p2', 'Bea', 'bea@a.example')] })
  await vi.waitFor(() => expect(names()).toEqual(['Ann', 'Bea']))
  rerender({ typed: 'BEA@' })
  expect(names()).toEqual(['Bea'])
  rerender({ typed: 'zoe' })
  expect(names()).toEqual([])
  expect(result.current.nothingFoundMessage).toBe(loading)
  await vi.waitFor(() => expect(answers.has('zoe')).toBe(true))
  expect(names()).toEqual([])
  answers.get('zoe')!({ items: [person('p3', 'Zoë', 'z@a.example')] })
  await vi.waitFor(() => expect(names()).toEqual(['Zoë']))
  expect(result.current.nothingFoundMessage).not.toBe(loading)
})
