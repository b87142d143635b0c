// What the stories share: a browser, signed-in pages, texts of the catalogues, and the checks every page has to pass.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { addressOf, lines } from './pages.mjs'

const require = createRequire(new URL('../../web/console/package.json', import.meta.url))
const { chromium } = require('playwright-core')
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')

const [url, email, password, ...rest] = process.argv.slice(2)
export const server = { url, email, password }
export const wanted = rest
export const languages = ['en', 'zh-Hans', 'ja']
/** Where the words differ and nothing else that a story is about: one language of letters and one without spaces. */
export const two = ['en', 'ja']
export const catalogue = (lang) => JSON.parse(readFileSync(new URL(`../../web/console/src/i18n/${lang}.json`, import.meta.url), 'utf8'))

export const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
})

const entered = await (async () => {
  const answer = await fetch(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email, password }),
  })
  assert.equal(answer.status, 200, 'sign-in through the API')
  const [name, value] = answer.headers.get('set-cookie').split(';')[0].split('=')
  return { cookie: { name, value, url }, csrf: (await answer.json()).csrf }
})()

/** The API as the signed-in reader. */
export async function api(method, path, body) {
  const answer = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: {
      'Content-Type': 'application/json',
      Cookie: `${entered.cookie.name}=${entered.cookie.value}`,
      'X-CSRF-Token': entered.csrf,
    },
    body: body && JSON.stringify(body),
  })
  assert.ok(answer.ok, `${method} ${path} answers ${answer.status}`)
  return answer.status === 204 ? null : answer.json()
}

/** Asks until what is asked holds and returns the answer. A page's waitForFunction does not: a promise is true to it, whatever it brings. */
export async function until(what, holds, seconds = 60) {
  const end = performance.now() + seconds * 1000
  for (;;) {
    const answer = await holds()
    if (answer) return answer
    assert.ok(performance.now() < end, `after ${seconds} seconds it is not so that ${what}`)
    await new Promise((next) => setTimeout(next, 250))
  }
}

export const phone = { width: 390, height: 844 }
export const laptop = { width: 1280, height: 860 }

const told = new AsyncLocalStorage()

/** Tells a story; one that fails says what its pages showed. */
export async function telling(story) {
  const pages = []
  try {
    return await told.run(pages, story)
  } catch (err) {
    for (const page of pages.filter((p) => !p.isClosed())) {
      err.stack += `\n    at the address ${page.url()} one reads: ${await page.evaluate(reads).catch((e) => e.message)}`
      err.stack += page.complaints.map((c) => `\n    the browser complains: ${c}`).join('')
      await page.context().close()
    }
    throw err
  }
}

// What stories have left behind, by what it was made for: the next one finds the console in its cache, which is most of a first loading.
const left = new Map()

/** A browser that knows nobody: one of those that are left, or a new one. */
async function context(made) {
  const key = JSON.stringify(made)
  const used = left.get(key)?.pop()
  if (used) return used
  const context = await browser.newContext({
    viewport: made.size,
    colorScheme: made.scheme,
    reducedMotion: 'reduce',
    timezoneId: 'Asia/Tokyo',
    bypassCSP: made.bypassCSP,
    hasTouch: made.size.width < 600,
  })
  context.made = key
  context.setDefaultTimeout(120_000) // a machine that does much else besides is slow, not wrong
  // Not in frames: those of letters have no storage.
  await context.addInitScript((l) => window === window.top && localStorage.setItem('language', l), made.lang)
  // One member tells all stories, side by side: what one has not saved may not turn up in the form of another that is not about drafts.
  if (!made.drafts) await context.addInitScript(keepsNoDrafts)
  return context
}

/** In the page: the server says that it has no drafts. To route requests would do the same and have the browser keep nothing in its cache. */
function keepsNoDrafts() {
  const { fetch } = window
  window.fetch = (what, how) => {
    if (!new URL(what.url ?? what, window.location.href).pathname.startsWith('/api/v1/drafts/')) return fetch(what, how)
    return Promise.resolve(what.method === 'DELETE' ? new Response(null, { status: 204 }) : Response.json({ others: [] }))
  }
}

