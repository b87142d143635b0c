import { act, renderHook, waitFor } from '@testing-library/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Problem } from '@/api'
import { useUnsaved } from './unsaved'

// A server that keeps one draft, as long as the line is not cut.
const server = vi.hoisted(() => ({
  draft: undefined as undefined | { base: number; document: unknown; updated_at: string; created_at: string },
  others: [] as { name: string; since: string; updated_at: string }[],
  cut: false,
  times: 0,
  asked: [] as string[],
  slow: 0, // milliseconds that letting go takes
  most: 1000, // letters that it takes, after a second's thought
}))
vi.mock(import('@/api'), async (original) => {
  const real = await original()
  const call = async (method: string, _: string, args: { body?: { base: number; document: unknown } }) => {
    server.asked.push(method)
    await Promise.resolve()
    if (method === 'delete' && server.slow) await new Promise((later) => setTimeout(later, server.slow))
    if (String(args.body?.document ?? '').length > server.most) {
      await new Promise((later) => setTimeout(later, 3000))
      throw new Problem(413, { code: 'too_large' })
    }
    if (server.cut) throw new Problem(0, { code: 'offline' })
    if (method === 'delete') server.draft = undefined
    if (method === 'put' && args.body)
      server.draft = { ...structuredClone(args.body), updated_at: `2026-01-01T00:00:0${++server.times}Z`, created_at: '' }
    return { draft: structuredClone(server.draft), others: server.others }
  }
  return { ...real, call: call as unknown as typeof real.call }
})

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true })
  localStorage.clear()
  Object.assign(server, { draft: undefined, others: [], cut: false, times: 0, asked: [], slow: 0, most: 1000 })
})
afterEach(() => vi.useRealTimers())

const page = (saved: string, id: string | undefined = '1') => {
  const take = vi.fn()
  const reset = vi.fn()
  const hook = renderHook(({ now, base }) => useUnsaved({ kind: 'segment', id, revision: 3, now, dirty: now !== base, take, reset }), {
    initialProps: { now: saved, base: saved },
  })
  return {
    take,
    reset,
    hook,
    state: () => hook.result.current,
    type: (now: string) => hook.rerender({ now, base: saved }),
    save: (now: string) => hook.rerender({ now, base: now }),
  }
}
const passes = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms))

test('what was not saved is there again after the page has died, with what it was written over', async () => {
  const first = page('a')
  await passes(0)
  expect(first.take).not.toHaveBeenCalled()
  first.type('ab')
  first.hook.unmount()
  const second = page('a')
  await waitFor(() => expect(second.take).toHaveBeenCalledExactlyOnceWith('ab', 3))
  second.type('ab') // what take has it show
  expect(second.state().found).not.toBe('')
  second.save('ab')
  expect(second.state().found).toBe('')
  await passes(2000)
  second.hook.unmount()
  const third = page('ab')
  await passes(0)
  expect(third.take).not.toHaveBeenCalled()
  expect(server.draft).toBeUndefined()
})

test('it is on the server within two seconds, and another browser goes on with it', async () => {
  const first = page('a')
  await passes(0)
  first.type('ab')
  await passes(2000)
  expect(server.draft).toMatchObject({ base: 3, document: 'ab' })
  expect(first.state()).toMatchObject({ keeping: 'kept', keptAt: server.draft?.updated_at })
  first.hook.unmount()
  localStorage.clear()
  const second = page('a')
  await waitFor(() => expect(second.take).toHaveBeenCalledExactlyOnceWith('ab', 3))
  second.type('ab')
  expect(second.state().found).toBe(server.draft?.updated_at)
  const before = server.asked.length
  await passes(2000)
  expect(server.asked.slice(before)).toEqual([]) // it is there already
  act(() => second.state().discard())
  await passes(0)
  expect(second.reset).toHaveBeenCalledOnce()
  expect(server.draft).toBeUndefined()
})

