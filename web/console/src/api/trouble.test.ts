import { expect, test } from 'vitest'
import ja from '@/i18n/ja.json'
import { speak } from '@/i18n'
import { troubleText } from './problem'

test('what failed is said in the language of the reader, with what it names; what no catalogue knows is said as it came', async () => {
  await speak('ja', ja)
  expect(troubleText({ code: 'feed.status', args: ['503'], detail: 'the server of the feed answers with status 503' })).toBe(
    'フィードのサーバーがステータス503を返しました。',
  )
  expect(troubleText({ detail: 'a text of old' })).toBe('a text of old')
})
