import { expect, test } from 'vitest'
import { confirm, dismiss } from './confirm'

test('a question that another one takes the place of is answered with no, and leaves nobody waiting', async () => {
  const first = confirm({ title: 'first', action: 'yes' })
  void confirm({ title: 'second', action: 'yes' })
  expect(await first).toBe(false)
})

test('a question whose page is left is answered with no', async () => {
  const asked = confirm({ title: 'asked', action: 'yes' })
  dismiss()
  expect(await asked).toBe(false)
  dismiss() // of nothing
})
