import { QueryClientProvider } from '@tanstack/react-query'
import { fireEvent, render, screen } from '@testing-library/react'
import { beforeAll, expect, test, vi } from 'vitest'
import { queryClient } from '@/api'
import { speak } from '@/i18n'
import en from '@/i18n/en.json'
import { type Rule, UiProvider } from '@/ui'
import { ConditionField } from './ConditionField'

// The client takes fetch as it is when it is loaded, so this comes before.
vi.hoisted(() => {
  globalThis.fetch = async () =>
    new Response(JSON.stringify({ items: [], next_cursor: '' }), { headers: { 'Content-Type': 'application/json' } })
})

beforeAll(() => speak('en', en))

test('a condition is built without JSON, and what comes from outside replaces it', async () => {
  const set = vi.fn<(v: Rule | undefined) => void>()
  const of = (value: Rule | undefined) => (
    <QueryClientProvider client={queryClient}>
      <UiProvider>
        <ConditionField label="Condition" value={value} set={set} />
      </UiProvider>
    </QueryClientProvider>
  )
  const { rerender } = render(of(undefined))
  expect(screen.getByText(en['builder.empty_inside'])).toBeTruthy()
  fireEvent.click(screen.getByRole('button', { name: en['builder.add'] }))
  fireEvent.click(await screen.findByRole('menuitem', { name: new RegExp(en['builder.kind.trait']) }))
  const made = set.mock.lastCall![0]!
  expect(made).toEqual({ all: [{ trait: { path: '', op: 'eq' } }] })
  rerender(of(made))
  fireEvent.change(screen.getByPlaceholderText(en['builder.field.path']), { target: { value: 'plan' } })
  expect(set.mock.lastCall![0]).toEqual({ all: [{ trait: { path: 'plan', op: 'eq' } }] })
  // The journey's undo takes it back.
  rerender(of(undefined))
  expect(screen.getByText(en['builder.empty_inside'])).toBeTruthy()
}, 30_000) // the whole builder with its menus is drawn, which a busy machine takes a while for
