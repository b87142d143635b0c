// Forms over something that is saved: what is typed while a save is on its way, and what news from elsewhere must not take.
import { act, configure, fireEvent, screen, waitFor } from '@testing-library/react'
import type { ReactNode } from 'react'
import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { queryClient, refresh } from '@/api'
import { speak } from '@/i18n'
import en from '@/i18n/en.json'
import ImportMappingPage from '@/people/ImportMappingPage'
import PersonaEditPage from '@/personas/PersonaEditPage'
import { NotePanel } from '@/report/NotePanel'
import SavedReportPage from '@/report/SavedReportPage'
import SchemePage from '@/standing/SchemePage'
import { show } from '../../test/show'
import IdentitySection from './IdentitySection'
import { IntakeRules } from './IntakeRules'
import RetentionSection from './RetentionSection'
import WorkspaceSection from './WorkspaceSection'

// The client takes fetch as it is when it is loaded, so this comes before. What is saved is answered when the test says so.
const server = vi.hoisted(() => {
  const state = { answers: {} as Record<string, unknown>, sent: [] as never[], answer: (() => {}) as (saved: unknown) => void }
  globalThis.fetch = async (r) => {
    const { method, url } = r as Request
    const path = new URL(url, 'http://x').pathname
    const json = (body: unknown) => new Response(JSON.stringify(body), { headers: { 'Content-Type': 'application/json' } })
    if (method !== 'PUT' && method !== 'PATCH') return json(state.answers[path] ?? { items: [], next_cursor: '' })
    state.sent.push((await (r as Request).json()) as never)
    const saved = await new Promise((yes) => (state.answer = yes))
    return json(saved)
  }
  return state
})

configure({ asyncUtilTimeout: 20_000 }) // some of these pages are long
beforeAll(() => speak('en', en))
beforeEach(() => {
  queryClient.clear()
  server.sent = []
  server.answers = {
    '/api/v1/session': {
      user: { id: 'usr_1', name: 'Mei' },
      workspace: 'ws',
      role: 'owner',
      permissions: [
        'settings.read',
        'settings.write',
        'privacy.read',
        'privacy.write',
        'people.read',
        'people.write',
        'segments.read',
        'segments.write',
        'reports.read',
      ],
    },
  }
})

const input = (label: string) => screen.getByLabelText<HTMLInputElement>(new RegExp(`^${label}( \\*)?$`))
const type = (label: string, text: string) => fireEvent.change(input(label), { target: { value: text } })
const press = (name: string) => fireEvent.click(screen.getByRole('button', { name }))
const news = () => act(() => refresh(['/api/v1/']))
const note = { revision: 1, plan: 'a plan', result: 'so so', change: '' }
const workspace = {
  id: 'ws_1',
  name: 'Shop',
  timezone: 'Asia/Tokyo',
  currency: 'JPY',
  default_region: 'JP',
  locale: 'ja',
  site_url: '',
  approve_campaigns: false,
}
const rules = { fields: [{ path: 'traits.a', action: 'drop' }], consent: [], send: [], forward: [], unasked: true }
const mapping = {
  id: 'x_1',
  name: 'Shop',
  columns: ['email'],
  plan: { columns: [{ name: 'email', to: 'identifier', key: 'email' }] },
  by: '',
  revision: 1,
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
}
const persona = {
  id: 'x_1',
  revision: 1,
  name: 'Aya',
  role: 'buyer',
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
}
const scheme = {
  window_days: 365,
  labels: [
    { key: 'best', name: 'Best', r: { from: 5, to: 5 }, f: { from: 5, to: 5 }, m: { from: 5, to: 5 } },
    { key: 'other', name: 'Other', r: { from: 1, to: 5 }, f: { from: 1, to: 5 }, m: { from: 1, to: 5 } },
  ],
  lifecycle: { new_days: 30, churned_days: 365, at_risk: 1.5, dormant: 2, churned: 3 },
  participation: { write: [], react: [], authors: 1, days: 30 },
  high_touch: [],
  low_touch: [],
  revision: 1,
}

