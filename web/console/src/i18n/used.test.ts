import { expect, test } from 'vitest'
import en from './en.json'

const sources = import.meta.glob('../**/*.{ts,tsx}', { query: '?raw', import: 'default', eager: true }) as Record<string, string>

test('every text that a screen names is in the catalogue', () => {
  const known = new Set(Object.keys(en))
  const missing: string[] = []
  for (const [file, text] of Object.entries(sources)) {
    if (/\.test\.tsx?$/.test(file)) continue
    for (const [, key] of text.matchAll(/\bt\(\s*'([^']+)'/g))
      if (!known.has(key!) && !known.has(`${key}_other`)) missing.push(`${file}: ${key}`)
  }
  expect(Object.keys(sources).length).toBeGreaterThan(50)
  expect(missing).toEqual([])
})
