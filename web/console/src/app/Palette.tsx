// The command palette: places, actions and things by name, all by keyboard.
import { CornerDownLeft, FileSearch } from 'lucide-react'
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import { useRead } from '@/api'
import { useT } from '@/i18n'
import { composing } from '@/lib/keys'
import { type Area, useGo } from '@/lib/route'
import { Modal, personName, useDebouncedValue } from '@/ui'
import css from './Palette.module.css'
import { useCan } from './session'

interface Entry {
  id: string
  group: string
  label: string
  note?: string
  icon?: ReactNode
  run: () => void
}

const recentKey = 'palette.recent'
const recents = (): string[] => JSON.parse(localStorage.getItem(recentKey) ?? '[]')
const remember = (id: string) => localStorage.setItem(recentKey, JSON.stringify([id, ...recents().filter((x) => x !== id)].slice(0, 8)))

export default function Palette({ areas, onClose, onHelp }: { areas: Area[]; onClose: () => void; onHelp: () => void }) {
  const t = useT()
  const go = useGo()
  const can = useCan()
  const [text, setText] = useState('')
  const [asked] = useDebouncedValue(text.trim(), 120)
  const [at, setAt] = useState(0)
  const list = useRef<HTMLDivElement>(null)
  const search = asked.length > 0
  const people = useRead('/api/v1/people', { query: { q: asked, limit: 5 } }, { enabled: search && can('people.read'), keep: true })
  const segments = useRead('/api/v1/segments', { query: { limit: 200 } }, { enabled: can('segments.read') })
  const campaigns = useRead('/api/v1/campaigns', { query: { limit: 200 } }, { enabled: can('campaigns.read') })
  const journeys = useRead('/api/v1/journeys', { query: { limit: 200 } }, { enabled: can('journeys.read') })

  const entries = useMemo(() => {
    const wanted = text.trim().toLowerCase()
    const fits = (...words: (string | undefined)[]) => !wanted || words.some((w) => w?.toLowerCase().includes(wanted))
    const all: Entry[] = []
    for (const a of areas)
      if (fits(t(a.title), a.id, a.aliases))
        all.push({ id: `area.${a.id}`, group: t('palette.places'), label: t(a.title), icon: <a.icon size={16} />, run: () => go(a.path) })
    for (const a of areas)
      for (const x of a.actions ?? [])
        if (can(x.permission) && fits(t(x.title), x.id, x.aliases))
          all.push({ id: x.id, group: t('palette.actions'), label: t(x.title), icon: <a.icon size={16} />, run: () => go(x.to) })
    if (fits(t('shortcut.help'), 'keyboard shortcuts'))
      all.push({ id: 'help', group: t('palette.actions'), label: t('shortcut.help'), run: onHelp })
    if (wanted) {
      for (const p of people.data?.items ?? [])
        all.push({ id: p.id, group: t('nav.people'), label: personName(p), note: p.email, run: () => go(`/people/${p.id}`) })
      const named = (items: { id: string; name: string }[] | null | undefined, group: string, path: string) => {
        for (const i of (items ?? []).filter((x) => fits(x.name, x.id)).slice(0, 5))
          all.push({ id: i.id, group, label: i.name, run: () => go(`${path}/${i.id}`) })
      }
      named(segments.data?.items, t('nav.segments'), '/segments')
      named(campaigns.data?.items, t('nav.campaigns'), '/campaigns')
      named(journeys.data?.items, t('nav.journeys'), '/journeys')
      return all
    }
    const order = recents()
    const last = order
      .map((id) => all.find((e) => e.id === id))
      .filter((e): e is Entry => e !== undefined)
      .slice(0, 3)
    return [...last.map((e) => ({ ...e, group: t('palette.recent') })), ...all.filter((e) => !last.some((l) => l.id === e.id))]
  }, [text, areas, people.data, segments.data, campaigns.data, journeys.data, t, go, can, onHelp])

  // The list follows the chosen entry.
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' })
  }, [at])

  const choose = (e: Entry | undefined) => {
    if (!e) return
    remember(e.id)
    onClose()
    e.run()
  }
  return (
    <Modal onClose={onClose} label={t('nav.search')}>
      <input
        className={css.input}
        data-autofocus
        value={text}
        placeholder={t('palette.hint')}
        aria-label={t('palette.hint')}
        role="combobox"
        aria-expanded
        aria-controls="palette-list"
        aria-activedescendant={entries[at] ? `palette-${at}` : undefined}
        onChange={(e) => {
          setText(e.currentTarget.value)
          setAt(0)
        }}
        onKeyDown={(e) => {
          if (composing(e)) return
          if (e.key === 'ArrowDown') setAt((n) => Math.min(n + 1, entries.length - 1))
          else if (e.key === 'ArrowUp') setAt((n) => Math.max(n - 1, 0))
          else if (e.key === 'Enter') choose(entries[at])
          else return
          e.preventDefault()
        }}
      />
      <div ref={list} id="palette-list" role="listbox" aria-label={t('palette.hint')} className={css.list}>
        {entries.length === 0 ? (
          <p className={css.none}>
            <FileSearch size={18} /> {t('palette.nothing')}
          </p>
        ) : null}
        {entries.map((e, i) => (
          <div key={`${e.group}.${e.id}`}>
            {e.group !== entries[i - 1]?.group ? <div className={css.group}>{e.group}</div> : null}
            {/* oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the input holds the focus and its keys choose */}
            <div
              id={`palette-${i}`}
              role="option"
              tabIndex={-1}
              aria-selected={i === at}
              className={css.entry}
              onMouseMove={() => setAt(i)}
              onClick={() => choose(e)}
            >
              {e.icon ?? <span className={css.noIcon} />}
              <span className={css.label}>{e.label}</span>
              {e.note ? <span className={css.note}>{e.note}</span> : null}
              {i === at ? <CornerDownLeft size={14} className={css.enter} /> : null}
            </div>
          </div>
        ))}
      </div>
    </Modal>
  )
}