/** A page of its own; complaints of the browser end the story. */
export async function open({ lang = 'en', size = laptop, scheme = 'light', signedIn = true, bypassCSP = false, drafts = false } = {}) {
  const mine = await context({ lang, size, scheme, bypassCSP, drafts })
  const page = await mine.newPage()
  const device = await mine.newCDPSession(page)
  await device.send('Storage.clearDataForOrigin', { origin: url, storageTypes: 'cookies,local_storage,indexeddb' })
  await device.detach()
  if (signedIn) await mine.addCookies([entered.cookie])
  page.complaints = []
  told.getStore()?.push(page)
  page.on('pageerror', (e) => page.complaints.push(`${page.url()}: ${e.message}`))
  page.on('console', (m) => {
    // 401: not signed in yet; 422: a draft that is not complete yet, which the server is asked to check. The network of the machine changes while
    // the story of several processes is told beside this one.
    if (m.type() === 'error' && !/\b(401|422)\b|ERR_NETWORK_CHANGED/.test(m.text())) page.complaints.push(`${page.url()}: ${m.text()}`)
  })
  return page
}

/** Leaves a page to the next story, which finds nothing of this one. Where a story has changed more than pages it closes their context instead. */
export async function done(page) {
  assert.deepEqual(page.complaints, [], 'the browser has nothing to complain of')
  const context = page.context()
  await context.unrouteAll({ behavior: 'ignoreErrors' })
  await Promise.all(context.pages().map((p) => p.close()))
  left.set(context.made, [...(left.get(context.made) ?? []), context])
}

/** Goes to an address and waits until the screen shows what it has to show. The console is loaded once; from then on one goes as its links do. */
export async function visit(page, path) {
  if (!page.url().startsWith(`${url}/`) || page.url() === `${url}${path}`) return load(page, path)
  await follow(page, path)
  return settled(page)
}

/** Loads the console anew at an address, which is six times the work. A page whose parts a change of the machine's network has cut off is read again. */
export async function load(page, path, tries = 3) {
  let cut = false
  const watch = (r) => (cut ||= r.failure()?.errorText === 'net::ERR_NETWORK_CHANGED')
  page.on('requestfailed', watch)
  try {
    await page.goto(`${url}${path}`, { waitUntil: 'domcontentloaded' })
    await settled(page)
  } catch (err) {
    if (!cut || tries === 1) throw err
    await load(page, path, tries - 1)
  } finally {
    page.off('requestfailed', watch)
  }
}

/** Has the console set out for an address; what it shows there is not waited for. */
export async function follow(page, path) {
  await page.evaluate((p) => history.pushState(null, '', p), path)
  await drawn(page)
}

const drawn = (page) =>
  page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => document.fonts.ready.then(resolve)))))

/** Waits until the screen of the address stands, with a heading, and nothing loads any more. */
export async function settled(page) {
  await drawn(page)
  await page.locator('#main:not([aria-busy]) h1').first().waitFor()
  await page.waitForFunction(() => !document.querySelector('[role=status][aria-label][class*=skeleton]'))
  await drawn(page)
}

/** Makes the window another size and waits until the screen is laid out anew. */
export async function sized(page, size) {
  await page.setViewportSize(size)
  await drawn(page)
}

/** How long a page waits for its parts, in milliseconds; what comes later may push. */
const arrival = Number(readFileSync(new URL('../../web/console/src/ui/pages.tsx', import.meta.url), 'utf8').match(/const longestArrival = (\d+)/)[1])
const stillness = 0.05 // of the score that browsers give to what moved (web.dev/cls), a page

/** In the page: windows over it first, what stands in inputs, and where the focus is. */
function reads() {
  const short = (text, most) => (text ?? '').replace(/\s+/g, ' ').trim().slice(0, most)
  const over = [...document.querySelectorAll('[role=dialog], [role=listbox], [role=alert]')].map((e) => `<${short(e.innerText, 400)}>`)
  const inputs = [...document.querySelectorAll('input:not([type=password]), textarea')].filter((e) => e.value).map((e) => short(e.value, 60))
  const at = document.activeElement
  const main = document.querySelector('main') ?? document.body
  return `${over.join(' ')} ${short(main.innerText, 1500)}; in its inputs: ${short(inputs.join(' | '), 300)}; the focus is on ${at?.nodeName} "${short(at?.ariaLabel ?? at?.textContent, 40)}"`
}

