import { beforeAll, expect, test } from 'vitest'
import { speak } from '@/i18n'
import en from '@/i18n/en.json'
import ja from '@/i18n/ja.json'
import zh from '@/i18n/zh-Hans.json'
import { outputText, summary, triggerText } from './words'

const wait = { id: 'w', kind: 'wait', config: { for: { n: 3, unit: 'day' } } }

beforeAll(() => speak('en', en))

test('a node says what it does in the language of the reader', async () => {
  expect(summary(wait)).toBe('Waits 3 days')
  expect(summary({ ...wait, config: { for: { n: 1, unit: 'hour' } } })).toBe('Waits 1 hour')
  expect(summary({ id: 's', kind: 'send', config: { template: 'tpl_1' } }, { tpl_1: 'Welcome' })).toBe('Welcome')
  expect(summary({ id: 'g', kind: 'goal', config: { event: { name: 'Paid' }, window: { n: 2, unit: 'week' } } })).toBe(
    'Paid within 2 weeks',
  )
  const since = { name: 'Order Completed', filter: [{ path: 'total', op: 'gte', value: 100 }] }
  expect(summary({ id: 'b', kind: 'branch', config: { event_since_entry: since } })).toBe(
    'Order Completed (total at least 100) since entering?',
  )
  const same = { name: 'Order Cancelled', same: ['order_id'] }
  expect(summary({ id: 'b', kind: 'branch', config: { event_since_entry: same } })).toBe(
    'Order Cancelled with the same order_id since entering?',
  )
  expect(summary({ id: 'x', kind: 'send', config: {} })).toBe('Not set up yet')
  await speak('ja', ja)
  expect(summary(wait)).toBe('3日待つ')
  await speak('zh-Hans', zh)
  expect(summary(wait)).toBe('等待 3 天')
  await speak('en', en)
})

test('an entrance is one sentence', () => {
  expect(triggerText({ event: { name: 'A', also: ['B'] } })).toBe('A or B')
  expect(triggerText({ date: { trait: 'birthday', days: -3, yearly: true } })).toBe('3 days before birthday, every year')
  expect(triggerText({ segment_entered: { id: 'seg_1' } }, { seg_1: 'Lapsed' })).toBe('Enters Lapsed')
  expect(triggerText({})).toBe('Not set up yet')
})

test('outputs are named after what leads to them', () => {
  expect(outputText('a', { id: 's', kind: 'split', config: { percent: [20, 80] } })).toBe('A · 20%')
  expect(outputText('a', { id: 's', kind: 'switch', config: { cases: [['JP', 'KR']] } })).toBe('JP or KR')
  expect(outputText('timeout', { id: 's', kind: 'wait_for' })).toBe(en['output.timeout'])
})
