// The command palette: places, actions and things by name, all by keyboard.
import { CornerDownLeft, FileSearch } from 'lucide-react'
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import { queryClient, useRead, useReads } from '@/api'
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
  /** What is remembered of it; its id without this. */
  keep?: Thing
  run: () => void
}

/** A thing that was opened, with what the palette shows of it: it stands there again without being asked for. */
interface Thing {
  id: string
  group: string
  label: string
  note?: string
  path: string
}

interface Named {
  id?: string
  key?: string // what snippets have for an id
  name: string
}

const shownOfNoun = 5
const wholeList = 200 // of what has no search of its own

/** The things of a list that screens have read before. */
const known = (list: string): Named[] =>
  queryClient
    .getQueriesData<{ items?: Named[] | null; pages?: { items?: Named[] | null }[] }>({
      predicate: (q) => q.queryKey[0] === list,
    })
    .flatMap(([, a]) => [...(a?.items ?? []), ...(a?.pages ?? []).flatMap((p) => p.items ?? [])])

/** Whether each word that was typed stands in one of the texts, in any order. */
export const fitting = (typed: string, texts: (string | undefined)[]): boolean => {
  const all = texts.join(' ').toLowerCase()
  return typed
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word))
}

const recentKey = 'palette.recent'
type Recent = string | Thing // places and actions by id
const recents = (): Recent[] => JSON.parse(localStorage.getItem(recentKey) ?? '[]')
const idOf = (r: Recent) => (typeof r === 'string' ? r : r.id)
const remember = (r: Recent) =>
  localStorage.setItem(recentKey, JSON.stringify([r, ...recents().filter((x) => idOf(x) !== idOf(r))].slice(0, 8)))

export interface PaletteProps {
  areas: Area[]
  onClose: () => void
  onHelp: () => void
}

export default function Palette({ areas, onClose, onHelp }: PaletteProps) {
  const t = useT()
  const go = useGo()
  const can = useCan()
  const [text, setText] = useState('')
  const [asked] = useDebouncedValue(text.trim(), 120)
  const [at, setAt] = useState(0)
  const list = useRef<HTMLDivElement>(null)
  const search = asked.length > 0
  const people = useRead(
    '/api/v1/people',
    { query: { q: asked, limit: shownOfNoun } },
    { enabled: search && can('people.read'), keep: true },
  )
  const nouns = useMemo(() => areas.flatMap((a) => a.things ?? []), [areas])
  const found = useReads(
    nouns.map((n) => ({
      path: n.list,
      args: { query: n.whole ? { limit: wholeList } : { q: asked, limit: shownOfNoun } } as never,
      enabled: search && can(n.permission),
    })),
  )
  const things = found.map((f) => (f.data as { items?: Named[] | null } | undefined)?.items)
  const busy = text.trim() !== asked || people.isFetching || found.some((f) => f.isFetching)
  const failed = people.error ?? found.find((f) => f.error)?.error

  const entries = useMemo(() => {
    const wanted = text.trim().toLowerCase()
    const fits = (...words: (string | undefined)[]) => fitting(wanted, words)
    const all: Entry[] = []
    const thing = (x: Thing): Entry => ({ ...x, keep: x, run: () => go(x.path) })
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
        all.push(thing({ id: p.id, group: t('nav.people'), label: personName(p), note: p.email, path: `/people/${p.id}` }))
      nouns.forEach((n, i) => {
        // What this browser knows already stands there at once, and the answer to what was typed before until the next is there; what does not fit is left out.
        const seen = new Map(
          [...known(n.list), ...(things[i] ?? [])].filter((x) => fits(x.name, x.id ?? x.key)).map((x) => [x.id ?? x.key ?? '', x.name]),
        )
        for (const [id, label] of [...seen].slice(0, shownOfNoun))
          all.push(thing({ id, group: t(n.title), label, path: `${n.path}/${id}` }))
      })
      const again = recents().filter((r): r is Thing => typeof r !== 'string' && fits(r.label, r.note, r.id))
      return [...again.filter((r) => !all.some((e) => e.id === r.id)).map((r) => ({ ...thing(r), group: t('palette.recent') })), ...all]
    }
    const last = recents()
      .map((r) => (typeof r === 'string' ? all.find((e) => e.id === r) : thing(r)))
      .filter((e): e is Entry => e !== undefined)
      .slice(0, 5)
    return [...last.map((e) => ({ ...e, group: t('palette.recent') })), ...all.filter((e) => !last.some((l) => l.id === e.id))]
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- as many answers as there are nouns
  }, [text, areas, nouns, people.data, ...things, t, go, can, onHelp])

  // The list follows the chosen entry.
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' })
  }, [at])

  const choose = (e: Entry | undefined) => {
    if (!e) return
    remember(e.keep ?? e.id)
    onClose()
    e.run()
  }
  return (
    <Modal onClose={onClose} label={t('nav.search')}>
      <input
        className={css.input}
        // At once, for whoever types on: the window around it gives the focus a moment later only.
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- the palette is opened to type into
        autoFocus
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
        {entries.length === 0 || (failed && !busy) ? (
          <p className={css.none}>
            <FileSearch size={18} /> {t(busy ? 'palette.searching' : failed ? 'palette.failed' : 'palette.nothing')}
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
