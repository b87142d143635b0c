import { render, screen } from '@testing-library/react'
import { beforeEach, expect, test } from 'vitest'
import { speak } from '@/i18n'
import en from '@/i18n/en.json'
import { UiProvider } from '@/ui'
import { Reach } from './Gate'

beforeEach(() => speak('en', en))

const counted = (checked: number) => ({
  ask: {},
  error: null,
  busy: false,
  count: {
    included: 90_000,
    excluded: 0,
    audience: 90_000,
    checked,
    allowed: 81_000,
    waits_by_reason: [],
    refused_by_reason: [],
    unsettled: [] as string[],
    arms: [],
  },
})

test('who would get it is marked as an estimate when only a sample was asked about', () => {
  const { rerender } = render(<Reach {...counted(20_000)} />, { wrapper: UiProvider })
  expect(screen.getByRole('status').textContent).toContain('≈\u200981,000')
  rerender(<Reach {...counted(90_000)} />)
  expect(screen.getByRole('status').textContent).not.toContain('≈')
  expect(screen.getByRole('status').textContent).toContain('81,000')
  expect(screen.getByRole('status').textContent).not.toContain(en['preflight.unsettled'])
  const early = counted(90_000)
  early.count.unsettled = ['Regulars']
  rerender(<Reach {...early} />)
  expect(screen.getByRole('status').textContent).toContain(en['preflight.unsettled'])
})