interface Case {
  what: string
  page: () => ReactNode
  path: string
  was: Record<string, unknown>
  /** Opens the form, if it does not stand there. */
  open?: string
  field: string
  /** What is saved if that is written, and where what was sent says so. */
  saved: (text: string) => Record<string, unknown>
  sent: (body: never) => unknown
  /** Another field, and what is saved if somebody else changes it. */
  other: string
  theirs: Record<string, unknown>
  /** Where the revision that is saved over stands. */
  over?: string
}

const forms: Case[] = [
  {
    what: 'a page of the settings',
    page: WorkspaceSection,
    path: '/api/v1/workspace',
    was: workspace,
    field: en['workspace.name'],
    saved: (name) => ({ name }),
    sent: (b: { name: string }) => b.name,
    other: en['workspace.site_url'],
    theirs: { site_url: 'theirs' },
  },
  {
    what: 'rules of intake, whose key was all that they say',
    page: IntakeRules,
    path: '/api/v1/privacy-rules',
    was: rules,
    field: en['privacy.field_path'],
    saved: (path) => ({ fields: [{ path, action: 'drop' }] }),
    sent: (b: typeof rules) => b.fields[0]?.path,
    other: '',
    theirs: { send: ['theirs'] },
  },
  {
    what: 'a note in a sheet',
    page: () => <NotePanel of="saved-reports" id="x_1" />,
    path: '/api/v1/saved-reports/x_1/note',
    was: note,
    open: en['note.edit'],
    field: en['note.plan'],
    saved: (plan) => ({ plan }),
    sent: (b: typeof note) => b.plan,
    other: en['note.result'],
    theirs: { result: 'theirs' },
    over: 'base',
  },
  {
    what: 'a mapping, which is left when it is saved',
    page: ImportMappingPage,
    path: '/api/v1/import-mappings/x_1',
    was: mapping,
    field: en['field.name'],
    saved: (name) => ({ name }),
    sent: (b: typeof mapping) => b.name,
    other: '',
    theirs: { by: 'Ken' },
    over: 'revision',
  },
  {
    what: 'the scheme of standings',
    page: SchemePage,
    path: '/api/v1/standing/scheme',
    was: scheme,
    field: 'Name: Best',
    saved: (name) => ({ labels: [{ ...scheme.labels[0], name }, scheme.labels[1]] }),
    sent: (b: typeof scheme) => b.labels[0]?.name,
    other: en['standing.window'],
    theirs: { window_days: 90 },
    over: 'revision',
  },
  {
    what: 'a persona',
    page: PersonaEditPage,
    path: '/api/v1/personas/x_1',
    was: persona,
    field: en['field.name'],
    saved: (name) => ({ name }),
    sent: (b: typeof persona) => b.name,
    other: en['personas.role'],
    theirs: { role: 'theirs' },
    over: 'revision',
  },
]

test.each(forms)('$what keeps what is typed while it is saved, unsaved', async ({ page, path, was, open, field, saved, sent }) => {
  server.answers[path] = was
  const { router } = await show(page)
  if (open) fireEvent.click(await screen.findByRole('button', { name: open }))
  await waitFor(() => input(field))
  type(field, 'one')
  press(en['action.save'])
  await waitFor(() => expect(server.sent).toHaveLength(1))
  type(field.replace('Best', 'one'), 'one two')
  const now = { ...was, ...saved('one'), revision: 2 }
  server.answers[path] = now
  await act(async () => server.answer(now))
  expect(await screen.findByText(en['form.more'])).toBeTruthy()
  expect(input(field.replace('Best', 'one two')).value).toBe('one two')
  expect(router.state.location.pathname).toBe('/x_1')
  press(en['action.save'])
  await waitFor(() => expect(server.sent.map(sent)).toEqual(['one', 'one two']))
})

