import { cleanup, render, screen } from '@testing-library/react'
import type { ReactNode } from 'react'
import { afterEach, expect, test, vi } from 'vitest'
import en from '@/i18n/en.json'
import ja from '@/i18n/ja.json'
import zh from '@/i18n/zh-Hans.json'
import { speak } from '@/i18n'
import { UiProvider } from '@/ui'
import gate from '../../../../internal/domain/outbox/message.go?raw'
import { Course } from './WhyPage'

vi.mock('@tanstack/react-router', async (whole) => ({
  ...(await whole<object>()),
  Link: ({ to, children }: { to: string; children: ReactNode }) => <a href={to}>{children}</a>,
}))
const may = vi.hoisted(() => ({ settings: true }))
vi.mock('@/app/session', async (whole) => ({
  ...(await whole<object>()),
  useCan: () => (p: string) => p !== 'settings.read' || may.settings,
}))

afterEach(cleanup)

const reasons = [...(gate as string).matchAll(/^\tReason\w+\s*= "(\w+)"/gm)].map((m) => m[1]!)
const languages = { en, ja, 'zh-Hans': zh } as const

const shown = (reason: string, outcome: 'failed' | 'waits') =>
  render(
    <Course
      gate={[
        { step: 'content', outcome: 'passed' },
        { step: 'sending', outcome, reason, ...(outcome === 'waits' ? { at: '2026-03-01T09:00:00Z' } : {}) },
      ]}
      about={{ person: 'per_1', template: 'tpl_1', source: { kind: 'campaign', id: 'cmp_1' } }}
    />,
    { wrapper: UiProvider },
  )

test.each(Object.keys(languages) as (keyof typeof languages)[])(
  'each reason is said where it was decided, and leads on, in %s',
  async (lang) => {
    const texts = languages[lang] as Record<string, string>
    await speak(lang, texts)
    for (const reason of reasons)
      for (const outcome of ['failed', 'waits'] as const) {
        shown(reason, outcome)
        const [passed, settled] = screen.getAllByRole('listitem')
        expect(passed!.textContent).toContain(texts['why_outcome.passed'])
        expect(settled!.dataset.outcome).toBe(outcome)
        expect(settled!.textContent, reason).toContain(texts[`reason.${reason}`])
        expect(settled!.textContent!.includes('2026'), 'the time is said of what waits alone').toBe(outcome === 'waits')
        expect(screen.getAllByRole('link').map((a) => a.textContent)).toEqual([texts['why.look']])
        cleanup()
      }
  },
  30_000,
)

test('who may not see settings gets no link to them', async () => {
  await speak('en', en)
  may.settings = false
  shown('quiet_hours', 'waits')
  expect(screen.queryAllByRole('link')).toEqual([])
  cleanup()
  shown('unsubscribed', 'failed')
  expect(screen.getByRole('link').getAttribute('href')).toBe('/people/per_1?tab=topics')
})
