import { renderHook } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'
import { useUnsaved } from './unsaved'

beforeEach(() => localStorage.clear())

const page = (saved: string, name: string | undefined = 'thing.1') => {
  const take = vi.fn()
  const hook = renderHook(({ now, base }) => useUnsaved({ name, revision: 3, now, dirty: now !== base, take }), {
    initialProps: { now: saved, base: saved },
  })
  return {
    take,
    hook,
    type: (now: string) => hook.rerender({ now, base: saved }),
    save: (now: string) => hook.rerender({ now, base: now }),
  }
}

test('what was not saved is there again after the page has died, with what it was written over', () => {
  const first = page('a')
  expect(first.take).not.toHaveBeenCalled()
  first.type('ab')
  first.hook.unmount()
  const second = page('a')
  expect(second.take).toHaveBeenCalledExactlyOnceWith('ab', 3)
  second.type('ab') // what take has it show
  expect(second.hook.result.current.found).toBe(true)
  second.save('ab')
  expect(second.hook.result.current.found).toBe(false)
  second.hook.unmount()
  expect(page('ab').take).not.toHaveBeenCalled()
})

test('what was saved as the page is left, or taken back by hand, does not come again', () => {
  const first = page('a')
  first.type('ab')
  first.hook.result.current.end()
  first.type('abc')
  first.hook.unmount()
  expect(page('a').take).not.toHaveBeenCalled()
  const second = page('a')
  second.type('ab')
  second.type('a')
  second.hook.unmount()
  expect(page('a').take).not.toHaveBeenCalled()
  page('a', '').type('ab') // nothing is kept without a name
  expect(localStorage).toHaveLength(0)
})
