import { expect, test } from 'vitest'
import en from './en.json'
import ja from './ja.json'
import zh from './zh-Hans.json'

// One word for one thing: what else it was once called.
const others: [string, Record<string, string>, RegExp][] = [
  ['en', en, /\b(e-mails?|mail (accounts?|address(es)?)|letter (leads|goes)|anew|nobody|somebody|everybody|anybody)\b/i],
  ['en, as it is spelled in America', en, /\b(recognis|behaviour|colour|favourite|centre\b|cancell(ed|ing)\b|for ever\b|spelt\b)/i],
  ['ja', ja, /ゴール|スタッフ|同僚|お客さま|お客様|ユーザー(?!名|ID)|(?<!(テキスト|\}))版|～|[:(] |見合わせ|取り除/],
  ['zh-Hans', zh, /顾客|员工|登出|\(95%/],
]

test.each(others)('%s calls each thing by one name', (_, texts, wrong) => {
  expect(Object.entries(texts).filter(([, text]) => wrong.test(text))).toEqual([])
})

test.each([
  ['en', en, /^Search /],
  ['ja', ja, /を(完全なアドレスで)?検索|で検索/],
  ['zh-Hans', zh, /^搜索/],
] as const)('a place to search in %s says what is found there, without dots', (_, texts, form) => {
  const places = Object.entries(texts).filter(([key]) => key.endsWith('.search') && !/^(nav|touch|shortcut)\./.test(key))
  expect(places.length).toBeGreaterThan(10)
  expect(places.filter(([, text]) => !form.test(text) || text.includes('…'))).toEqual([])
})

test('dots that promise a window follow the word at once', () => {
  for (const texts of [en, ja, zh])
    expect(Object.entries(texts).filter(([key, text]) => !key.startsWith('builder.') && / …$/.test(text))).toEqual([])
})
