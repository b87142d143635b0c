import { expect, test } from 'vitest'
import {
  addRow,
  addStage,
  curve,
  freshId,
  moveStage,
  type Plan,
  putTouchpoint,
  removeRow,
  removeStage,
  removeTouchpoint,
  smooth,
} from './plan'

const plan: Plan = {
  name: 'm',
  rows: [],
  stages: [
    { id: 's1', name: 'A', mood: 0, touchpoints: [{ id: 't1', name: 'x' }], also: ['s3'] },
    { id: 's2', name: 'B', mood: 1, touchpoints: [], also: ['s1'] },
    { id: 's3', name: 'C', mood: -2, touchpoints: [] },
  ],
}
const names = (p: Plan) => p.stages.map((s) => s.name).join('')

test('stages come, go and move, and nothing else changes', () => {
  expect(names(moveStage(plan, 's1', 2))).toBe('BCA')
  expect(names(moveStage(plan, 's3', -5))).toBe('CAB')
  expect(moveStage(plan, 's1', 0)).toBe(plan)
  expect(moveStage(plan, 'gone', 0)).toBe(plan)
  const more = addStage(plan, 1)
  expect(more.stages.map((s) => s.id)).toEqual(['s1', 's4', 's2', 's3'])
  const less = removeStage(plan, 's3')
  expect(less.stages.map((s) => s.also ?? [])).toEqual([[], ['s1']])
  expect(names(plan)).toBe('ABC')
})

test('ids are of the whole map', () => {
  expect(freshId(plan, 't')).toBe('t2')
  expect(freshId(plan, 's')).toBe('s4')
})

test('a touchpoint is added, replaced by its id and removed', () => {
  const added = putTouchpoint(plan, 's2', { id: 't2', name: 'y' })
  const changed = putTouchpoint(added, 's2', { id: 't2', name: 'z' })
  expect(changed.stages[1]!.touchpoints).toEqual([{ id: 't2', name: 'z' }])
  expect(removeTouchpoint(changed, 's2', 't2').stages[1]!.touchpoints).toEqual([])
})

test('rows of the team come and go', () => {
  const more = addRow(addRow(plan))
  expect(more.rows?.map((r) => r.id)).toEqual(['r1', 'r2'])
  expect(removeRow(more, 'r1').rows?.map((r) => r.id)).toEqual(['r2'])
})

test('the curve goes through the middle of each column', () => {
  expect(curve([0, 2, -2])).toEqual([
    [50, 50],
    [150, 10],
    [250, 90],
  ])
  expect(smooth(curve([0, 2]))).toBe('M 50 50 C 100 50, 100 10, 150 10')
  expect(smooth([])).toBe('')
})
