import all from '../../../../internal/domain/journey/testdata/faults.json'
import { beforeEach, expect, test } from 'vitest'
import { Problem } from '@/api'
import { speak } from '@/i18n'
import en from '@/i18n/en.json'
import { type Fault, joined, type Kinds, seen, told } from './faults'
import { change, readGraph } from './graph'

beforeEach(() => speak('en', en))

// What the server says of these graphs is held by internal/domain/journey/faults_test.go.
const cases: { graph: unknown; faults: string[] }[] = all
const waits = ['wait', 'wait_until', 'wait_for_date', 'wait_for', 'goal']
const quick = ['add_to_list', 'remove_from_list', 'create_task', 'webhook']
const kinds: Kinds = new Map(
  [...waits, ...quick, 'branch', 'switch', 'split', 'cohort', 'send', 'set_trait', 'enter_journey', 'leave_journey', 'exit'].map((k) => [
    k,
    { pauses: waits.includes(k) || quick.includes(k), quick: quick.includes(k) },
  ]),
)

// A rule is looked at as a whole here; the server names the part.
const asServer = (f: Fault) => {
  const field = f.field.replace(/\.(\d+)/g, '[$1]')
  return `${f.node ? [`nodes[${f.node}]`, field].filter(Boolean).join('.') : field} ${f.code}`
}
const inRule = (s: string) => / rule\./.test(s)

test.each(cases)('the page sees in a graph what the server finds in it: $faults', ({ graph, faults }) => {
  const here = seen(readGraph(graph), kinds).map(asServer)
  expect(here.filter((s) => !inRule(s)).toSorted()).toEqual(faults.filter((s) => !inRule(s)).toSorted())
  expect(here.filter(inRule).length).toBe(faults.filter(inRule).length)
})

test('every fault has words', () => {
  for (const c of cases) for (const f of seen(readGraph(c.graph), kinds)) expect(f.text).toMatch(/\w \w/)
})

test('what the server has found goes when what it is about is changed, and stays through other edits', () => {
  const graph = readGraph({
    trigger: { api: {} },
    nodes: [
      { id: 'a', kind: 'send', config: { template: 'tpl_gone', topic: 'top_1' }, next: { next: 'b' } },
      { id: 'b', kind: 'exit' },
    ],
  })
  const missing = { location: 'nodes[a].config.template', code: 'journey.missing.template', message: 'gone' }
  const server = told(new Problem(422, { errors: [missing, { location: 'caps', code: 'journey.caps', message: 'caps' }] }))
  const now = (g: typeof graph) => joined(seen(g, kinds), server, graph, g)
  expect(now(graph).get('a')).toHaveProperty(['config.template'])
  expect(now(change(graph, 'b', { title: 'The end' })).get('a')).toHaveProperty(['config.template'])
  expect(now(change(graph, 'a', { title: 'Hello' })).get('a')).toHaveProperty(['config.template'])
  const mended = now(change(graph, 'a', { config: { template: 'tpl_1', topic: 'top_1' } }))
  expect(mended.get('a')).toBeUndefined()
  expect(mended.get('')).toHaveProperty('caps')
  expect(now({ ...graph, nodes: [] }).get('a')).toBeUndefined()
})

test('what the server lists is read like what it refuses', () => {
  const listed = [{ location: 'nodes[s].config.template', code: 'template.archived', message: 'x', args: ['Hello'] }]
  expect(told(listed)).toEqual([
    {
      node: 's',
      field: 'config.template',
      code: 'template.archived',
      text: 'The message Hello is archived. Choose another, or restore it.',
    },
  ])
})
