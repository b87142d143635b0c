import { expect, test } from 'vitest'
import { speak } from '@/i18n'
import ja from '@/i18n/ja.json'
import { ageBand, figure } from './Reality'

test('an assumed age says its unit where the language wants one', async () => {
  await speak('ja', ja)
  const band = (age_from: number | undefined, age_to: number) => ageBand({ age_from, age_to } as never)
  expect([band(30, 39), band(40, 40), band(undefined, 18)]).toEqual(['30〜39歳', '40歳', '0〜18歳'])
})

test('a number of a trait is a time of day where it is an hour', async () => {
  await speak('ja', ja)
  expect([figure('standing.hour', 6), figure('standing.hour', 17.5), figure('visits', 1234)]).toEqual(['6:00', '17:30', '1,234'])
})
