import { QueryObserver } from '@tanstack/react-query'
import { renderHook } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import { queryClient } from '@/api'
import { concerned, reread, useLive } from './live'

test('a change concerns lists of its noun and the thing itself, not its siblings', () => {
  const change = [{ topic: 'person', id: 'per_1' }]
  expect(concerned(['/api/v1/people', { query: {} }], change)).toBe(true)
  expect(concerned(['/api/v1/people/{id}', { path: { id: 'per_1' } }], change)).toBe(true)
  expect(concerned(['/api/v1/people/{id}/events', { path: { id: 'per_2' } }], change)).toBe(false)
  expect(concerned(['/api/v1/segments', {}], change)).toBe(false)
})

test('a topic that is newer than the console concerns the path of its plural', () => {
  expect(concerned(['/api/v1/coupons', {}], [{ topic: 'coupon' }])).toBe(true)
})

test('what a slow server is about to answer is not cut off by changes, and is read once more when it is there', async () => {
  const answers: ((n: number) => void)[] = []
  const signals: AbortSignal[] = []
  const screen = new QueryObserver(queryClient, {
    queryKey: ['/api/v1/segments', {}],
    queryFn: ({ signal }) => {
      signals.push(signal)
      return new Promise<number>((answer) => answers.push(answer))
    },
  })
  const leave = screen.subscribe(() => {})
  const changes = () => reread((q) => concerned(q.queryKey, [{ topic: 'segment' }]))
  for (let n = 1; n < 4; n++) {
    await vi.waitFor(() => expect(answers).toHaveLength(n))
    changes()
    changes()
    answers[n - 1]!(n)
    await vi.waitFor(() => expect(screen.getCurrentResult().data).toBe(n))
  }
  await vi.waitFor(() => expect(answers).toHaveLength(4))
  answers[3]!(4)
  await vi.waitFor(() => expect(screen.getCurrentResult().fetchStatus).toBe('idle'))
  expect(signals.some((s) => s.aborted)).toBe(false)
  changes()
  await vi.waitFor(() => expect(answers).toHaveLength(5))
  leave()
  queryClient.clear()
})

test('what could not be read is not asked for again by what changed meanwhile', async () => {
  const refusals: (() => void)[] = []
  const screen = new QueryObserver(queryClient, {
    queryKey: ['/api/v1/segments', {}],
    queryFn: () => new Promise<number>((_, refuse) => refusals.push(() => refuse(new Error('no')))),
    retry: false,
  })
  const leave = screen.subscribe(() => {})
  await vi.waitFor(() => expect(refusals).toHaveLength(1))
  reread((q) => concerned(q.queryKey, [{ topic: 'segment' }]))
  refusals[0]!()
  await vi.waitFor(() => expect(screen.getCurrentResult().status).toBe('error'))
  await new Promise((later) => setTimeout(later, 50))
  expect(refusals).toHaveLength(1)
  reread((q) => concerned(q.queryKey, [{ topic: 'segment' }]))
  await vi.waitFor(() => expect(refusals).toHaveLength(2))
  leave()
  queryClient.clear()
})

test('the first stream begins where the session was read, the next where the last one ended', () => {
  const opened: { url: string; onmessage?: (e: { lastEventId: string; data: string }) => void }[] = []
  class Stream {
    constructor(readonly url: string) {
      opened.push(this)
    }
    close() {}
  }
  vi.stubGlobal('EventSource', Stream)
  const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(false)
  const turn = (to: boolean) => {
    hidden.mockReturnValue(to)
    document.dispatchEvent(new Event('visibilitychange'))
  }
  const screen = renderHook(() => useLive('boot-3'))
  expect(opened.map((s) => s.url)).toEqual(['/api/v1/live?last=boot-3'])
  turn(true)
  turn(false)
  opened[1]!.onmessage!({ lastEventId: 'boot-7', data: '{"changes":[]}' })
  turn(true)
  turn(false)
  expect(opened.map((s) => s.url).slice(1)).toEqual(['/api/v1/live?last=boot-3', '/api/v1/live?last=boot-7'])
  screen.unmount()
  hidden.mockRestore()
  vi.unstubAllGlobals()
})
