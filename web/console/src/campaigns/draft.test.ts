import { expect, test } from 'vitest'
import { askOf, draftOf, formOf } from './draft'

const campaign = {
  id: 'cmp_1',
  name: 'Letter',
  channel: 'email',
  status: 'scheduled',
  audience: { include: ['seg_1'], exclude: ['seg_2'] },
  topic: 'tpc_1',
  template: 'tpl_1',
  progress: { done: 0, total: 0 },
  created_at: '',
  updated_at: '',
} as never as NonNullable<Parameters<typeof formOf>[0]>

test('a campaign comes back from its form as it went in', () => {
  const planned = {
    ...campaign,
    plan: { local: '2026-03-01T09:00', per_minute: 60, holdout: 10, test: { variants: ['tpl_2'], share: 30, metric: 'opened', hours: 6 } },
  } as never
  const draft = draftOf(formOf(planned), 'tpl_1')
  expect(draft).toMatchObject({ name: 'Letter', audience: { include: ['seg_1'], exclude: ['seg_2'] }, topic: 'tpc_1', template: 'tpl_1' })
  expect(draft.plan).toEqual({
    per_minute: 60,
    holdout: 10,
    local: '2026-03-01T09:00',
    best_hour: undefined,
    test: { variants: ['tpl_2'], share: 30, metric: 'opened', hours: 6 },
  })
  expect(draft.scheduled_at).toBeUndefined()
})

test('an instant survives the reader’s clock', () => {
  const at = { ...campaign, scheduled_at: '2026-03-01T00:30:00.000Z' } as never
  expect(draftOf(formOf(at), 'tpl_1').scheduled_at).toBe('2026-03-01T00:30:00.000Z')
})

test('a test without variants is no test', () => {
  expect(draftOf({ ...formOf(), testing: true }, null).plan?.test).toBeUndefined()
})

test('a goal with its window, conditions and worth survives the form', () => {
  const goal = { event: 'Trial Started', window_seconds: 1_209_600, filter: [{ path: 'plan', op: 'eq', value: 'team' }], value: 'worth' }
  const aimed = { ...campaign, goal } as never
  expect(draftOf(formOf(aimed), 'tpl_1').goal).toEqual(goal)
  expect(draftOf(formOf(campaign), 'tpl_1').goal).toBeUndefined()
})

test('the gate is asked once there are an audience and a topic', () => {
  expect(askOf(formOf())).toBeNull()
  expect(askOf({ ...formOf(campaign), testing: true, variants: ['tpl_2'] })).toMatchObject({
    include: ['seg_1'],
    exclude: ['seg_2'],
    topic: 'tpc_1',
    template: 'tpl_1',
    test: { variants: ['tpl_2'], share: 20 },
  })
})
