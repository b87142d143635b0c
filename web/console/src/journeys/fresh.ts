/** What a new node of a kind begins with, so that it says something sensible before it is touched. */
export function fresh(kind: string, id: string): Record<string, unknown> {
  switch (kind) {
    case 'wait':
      return { for: { n: 1, unit: 'day' } }
    case 'wait_until':
      return { time: '09:00' }
    case 'wait_for':
      return { event: { name: '' }, timeout: { n: 3, unit: 'day' } }
    case 'goal':
      return { event: { name: '' }, window: { n: 7, unit: 'day' } }
    case 'split':
      return { salt: id, percent: [50, 50] }
    case 'cohort':
      return { salt: id, percent: 10 }
    case 'switch':
      return { cases: [[]] }
    case 'send':
      return { channel: 'email' }
    case 'ab_test':
      return { name: id, ways: 2, metric: 'goal', people: 100, wait: { n: 3, unit: 'day' } }
    default:
      return {}
  }
}
