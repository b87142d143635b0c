import { expect, test } from 'vitest'
import { speak } from '@/i18n'
import ja from '@/i18n/ja.json'
import { ageBand } from './Reality'

test('an assumed age says its unit where the language wants one', async () => {
  await speak('ja', ja)
  const band = (age_from: number | undefined, age_to: number) => ageBand({ age_from, age_to } as never)
  expect([band(30, 39), band(40, 40), band(undefined, 18)]).toEqual(['30〜39歳', '40歳', '0〜18歳'])
})
