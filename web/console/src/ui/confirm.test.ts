import { expect, test } from 'vitest'
import { confirm } from './confirm'

test('a question that another one takes the place of is answered with no, and leaves nobody waiting', async () => {
  const first = confirm({ title: 'first', action: 'yes' })
  void confirm({ title: 'second', action: 'yes' })
  expect(await first).toBe(false)
})