test('what was let go does not come again in an editor that is opened at once', async () => {
  const first = page('a')
  await passes(0)
  first.type('ab')
  await passes(2000)
  server.slow = 500
  act(() => first.state().end())
  first.hook.unmount()
  const second = page('a') // the server does not know yet
  await passes(2000)
  expect(second.take).not.toHaveBeenCalled()
  expect(server.asked).toEqual(['get', 'put', 'delete', 'get'])
})

test('without a line it is kept here, and goes to the server five minutes later', async () => {
  const first = page('a')
  await passes(0)
  server.cut = true
  first.type('ab')
  await passes(300_000)
  expect(first.state().keeping).toBe('offline')
  expect(localStorage.getItem('unsaved.segment.1')).toContain('"ab"')
  server.cut = false
  await passes(6000)
  expect(first.state().keeping).toBe('kept')
  expect(server.draft).toMatchObject({ document: 'ab' })
})

test('what was saved on another device does not come again from this one', async () => {
  const first = page('a')
  await passes(0)
  first.type('ab')
  await passes(2000)
  first.hook.unmount()
  server.draft = undefined // saved or discarded there
  const second = page('ab')
  await passes(0)
  expect(second.take).not.toHaveBeenCalled()
  expect(localStorage).toHaveLength(0)
})

test('what both browsers wrote is not lost: one is shown, the other offered', async () => {
  const first = page('a')
  await passes(0)
  server.cut = true
  first.type('here')
  first.hook.unmount()
  await passes(0)
  server.cut = false
  server.draft = { base: 3, document: 'there', updated_at: '2026-01-01T00:00:09Z', created_at: '' }
  const second = page('a')
  await waitFor(() => expect(second.take).toHaveBeenCalledExactlyOnceWith('here', 3))
  second.type('here')
  await passes(2000)
  expect(server.draft).toMatchObject({ document: 'there' }) // not written over while it is offered
  act(() => second.state().offer?.take())
  expect(second.take).toHaveBeenLastCalledWith('there', 3)
  second.type('there')
  await passes(2000)
  expect(second.state()).toMatchObject({ offer: null, keeping: 'kept' })
})

test('what was saved as the page is left, or taken back by hand, does not come again', async () => {
  const first = page('a')
  await passes(0)
  first.type('ab')
  await passes(2000)
  act(() => first.state().end())
  first.type('abc')
  first.hook.unmount()
  await passes(2000)
  expect(server.draft).toBeUndefined()
  const second = page('a')
  await passes(0)
  expect(second.take).not.toHaveBeenCalled()
  second.type('ab')
  second.type('a')
  second.hook.unmount()
  const third = page('a')
  await passes(0)
  expect(third.take).not.toHaveBeenCalled()
  const asked = server.asked.length
  page('a', '').type('ab') // nothing is kept without a name
  await passes(2000)
  expect(localStorage).toHaveLength(0)
  expect(server.asked).toHaveLength(asked)
})

test('what was too much while it was on its way is kept once it has been made shorter meanwhile', async () => {
  server.most = 5
  const first = page('a')
  await passes(0)
  first.type('far too much')
  await passes(1200)
  first.type('short')
  await passes(10_000)
  expect(first.state().keeping).toBe('kept')
  expect(server.draft).toMatchObject({ document: 'short' })
})

test('a draft that goes on without a line is no other draft when the line is back', async () => {
  const first = page('a')
  await passes(0)
  first.type('ab')
  await passes(2000)
  server.cut = true
  first.type('abc')
  first.hook.unmount()
  const second = page('a')
  await waitFor(() => expect(second.take).toHaveBeenCalledExactlyOnceWith('abc', 3))
  second.type('abc')
  server.cut = false
  await passes(10_000)
  expect(second.state()).toMatchObject({ offer: null, keeping: 'kept' })
  expect(server.draft).toMatchObject({ document: 'abc' })
})
