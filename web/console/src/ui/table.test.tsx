import { act, fireEvent, render, screen, within } from '@testing-library/react'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { speak } from '@/i18n'
import en from '@/i18n/en.json'
import ja from '@/i18n/ja.json'
import { UiProvider } from '.'
import { type Column, DataTable } from './table'

beforeAll(() => speak('en', en))

interface Row {
  id: string
}

const seen: Column<Row>[] = [
  { id: 'id', title: 'name', cell: (r) => r.id },
  {
    id: 'seen',
    title: 'seen',
    cell: () => '',
    orders: [
      { value: 'recent', goes: 'descending' },
      { value: 'silent', goes: 'ascending' },
    ],
  },
]

function Shown({
  scope = 'all',
  total,
  onAsk = () => {},
  onOrder,
}: {
  scope?: string
  total?: number
  onAsk?: () => void
  onOrder?: (o: string) => void
}) {
  return (
    <UiProvider>
      <DataTable
        name="x"
        label="x"
        rows={[{ id: 'a' }, { id: 'b' }]}
        rowId={(r) => r.id}
        columns={seen}
        more
        order=""
        onOrder={onOrder}
        matching={{ scope, total, onAsk }}
        bulk={(ids, _, all) => <output>{all ? 'everybody' : ids.join()}</output>}
      />
    </UiProvider>
  )
}

test('all that fit can be meant, also those that were not read', () => {
  const ask = vi.fn()
  const { rerender } = render(<Shown onAsk={ask} />)
  const head = () => within(screen.getByRole('table')).getByLabelText('Select all rows')
  fireEvent.click(head())
  expect(ask).toHaveBeenCalledOnce()
  expect(screen.getByRole('status').textContent).toBe('a,b')
  rerender(<Shown total={12_340} />)
  expect(screen.getByText('2 selected')).toBeTruthy()
  fireEvent.click(screen.getByRole('button', { name: 'Select all 12,340 that match' }))
  expect(screen.getByText('All 12,340 that match are selected')).toBeTruthy()
  expect(screen.getByRole('status').textContent).toBe('everybody')

  // One that is taken out leaves those that are shown.
  fireEvent.click(within(screen.getByRole('table')).getAllByLabelText('Select row')[0]!)
  expect(screen.getByRole('status').textContent).toBe('b')
  fireEvent.click(head())
  fireEvent.click(screen.getByRole('button', { name: 'Select all 12,340 that match' }))

  // Another filter means others: what was selected does not go over to them.
  rerender(<Shown total={7} scope="other" />)
  expect(screen.queryByText(/that match are selected/)).toBeNull()
})

test('what another filter hides is selected no more', () => {
  const shown = (rows: Row[]) => (
    <UiProvider>
      <DataTable name="x" label="x" rows={rows} rowId={(r) => r.id} columns={seen} bulk={(ids) => <output>{ids.join()}</output>} />
    </UiProvider>
  )
  const { rerender } = render(shown([{ id: 'a' }, { id: 'b' }]))
  fireEvent.click(within(screen.getByRole('table')).getByLabelText('Select all rows'))
  rerender(shown([{ id: 'b' }, { id: 'c' }]))
  expect(screen.getByRole('status').textContent).toBe('b')
})

test('a file of more rows than were read is made by the server, with the columns that are shown', () => {
  const file = vi.fn()
  localStorage.setItem('table.f', JSON.stringify({ size: false }))
  render(
    <UiProvider>
      <DataTable
        name="f"
        label="Rows"
        rows={[{ id: 'a' }]}
        rowId={(r) => r.id}
        more
        file={file}
        columns={[
          { id: 'name', title: 'Name', cell: (r) => r.id, text: (r) => r.id },
          { id: 'size', title: 'Size', cell: () => '', text: () => 1 },
          { id: 'seen', title: 'Seen', cell: () => '', text: () => '', field: 'progress.done' },
          { id: 'more', title: '', cell: () => 'x' },
        ]}
      />
    </UiProvider>,
  )
  fireEvent.click(screen.getByRole('button', { name: 'Download as CSV' }))
  expect(file).toHaveBeenCalledWith(
    [
      { title: 'Name', field: 'name' },
      { title: 'Seen', field: 'progress.done' },
    ],
    'Rows',
  )
})

test('a row opens without a mouse and on a phone', () => {
  const opened = vi.fn()
  const shown = (wide: boolean) => {
    vi.stubGlobal('matchMedia', (q: string) => ({
      matches: !wide,
      media: q,
      addEventListener() {},
      removeEventListener() {},
      addListener() {},
      removeListener() {},
    }))
    return render(
      <UiProvider>
        <DataTable
          name="open"
          label="Rows"
          rows={[{ id: 'a' }]}
          rowId={(r) => r.id}
          onOpen={(r) => opened(r.id)}
          columns={[
            { id: 'id', title: 'Name', opens: true, cell: (r) => `row ${r.id}` },
            { id: 'more', title: 'More', cell: () => 'something' },
          ]}
        />
      </UiProvider>,
    )
  }
  for (const wide of [true, false]) {
    const { unmount } = shown(wide)
    expect(screen.queryByRole('table') !== null).toBe(wide)
    fireEvent.click(screen.getByRole('button', { name: 'row a' }))
    expect(opened).toHaveBeenCalledTimes(1)
    fireEvent.click(screen.getByText('something'))
    expect(opened).toHaveBeenCalledTimes(2)
    opened.mockClear()
    unmount()
  }
  vi.unstubAllGlobals()
})

