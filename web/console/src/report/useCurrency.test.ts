import { expect, test } from 'vitest'
import { currenciesOf } from './useCurrency'

test('each currency is offered once, in the order in which it comes', () => {
  expect(currenciesOf([{ currency: 'JPY' }, { currency: 'CNY' }, { currency: 'JPY' }])).toEqual(['JPY', 'CNY'])
  expect(currenciesOf([])).toEqual([])
})
