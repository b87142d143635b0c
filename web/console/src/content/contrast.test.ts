import { expect, test } from 'vitest'
import { contrast, contrasts } from './contrast'

test('contrast is that of WCAG', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5)
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2)
  expect(contrast('#777777', 'white')).toBe(0)
})

test('a pair that is too close is found', () => {
  const all = contrasts({
    page: '#ffffff',
    surface: '#ffffff',
    subtle: '#ffffff',
    text: '#000000',
    muted: '#777777',
    accent: '#1d6b52',
    on_accent: '#ffffff',
  })
  expect(all.filter((p) => !p.ok).map((p) => `${p.fg}.${p.bg}`)).toEqual(['muted.page', 'muted.surface', 'muted.subtle'])
})
