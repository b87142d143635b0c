import { fireEvent, render } from '@testing-library/react'
import { expect, test } from 'vitest'
import { useShortcuts } from './keys'

function Sample({ log }: { log: string[] }) {
  useShortcuts([
    { keys: 'n', label: 'new', run: () => log.push('n') },
    { keys: 'g p', label: 'people', run: () => log.push('g p') },
    { keys: 'mod+k', label: 'palette', run: () => log.push('mod+k'), inFields: true },
  ])
  return <input aria-label="field" />
}

test('keys act on the page, sequences too, but not in fields nor during composition', () => {
  const log: string[] = []
  const { getByLabelText } = render(<Sample log={log} />)
  fireEvent.keyDown(document.body, { key: 'n' })
  fireEvent.keyDown(document.body, { key: 'g' })
  fireEvent.keyDown(document.body, { key: 'p' })
  fireEvent.keyDown(getByLabelText('field'), { key: 'n' })
  fireEvent.keyDown(document.body, { key: 'n', isComposing: true })
  fireEvent.keyDown(document.body, { key: 'n', keyCode: 229 })
  fireEvent.keyDown(getByLabelText('field'), { key: 'k', ctrlKey: true })
  expect(log).toEqual(['n', 'g p', 'mod+k'])
})

test('a sequence is one by when its keys were pressed, not by when a busy page hears of them', () => {
  const log: string[] = []
  render(<Sample log={log} />)
  const press = (key: string, at: number) => {
    const e = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true })
    Object.defineProperty(e, 'timeStamp', { value: at })
    fireEvent(document.body, e)
  }
  press('g', 5000)
  press('p', 6000)
  press('g', 8000)
  press('p', 9500)
  expect(log).toEqual(['g p'])
})

function Canvas({ log }: { log: string[] }) {
  useShortcuts([
    { keys: 'ArrowDown', also: ['ArrowUp'], label: 'go', on: '[data-card]', run: (k) => log.push(k) },
    { keys: 'mod+z', label: 'undo', run: () => log.push('undo') },
    { keys: 'mod+shift+z', label: 'redo', run: () => log.push('redo') },
    { keys: 'mod+c', label: 'copy' },
  ])
  return (
    <>
      <button data-card>card</button>
      <button>other</button>
    </>
  )
}

test('keys of a place act only there; shift with mod is another key; what is only listed is left to the browser', () => {
  const log: string[] = []
  const { getByText } = render(<Canvas log={log} />)
  fireEvent.keyDown(getByText('other'), { key: 'ArrowDown' })
  fireEvent.keyDown(getByText('card'), { key: 'ArrowDown' })
  fireEvent.keyDown(getByText('card'), { key: 'ArrowUp' })
  fireEvent.keyDown(getByText('card'), { key: 'z', ctrlKey: true })
  fireEvent.keyDown(getByText('card'), { key: 'Z', ctrlKey: true, shiftKey: true })
  expect(fireEvent.keyDown(getByText('card'), { key: 'c', ctrlKey: true })).toBe(true)
  expect(log).toEqual(['ArrowDown', 'ArrowUp', 'undo', 'redo'])
})
