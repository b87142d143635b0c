import { beforeEach, expect, test } from 'vitest'
import en from '@/i18n/en.json'
import ja from '@/i18n/ja.json'
import { speak } from '@/i18n'
import { describe, fieldErrors, Problem } from './problem'

beforeEach(() => speak('en', en))

test('a refusal is worded in the reader’s language with what it names', async () => {
  const fault = { location: 'body.percent', code: 'journey.split.sum', message: 'the percentages make 90 together', args: ['90'] }
  const err = new Problem(422, { code: fault.code, detail: fault.message, field: fault.location, args: fault.args, errors: [fault] })
  expect(describe(err)).toBe('The shares add up to 90 percent; they must add up to 100.')
  await speak('ja', ja)
  expect(fieldErrors(err)).toEqual({ percent: '割合の合計が90%です。100%にしてください。' })
})

test('a code that no catalogue has keeps the words of the server', () => {
  const err = new Problem(422, { code: 'future.code', detail: 'mend it', field: 'x' })
  expect(describe(err)).toBe('x: mend it')
})

test('what the shape of a request forbids is worded too', async () => {
  await speak('ja', ja)
  const err = new Problem(422, {
    code: 'request.invalid',
    detail: 'validation failed: write at least 3 characters',
    field: 'reason',
    errors: [{ location: 'reason', code: 'request.too_short', message: 'write at least 3 characters', args: ['3'] }],
  })
  expect(describe(err)).toBe('reason：3文字以上で入力してください。')
  expect(fieldErrors(err)).toEqual({ reason: '3文字以上で入力してください。' })
})

test('several faults are all told, content in the words it is checked with', () => {
  const errors = [
    { location: 'topic', code: 'campaign.incomplete.topic', message: 'choose the topic' },
    { location: 'topic', code: 'campaign.incomplete.topic', message: 'choose the topic' },
    { location: 'document.url', code: 'content.block.url', message: 'no address' },
  ]
  const err = new Problem(422, { code: 'campaign.incomplete.topic', detail: 'choose the topic', errors })
  expect(describe(err)).toBe(`${en['error.campaign.incomplete.topic']} ${en['finding.error.url']}`)
})
