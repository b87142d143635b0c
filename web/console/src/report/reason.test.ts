import { beforeAll, expect, it } from 'vitest'
import { speak } from '@/i18n'
import en from '@/i18n/en.json'
import { reasonText } from './reason'

beforeAll(() => speak('en', en))

it.each([
  ['capped', { taken: 3, limit: 3, days: 7 }, 'has reached the message cap: 3 of 3 in 7 days'],
  ['capped', { own: true, taken: 1, limit: 1, days: 7 }, 'has reached the message cap: asked for at most one a week'],
  ['suppressed', { why: 'complaint', channel: 'email' }, 'address is suppressed: reported as spam'],
  ['quiet_hours', { from: '22:00', to: '08:00', zone: 'Asia/Tokyo' }, 'quiet hours: 10:00\u00a0PM–8:00\u00a0AM, Japan Time'],
  ['holdout', { percent: 5, scope: 'workspace' }, 'control group: 5% of the workspace'],
  ['throttled', { throttle: 'gmail', limit: 600 }, 'waits for its turn at the mailbox provider: Gmail accepts 600 per minute'],
  ['throttled', { throttle: 'corp', limit: 30 }, 'waits for its turn at the mailbox provider: corp accepts 30 per minute'],
  ['daily_limit', { limit: 50 }, 'waits: the workspace has used its messages for the day: 50 per day'],
  ['warming_up', { limit: 50 }, 'waits for its day of the warm-up: 50 per day for now'],
  ['expired', { hours: 72 }, 'gave up after too long: after 72 hours'],
  ['not_subscribed', { pending: true, topic_name: 'News' }, 'never subscribed: has not answered the confirmation email yet'],
  ['unsubscribed', { topic_name: 'News' }, 'unsubscribed: News'],
  ['capped', { taken: 3 }, 'has reached the message cap'],
  ['no_account', null, 'no email account is set up'],
  ['brand_new', {}, 'brand new'],
])('%s with %j reads as a sentence', (reason, data, text) => {
  expect(reasonText(reason, data)).toBe(text)
})

it('says until when something waits, also beside other evidence', () => {
  expect(reasonText('paused', { until: '2026-03-01T09:00:00Z' })).toMatch(/^the person asked for a break: until Mar\u00a01,\u00a02026/)
  expect(reasonText('warming_up', { limit: 50, until: '2026-03-01T09:00:00Z' })).toMatch(
    /: 50 per day for now, until Mar\u00a01,\u00a02026/,
  )
})
