import { cleanup, configure, fireEvent, render, screen, waitFor } from '@testing-library/react'
import { QueryClientProvider } from '@tanstack/react-query'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { queryClient } from '@/api'
import { speak } from '@/i18n'
import en from '@/i18n/en.json'
import { DataTable, UiProvider } from '@/ui'
import { useBulk } from './useBulk'

const go = vi.fn()
vi.mock('@/lib/route', async (real) => ({ ...(await real<object>()), useGo: () => go }))

configure({ asyncUtilTimeout: 5000 })
beforeAll(() => speak('en', en))
const { asked, answers } = vi.hoisted(() => ({
  asked: [] as { url: string; body: Record<string, unknown> }[],
  answers: { ended: {} as object },
}))
vi.mock('@/api', async (real) => ({
  ...(await real<object>()),
  call: async (method: string, url: string, args: { body?: Record<string, unknown> }) => {
    if (method === 'post') asked.push({ url: url.replace('/api/v1', ''), body: args.body ?? {} })
    if (url.endsWith('/count')) return { count: 1234 }
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

function List() {
  return (
    <DataTable
      name="x"
      label="x"
      more
      rows={[{ id: 'a' }, { id: 'b' }]}
      rowId={(r) => r.id}
      columns={[{ id: 'name', title: 'Name', cell: (r) => r.id }]}
      {...useBulk({ acts: [{ act: 'campaign_archive', label: 'Archive' }], query: { q: 'spring', status: undefined }, lists: ['/x'] })}
    />
  )
}
const shown = () =>
  render(
    <QueryClientProvider client={queryClient}>
      <UiProvider>
        <List />
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
  await screen.findByText('Taken back: Archiving campaigns')
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
