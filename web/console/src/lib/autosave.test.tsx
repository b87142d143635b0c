import { act, renderHook } from '@testing-library/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Problem } from '@/api'
import { useAutosave } from './autosave'

beforeEach(() => {
  vi.useFakeTimers()
  localStorage.clear()
})
afterEach(() => vi.useRealTimers())

/** A server with one text, and a page that edits it. */
function page(server: { text: string; revision: number; down?: boolean; slow?: number }, first = server.text) {
  const puts: string[] = []
  const options = (now: string) => ({
    name: 'thing.1',
    now,
    revision: 1,
    put: async (draft: string, revision: number) => {
      if (server.slow) await new Promise((answered) => setTimeout(answered, server.slow))
      if (server.down) throw new TypeError('no connection')
      if (revision !== server.revision) throw new Problem(409, { code: 'changed' })
      puts.push(draft)
      server.text = draft
      return ++server.revision
    },
    theirs: async () => ({ draft: server.text, revision: server.revision }),
    take: vi.fn(),
    refresh: [],
  })
  let last = options(first)
  const shown: string[] = []
  const hook = renderHook(
    ({ now }) => {
      const saver = useAutosave((last = options(now)))
      shown.push(`${saver.saving}: ${now}`)
      return saver
    },
    { initialProps: { now: first } },
  )
  return {
    puts,
    shown,
    hook,
    type: (now: string) => hook.rerender({ now }),
    taken: () => last.take,
    wait: (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms)),
  }
}

test('what is typed in a row is saved once, within two seconds', async () => {
  const p = page({ text: '', revision: 1 })
  for (const text of ['a', 'ab', 'abc']) {
    p.type(text)
    await p.wait(200)
  }
  await p.wait(1500)
  expect(p.puts).toEqual(['abc'])
  expect(p.hook.result.current.saving).toBe('saved')
  expect(p.shown.filter((s) => /^saved: ./.test(s))).toEqual(['saved: abc']) // and was not said of anything else for a moment
  expect(localStorage.getItem('unsaved.thing.1')).toBeNull()
})

test('what is taken back before it is saved leaves nothing to save, and nothing to find', async () => {
  const p = page({ text: 'saved', revision: 1 })
  p.type('saved, and more')
  await p.wait(200)
  expect(p.hook.result.current.saving).toBe('waiting')
  p.type('saved')
  await p.wait(1500)
  expect(p.puts).toEqual([])
  expect(p.hook.result.current.saving).toBe('saved')
  expect(localStorage.getItem('unsaved.thing.1')).toBeNull()
})

test('what is taken back while it is being saved is saved as it was', async () => {
  const server = { text: 'saved', revision: 1, slow: 3000 }
  const p = page(server)
  p.type('saved, and more')
  await p.wait(1000)
  expect(p.hook.result.current.saving).toBe('saving')
  p.type('saved')
  await p.wait(10_000)
  expect(p.puts).toEqual(['saved, and more', 'saved'])
  expect(server.text).toBe('saved')
  expect(p.hook.result.current.saving).toBe('saved')
})

test('whoever leaves while what they took back is being saved leaves it as they see it', async () => {
  const server = { text: 'saved', revision: 1, slow: 3000 }
  const p = page(server)
  p.type('saved, and more')
  await p.wait(1000)
  p.type('saved')
  p.hook.unmount()
  await p.wait(10_000)
  expect(server.text).toBe('saved')
})

test('without a connection it stays here, is tried again, and outlives the page', async () => {
  const server = { text: '', revision: 1, down: true }
  const p = page(server)
  p.type('written offline')
  await p.wait(60_000)
  expect(p.hook.result.current.saving).toBe('failed')
  const crashed = page(server, '')
  await crashed.wait(0)
  server.down = false
  await p.wait(6000)
  expect(server.text).toBe('written offline')
  expect(p.hook.result.current.saving).toBe('saved')
})

test('a page that is opened again takes what was left over; if somebody saved meanwhile it asks', async () => {
  localStorage.setItem('unsaved.thing.1', JSON.stringify({ revision: 1, draft: 'left over' }))
  const p = page({ text: '', revision: 1 })
  expect(p.taken()).toHaveBeenCalledWith('left over')
  expect(p.hook.result.current.saving).toBe('saved')
  p.hook.unmount()

  localStorage.setItem('unsaved.thing.1', JSON.stringify({ revision: 0, draft: 'left over' }))
  const other = page({ text: 'theirs', revision: 1 })
  expect(other.hook.result.current.saving).toBe('conflict')
})

test('never over what somebody else has saved, unless told to', async () => {
  const server = { text: 'theirs', revision: 5 }
  const p = page(server, 'begun')
  p.type('mine')
  await p.wait(1000)
  expect(p.hook.result.current.saving).toBe('conflict')
  expect(server.text).toBe('theirs')
  p.type('mine, more')
  await p.wait(5000)
  expect(p.puts).toEqual([])
  await act(() => p.hook.result.current.save(true))
  expect(server.text).toBe('mine, more')
  expect(p.hook.result.current.saving).toBe('saved')
})
