import { describe, expect, it } from 'vitest'
import { choicesOf, keyOf, needs, planOf, samePlan } from './importplan'

const none = { event: '', currency: '', zone: '', source: '', evidence: '' }

describe('the plan of an import', () => {
  it('comes back as it was chosen', () => {
    const plan = {
      columns: [
        { name: 'No', to: 'identifier', key: 'user_id' },
        { name: 'News', to: 'subscription', key: 'top_1' },
        { name: 'Sum', to: 'property', key: 'total', type: 'number' },
        { name: 'Day', to: 'time', type: 'time_dmy' },
      ],
      event: 'Order Completed',
      currency: 'JPY',
      zone: 'Asia/Tokyo',
      source: 'form',
    } as const
    const choices = choicesOf(['No', 'News', 'Sum', 'Day', 'Rest'], plan as never)
    expect(choices.map((c) => c.what)).toEqual(['identifier:user_id', 'subscription:top_1', 'property', 'time', 'skip'])
    expect(JSON.parse(JSON.stringify(planOf(choices, { ...none, ...plan, currency: 'jpy' })))).toEqual(plan)
  })
  it('leaves out what nothing asks for', () => {
    const choices = choicesOf(['No', 'City'], {
      columns: [
        { name: 'No', to: 'identifier', key: 'user_id' },
        { name: 'City', to: 'trait', key: 'city' },
      ],
    })
    const plan = planOf(choices, { event: '', currency: 'JPY', zone: 'Asia/Tokyo', source: 'x', evidence: 'y' })
    expect(JSON.parse(JSON.stringify(plan))).toEqual({
      columns: [
        { name: 'No', to: 'identifier', key: 'user_id' },
        { name: 'City', to: 'trait', key: 'city', type: 'text' },
      ],
    })
    expect(needs(choices, '')).toEqual({ event: false, money: false, zone: false, basis: false })
  })
  it('names columns in any script', () => {
    expect([keyOf('Order Total (JPY)'), keyOf('都道府県'), keyOf('ＦＵＬＬ name')]).toEqual(['order_total_jpy', '都道府県', 'full_name'])
  })
  it('is the same in whatever order its columns stand', () => {
    const no = { name: 'No', to: 'identifier', key: 'user_id' } as const
    const city = { name: 'City', to: 'trait', key: 'city' } as const
    expect(samePlan({ columns: [no, city] }, { columns: [city, no], event: '' })).toBe(true)
    expect(samePlan({ columns: [no, city] }, { columns: [no, { ...city, key: 'town' }] })).toBe(false)
    expect(samePlan({ columns: [no] }, { columns: [no], zone: 'Asia/Tokyo' })).toBe(false)
  })
})
