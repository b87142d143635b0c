import { expect, test } from 'vitest'
import { areas } from '@/app/areas'
import en from '@/i18n/en.json'
import ja from '@/i18n/ja.json'
import zh from '@/i18n/zh-Hans.json'
import { hasText, speak } from '@/i18n'
import { reasonText } from '@/report/reason'
import { placeOf } from './places'
import gate from '../../../../internal/domain/outbox/message.go?raw'

/** Every reason that the product can give, out of the code that gives it. */
const reasons = [...(gate as string).matchAll(/^\tReason\w+\s*= "(\w+)"/gm)].map((m) => m[1]!)
const about = { person: 'per_1', template: 'tpl_1', source: { kind: 'campaign', id: 'cmp_1' } }
const routes = areas.flatMap((a) => a.screens.map((s) => s.path.replace(/\$\w+/g, '[^/]+')))

test('the reasons are found in the code', () => expect(reasons.length).toBeGreaterThan(30))

test.each(Object.entries({ en, ja, zh }))('every reason has words in %s', (lang, catalogue) => {
  speak(lang === 'zh' ? 'zh-Hans' : (lang as 'en' | 'ja'), catalogue)
  for (const r of reasons) {
    expect(hasText(`reason.${r}`), r).toBe(true)
    expect(reasonText(r, {}), r).toBe((catalogue as Record<string, string>)[`reason.${r}`])
  }
})

test.each(reasons)('%s leads to a page that there is', (reason) => {
  for (const data of [{}, { scope: 'workspace', own: true, by: 'msg_2', account: 'acc_1', template: 'tpl_2' }])
    for (const source of [about.source, { kind: 'journey', id: 'jrn_1' }, { kind: 'api' }]) {
      const to = placeOf(reason, { ...about, source, data })
      expect(to, reason).toBeTruthy()
      expect(
        routes.some((r) => new RegExp(`^${r}$`).test(to!.split('?')[0]!)),
        to,
      ).toBe(true)
    }
})
