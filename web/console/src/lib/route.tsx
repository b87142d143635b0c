// Routing as screens see it. The router itself is in app/router.tsx; nothing else imports it.
import { useLocation, useNavigate, useParams, useRouterState } from '@tanstack/react-router'
import type { ComponentType } from 'react'
import { useCallback, useEffect, useMemo, useState } from 'react'
import type { PathsOf } from '@/api'

export { Outlet } from '@tanstack/react-router'

/** One address and the component that is loaded when it is first opened. */
export interface Screen {
  /** "/people/$id": parts with $ are parameters. */
  path: string
  load: () => Promise<{ default: ComponentType }>
  /** Whoever lacks it is told who can grant it, instead of filling in what cannot be saved. */
  permission?: string
  /** Has the window to itself: an editor, beside which there is no navigation. */
  whole?: boolean
}

declare module '@tanstack/react-router' {
  interface StaticDataRouteOption {
    screen?: Screen
  }
}

/** One action of the command palette. */
export interface Action {
  id: string
  /** Key of its text. */
  title: string
  /** Further words people may type, in any language: pinyin, romaji, English. */
  aliases?: string
  permission?: string
  /** Address to open. */
  to: string
}

/** Things that the palette finds by their name. */
export interface Things {
  /** Where they are listed. */
  list: PathsOf<'get'>
  /** Key of what they are called together. */
  title: string
  /** Address before the id of one. */
  path: string
  /** If it takes more to see them than to see the area. */
  permission?: string
  /** Their list has no search of its own: it is short, read whole and sifted by the palette. */
  whole?: boolean
}

/** One noun of the product: its place in the navigation, its screens, and what the palette offers of it. */
export interface Area {
  id: string
  path: string
  /** Key of its text. */
  title: string
  icon: ComponentType<{ size?: number; strokeWidth?: number }>
  /** Hidden from people without it. */
  permission?: string
  /** Second key of the shortcut "g x". */
  key?: string
  aliases?: string
  /** False keeps it out of the navigation (there are at most seven). */
  nav?: boolean
  /** Id of the area of the navigation that it belongs to. */
  within?: string
  /** Stands at the foot of the navigation, apart from what people work with every day. */
  foot?: boolean
  /** Only in the demonstration. */
  demo?: boolean
  screens: Screen[]
  actions?: Action[]
  things?: Things[]
}

/** One parameter of the address: useParam('id') on /people/$id. */
export function useParam(name: string): string {
  const params = useParams({ strict: false }) as Record<string, string | undefined>
  return params[name] ?? ''
}

/** Whether the address has changed already and its screen does not stand yet. */
export const useArriving = () => useRouterState({ select: (s) => s.status === 'pending' })

/** The screen of the address, known before it stands: what comes and goes around it with it would push it about. */
export const useScreen = () => useRouterState({ select: (s) => s.matches.at(-1)?.staticData.screen })

/** Opens an address: const go = useGo(); go('/people/per_1') */
export function useGo() {
  const navigate = useNavigate()
  return useCallback((to: string, o: { replace?: boolean } = {}) => void navigate({ href: to, replace: o.replace }), [navigate])
}

/** The path of the address. */
export const usePath = () => useLocation({ select: (l) => l.pathname })

/**
 * State that lives in the address, so that it can be shared, bookmarked and gone back to. Values are text; those that
 * equal their default are left out. const [filter, setFilter] = useUrlState({ q: '', status: '' })
 */
export function useUrlState<T extends Record<string, string>>(defaults: T): [T, (patch: Partial<T>, o?: { push?: boolean }) => void] {
  const search = useLocation({ select: (l) => l.search }) as unknown as Record<string, unknown>
  const navigate = useNavigate()
  const names = JSON.stringify(defaults)
  const state = useMemo(() => {
    const out: Record<string, string> = JSON.parse(names)
    for (const key of Object.keys(out)) if (typeof search[key] === 'string') out[key] = search[key]
    return out as T
  }, [search, names])
  const set = useCallback(
    (patch: Partial<T>, o: { push?: boolean } = {}) => {
      const base = JSON.parse(names) as Record<string, string>
      void navigate({
        to: '.',
        replace: !o.push,
        resetScroll: false,
        search: (before: Record<string, unknown>) => {
          const next: Record<string, unknown> = { ...before, ...patch }
          for (const key of Object.keys(base)) if (next[key] === base[key] || next[key] === undefined) delete next[key]
          return next
        },
      } as never)
    },
    [navigate, names],
  )
  return [state, set]
}

/** Whether the sheet in which something new is made is open: `?new=yes` opens it, which is how the palette leads to it, and leaves the address. */
export function useMaking() {
  const [asked, setAsked] = useUrlState({ new: '' })
  const [making, setMaking] = useState(false)
  const path = usePath()
  const [own] = useState(path) // what is asked of the page that comes next is none of this one's
  useEffect(() => {
    if (!asked.new || path !== own) return
    // oxlint-disable-next-line react/set-state-in-effect -- what the address asked for is taken out of it, so that going back does not ask again
    setMaking(true)
    setAsked({ new: '' })
  }, [asked.new, setAsked, path, own])
  return [making, setMaking] as const
}
