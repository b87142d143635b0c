import { expect, test } from 'vitest'
import { toCsv } from './download'

test('CSV quotes what needs it, keeps CJK readable in spreadsheets and runs no formula', () => {
  expect(
    toCsv([
      ['名前', 'a"b', 'x,y'],
      ['=1+1', -5, null],
    ]),
  ).toBe('\uFEFF名前,"a""b","x,y"\r\n\'=1+1,-5,\r\n')
})
