import { Command, LogOut, Menu as MenuIcon, Monitor, Moon, Search, Settings, Sun } from 'lucide-react'
import { type ComponentType, lazy, Suspense, useEffect, useState } from 'react'
import { choose, type Language, language, languages, useT } from '@/i18n'
import { printed, useShortcuts } from '@/lib/keys'
import { useLive } from '@/lib/live'
import { type Area, Outlet, useArriving, useGo, usePath, useScreen } from '@/lib/route'
import { Avatar, IconButton, Kbd, Link, Menu, toastError, UnstyledButton, useColorScheme } from '@/ui'
import { areas } from './areas'
import { useAttention } from './attention'
import { Bell } from './Bell'
import css from './Frame.module.css'
import { Jobs } from './Jobs'
import type { PaletteProps } from './Palette'
import { signOut, useCan, useSession } from './session'

const loadPalette = () => import('./Palette')
const ShortcutSheet = lazy(() => import('./ShortcutSheet'))

/** What stands around every screen: navigation, search, the reader's menu. */
export function Frame() {
  const t = useT()
  const session = useSession()
  useLive(session.live)
  const go = useGo()
  const path = usePath()
  const arriving = useArriving()
  const screen = useScreen()
  const can = useCan()
  const notices = useAttention() ?? []
  const [palette, setPalette] = useState(false)
  // Fetched while nothing else happens, so that it opens at once. Not by lazy(): React shows what was suspended 300 ms later at the earliest, even what is
  // there already.
  const [Palette, setLoaded] = useState<ComponentType<PaletteProps>>()
  useEffect(() => {
    const load = () => void loadPalette().then((m) => setLoaded(() => m.default))
    if (palette) load()
    else (globalThis.requestIdleCallback ?? ((run: () => void) => setTimeout(run, 1500)))(load)
  }, [palette])
  const [sheet, setSheet] = useState(false)
  // The menu of a phone is open on one path only: following a link closes it.
  const [openAt, setOpenAt] = useState<string | null>(null)
  const open = openAt === path
  const setOpen = (yes: boolean) => setOpenAt(yes ? path : null)
  const shown = areas.filter((a) => can(a.permission) && (!a.demo || session.demo))
  useShortcuts([
    { keys: 'mod+k', label: t('shortcut.palette'), run: () => setPalette(true), inFields: true },
    { keys: '?', label: t('shortcut.help'), run: () => setSheet(true) },
    ...shown
      .filter((a) => a.key)
      .map((a) => ({ keys: `g ${a.key}`, label: t('shortcut.go', { place: t(a.title) }), run: () => go(a.path) })),
  ])
  const item = (a: Area) => {
    const at = (x: Area) => (x.path === '/' ? path === '/' : path === x.path || path.startsWith(`${x.path}/`))
    const here = at(a) || shown.some((x) => x.within === a.id && at(x))
    return (
      <Link key={a.id} to={a.path} className={css.item} aria-current={here ? 'page' : undefined}>
        <a.icon size={18} strokeWidth={1.8} />
        {t(a.title)}
      </Link>
    )
  }
  return (
    <div
      className={css.frame}
      data-open={open || undefined}
      data-whole={(screen?.whole && (!screen.permission || can(screen.permission))) || undefined}
    >
      <a
        className={css.skip}
        href="#main"
        onClick={(e) => {
          e.preventDefault()
          document.getElementById('main')?.focus()
        }}
      >
        {t('nav.skip')}
      </a>
      <div className={css.bar}>
        <IconButton label={t('nav.menu')} aria-expanded={open} onClick={() => setOpen(!open)}>
          <MenuIcon size={20} />
        </IconButton>
        <Brand />
        <span className={css.barEnd}>
          <Jobs />
          <Bell notices={notices} />
          <IconButton label={t('nav.search')} onClick={() => setPalette(true)}>
            <Search size={20} />
          </IconButton>
        </span>
      </div>
      <aside className={css.side}>
        <div className={css.brandRow}>
          <Brand />
          <span className={css.signs}>
            <Jobs />
            <Bell notices={notices} />
          </span>
        </div>
        <UnstyledButton className={css.search} onClick={() => setPalette(true)}>
          <Search size={16} />
          <span>{t('nav.search')}</span>
          <span className={css.keys} aria-hidden>
            {printed('mod+k').map((k) => (
              <Kbd key={k} size="xs">
                {k}
              </Kbd>
            ))}
          </span>
        </UnstyledButton>
        <nav className={css.nav} aria-label={t('nav.label')}>
          {shown.filter((a) => a.nav !== false && !a.demo && !a.foot).map(item)}
        </nav>
        <div className={css.foot}>
          {shown.filter((a) => a.demo || a.foot).map(item)}
          <Me onHelp={() => setSheet(true)} />
        </div>
      </aside>
      {open ? <button type="button" className={css.scrim} aria-label={t('action.close')} onClick={() => setOpen(false)} /> : null}
      <main id="main" tabIndex={-1} className={css.main} aria-busy={arriving || undefined}>
        <Outlet />
      </main>
      <Suspense fallback={null}>
        {palette && Palette ? <Palette areas={shown} onClose={() => setPalette(false)} onHelp={() => setSheet(true)} /> : null}
        {sheet ? <ShortcutSheet onClose={() => setSheet(false)} /> : null}
      </Suspense>
    </div>
  )
}

const Brand = () => (
  <Link to="/" className={css.brand}>
    <img src="/icon.svg" alt="" width={24} height={24} />
    Kizuna
  </Link>
)

/** The reader's own menu: language, light or dark, settings, sign out. */
function Me({ onHelp }: { onHelp: () => void }) {
  const t = useT()
  const session = useSession()
  const go = useGo()
  const can = useCan()
  const { colorScheme, setColorScheme } = useColorScheme()
  const name = session.user.name
  return (
    <Menu position="top-start" width={248}>
      <Menu.Target>
        <UnstyledButton className={css.me}>
          <Avatar size={28} radius="xl" color="accent" name={name} />
          <span className={css.meText}>
            <span className={css.meName}>{name}</span>
            <span className={css.meRole}>{t(`role.${session.role || 'key'}`)}</span>
          </span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t('nav.language')}</Menu.Label>
        {languages.map((l) => (
          <Menu.Item
            key={l.code}
            lang={l.code}
            closeMenuOnClick={false}
            aria-current={l.code === language()}
            rightSection={l.code === language() ? '✓' : null}
            onClick={() => choose(l.code as Language).catch(toastError)}
          >
            {l.name}
          </Menu.Item>
        ))}
        <Menu.Label>{t('nav.theme')}</Menu.Label>
        {(
          [
            ['auto', Monitor],
            ['light', Sun],
            ['dark', Moon],
          ] as const
        ).map(([value, Icon]) => (
          <Menu.Item
            key={value}
            leftSection={<Icon size={16} />}
            closeMenuOnClick={false}
            rightSection={colorScheme === value ? '✓' : null}
            onClick={() => setColorScheme(value)}
          >
            {t(`theme.${value}`)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        {can('settings.read') ? (
          <Menu.Item leftSection={<Settings size={16} />} onClick={() => go('/settings')}>
            {t('nav.settings')}
          </Menu.Item>
        ) : null}
        <Menu.Item leftSection={<Command size={16} />} onClick={onHelp}>
          {t('shortcut.help')}
        </Menu.Item>
        <Menu.Item leftSection={<LogOut size={16} />} onClick={() => void signOut()}>
          {t('nav.sign_out')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
