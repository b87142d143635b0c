import { expect, test } from 'vitest'
import en from '@/i18n/en.json'
import ja from '@/i18n/ja.json'
import zh from '@/i18n/zh-Hans.json'
import { speak } from '@/i18n'
import { journeyReason } from './reasons'

const names = { jrn_1: 'Win-back', seg_1: 'Lapsed' }

test.each([
  [{ code: 'waited', data: { span: { n: 3, unit: 'day' } } }, 'Waited 3 days'],
  [{ code: 'said', data: { text: 'waited 3 days' } }, 'waited 3 days'],
  [
    { code: 'not_in_time', data: { span: { n: 1, unit: 'week' }, what: { event: { name: 'Order Completed' } }, rule: true } },
    'Did not happen within 1 week: Order Completed or the condition is met',
  ],
  [{ code: 'exit_rule', data: { what: { segment_left: { id: 'seg_1' } } } }, 'Left by an exit rule: Leaves Lapsed'],
  [{ code: 'exit_rule', data: { rule: true } }, 'An exit rule was met'],
  [{ code: 'not_led', data: { journey: 'jrn_1', why: 'inside' } }, 'Not added to “Win-back”: is already in it'],
  [{ code: 'answered', data: { status: 503, tries: 3 } }, 'Responded with 503 after 3 tries'],
  [{ code: 'traits_set', data: { traits: ['a', 'b'], missing: ['event.x'] } }, 'Set: a and b; no value for event.x'],
  [{ code: 'traits_set', data: { traits: ['a'], unfit: ['email'] } }, 'Set: a; no valid value for email'],
  [{ code: 'drew_in', data: { share: 12.3456, percent: 20 } }, 'Drew 12.35 of 100: belongs to the 20%'],
  [{ code: 'template.not_found', data: { text: 'no template' } }, 'The message to send no longer exists.'],
  [{ code: 'some.new_code', data: { text: 'what went wrong' } }, 'The step failed: what went wrong'],
])('%o is said as %s', async (reason, text) => {
  await speak('en', en)
  expect(journeyReason(reason, names)).toBe(text)
})

test('a moment stands on the clock of its zone', async () => {
  await speak('en', en)
  expect(journeyReason({ code: 'waits_until', data: { at: '2026-03-01T00:00:00Z', zone: 'Asia/Tokyo' } })).toMatch(
    /Mar\u00a01,\u00a02026.*9:00.AM \(Japan Time\)/,
  )
})

test('the gate speaks for messages that it held back, in each language', async () => {
  const held = { code: 'message_refused', data: { taken: 2, limit: 2, days: 7 } }
  for (const [l, texts] of [
    ['en', en],
    ['ja', ja],
    ['zh-Hans', zh],
  ] as const) {
    await speak(l, texts)
    expect(journeyReason(held, {}, undefined, 'capped')).toContain('2')
    expect(journeyReason(held)).toBe(texts['journey_reason.message_refused'])
  }
})