test.each(forms)('$what keeps what is typed from news', async ({ page, path, was, open, field, saved, sent, other, theirs, over }) => {
  server.answers[path] = was
  await show(page)
  if (open) fireEvent.click(await screen.findByRole('button', { name: open }))
  await waitFor(() => input(field))
  type(field, 'mine')
  server.answers[path] = { ...was, ...theirs, revision: 2 }
  await news()
  expect(input(field.replace('Best', 'mine')).value).toBe('mine')
  if (other) await waitFor(() => expect(input(other).value).toBe(String(Object.values(theirs)[0])))
  server.answers[path] = { ...was, ...theirs, ...saved('theirs'), revision: 3 }
  await news()
  expect(input(field.replace('Best', 'mine')).value).toBe('mine')
  press(en['action.save'])
  await waitFor(() => expect(server.sent.map(sent)).toEqual(['mine']))
  if (over) expect(server.sent[0]![over]).toBe(2) // somebody else has written the same: the server is to say so
})

const kind = (name: string, limit: number) => ({ name, strength: 'strong', form: 'trim', joins: true, limit })

test('kinds of identifiers that are being changed stay when others are told of', async () => {
  const path = '/api/v1/identity-scheme'
  server.answers[path] = { version: 1, kinds: [kind('user_id', 1), kind('email', 5)] }
  await show(IdentitySection)
  const limits = () => screen.getAllByLabelText<HTMLInputElement>(en['identity_scheme.limit']).map((x) => x.value)
  await waitFor(() => limits())
  fireEvent.change(screen.getAllByLabelText(en['identity_scheme.limit'])[1]!, { target: { value: '7' } })
  server.answers[path] = { version: 2, kinds: [kind('user_id', 1), kind('email', 3)] }
  await news()
  expect(limits()).toEqual(['≤ 1', '≤ 7'])
  press(en['identity_scheme.reset'])
  await waitFor(() => expect(limits()[1]).toBe('≤ 3'))
})

test('a term that is being chosen stays when others are told of, and while it is saved', async () => {
  const path = '/api/v1/retention'
  const of = (days: number) => ({ policy: { days, rules: [] }, kinds: [], least: 7, ledger_days: 30 })
  server.answers[path] = of(365)
  server.answers['/api/v1/retention/check'] = { removed: [], segments: [] }
  await show(RetentionSection)
  const term = () => screen.getByRole<HTMLInputElement>('combobox', { name: en['retention.all'] })
  const choose = (label: string) => {
    fireEvent.click(term())
    fireEvent.click(screen.getByRole('option', { name: label, hidden: true }))
  }
  await waitFor(() => term())
  choose('30 days')
  server.answers[path] = of(90)
  await news()
  expect(term().value).toBe('30 days')
  press(en['action.save'])
  await waitFor(() => expect(server.sent).toEqual([{ days: 30, rules: [] }]))
  choose('7 days')
  server.answers[path] = of(30)
  await act(async () => server.answer({ days: 30, rules: [] }))
  await screen.findByText(en['form.more'])
  expect(term().value).toBe('7 days')
})

test('what a saved report is asked with stays when its name is changed elsewhere', async () => {
  const path = '/api/v1/saved-reports/x_1'
  const report = { id: 'x_1', name: 'Weekly', report: 'channels', parameters: {}, revision: 1, updated_at: '2026-01-01T00:00:00Z' }
  server.answers[path] = report
  server.answers['/api/v1/reports/channels'] = {
    parameters: ['domain'],
    columns: [],
    rows: [],
    from: '2026-01-01',
    to: '2026-01-31',
    previous_from: '2025-12-01',
    previous_to: '2025-12-31',
    zone: 'UTC',
  }
  server.answers['/api/v1/reports/effect'] = { judgement: 'no_control' }
  await show(SavedReportPage)
  fireEvent.change(await screen.findByRole('searchbox'), { target: { value: 'example.com' } })
  await screen.findByRole('button', { name: en['report.save_changes'] })
  server.answers[path] = { ...report, name: 'Every week', revision: 2 }
  await news()
  await screen.findByRole('heading', { name: 'Every week' })
  press(en['report.save_changes'])
  await waitFor(() =>
    expect(server.sent).toEqual([{ name: 'Every week', report: 'channels', parameters: { domain: 'example.com' }, revision: 2 }]),
  )
})
