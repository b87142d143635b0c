import { fireEvent, render, screen, within } from '@testing-library/react'
import { beforeAll, expect, test } from 'vitest'
import { speak } from '@/i18n'
import en from '@/i18n/en.json'
import { ListTable, UiProvider } from '.'
import { inPlace } from './held'

beforeAll(() => speak('en', en))

interface Row {
  id: string
  n?: number
}
const of = (ids: string) => [...ids].map((id) => ({ id }))
const placed = (held: string, rows: string, more = false) => {
  const p = inPlace(of(held), of(rows), (r) => r.id, more)
  return `${p.rows.map((r) => r.id).join('')} ${p.news}${p.beyond ? '+' : ''}`
}

test.each([
  ['new rows wait', 'abc', 'xyabc', true, 'abc 2'],
  ['rows keep their order', 'abc', 'cxab', true, 'abc 1'],
  ['a row that is gone goes', 'abc', 'ac', false, 'ac 0'],
  ['what was asked for below is there', 'abc', 'xabcde', true, 'abcde 1'],
  ['rows that news push over the edge stay', 'abc', 'xya', true, 'abc 2'],
  ['so do all of them', 'abc', 'xyz', true, 'abc 3+'],
  ['the last row is gone when another follows in its place', 'abc', 'abd', true, 'abd 0'],
  ['nothing is left of a list that was emptied', 'abc', '', false, ' 0'],
])('%s', (_, held, rows, more, want) => {
  expect(placed(held, rows, more)).toBe(want)
})

function Shown({ rows, asked = 'all' }: { rows: Row[]; asked?: string }) {
  const list = { items: rows, asked, loading: false, loadingMore: false, error: null, more: false, loadMore: () => {}, reload: () => {} }
  return (
    <UiProvider>
      <ListTable
        name="x"
        label="x"
        of={list}
        rowId={(r) => r.id}
        columns={[
          {
            id: 'id',
            title: 'name',
            cell: (r) => (
              <button type="button">
                {r.id}
                {r.n}
              </button>
            ),
          },
        ]}
      />
    </UiProvider>
  )
}
const body = () => screen.getByRole('table').querySelector('tbody')!
const seen = () =>
  within(body())
    .getAllByRole('button')
    .map((b) => b.textContent)
    .join(' ')
const news = () => screen.queryByRole('button', { name: /^Show \d+ new/ })?.textContent

test('rows that come in wait while a mouse points at the list, with the values of now, and come in when it leaves', () => {
  const { rerender } = render(<Shown rows={[{ id: 'a' }, { id: 'b' }]} />)
  fireEvent.pointerEnter(body(), { pointerType: 'mouse' })
  rerender(<Shown rows={[{ id: 'x' }, { id: 'a', n: 2 }, { id: 'b' }]} />)
  expect(seen()).toBe('a2 b')
  expect(news()).toBe('Show 1 new row')
  fireEvent.pointerLeave(body())
  expect(seen()).toBe('x a2 b')
  expect(news()).toBeUndefined()
})

test('they wait while keys are in the list, until they are asked for; a finger holds nothing back', () => {
  const { rerender } = render(<Shown rows={[{ id: 'a' }]} />)
  fireEvent.pointerEnter(body(), { pointerType: 'touch' })
  rerender(<Shown rows={[{ id: 'b' }, { id: 'a' }]} />)
  expect(seen()).toBe('b a')
  within(body()).getByRole('button', { name: 'a' }).focus()
  rerender(<Shown rows={[{ id: 'd' }, { id: 'c' }, { id: 'b' }, { id: 'a' }]} />)
  expect(seen()).toBe('b a')
  expect(document.activeElement?.textContent).toBe('a')
  fireEvent.click(screen.getByRole('button', { name: 'Show 2 new rows' }))
  expect(seen()).toBe('d c b a')
})

test('the answer to another question is never held back', () => {
  const { rerender } = render(<Shown rows={[{ id: 'a' }]} />)
  fireEvent.pointerEnter(body(), { pointerType: 'mouse' })
  rerender(<Shown rows={[{ id: 'z' }]} asked="z" />)
  expect(seen()).toBe('z')
  expect(news()).toBeUndefined()
})
