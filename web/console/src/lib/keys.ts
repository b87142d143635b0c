// Keyboard shortcuts. None fires while an input method composes or while somebody types into a field.
import { useEffect, useRef, useSyncExternalStore } from 'react'
import { t } from '@/i18n'

export interface Shortcut {
  /** "n", "mod+k", "mod+shift+z" or a sequence "g p". mod is Command on Apple's machines, else Control. */
  keys: string
  /** Further keys that do the same, or the same in another direction. */
  also?: string[]
  /** What it does, in the reader's language. */
  label: string
  /** Gets the keys that were pressed. Without it the keys are only listed: the browser tells of them by itself, as of copying. */
  run?: (keys: string) => void
  /** Only while the focus is in something that this selector fits. */
  on?: string
  /** Also while a field has the focus (only sensible with mod); a selector names the fields. */
  inFields?: boolean | string
}

export const apple = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? '')

/** True while the event belongs to an input method: such a key must never act. */
export const composing = (e: { isComposing?: boolean; keyCode?: number; nativeEvent?: { isComposing?: boolean } }) =>
  e.isComposing === true || e.nativeEvent?.isComposing === true || e.keyCode === 229

export const typing = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

let active: { current: Shortcut[] }[] = []
let listeners: (() => void)[] = []
let pending = ''
let pendingAt = 0

const changed = () => {
  for (const l of listeners) l()
}

function pressed(e: KeyboardEvent): string {
  const mod = apple ? e.metaKey : e.ctrlKey
  const key = e.key.length === 1 ? e.key.toLowerCase() : e.key
  return `${mod ? 'mod+' : ''}${e.altKey ? 'alt+' : ''}${e.shiftKey && (mod || e.key.length > 1) ? 'shift+' : ''}${key}`
}

function onKey(e: KeyboardEvent) {
  if (e.defaultPrevented || composing(e)) return
  const key = pressed(e)
  const sequence = e.timeStamp - pendingAt < 1200 && pending ? `${pending} ${key}` : ''
  const field = typing(e.target)
  const all = active.toReversed().flatMap((a) => a.current)
  const here = e.target instanceof Element ? e.target : null
  const fit = (keys: string) =>
    all.find(
      (s) =>
        s.run &&
        (s.keys === keys || s.also?.includes(keys)) &&
        (!field || s.inFields === true || (typeof s.inFields === 'string' && here?.closest(s.inFields))) &&
        (!s.on || (here?.closest(s.on) ?? false)),
    )
  const found = (sequence && fit(sequence)) || fit(key)
  pending = ''
  if (found) {
    e.preventDefault()
    found.run?.(key)
    return
  }
  if (!field && all.some((s) => s.keys.startsWith(`${key} `))) {
    pending = key
    pendingAt = e.timeStamp // when it was pressed: a busy page may hear of it later
  }
}

/** Keeps shortcuts alive while the component is shown; the help sheet lists them. */
export function useShortcuts(shortcuts: Shortcut[]) {
  const kept = useRef(shortcuts)
  useEffect(() => {
    kept.current = shortcuts
  })
  const names = shortcuts.map((s) => s.keys + s.label).join()
  useEffect(() => {
    if (active.length === 0) window.addEventListener('keydown', onKey)
    active = [...active, kept]
    changed()
    return () => {
      active = active.filter((a) => a !== kept)
      if (active.length === 0) window.removeEventListener('keydown', onKey)
      changed()
    }
    // The list itself is read through the reference; only a change of keys or words must tell the help sheet.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [names])
}

/** All shortcuts that work now, for the help sheet. */
export function useActiveShortcuts(): Shortcut[] {
  const store = useSyncExternalStore(
    (l) => {
      listeners = [...listeners, l]
      return () => {
        listeners = listeners.filter((x) => x !== l)
      }
    },
    () => active,
  )
  return store.flatMap((a) => a.current)
}

const names: Record<string, string> = {
  mod: apple ? '⌘' : 'Ctrl',
  alt: apple ? '⌥' : 'Alt',
  shift: '⇧',
  Enter: '↵',
  Escape: 'Esc',
  ArrowDown: '↓',
  ArrowUp: '↑',
  ArrowLeft: '←',
  ArrowRight: '→',
  Delete: 'Del',
  Backspace: '⌫',
}

/** The keys as they are printed: ["Ctrl", "K"]. Parts of a sequence are separated by the word "then". */
export const printed = (keys: string): string[] =>
  keys
    .split(' ')
    .flatMap((part, i) => [
      ...(i > 0 ? [t('shortcut.then')] : []),
      ...part.split('+').map((k) => names[k] ?? (k.length === 1 ? k.toUpperCase() : k)),
    ])
