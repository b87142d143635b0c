import { expect, test } from 'vitest'

// A window of its own that asks, with more to say than a question has; notices that are urgent.
const own = ['../home/SampleCard.tsx', '../app/Bell.tsx']

const sources = import.meta.glob<string>('../**/*.tsx', { query: '?raw', import: 'default', eager: true })
const files = Object.entries(sources).filter(([name]) => !/\.test\.|^\.\//.test(name))

test('what is red asks first, and what asks about something for good was red before', () => {
  expect(files.length).toBeGreaterThan(100)
  const wrong = files.filter(([name, text]) => {
    const red = /\bDangerButton\b|<(Menu\.Item|Button)\s[^>]*color=("danger"|\{[^}]*'danger')|\bred: true/.test(text)
    const asks = /\bconfirm\([^)]*danger:|\bdanger: /.test(text)
    return red !== asks && !own.includes(name)
  })
  expect(wrong.map(([name]) => name)).toEqual([])
  expect(files.filter(([, text]) => text.includes('color="red"'))).toEqual([])
})
