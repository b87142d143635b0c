import { beforeAll, expect, test } from 'vitest'
import { speak } from '@/i18n'
import en from '@/i18n/en.json'
import { describe, fieldErrors, Problem } from './problem'

beforeAll(() => speak('en', en))

test('each fault is found by the name of its input', () => {
  const p = new Problem(422, {
    code: 'x',
    errors: [
      { location: 'body.caps[1].limit', message: 'too big' },
      { location: 'name', message: 'missing' },
    ],
  })
  expect(fieldErrors(p)).toEqual({ 'caps.1.limit': 'too big', name: 'missing' })
})

test('a known code is worded in the catalogue, an unknown one keeps the words of the server', () => {
  expect(describe(new Problem(401, { code: 'staff.sign_in.failed', detail: 'x' }))).toBe('The address or password is wrong.')
  expect(describe(new Problem(422, { code: 'new.code', detail: 'do this', field: 'name' }))).toBe('name: do this')
  expect(describe(new Error('boom'))).toBe(en['error.internal'])
})
