// The shell: sign-in, navigation, language, and which view a path shows.
import { session, signOut, start } from './api.js'
import { loadLanguage, t } from './i18n.js'
import { languageChoice } from './language.js'
import { h, mount, message } from './dom.js'
import { overview } from './views/overview.js'
import { people, person } from './views/people.js'
import { segments, segment, newSegment } from './views/segments.js'
import { campaigns, campaign, editCampaign, newCampaign } from './views/campaigns.js'
import { journeys, journey } from './views/journeys.js'
import { list } from './views/lists.js'
import { settings } from './views/settings.js'
import { signIn } from './views/signin.js'

// Path patterns below '#'; the first that fits wins.
const routes = [
  [/^\/?$/, overview],
  [/^\/people$/, people],
  [/^\/people\/([^/]+)$/, person],
  [/^\/segments$/, segments],
  [/^\/segments\/new$/, newSegment],
  [/^\/segments\/([^/]+)$/, segment],
  [/^\/campaigns$/, campaigns],
  [/^\/campaigns\/new$/, newCampaign],
  [/^\/campaigns\/([^/]+)\/edit$/, editCampaign],
  [/^\/campaigns\/([^/]+)$/, campaign],
  [/^\/journeys$/, journeys],
  [/^\/journeys\/([^/]+)$/, journey],
  [/^\/lists\/([^/]+)$/, list],
  [/^\/settings$/, settings],
]

let leave = null // ends the refreshing of the view that is shown

async function show() {
  leave?.abort()
  leave = new AbortController()
  const main = document.getElementById('main')
  if (!session()) {
    document.getElementById('top').hidden = true
    mount(main, signIn(show))
    return
  }
  const [path, query] = location.hash.slice(1).split('?')
  header(path)
  for (const [pattern, view] of routes) {
    const found = pattern.exec(path)
    if (!found) continue
    const signal = leave.signal
    try {
      await view({ main, args: found.slice(1).map(decodeURIComponent), query: new URLSearchParams(query), signal })
    } catch (err) {
      if (!signal.aborted) mount(main, h('div', { class: 'card error', role: 'alert' }, message(err)))
    }
    return
  }
  mount(main, h('div', { class: 'card' }, t('error.no_page'), ' ', h('a', { href: '#/' }, t('nav.overview'))))
}

function header(path) {
  const top = document.getElementById('top')
  const link = (to, key) => h('a', { href: '#' + to, 'aria-current': (to === '/' ? path === '' || path === '/' : path.startsWith(to)) ? 'page' : null }, t(key))
  mount(top,
    h('a', { class: 'brand', href: '#/' }, h('img', { src: 'icon.svg', alt: '' }), 'Kizuna'),
    h('nav', { 'aria-label': t('nav.label') }, link('/', 'nav.overview'), link('/people', 'nav.people'), link('/segments', 'nav.segments'), link('/campaigns', 'nav.campaigns'), link('/journeys', 'nav.journeys'), link('/settings', 'nav.settings')),
    h('div', { class: 'right' },
      session().demo ? h('a', { class: 'button', href: session().demo.mailbox, target: '_blank', rel: 'noopener' }, t('nav.mailbox')) : null,
      languageChoice(show), themeChoice(),
      h('button', { class: 'plain', onclick: async () => { await signOut(); show() } }, t('nav.sign_out'))))
  top.hidden = false
}

function themeChoice() {
  const next = { '': 'dark', dark: 'light', light: '' }
  const root = document.documentElement
  return h('button', { class: 'plain', 'aria-label': t('nav.theme'), title: t('nav.theme'), onclick: () => {
    const now = next[root.dataset.theme ?? '']
    if (now) root.dataset.theme = now; else delete root.dataset.theme
    localStorage.setItem('theme', now)
  } }, '◐')
}

const theme = localStorage.getItem('theme')
if (theme) document.documentElement.dataset.theme = theme
await loadLanguage()
const skip = document.getElementById('skip')
skip.textContent = t('nav.skip')
skip.addEventListener('click', (e) => { e.preventDefault(); document.getElementById('main').focus() })
await start()
window.addEventListener('hashchange', show)
window.addEventListener('signed-out', show)
show()
