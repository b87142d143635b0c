// A journey map as a grid: what can be done to its stages, rows and touchpoints. Nothing here changes its argument.
import type { Schemas } from '@/api'

export type Plan = Pick<Schemas['JourneyMap'], 'name' | 'description' | 'persona_id' | 'segment_id' | 'stages' | 'rows'>
export type Stage = Schemas['MapStage']
export type Touchpoint = Schemas['MapTouchpoint']
export type Signal = Schemas['MapSignal']

/** Rows of texts that every map has, those before the touchpoints and the mood, and those after. */
export const textRows = ['does', 'thinks', 'feels', 'needs', 'pains', 'opportunities', 'actions'] as const
export type TextRow = (typeof textRows)[number]

/** An id that the map does not have. */
export function freshId(plan: Plan, prefix: string): string {
  const taken = new Set([
    ...plan.stages.flatMap((s) => [s.id, ...(s.touchpoints ?? []).map((p) => p.id)]),
    ...(plan.rows ?? []).map((r) => r.id),
  ])
  for (let n = 1; ; n++) if (!taken.has(`${prefix}${n}`)) return `${prefix}${n}`
}

export const planOf = (m: Schemas['JourneyMap']): Plan => ({
  name: m.name,
  description: m.description,
  persona_id: m.persona_id,
  segment_id: m.segment_id,
  stages: m.stages,
  rows: m.rows ?? [],
})

export const changeStage = (plan: Plan, id: string, patch: Partial<Stage>): Plan => ({
  ...plan,
  stages: plan.stages.map((s) => (s.id === id ? { ...s, ...patch } : s)),
})

/** Puts a new stage at a place. */
export function addStage(plan: Plan, at = plan.stages.length): Plan {
  const stage: Stage = { id: freshId(plan, 's'), name: '', mood: 0, touchpoints: [] }
  return { ...plan, stages: plan.stages.toSpliced(at, 0, stage) }
}

/** Takes a stage away, with the ways that lead to it. */
export const removeStage = (plan: Plan, id: string): Plan => ({
  ...plan,
  stages: plan.stages.filter((s) => s.id !== id).map((s) => (s.also?.includes(id) ? { ...s, also: s.also.filter((x) => x !== id) } : s)),
})

/** Moves a stage to a place; places beyond the ends are the ends. */
export function moveStage(plan: Plan, id: string, to: number): Plan {
  const from = plan.stages.findIndex((s) => s.id === id)
  const place = Math.max(0, Math.min(to, plan.stages.length - 1))
  if (from < 0 || from === place) return plan
  const rest = plan.stages.toSpliced(from, 1)
  return { ...plan, stages: rest.toSpliced(place, 0, plan.stages[from]!) }
}

/** Adds the touchpoint to the stage or replaces the one with its id. */
export function putTouchpoint(plan: Plan, stage: string, p: Touchpoint): Plan {
  const s = plan.stages.find((x) => x.id === stage)
  const all = s?.touchpoints ?? []
  return changeStage(plan, stage, { touchpoints: all.some((x) => x.id === p.id) ? all.map((x) => (x.id === p.id ? p : x)) : [...all, p] })
}

export const removeTouchpoint = (plan: Plan, stage: string, id: string): Plan =>
  changeStage(plan, stage, { touchpoints: plan.stages.find((s) => s.id === stage)?.touchpoints?.filter((p) => p.id !== id) })

export const addRow = (plan: Plan): Plan => ({ ...plan, rows: [...(plan.rows ?? []), { id: freshId(plan, 'r'), name: '' }] })

export const removeRow = (plan: Plan, id: string): Plan => ({ ...plan, rows: plan.rows?.filter((r) => r.id !== id) })

/** The emotion curve through the middle of each column: 100 wide each, 100 high in all. */
export const curve = (moods: number[]): [number, number][] => moods.map((m, i) => [i * 100 + 50, 50 - m * 20])

/** A smooth line through points, level at each of them. */
export function smooth(points: [number, number][]): string {
  const [first, ...rest] = points
  if (!first) return ''
  let [x, y] = first
  return rest.reduce((d, [nx, ny]) => {
    const middle = (x + nx) / 2
    const next = `${d} C ${middle} ${y}, ${middle} ${ny}, ${nx} ${ny}`
    ;[x, y] = [nx, ny]
    return next
  }, `M ${x} ${y}`)
}
