import { Button, CloseButton, Menu, TextInput } from '@mantine/core'
import { Check, ChevronDown, Search } from 'lucide-react'
import { createContext, type ReactNode, useContext, useEffect, useEffectEvent, useRef, useState } from 'react'
import { useT } from '@/i18n'
import { useShortcuts } from '@/lib/keys'
import css from './filters.module.css'

export interface Choice {
  value: string
  label: string
}

/** Whether a search box stands in a bar, which has the key for both. */
const InBar = createContext(false)

/** The bar above a list: search, chips, and one button that takes all filters back. "/" focuses the search, or the first filter where there is none. */
export function FilterBar({ children, active, onClear }: { children: ReactNode; active?: boolean; onClear?: () => void }) {
  const t = useT()
  const bar = useRef<HTMLDivElement>(null)
  const first = () =>
    bar.current?.querySelector<HTMLElement>('input[type=search]') ?? bar.current?.querySelector<HTMLElement>('input, button')
  useShortcuts([{ keys: '/', label: t('shortcut.search'), run: () => first()?.focus() }])
  return (
    <div ref={bar} className={css.bar} role="search">
      <InBar value={true}>{children}</InBar>
      {active && onClear ? (
        <Button variant="subtle" color="gray" onClick={onClear}>
          {t('state.clear_filters')}
        </Button>
      ) : null}
    </div>
  )
}

const typingPause = 150 // milliseconds without a key before it is searched: with the answer less than half a second

/** Search that tells its text a moment after the last key and never in the middle of an IME composition. "/" focuses it. */
export function SearchBox({ value, onChange, placeholder }: { value: string; onChange: (text: string) => void; placeholder: string }) {
  const t = useT()
  const [text, setText] = useState(value)
  const [composing, setComposing] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  const told = useRef([value]) // what stands around it or is on its way there, the newest last
  const tell = useEffectEvent((found: string) => onChange(found))
  useEffect(() => {
    // What was told comes back, on a slow machine when more is typed already; anything else was set from outside.
    const back = told.current.indexOf(value)
    if (back < 0) setText(value)
    told.current = back < 0 ? [value] : told.current.slice(back)
  }, [value])
  useEffect(() => {
    if (text === told.current.at(-1) || composing) return
    const timer = setTimeout(() => {
      told.current.push(text)
      tell(text)
    }, typingPause)
    return () => clearTimeout(timer)
  }, [text, composing])
  const inBar = useContext(InBar)
  useShortcuts(inBar ? [] : [{ keys: '/', label: t('shortcut.search'), run: () => input.current?.focus() }])
  return (
    <TextInput
      ref={input}
      className={css.search}
      type="search"
      value={text}
      placeholder={placeholder}
      aria-label={placeholder}
      leftSection={<Search size={16} />}
      rightSection={text ? <CloseButton size="sm" aria-label={t('action.clear')} onClick={() => setText('')} /> : null}
      onChange={(e) => setText(e.currentTarget.value)}
      onCompositionStart={() => setComposing(true)}
      onCompositionEnd={() => setComposing(false)}
    />
  )
}

/** One filter as a chip with a menu; the empty value means all. */
export function FilterChip({
  label,
  value,
  choices,
  onChange,
}: {
  label: string
  value: string
  choices: Choice[]
  onChange: (value: string) => void
}) {
  const t = useT()
  const chosen = choices.find((c) => c.value === value)
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <Button variant={chosen ? 'light' : 'default'} color={chosen ? 'accent' : undefined} rightSection={<ChevronDown size={14} />}>
          {chosen ? t('text.pair', { label, value: chosen.label }) : label}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {[{ value: '', label: t('filter.all') }, ...choices].map((c) => (
          <Menu.Item key={c.value} onClick={() => onChange(c.value)} rightSection={c.value === value ? <Check size={14} /> : null}>
            {c.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
