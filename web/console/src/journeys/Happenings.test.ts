import { expect, test } from 'vitest'
import { made } from './Happenings'

test('what happens during a trial is told in minutes after entering, unfinished lines left out', () => {
  const after = { n: 2, unit: 'hour' }
  expect(
    made([
      { key: 1, after, kind: 'clicked', name: '', values: undefined },
      { key: 2, after: { n: 1, unit: 'day' }, kind: 'bought', name: '', values: { total: 5000 } },
      { key: 3, after, kind: 'trait', name: '', values: { plan: 'gold' } },
      { key: 4, after, kind: 'trait', name: '', values: undefined },
      { key: 5, after, kind: 'event', name: '', values: undefined },
    ]),
  ).toEqual([
    { after_minutes: 120, name: 'Message Clicked' },
    { after_minutes: 1440, name: 'Order Completed', properties: { total: 5000 } },
    { after_minutes: 120, traits: { plan: 'gold' } },
  ])
})