/** A page of its own that knows what moves on it without anybody having done anything. */
export async function watched(how) {
  const page = await open(how)
  await page.addInitScript(watch, arrival)
  return page
}

/** Goes to an address in one of the ways above, expects that nothing moves while it arrives, and returns by how much something did. */
export async function arrives(page, path, go = visit) {
  // Fonts and the pictures of others may come late on a machine that does much else besides: it gets a second chance.
  let moved
  for (let i = 0; i < 2 && !(moved?.worst <= stillness); i++) {
    await page.evaluate(() => window.moved?.anew())
    await go(page, path)
    moved = await page.evaluate(() => new Promise((r) => setTimeout(() => r(window.moved), 150)))
  }
  assert.ok(moved.worst <= stillness, `${path} moves by ${moved.worst.toFixed(3)}: ${moved.what.join('; ')}`)
  return moved.worst
}

/** In the page: sums up what moves, by windows of a second's pause and five seconds at the most, as the score is defined. */
function watch(arrival) {
  if (window !== window.top) return
  // A slow machine is given longer to arrive than a reader is.
  const timer = window.setTimeout
  window.setTimeout = (f, ms, ...rest) => timer(f, ms === arrival ? 60_000 : ms, ...rest)
  // Nothing is heard of what the server does meanwhile: whoever comes in goes on top of a list, which moves for it as it should.
  window.EventSource = class extends EventTarget {
    close() {}
  }
  const nothing = () => ({ worst: 0, now: 0, first: 0, last: Number.NEGATIVE_INFINITY, what: [] })
  const seen = { ...nothing(), anew: () => Object.assign(seen, nothing()) }
  window.moved = seen
  const name = (s) => `${s.node?.nodeName ?? 'something'} "${(s.node?.textContent ?? '').trim().slice(0, 40)}" from ${s.previousRect.y} to ${s.currentRect.y}`
  new PerformanceObserver((list) => {
    for (const e of list.getEntries()) {
      if (e.hadRecentInput) continue
      if (e.startTime - seen.last > 1000 || e.startTime - seen.first > 5000) Object.assign(seen, { now: 0, first: e.startTime })
      seen.now += e.value
      seen.last = e.startTime
      seen.worst = Math.max(seen.worst, seen.now)
      if (e.value > 0.01) seen.what.push(...e.sources.map(name))
    }
  }).observe({ type: 'layout-shift', buffered: true })
}

export async function fits(page, what) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.ok(wide <= 0, `${what} scrolls sideways by ${wide} px`)
}

const keys = new Set(Object.keys(catalogue('en')).filter((k) => k.includes('.')))

/** No word that the screen shows is a key of the catalogue. */
export async function noKeys(page, what) {
  const text = await page.locator('body').innerText()
  const shown = [...new Set(text.split(/\s+/))].filter((w) => keys.has(w))
  assert.deepEqual(shown, [], `${what} shows keys in place of texts`)
}

/** Serious and critical findings of axe, by all of its rules for WCAG 2.2 AA or by those that are named. */
export async function findings(page, rules) {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe)
  // preload would fetch every stylesheet anew, for two rules: about screens that may not be turned and sound that plays by itself, of which there is neither.
  // Selectors of what was looked at would take a third of the time.
  const { violations } = await page.evaluate(
    (runOnly) => globalThis.axe.run(document, { runOnly, resultTypes: ['violations'], preload: false, selectors: false }),
    rules ?? ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
  )
  return violations
    .filter((v) => ['serious', 'critical'].includes(v.impact))
    .map((v) => `${v.id} (${v.impact}) on ${v.nodes.length}: ${v.nodes[0].html.slice(0, 160)} ${v.nodes[0].failureSummary.split('\n')[1] ?? ''}`)
}

/** Every page of the console; /x/ID becomes the first x there is. */
export async function pages() {
  const out = []
  for (const path of lines()) out.push(await addressOf(api, path))
  return out
}
