import { QueryClientProvider } from '@tanstack/react-query'
import { fireEvent, render, screen, within } from '@testing-library/react'
import { beforeAll, expect, test, vi } from 'vitest'
import { queryClient } from '@/api'
import { speak } from '@/i18n'
import en from '@/i18n/en.json'
import { UiProvider } from '@/ui'
import { useRuleData } from './data'
import { RuleBuilder, useRuleTree } from './RuleBuilder'
import * as tree from './tree'

// The client takes fetch as it is when it is loaded, so this comes before.
vi.hoisted(() => {
  globalThis.fetch = async () =>
    new Response(JSON.stringify({ items: [], next_cursor: '' }), { headers: { 'Content-Type': 'application/json' } })
})

beforeAll(() => speak('en', en))

const trait = (path: string) => ({ trait: { path, op: 'eq', value: 'x' } })

function Builder() {
  const rule = useRuleTree(() => tree.rootOf({ all: [trait('a'), trait('b'), { any: [trait('c'), trait('d')] }] }))
  return <RuleBuilder rule={rule} data={useRuleData()} counts={new Map()} old={false} faults={[]} />
}

/** The conditions and groups below the root, as they stand. */
const nodes = () => [...document.querySelectorAll('li[data-node]')]
const menuOf = (i: number) => nodes()[i]!.querySelector<HTMLElement>('[data-menu]')!
const choose = async (i: number, action: string) => {
  fireEvent.click(menuOf(i))
  fireEvent.click(await screen.findByRole('menuitem', { name: new RegExp(`^${action}`) }))
}
/** Where the focus is: the path of the trait of its condition, "group" or "tools". */
const at = () => {
  const now = document.activeElement!
  if (now.closest('[data-tools]')) return `tools ${(now as HTMLButtonElement).disabled ? 'off' : 'on'}`
  const node = now.closest('[data-node]')
  if (!node) return now.tagName
  return node.querySelector<HTMLInputElement>(':scope > [data-inputs] input:not([type=hidden])')?.value ?? 'group'
}
const key = (k: string, more: object = { ctrlKey: true }) => fireEvent.keyDown(document.activeElement!, { key: k, ...more })

test.each<[string, () => unknown, string, string, string]>([
  ['grouping', () => key('g'), 'a', 'a', 'a'],
  ['ungrouping', () => choose(2, en['builder.unwrap']), 'c', 'c', 'c'],
  ['removing', () => key('Delete'), 'b', 'b', 'b'],
  ['doubling', () => key('d'), 'a', 'b', 'b'],
  ['moving out of the group', () => choose(4, en['builder.down']), 'd', 'd', 'd'],
  ['moving', () => key('ArrowDown', { altKey: true }), 'a', 'a', 'a'],
])('the focus stays in the builder after %s, after undoing it and after doing it again', async (_, act, done, undone, again) => {
  render(
    <QueryClientProvider client={queryClient}>
      <UiProvider>
        <Builder />
      </UiProvider>
    </QueryClientProvider>,
  )
  menuOf(0).focus()
  await act()
  await vi.waitFor(() => expect(at()).toBe(done))
  key('z')
  expect(at()).toBe(undone)
  key('y')
  expect(at()).toBe(again)
  const undo = within(document.querySelector<HTMLElement>('[data-tools]')!).getByRole('button', { name: en['action.undo'] })
  undo.focus()
  fireEvent.click(undo) // there is no further step back, and the button is off
  expect(at()).toBe('tools on')
})
