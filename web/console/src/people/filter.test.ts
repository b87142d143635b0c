import { expect, test } from 'vitest'
import { none, query, who } from './filter'

const now = Date.parse('2026-03-31T09:30:00Z')

test('only what is set is asked for', () => {
  expect(query(none, now)).toEqual({})
  expect(query({ ...none, q: '山田', status: 'known', set: 'seg_1', reach: 'email' }, now)).toEqual({
    q: '山田',
    status: 'known',
    set: 'seg_1',
    reachable: 'email',
  })
})

test('last seen is a moment, the same within the hour', () => {
  expect(query({ ...none, seen: '7d' }, now)).toEqual({ seen_after: '2026-03-24T09:00:00.000Z' })
  expect(query({ ...none, seen: '7d' }, now + 60_000)).toEqual(query({ ...none, seen: '7d' }, now))
  expect(query({ ...none, seen: '-30d' }, now)).toEqual({ seen_before: '2026-03-01T09:00:00.000Z' })
  expect(query({ ...none, seen: 'nonsense' }, now)).toEqual({})
})

test('a job is done with whom the list shows, whatever its order', () => {
  expect(who(query({ ...none, q: 'a&b', reach: 'email', order: 'silent' }, now))).toEqual({ q: 'a&b', reachable: 'email' })
})