test('a phone has orders to choose from, too', async () => {
  const wide = window.matchMedia
  window.matchMedia = (query) => ({ ...wide(query), matches: query.includes('760px') })
  onTestFinished(() => void (window.matchMedia = wide))
  const order = vi.fn()
  render(<Shown onOrder={order} />)
  fireEvent.click(screen.getByRole('button', { name: 'Sort' }))
  fireEvent.click(await screen.findByRole('menuitem', { name: 'seen, ascending', hidden: true }))
  expect(order).toHaveBeenCalledWith('silent')
  expect(screen.queryByRole('table')).toBeNull() // rows are drawn once
  expect(screen.getAllByRole('listitem')).toHaveLength(2)
})

test('what was read before stays when it cannot be read again, and the table says so', () => {
  const again = vi.fn()
  render(
    <UiProvider>
      <DataTable
        name="t"
        label="rows"
        rows={[{ id: 'one' }]}
        rowId={(r) => r.id}
        columns={seen.slice(0, 1)}
        error={new Error('gone')}
        onRetry={again}
      />
    </UiProvider>,
  )
  expect(screen.getByText('one')).toBeTruthy()
  expect(screen.getByText(en['state.partial'])).toBeTruthy()
  fireEvent.click(screen.getByRole('button', { name: en['action.retry'] }))
  expect(again).toHaveBeenCalledOnce()
})

test('people are counted as people, in the words of each language', async () => {
  const shown = (more: boolean, people: boolean) => (
    <UiProvider>
      <DataTable name="x" label="x" people={people} more={more} rows={[{ id: 'a' }, { id: 'b' }]} rowId={(r) => r.id} columns={seen} />
    </UiProvider>
  )
  const { rerender } = render(shown(false, true))
  expect(screen.getByText('2 people')).toBeTruthy()
  await act(() => speak('ja', ja))
  rerender(shown(true, true))
  expect(screen.getByText('2人以上')).toBeTruthy()
  rerender(shown(true, false))
  expect(screen.getByText('2件以上')).toBeTruthy()
})

test('how many people there are stands where it is known, and not that there are more', async () => {
  await act(() => speak('en', en))
  const shown = (p: { more?: boolean; total?: number; matching?: { scope: string; total?: number; onAsk: () => void } }) => (
    <UiProvider>
      <DataTable name="x" label="x" people rows={[{ id: 'a' }, { id: 'b' }]} rowId={(r) => r.id} columns={seen} {...p} />
    </UiProvider>
  )
  const { rerender } = render(shown({ more: true, total: 94 }))
  expect(screen.getByText('2 of 94 people')).toBeTruthy()
  rerender(shown({ more: true, matching: { scope: '', total: 95, onAsk: () => {} } }))
  expect(screen.getByText('2 of 95 people')).toBeTruthy()
  rerender(shown({ more: true, total: 2 })) // counted before others came
  expect(screen.getByText('2+ people')).toBeTruthy()
  rerender(shown({ total: 2 }))
  expect(screen.getByText('2 people')).toBeTruthy()
  await act(() => speak('ja', ja))
  rerender(shown({ more: true, total: 94 }))
  expect(screen.getByText('94人中2人')).toBeTruthy()
})

test('keys go from row to row and select; at the ends they stay', () => {
  const open = vi.fn()
  render(
    <UiProvider>
      <DataTable
        name="keyed"
        label="keyed"
        rows={[{ id: 'a' }, { id: 'b' }]}
        rowId={(r) => r.id}
        columns={[{ id: 'id', title: 'name', opens: true, cell: (r) => r.id }]}
        onOpen={open}
        bulk={(ids) => <output>{ids.join()}</output>}
      />
    </UiProvider>,
  )
  const press = (key: string) => fireEvent.keyDown(document.activeElement ?? document.body, { key })
  const at = () => document.activeElement?.textContent
  const told = ['j', 'j', 'j', 'k', 'k'].map((key) => (press(key), at()))
  expect(told).toEqual(['a', 'b', 'b', 'a', 'a'])
  press('j')
  press('x')
  expect(screen.getByRole('status').textContent).toBe('b')
  press('x')
  expect(screen.queryByRole('status')).toBeNull()
  fireEvent.click(document.activeElement!) // what Enter does to a button
  expect(open).toHaveBeenCalledWith({ id: 'b' })
})

test('keys go through rows that nothing opens, too, and only through those of their own list', () => {
  render(
    <UiProvider>
      <a href="#before">before</a>
      <DataTable
        name="kept"
        label="kept"
        rows={[{ id: 'a' }, { id: 'b' }]}
        rowId={(r) => r.id}
        columns={seen}
        bulk={(ids) => <output>{ids.join()}</output>}
      />
      <DataTable
        name="within"
        label="within"
        bare
        rows={[{ id: 'c' }]}
        rowId={(r) => r.id}
        columns={[{ id: 'id', title: 'name', cell: (r) => <a href={`#${r.id}`}>{r.id}</a> }]}
      />
    </UiProvider>,
  )
  const press = (key: string) => fireEvent.keyDown(document.body, { key })
  screen.getByText('c').focus()
  press('x') // of another list
  expect(screen.queryByRole('status')).toBeNull()
  press('j')
  press('j')
  press('x')
  expect(screen.getByRole('status').textContent).toBe('b')
})
