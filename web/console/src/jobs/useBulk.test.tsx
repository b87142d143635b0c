import { cleanup, configure, fireEvent, render, screen, waitFor, within } from '@testing-library/react'
import { QueryClientProvider } from '@tanstack/react-query'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { queryClient } from '@/api'
import { speak } from '@/i18n'
import en from '@/i18n/en.json'
import { DataTable, UiProvider } from '@/ui'
import { archivingMails } from '@/content/mayArchive'
import { type Act, forGood, useBulk } from './useBulk'

const go = vi.fn()
vi.mock('@/lib/route', async (real) => ({ ...(await real<object>()), useGo: () => go }))

configure({ asyncUtilTimeout: 5000 })
beforeAll(() => speak('en', en))
const { asked, answers } = vi.hoisted(() => ({
  asked: [] as { url: string; body: Record<string, unknown> }[],
  answers: { ended: {} as object, uses: {} as object },
}))
vi.mock('@/api', async (real) => ({
  ...(await real<object>()),
  call: async (method: string, url: string, args: { body?: Record<string, unknown> }) => {
    if (method === 'post') asked.push({ url: url.replace('/api/v1', ''), body: args.body ?? {} })
    if (url.endsWith('/count')) return { count: 1234 }
    if (url.endsWith('/uses')) return answers.uses
    if (url.endsWith('/undo')) return { id: 'job_2' }
    if (method === 'post') return { id: 'job_1' }
    return { undo: true, refused: [], ...answers.ended }
  },
}))

const begun = () => asked.find((a) => a.url === '/bulk-acts')!.body

beforeEach(() => void (asked.length = 0))
afterEach(() => {
  cleanup()
  queryClient.clear()
})

function List({ act = { act: 'campaign_archive', label: 'Archive' } }: { act?: Act }) {
  return (
    <DataTable
      name="x"
      label="x"
      more
      rows={[{ id: 'a' }, { id: 'b' }]}
      rowId={(r) => r.id}
      columns={[{ id: 'name', title: 'Name', cell: (r) => r.id }]}
      {...useBulk({ acts: [act], query: { q: 'spring', status: undefined }, lists: ['/x'] })}
    />
  )
}
const shown = (act?: Act) =>
  render(
    <QueryClientProvider client={queryClient}>
      <UiProvider>
        <List act={act} />
      </UiProvider>
    </QueryClientProvider>,
  )
const job = (o: object) => ({ job: { id: 'job_1', state: 'done', ended_at: '2026-01-01T00:00:00Z', total: 2, figures: {}, ...o } })

test('all that fit are counted by the server, which is told the number that the reader saw', async () => {
  answers.ended = job({ figures: { changed: 1234 } })
  shown()
  fireEvent.click(screen.getAllByLabelText('Select all rows')[0]!)
  fireEvent.click(await screen.findByRole('button', { name: 'Select all 1,234 that match' }))
  fireEvent.click(screen.getByRole('button', { name: 'Archive' }))
  await screen.findByText('Archiving campaigns: 1,234 done')
  expect(begun()).toMatchObject({ act: 'campaign_archive', query: { q: 'spring' }, expected_count: 1234 })
  expect(begun().idempotency_key).toBeTruthy()
  fireEvent.click(screen.getByRole('button', { name: 'Undo' }))
  await screen.findByText('Undone: Archiving campaigns')
  expect(asked.map((a) => a.url)).toContain('/bulk-acts/{id}/undo')
})

test('what could not be done is told with its number and leads to the reasons', async () => {
  answers.ended = { ...job({ figures: { changed: 1, not_done: 1 } }), refused: [{ id: 'b', name: 'B', code: 'x', message: 'y' }] }
  shown()
  fireEvent.click(screen.getAllByLabelText('Select all rows')[0]!)
  fireEvent.click(screen.getByRole('button', { name: 'Archive' }))
  await screen.findByText('Archiving campaigns: 1 done')
  expect(begun()).toMatchObject({ ids: ['a', 'b'] })
  await screen.findByText('Archiving campaigns: 1 could not be done')
  fireEvent.click(screen.getByRole('button', { name: 'Show which' }))
  expect(go).toHaveBeenCalledWith('/jobs?open=job_1')
  await waitFor(() => expect(screen.queryByRole('toolbar')).toBeNull())
})

test('what cannot be undone asks for the exact number, over pages too', async () => {
  answers.ended = job({ figures: { changed: 1234 } })
  shown(forGood('key_revoke', 'Revoke', 'Programs stop.'))
  fireEvent.click(screen.getAllByLabelText('Select all rows')[0]!)
  fireEvent.click(await screen.findByRole('button', { name: 'Select all 1,234 that match' }))
  fireEvent.click(screen.getByRole('button', { name: 'Revoke' }))
  await screen.findByText('Revoke 1,234 keys?')
  const goOn = within(screen.getByRole('dialog')).getByRole('button', { name: 'Revoke' }) as HTMLButtonElement
  fireEvent.change(screen.getByLabelText('Type “1234” to confirm'), { target: { value: '2' } })
  expect(goOn.disabled).toBe(true)
  expect(asked.some((a) => a.url === '/bulk-acts')).toBe(false)
  fireEvent.change(screen.getByLabelText('Type “1234” to confirm'), { target: { value: '1234' } })
  fireEvent.click(goOn)
  await waitFor(() => expect(begun()).toMatchObject({ act: 'key_revoke', expected_count: 1234 }))
})

test('mails that something sends are named before they are put away, others go at once', async () => {
  answers.ended = job({ figures: { changed: 2 } })
  answers.uses = { used: 1, items: [{ id: 'a', name: 'Hello', users: [{ noun: 'series', id: 's', name: 'Weekly' }] }] }
  shown(archivingMails(false))
  fireEvent.click(screen.getAllByLabelText('Select all rows')[0]!)
  fireEvent.click(screen.getByRole('button', { name: 'Archive' }))
  await screen.findByText('Archive 2 emails?')
  expect(screen.getByText(/1 of them is in use: “Hello” by .*“Weekly”/)).toBeTruthy()
  fireEvent.click(screen.getByRole('button', { name: 'Cancel' }))
  expect(asked.some((a) => a.url === '/bulk-acts')).toBe(false)
  answers.uses = { used: 0, items: [] }
  fireEvent.click(screen.getByRole('button', { name: 'Archive' }))
  await waitFor(() => expect(begun()).toMatchObject({ act: 'template_archive', ids: ['a', 'b'] }))
})
