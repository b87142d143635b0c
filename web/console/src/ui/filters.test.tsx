import { MantineProvider } from '@mantine/core'
import { act, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { useActiveShortcuts } from '@/lib/keys'
import { FilterBar, FilterChip, SearchBox } from './filters'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

test('what is typed stays when what was typed before comes back late, and goes when the search is set from outside', () => {
  const told: string[] = []
  const box = (value: string) => (
    <MantineProvider>
      <SearchBox value={value} placeholder="search" onChange={(text) => told.push(text)} />
    </MantineProvider>
  )
  const { rerender } = render(box(''))
  const input = screen.getByPlaceholderText<HTMLInputElement>('search')
  const type = (value: string, pause: number) => {
    fireEvent.change(input, { target: { value } })
    act(() => void vi.advanceTimersByTime(pause))
  }
  type('a', 500)
  type('an', 500)
  type('ann', 50)
  rerender(box('a')) // the page was slow
  expect(input.value).toBe('ann')
  rerender(box('an'))
  expect(input.value).toBe('ann')
  act(() => void vi.advanceTimersByTime(500))
  expect(told).toEqual(['a', 'an', 'ann'])
  rerender(box('ann'))
  rerender(box('')) // all filters are taken back
  expect(input.value).toBe('')
  act(() => void vi.advanceTimersByTime(500))
  expect(told).toEqual(['a', 'an', 'ann'])
})

test('one key leads to the search of a bar, or to its first filter where there is none', () => {
  const Keys = () => <output>{useActiveShortcuts().filter((s) => s.keys === '/').length}</output>
  const bar = (search: boolean) => (
    <MantineProvider>
      <FilterBar>
        <FilterChip label="kind" value="" choices={[]} onChange={() => {}} />
        {search ? <SearchBox value="" placeholder="search" onChange={() => {}} /> : null}
      </FilterBar>
      <Keys />
    </MantineProvider>
  )
  const { rerender } = render(bar(true))
  const press = () => {
    ;(document.activeElement as HTMLElement).blur()
    fireEvent.keyDown(document.body, { key: '/' })
    return document.activeElement
  }
  expect(press()).toBe(screen.getByPlaceholderText('search'))
  expect(screen.getByRole('status').textContent).toBe('1')
  rerender(bar(false))
  expect(press()?.textContent).toBe('kind')
})
