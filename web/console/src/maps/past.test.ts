import { expect, test } from 'vitest'
import { planDifferences } from './past'
import type { Plan } from './plan'

const t = ((key: string) => key) as never
const plan = (patch: Partial<Plan> = {}): Plan => ({
  name: 'Tea',
  stages: [{ id: 's1', name: 'Sees', mood: 0, does: 'looks' }],
  rows: [{ id: 'r1', name: 'Team' }],
  ...patch,
})

test('a version is compared text by text, by what stands where', () => {
  expect(planDifferences(t, plan(), plan())).toEqual([])
  const now = plan({
    name: 'Teas',
    stages: [
      { id: 's1', name: 'Sees', mood: 2, does: 'looks', notes: { r1: 'shop' } },
      { id: 's2', name: 'Buys', mood: 0, touchpoints: [{ id: 'p1', name: 'Till', owner: 'Aya' }] },
    ],
  })
  expect(planDifferences(t, plan(), now)).toEqual([
    { label: 'field.name', theirs: 'Tea', mine: 'Teas' },
    { label: 'maps.stages', theirs: 'Sees', mine: 'Sees and Buys' },
    { label: 'Sees · maps.row.mood', theirs: 'maps.mood.0', mine: 'maps.mood.2' },
    { label: 'Sees · Team', theirs: '', mine: 'shop' },
    { label: 'Buys · maps.row.touchpoints', theirs: '', mine: 'Till, Aya' },
  ])
})

test('a stage with another name is one difference, wherever ways lead to it', () => {
  const of = (name: string) =>
    plan({
      stages: [
        { id: 's1', name, mood: 0 },
        { id: 's2', name: 'Buys', mood: 0, also: ['s1'] },
      ],
    })
  expect(planDifferences(t, of('Sees'), of('Looks')).map((d) => d.label)).toEqual(['maps.stages'])
})

test('what only the older one has is told, too', () => {
  const then = plan({ stages: [...plan().stages, { id: 's9', name: 'Gone', mood: 1, needs: 'rest' }] })
  expect(planDifferences(t, then, plan()).map((d) => [d.label, d.theirs, d.mine])).toEqual([
    ['maps.stages', 'Sees and Gone', 'Sees'],
    ['Gone · maps.row.needs', 'rest', ''],
  ])
})
