// The page templates. A screen is one of them, so that every page has its title, actions and states in the same place.
import { ChevronRight, ChevronsUpDown } from 'lucide-react'
import { createContext, Fragment, type ReactNode, useContext, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import { useT } from '@/i18n'
import { useGo } from '@/lib/route'
import { type Acts, MoreActs } from './acts'
import { Link } from './link'
import { LoadingState } from './states'
import css from './pages.module.css'

export interface Crumb {
  to: string
  label: string
}

interface Head {
  /** The h1 and the title of the browser's tab. */
  title: string
  /** Beside the title: status, badge. */
  status?: ReactNode
  /** One sentence: what this page is for. */
  lead?: ReactNode
  /** Small facts below the title. */
  meta?: ReactNode
  crumbs?: Crumb[]
  /** What else can be done: buttons before `actions`, and on a phone the entries of a menu, so that the head has one row of buttons. */
  more?: Acts
  /** Buttons that stand beside each other on a phone, too; the most important one last and filled. */
  actions?: ReactNode
  /** Buttons come with what is read: until then their room is kept, so that nothing moves when they do. */
  room?: boolean
}

/** Names the browser's tab after the page. */
export function usePageTitle(title: string) {
  useEffect(() => {
    document.title = title ? `${title} · Kizuna` : 'Kizuna'
  }, [title])
}

/** Where a page keeps its buttons, and how its head tells. */
const HeadPlace = createContext<[HTMLElement | null, (place: HTMLElement | null) => void]>([null, () => {}])

/** Buttons of what is on a page that stand beside its title, before those that the page names itself. */
export function HeadActions({ children }: { children: ReactNode }) {
  const [place] = useContext(HeadPlace)
  return place ? createPortal(children, place) : null
}

export function PageHead({ title, status, lead, meta, crumbs, more, actions, room }: Head) {
  const t = useT()
  const [, setPlace] = useContext(HeadPlace)
  usePageTitle(title)
  return (
    <header className={css.head}>
      <div className={css.headText}>
        {crumbs ? (
          <nav className={css.crumbs} aria-label={t('page.breadcrumb')}>
            {crumbs.map((c) => (
              <span key={c.to} className={css.crumb}>
                <ChevronRight size={14} aria-hidden />
                <Link to={c.to}>{c.label}</Link>
              </span>
            ))}
          </nav>
        ) : null}
        <div className={css.titleRow}>
          <h1>{title}</h1>
          {status}
        </div>
        {lead ? <p className={css.lead}>{lead}</p> : null}
        {meta ? <div className={css.meta}>{meta}</div> : null}
      </div>
      <div className={css.actions} data-room={room || undefined}>
        <span ref={setPlace} className={css.place} />
        {more ? <MoreActs acts={more} /> : null}
        {actions}
      </div>
    </header>
  )
}

export interface Tab {
  id: string
  label: ReactNode
}

/** Tabs whose choice the screen keeps in the address (useUrlState). */
export function PageTabs({ tabs, value, onChange, label }: { tabs: Tab[]; value: string; onChange: (id: string) => void; label: string }) {
  const row = useInSight<HTMLDivElement>(value)
  return (
    <div ref={row} data-sideways className={css.tabs} role="tablist" aria-label={label}>
      {tabs.map((tab) => (
        <button
          key={tab.id}
          type="button"
          role="tab"
          className={css.tab}
          aria-selected={tab.id === value}
          tabIndex={tab.id === value ? 0 : -1}
          onClick={() => onChange(tab.id)}
          onKeyDown={(e) => {
            const step = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0
            if (!step) return
            const at = (tabs.findIndex((x) => x.id === value) + step + tabs.length) % tabs.length
            onChange(tabs[at]?.id ?? value)
            ;(e.currentTarget.parentElement?.children[at] as HTMLElement | undefined)?.focus()
          }}
        >
          {tab.label}
        </button>
      ))}
    </div>
  )
}

/** In a row that scrolls sideways, keeps what is current in sight. */
function useInSight<E extends HTMLElement>(current: string) {
  const row = useRef<E>(null)
  useEffect(() => {
    const show = () => {
      const box = row.current?.getBoundingClientRect()
      const on = row.current?.querySelector('[aria-selected="true"], [aria-current="page"]')?.getBoundingClientRect()
      if (row.current && box && on) row.current.scrollLeft += on.left + on.width / 2 - box.left - box.width / 2
    }
    show()
    // The router has rows stand as they stood on the page before, a moment later.
    const later = requestAnimationFrame(show)
    return () => cancelAnimationFrame(later)
  }, [current])
  return row
}

const longestArrival = 4000 // milliseconds; what comes later may push

/** Until all of what is in an element has arrived, what follows a part that still loads is hidden: shown, it would be pushed about. */
function useArrival() {
  const root = useRef<HTMLDivElement>(null)
  const [arriving, setArriving] = useState(true)
  useLayoutEffect(() => {
    const end = () => {
      seen.disconnect()
      clearTimeout(late)
      setArriving(false)
    }
    const look = () => void (root.current?.querySelector('[data-loading]') ?? end())
    const seen = new MutationObserver(look)
    const late = setTimeout(end, longestArrival)
    if (root.current) seen.observe(root.current, { childList: true, subtree: true })
    look()
    return end
  }, [])
  return { ref: root, 'data-arriving': arriving || undefined }
}

/** What stands on a page. */
function Page({ narrow, children }: { narrow?: boolean; children: ReactNode }) {
  const place = useState<HTMLElement | null>(null)
  return (
    <HeadPlace value={place}>
      <div className={`${css.page} ${narrow ? css.narrow : ''}`} {...useArrival()}>
        {children}
      </div>
    </HeadPlace>
  )
}

/** A list of things: title and primary action, saved views, filters, table. */
export function ListPage({ views, filters, children, ...head }: Head & { views?: ReactNode; filters?: ReactNode; children: ReactNode }) {
  return (
    <Page>
      <PageHead {...head} />
      {views}
      {filters}
      {children}
    </Page>
  )
}

/** One thing: breadcrumb, title, status, actions, tabs, main column and a rail with what belongs to it. */
export function DetailPage({ tabs, rail, children, ...head }: Head & { tabs?: ReactNode; rail?: ReactNode; children: ReactNode }) {
  return (
    <Page>
      <PageHead {...head} />
      {tabs}
      {rail ? (
        <div className={css.withRail}>
          <div className={css.main}>{children}</div>
          <aside className={css.rail}>{rail}</aside>
        </div>
      ) : (
        <div className={css.main}>{children}</div>
      )}
    </Page>
  )
}

/** Figures: row of key figures, then cards. They come together: cards that arrive one by one would push each other about. */
export function DashboardPage({ kpis, loading, children, ...head }: Head & { kpis?: ReactNode; loading?: boolean; children: ReactNode }) {
  // Once shown it stays: cards read anew when they come, and would otherwise send themselves away.
  const [shown, setShown] = useState(!loading)
  if (!loading && !shown) setShown(true)
  return (
    <Page>
      <PageHead {...head} />
      {!shown ? (
        <LoadingState rows={12} />
      ) : (
        <>
          {kpis ? <div className={css.kpis}>{kpis}</div> : null}
          <div className={css.cards}>{children}</div>
        </>
      )}
    </Page>
  )
}

/** A form of its own page, one column. */
export function FormPage({ children, ...head }: Head & { children: ReactNode }) {
  return (
    <Page narrow>
      <PageHead {...head} />
      <div className={css.main}>{children}</div>
    </Page>
  )
}

/** The last row of a form whose height changes as one goes: at the bottom of the window, so that no button moves under a click. */
export function FormFoot({ children }: { children: ReactNode }) {
  return <div className={css.foot}>{children}</div>
}

/** Sections of settings, each with its own address; those of one group stand below its name. On a phone they are one choice above the page. */
export function SettingsPage({
  sections,
  current,
  children,
  ...head
}: Head & { sections: (Crumb & { id: string; group?: string })[]; current: string; children: ReactNode }) {
  const t = useT()
  const go = useGo()
  const groups = [...new Set(sections.map((s) => s.group ?? ''))]
  return (
    <Page>
      {head.crumbs ? null : (
        <div className={css.sectionChoice}>
          <select
            aria-label={t('page.sections')}
            value={current}
            onChange={(e) => go(sections.find((s) => s.id === e.currentTarget.value)!.to)}
          >
            {groups.map((g) => (
              <optgroup key={g} label={g}>
                {sections
                  .filter((s) => (s.group ?? '') === g)
                  .map((s) => (
                    <option key={s.id} value={s.id}>
                      {s.label}
                    </option>
                  ))}
              </optgroup>
            ))}
          </select>
          <ChevronsUpDown size={14} aria-hidden />
        </div>
      )}
      <PageHead {...head} />
      <div className={css.settings}>
        <nav className={css.sections} aria-label={t('page.sections')}>
          {sections.map((s, i) => (
            <Fragment key={s.id}>
              {s.group && s.group !== sections[i - 1]?.group ? <span className={css.sectionGroup}>{s.group}</span> : null}
              <Link to={s.to} className={css.section} aria-current={s.id === current ? 'page' : undefined}>
                {s.label}
              </Link>
            </Fragment>
          ))}
        </nav>
        <div className={css.main}>{children}</div>
      </div>
    </Page>
  )
}

interface EditorProps {
  title: string
  /** Address that Back leads to, and its name. */
  back: Crumb
  /** "Saved", "Saving …": what has become of the last change. */
  saved?: ReactNode
  status?: ReactNode
  /** As of the head of any page. */
  more?: Acts
  actions?: ReactNode
  palette?: ReactNode
  inspector?: ReactNode
  problems?: ReactNode
  children: ReactNode
}

/** A full-height editor: slim header, palette, canvas, inspector, strip of problems. Its screen is one that has the window to itself (Screen.whole). */
export function EditorPage({ title, back, saved, status, more, actions, palette, inspector, problems, children }: EditorProps) {
  const t = useT()
  usePageTitle(title)
  return (
    <div className={css.editor} {...useArrival()}>
      <header className={css.editorHead}>
        <div className={css.editorName}>
          <Link to={back.to}>{back.label}</Link>
          <ChevronRight size={14} aria-hidden />
          <h1>{title}</h1>
          {status}
          {saved ? (
            <span className={css.note} role="status">
              {saved}
            </span>
          ) : null}
        </div>
        <div className={css.actions}>
          {more ? <MoreActs acts={more} /> : null}
          {actions}
        </div>
      </header>
      {problems ? (
        <div className={css.problems} role="status">
          {problems}
        </div>
      ) : (
        <span />
      )}
      <div className={css.editorBody}>
        {palette ? (
          <nav className={css.palette} aria-label={t('page.palette')}>
            {palette}
          </nav>
        ) : (
          <span />
        )}
        <div className={css.canvas}>{children}</div>
        {inspector ? (
          <aside className={css.inspector} aria-label={t('page.inspector')}>
            {inspector}
          </aside>
        ) : null}
      </div>
    </div>
  )
}

/** A box with a heading. `flush` lets a table reach its edges. */
export function Card({
  title,
  help,
  actions,
  flush,
  wide,
  children,
}: {
  title?: ReactNode
  help?: ReactNode
  actions?: ReactNode
  flush?: boolean
  wide?: boolean
  children: ReactNode
}) {
  return (
    <section className={`${css.card} ${wide ? css.wide : ''}`}>
      {title || actions ? (
        <div className={css.cardHead}>
          <h2>{title}</h2>
          {actions ? <div className={css.actions}>{actions}</div> : null}
        </div>
      ) : null}
      {help ? <p className={css.cardHelp}>{help}</p> : null}
      <div className={flush ? css.flush : css.cardBody}>{children}</div>
    </section>
  )
}

/** A row of key figures outside a dashboard. */
export function StatRow({ children }: { children: ReactNode }) {
  return <div className={css.kpis}>{children}</div>
}

/** One key figure; with `to` or `onClick` it leads to what is behind it. */
export function Stat({
  label,
  value,
  note,
  wide,
  to,
  onClick,
}: {
  label: ReactNode
  value: ReactNode
  note?: ReactNode
  /** Half of the row: several amounts beside each other. */
  wide?: boolean
  to?: string
  onClick?: () => void
}) {
  const inside = (
    <>
      <span className={css.statLabel}>{label}</span>
      <span className={css.statValue}>{value}</span>
      {note ? <span className={css.statNote}>{note}</span> : null}
    </>
  )
  const look = `${css.stat} ${wide ? css.half : ''}`
  if (to)
    return (
      <Link to={to} className={look}>
        {inside}
      </Link>
    )
  if (onClick)
    return (
      <button type="button" className={look} onClick={onClick}>
        {inside}
      </button>
    )
  return <div className={look}>{inside}</div>
}

/** Pairs of name and value. Entries without a value are left out. */
export function Definition({ items }: { items: [ReactNode, ReactNode][] }) {
  return (
    <dl className={css.definition}>
      {items
        .filter(([, v]) => v !== undefined && v !== null && v !== '' && v !== false)
        .map(([k, v], i) => (
          // oxlint-disable-next-line react/no-array-index-key
          <Fragment key={i}>
            <dt>{k}</dt>
            <dd>{v}</dd>
          </Fragment>
        ))}
    </dl>
  )
}

/** Small muted text below a value. */
export const Note = ({ children }: { children: ReactNode }) => <span className={css.note}>{children}</span>
