// The clipboard of the canvas, by the browser's own events: they need no permission and work without HTTPS. In fields, and where text is marked, they are
// left to the browser.
import { useEffect, useEffectEvent } from 'react'
import { typing } from '@/lib/keys'

interface Clipboard {
  enabled: boolean
  /** The text to keep; undefined if there is nothing to take. */
  copy: () => string | undefined
  /** Removes what was copied. */
  cut: () => void
  paste: (text: string) => void
}

export function useClipboard(c: Clipboard) {
  const hear = useEffectEvent((e: ClipboardEvent) => {
    const busy = document.querySelector('[role=dialog]') !== null
    if (!c.enabled || busy || typing(e.target) || window.getSelection()?.toString()) return
    if (e.type === 'paste') {
      c.paste(e.clipboardData?.getData('text/plain') ?? '')
      e.preventDefault()
      return
    }
    const text = c.copy()
    if (text === undefined) return
    e.clipboardData?.setData('text/plain', text)
    e.preventDefault()
    if (e.type === 'cut') c.cut()
  })
  useEffect(() => {
    const stop = new AbortController()
    for (const type of ['copy', 'cut', 'paste'] as const) document.addEventListener(type, (e) => hear(e), { signal: stop.signal })
    return () => stop.abort()
  }, [])
}
