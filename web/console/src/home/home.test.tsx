import { fireEvent, screen, waitFor } from '@testing-library/react'
import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { queryClient } from '@/api'
import { useAttention } from '@/app/attention'
import { speak } from '@/i18n'
import en from '@/i18n/en.json'
import { useLooked } from '@/lib/preferences'
import { show } from '../../test/show'
import { EventsCard } from './cards'
import { Onboarding } from './Onboarding'
import { SampleCard } from './SampleCard'

// The client takes fetch as it is when it is loaded, so this comes before.
const server = vi.hoisted(() => {
  const state = { answers: {} as Record<string, unknown>, asked: {} as Record<string, unknown>, refused: '' }
  globalThis.fetch = async (r) => {
    const path = new URL((r as Request).url, 'http://x').pathname
    if ((r as Request).method === 'POST') state.asked[path] = await (r as Request).json()
    const key = /personal-settings\/(.*)/.exec(path)?.[1]
    if (key) state.answers['/api/v1/personal-settings'] = { items: [{ key, ...(await (r as Request).json()) }], next_cursor: '' }
    if (state.refused === path) return new Response(JSON.stringify({ status: 400, title: 'Broken', code: 'broken' }), { status: 400 })
    return new Response(JSON.stringify(state.answers[path] ?? { items: [], next_cursor: '' }), {
      headers: { 'Content-Type': 'application/json' },
    })
  }
  return state
})

beforeAll(() => speak('en', en))

const permissions = ['settings.read', 'reports.read', 'segments.read', 'content.read', 'journeys.read', 'campaigns.read', 'people.read']

beforeEach(() => {
  queryClient.clear()
  server.refused = ''
  server.answers = { '/api/v1/session': { user: { id: 'usr_1', name: 'Mei' }, workspace: 'ws', role: 'marketer', permissions } }
})

test('the first steps of a role tick themselves when the thing is there', async () => {
  server.answers['/api/v1/people'] = { items: [{ id: 'per_1' }], next_cursor: '' }
  server.answers['/api/v1/segments'] = { items: [{ id: 'seg_1' }], next_cursor: '' }
  server.answers['/api/v1/journeys'] = { items: [{ id: 'jrn_1', published_version: 0 }], next_cursor: '' }
  await show(Onboarding)
  const steps = await screen.findAllByRole('listitem')
  expect(steps.map((s) => [s.textContent, s.dataset.done ?? 'open'])).toEqual(
    [
      ['people', 'true'],
      ['segment', 'true'],
      ['content', 'open'],
      ['journey', 'open'],
      ['campaign', 'open'],
    ].map(([id, done]) => [en[`onboarding.step.${id}` as keyof typeof en], done]),
  )
})

test('first steps of which one cannot be read say so, and are read again', async () => {
  server.refused = '/api/v1/campaigns'
  await show(Onboarding)
  const again = await screen.findByRole('button', { name: en['action.retry'] })
  server.refused = ''
  fireEvent.click(again)
  expect(await screen.findAllByRole('listitem')).toHaveLength(5)
})

test('a sample that cannot be read says so, and is read again', async () => {
  server.answers['/api/v1/session'] = {
    user: { id: 'usr_1', name: 'Mei' },
    workspace: 'ws',
    role: 'owner',
    permissions: ['settings.write'],
  }
  server.answers['/api/v1/sample'] = { present: true, may_add: false, items: [] }
  server.refused = '/api/v1/sample'
  await show(SampleCard)
  const again = await screen.findByRole('button', { name: en['action.retry'] })
  server.refused = ''
  fireEvent.click(again)
  await screen.findByRole('button', { name: en['sample.remove'] })
})

test('every role has steps that it can do', async () => {
  server.answers['/api/v1/session'] = {
    user: { id: 'usr_1', name: 'Mei' },
    workspace: 'ws',
    role: 'agent',
    permissions: ['people.read', 'people.write', 'campaigns.read'],
  }
  server.answers['/api/v1/personal-settings'] = { items: [{ key: 'views.people', value: [{ name: 'Regulars' }] }], next_cursor: '' }
  await show(Onboarding)
  const steps = await screen.findAllByRole('listitem')
  expect(steps.map((s) => [s.textContent, s.dataset.done ?? 'open'])).toEqual(
    [
      ['name', 'true'],
      ['people', 'open'],
      ['task', 'open'],
      ['view', 'true'],
      ['sent', 'open'],
    ].map(([id, done]) => [en[`onboarding.step.${id}` as keyof typeof en], done]),
  )
})

