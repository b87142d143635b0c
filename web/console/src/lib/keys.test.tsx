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
