import { act, renderHook } from '@testing-library/react'
import { expect, test } from 'vitest'
import { useShownScheme } from './theme'

test('what is drawn follows the scheme that the screen changes to', async () => {
  const root = document.documentElement
  root.setAttribute('data-mantine-color-scheme', 'light')
  const { result, unmount } = renderHook(() => useShownScheme())
  expect(result.current).toBe('light')
  await act(async () => root.setAttribute('data-mantine-color-scheme', 'dark'))
  expect(result.current).toBe('dark')
  unmount()
  root.removeAttribute('data-mantine-color-scheme')
})