test('whoever looks on has looked once a journey that was published has been seen', async () => {
  const Looks = ({ there }: { there: boolean }) => {
    useLooked('journey', there)
    return <Onboarding />
  }
  server.answers['/api/v1/session'] = { user: { id: 'usr_1', name: '' }, workspace: 'ws', role: 'viewer', permissions }
  const live = async () => (await screen.findByText(en['onboarding.step.live'])).closest('li')?.dataset.done
  const { unmount } = await show(() => <Looks there={false} />)
  expect(await live()).toBeUndefined()
  unmount()
  await show(() => <Looks there />)
  await vi.waitFor(async () => expect(await live()).toBe('true'))
})

test.each([
  ['analyst', ['name', 'people', 'segment', 'view', 'report']],
  ['viewer', ['name', 'people', 'view', 'live', 'sent']],
])('the five steps of a role that looks on tick from what is there: %s', async (role, wanted) => {
  server.answers['/api/v1/session'] = { user: { id: 'usr_1', name: '' }, workspace: 'ws', role, permissions }
  server.answers['/api/v1/personal-settings'] = { items: [{ key: 'onboarding.looked', value: ['journey', 'campaign'] }], next_cursor: '' }
  server.answers['/api/v1/saved-reports'] = { items: [{ id: 'rep_1' }], next_cursor: '' }
  await show(Onboarding)
  const steps = await screen.findAllByRole('listitem')
  const done = ['live', 'sent', 'report']
  expect(steps.map((s) => [s.textContent, s.dataset.done ?? 'open'])).toEqual(
    wanted.map((id) => [en[`onboarding.step.${id}` as keyof typeof en], done.includes(id) ? 'true' : 'open']),
  )
})

test('the first steps are gone once all are done, and for those who put them away', async () => {
  server.answers['/api/v1/personal-settings'] = { items: [{ key: 'onboarding.away', value: true }], next_cursor: '' }
  await show(() => (
    <>
      <Onboarding />
      <p>drawn</p>
    </>
  ))
  await screen.findByText('drawn')
  await vi.waitFor(() => expect(queryClient.getQueryData(['/api/v1/personal-settings', {}])).toBeTruthy())
  expect(screen.queryByRole('listitem')).toBeNull()
})

function Waiting() {
  const notices = useAttention()
  return notices ? (
    <ul>
      {notices.map((n) => (
        <li key={n.id} data-to={n.to}>
          {n.text}
        </li>
      ))}
    </ul>
  ) : null
}

test('what waits is told with the urgent first, and where to go', async () => {
  server.answers['/api/v1/campaigns'] = {
    items: [
      { id: 'cmp_1', name: 'Spring', status: 'review' },
      { id: 'cmp_2', name: 'Old', status: 'sent' },
    ],
    next_cursor: '',
  }
  server.answers['/api/v1/journey-trouble'] = { parked: 2, trying: 1 }
  server.answers['/api/v1/rejections'] = {
    items: [
      { id: 'r1', at: new Date().toISOString() },
      { id: 'r2', at: '2020-01-01T00:00:00Z' },
    ],
    next_cursor: '',
  }
  server.answers['/api/v1/accounts'] = { items: [{ id: 'acc_1', name: 'Main' }] }
  server.answers['/api/v1/accounts/acc_1/health'] = { alert: { code: 'blocked', paused: true } }
  await show(Waiting)
  await screen.findByText(/Main is paused/)
  expect(screen.getAllByRole('listitem').map((x) => [x.textContent, x.dataset.to])).toEqual([
    ['“Spring” is waiting for approval', '/campaigns/cmp_1'],
    ['Main is paused: other servers refuse its email', '/settings/accounts'],
    ['2 people are stuck in journeys', '/journeys'],
    ['A journey step failed for 1 person and is being retried', '/journeys'],
    ['1 event was rejected in the last 24 hours', '/settings/rejections'],
  ])
})

test('what people do leads to whoever did it', async () => {
  server.answers['/api/v1/event-names'] = { items: [{ type: 'track', name: 'Order Completed', count: 7 }], next_cursor: '' }
  await show(EventsCard)
  fireEvent.click(await screen.findByRole('button', { name: 'Order Completed' }))
  await screen.findByRole('dialog', { name: 'Order Completed' }, { timeout: 20_000 })
  await waitFor(() =>
    expect(server.asked['/api/v1/segments/preview/people']).toMatchObject({ rule: { event: { type: 'track', name: 'Order Completed' } } }),
  )
})
