import { describe, expect, it } from 'vitest'
import { verdict } from './Cadence'
import { above } from './Pressure'

describe('the rhythm of a week', () => {
  it('is judged by both bounds, each of which may be missing', () => {
    const c = { least: 1, most: 3, person: 0 }
    expect([0, 1, 3, 4].map((n) => verdict(n, c))).toEqual(['quiet', 'kept', 'kept', 'busy'])
    expect([0, 9].map((n) => verdict(n, { ...c, most: 0 }))).toEqual(['quiet', 'kept'])
    expect([0, 9].map((n) => verdict(n, { ...c, least: 0 }))).toEqual(['kept', 'busy'])
    expect(verdict(2, { least: 0, most: 0, person: 4 })).toBeNull()
  })
})

describe('the pressure of a week', () => {
  const week = {
    from: '2026-11-02',
    to: '2026-11-08',
    people: 15,
    messages: 26,
    spread: [
      { messages: 1, people: 8 },
      { messages: 2, people: 4 },
      { messages: 5, people: 3 },
    ],
  }
  it('is too much for those who got more than the target', () => {
    expect([1, 2, 4, 5].map((n) => above(week, n))).toEqual([7, 3, 3, 0])
  })
  it('is never too much without one', () => expect(above(week, 0)).toBe(0))
})
