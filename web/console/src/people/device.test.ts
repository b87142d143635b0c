import { expect, test } from 'vitest'
import { speak } from '@/i18n'
import en from '@/i18n/en.json'
import ja from '@/i18n/ja.json'
import { deviceName } from './device'

test.each([
  ['ios · iPhone18,3', 'iPhone 17'],
  ['ios · iPhone10,6', 'iPhone X'],
  ['ios · iPhone99,1', 'iPhone (iPhone99,1)'],
  ['ios · iPad16,3', 'iPad (iPad16,3)'],
  ['android · Pixel 10', 'Android · Pixel 10'],
  ['web · Mac OS', 'Web browser · Mac OS'],
  ['ios', 'iOS'],
  ['iPhone14,5', 'iPhone 13'],
  ['fridge · F1', 'fridge · F1'],
])('%s is called %s', async (told, name) => {
  await speak('en', en)
  expect(deviceName(told)).toBe(name)
})

test('platforms are worded in the language of the reader', async () => {
  await speak('ja', ja)
  expect(deviceName('web · Windows')).toBe('ウェブブラウザー · Windows')
})
