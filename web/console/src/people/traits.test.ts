import { describe, expect, it } from 'vitest'
import { changesOf, faultsOf, rowsOf, type TraitRow } from './traits'

const before = { city: '福岡', age: 41, member: false, tags: ['tea'], standing: { stage: 'active' }, sample_data: true, nick: null }
const fresh = (name: string, value: string, kind: TraitRow['kind'] = 'text'): TraitRow => ({ key: '1', name, value, kind, fresh: true })
const written = (change: (rows: TraitRow[]) => TraitRow[]) => changesOf(before, change(rowsOf(before)))
const set = (name: string, value: string) => (rows: TraitRow[]) => rows.map((r) => (r.name === name ? { ...r, value } : r))

describe('traits by hand', () => {
  it('shows what the product keeps itself to nobody', () =>
    expect(rowsOf(before).map((r) => `${r.name} ${r.kind}`)).toEqual([
      'city text',
      'age number',
      'member boolean',
      'tags json',
      'nick text',
    ]))

  it.each([
    [(rows: TraitRow[]) => rows, {}],
    [set('city', ' 京都 '), { city: '京都' }],
    [set('city', ''), { city: null }],
    [set('age', '42.5'), { age: 42.5 }],
    [set('member', 'true'), { member: true }],
    [set('tags', '["tea","matcha"]'), { tags: ['tea', 'matcha'] }],
    [(rows: TraitRow[]) => rows.filter((r) => r.name !== 'age'), { age: null }],
    [(rows: TraitRow[]) => [...rows, fresh(' size ', '38', 'number'), fresh('empty', ' ')], { size: 38 }],
  ])('writes only what changed: %#', (change, want) => expect(written(change)).toEqual(want))

  it.each([
    [fresh('', 'x'), { 'rows.5.name': 'name' }],
    [fresh('city', 'x'), { 'rows.5.name': 'twice' }],
    [fresh('standing', 'x'), { 'rows.5.name': 'own' }],
    [fresh('size', '3 8', 'number'), { 'rows.5.value': 'number' }],
    [fresh('list', '[1', 'json'), { 'rows.5.value': 'json' }],
    [fresh('email', 'ann at home'), { 'rows.5.value': 'email' }],
    [fresh('email', 'ann@home.example'), {}],
  ])('names what is wrong: %o', (row, want) => expect(faultsOf([...rowsOf(before), row])).toEqual(want))
})
