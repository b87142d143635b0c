import { expect, test } from 'vitest'
import { formatZone, speak } from '.'
import en from './en.json'
import ja from './ja.json'
import zh from './zh-Hans.json'

test.each([
  ['Asia/Tokyo', 'Japan Time', '日本时间', '日本標準時'],
  ['America/New_York', 'New York Time', '纽约时间', 'ニューヨーク時間'],
  ['UTC', 'UTC', 'UTC', 'UTC'],
  ['Etc/GMT+5', 'GMT-5', 'GMT-5', 'GMT-5'],
  ['Mars/Olympus', 'Mars/Olympus', 'Mars/Olympus', 'Mars/Olympus'],
])('%s has a name in each language', async (zone, ...names) => {
  for (const [i, [lang, texts]] of (
    [
      ['en', en],
      ['zh-Hans', zh],
      ['ja', ja],
    ] as const
  ).entries()) {
    await speak(lang, texts)
    expect(formatZone(zone)).toBe(names[i])
  }
})

test('a zone that goes by Greenwich is not only its distance', async () => {
  await speak('en', en)
  expect(formatZone('Africa/Abidjan')).toBe('Greenwich Mean Time')
})
