import { act, renderHook } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'
import { useForm } from '@/ui'
import { editedForm, useEditing } from './editing'

vi.mock(import('@/api'), async (original) => {
  const real = await original()
  return { ...real, call: (async () => ({ others: [] })) as unknown as typeof real.call }
})

beforeEach(() => localStorage.clear())

interface Saved {
  id: string
  revision: number
  name: string
}

/** An editor whose save is answered when the test says so. */
function editor(id: string, saved: Saved) {
  let answer: (s: Saved) => void = () => {}
  const done = vi.fn()
  const hook = renderHook(
    ({ there }: { there: Saved }) => {
      const form = useForm({
        initial: { name: saved.name },
        save: async () => {
          done((await edit.save(() => new Promise<Saved>((yes) => (answer = yes)))).more)
        },
      })
      const edit = useEditing({
        ...editedForm(form),
        kind: 'segment',
        id,
        revision: saved.revision,
        there,
        stale: 'segment.changed',
        read: async () => saved,
        from: (s: Saved) => ({ name: s.name }),
      })
      return { form, edit }
    },
    { initialProps: { there: saved } },
  )
  return {
    hook,
    done,
    type: (name: string) => act(() => hook.result.current.form.setFieldValue('name', name)),
    submit: () => act(() => void hook.result.current.form.submit()),
    answer: (s: Saved) => act(async () => answer(s)),
    now: () => hook.result.current,
  }
}
const kept = (id: string) =>
  JSON.parse(localStorage.getItem(`unsaved.segment.${id}`) ?? 'null') as { revision: number; draft: unknown } | null

test('what is written while a save is on its way is not saved by it, and is kept over what was saved', async () => {
  const e = editor('seg_1', { id: 'seg_1', revision: 3, name: 'a' })
  e.type('ab')
  e.submit()
  e.type('abc')
  await e.answer({ id: 'seg_1', revision: 4, name: 'ab' })
  expect(e.done).toHaveBeenCalledExactlyOnceWith(true)
  expect(e.now().form.getValues()).toEqual({ name: 'abc' })
  expect(e.now().form.isDirty()).toBe(true)
  expect(kept('seg_1')).toMatchObject({ revision: 4, draft: { name: 'abc' } })
  await act(async () => e.now().edit.unsaved.discard())
  expect(e.now().form.getValues()).toEqual({ name: 'ab' })
  expect(kept('seg_1')).toBeNull()
})

test('a save that nothing was written after leaves nothing unsaved', async () => {
  const e = editor('seg_1', { id: 'seg_1', revision: 3, name: 'a' })
  e.type('ab')
  expect(kept('seg_1')).not.toBeNull()
  e.submit()
  await e.answer({ id: 'seg_1', revision: 4, name: 'ab' })
  expect(e.done).toHaveBeenCalledExactlyOnceWith(false)
  expect(e.now().form.isDirty()).toBe(false)
  expect(kept('seg_1')).toBeNull()
})

test('what is written while something new is saved is found by its editor', async () => {
  const e = editor('new', { id: '', revision: 0, name: '' })
  e.type('ab')
  e.submit()
  e.type('abc')
  await e.answer({ id: 'seg_7', revision: 1, name: 'ab' })
  expect(e.done).toHaveBeenCalledExactlyOnceWith(true)
  expect(kept('seg_7')).toMatchObject({ revision: 1, draft: { name: 'abc' } })
  expect(kept('new')).toBeNull()
})

test('what a colleague saves shows at once while nothing is changed here, and never over what is', async () => {
  const e = editor('seg_1', { id: 'seg_1', revision: 3, name: 'a' })
  await act(async () => e.hook.rerender({ there: { id: 'seg_1', revision: 4, name: 'theirs' } }))
  expect(e.now().form.getValues()).toEqual({ name: 'theirs' })
  e.type('mine')
  await act(async () => e.hook.rerender({ there: { id: 'seg_1', revision: 5, name: 'again' } }))
  expect(e.now().form.getValues()).toEqual({ name: 'mine' })
  await act(async () => e.now().edit.unsaved.discard())
  expect(e.now().form.getValues()).toEqual({ name: 'again' })
})
