// Pictures of every page in three languages, light and dark, at two widths; to look at.
//   node test/shots.mjs http://127.0.0.1:8480 EMAIL PASSWORD /tmp/shots [path ...]
// LANGS, SCHEMES and WIDTHS narrow it down: LANGS=ja SCHEMES=dark WIDTHS=390
// What fails is named at once and again at the end; the others are taken all the same.
import { mkdirSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { addressOf, lines } from '../../../test/e2e/pages.mjs'

const [server, email, password, out, ...only] = process.argv.slice(2)
const list = (name, all) => process.env[name]?.split(',') ?? all
const languages = list('LANGS', ['en', 'zh-Hans', 'ja'])
const schemes = list('SCHEMES', ['light', 'dark'])
const widths = list('WIDTHS', ['1280', '390']).map(Number)
mkdirSync(out, { recursive: true })

/** The API, as whoever looks. */
const api = await (async () => {
  const headers = { 'Content-Type': 'application/json' }
  const entered = await fetch(`${server}/api/v1/session`, { method: 'POST', headers, body: JSON.stringify({ email, password }) })
  headers.Cookie = entered.headers.get('set-cookie')?.split(';')[0]
  headers['X-CSRF-Token'] = (await entered.json()).csrf
  return async (method, path, body) => {
    const answer = await fetch(`${server}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) })
    if (!answer.ok) throw new Error(`${method} ${path} answers ${answer.status}: ${await answer.text()}`)
    return answer.json()
  }
})()

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
})
const failed = []
const fault = (...words) => {
  failed.push(words.join(' '))
  console.log(failed.at(-1))
}
for (const lang of languages)
  for (const width of widths) {
    const context = await browser.newContext({
      viewport: { width, height: width < 600 ? 844 : 860 },
      locale: lang === 'zh-Hans' ? 'zh-CN' : lang,
      timezoneId: 'Asia/Tokyo',
      reducedMotion: 'reduce', // pictures show what charts have come to
    })
    await context.addInitScript((l) => window === window.top && localStorage.setItem('language', l), lang)
    const page = await context.newPage()
    page.on('console', (m) => {
      if (['error', 'warning'].includes(m.type()) && !/401/.test(m.text())) fault(lang, width, page.url(), m.text())
    })
    page.on('pageerror', (e) => fault(lang, width, page.url(), e.message))
    const drawn = () => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
    const shot = async (name) => {
      for (const scheme of schemes) await inScheme(name, scheme)
    }
    const inScheme = async (name, scheme) => {
      await page.emulateMedia({ colorScheme: scheme })
      await drawn()
      await page.locator('h1').first().waitFor()
      await page.waitForFunction(() => !document.querySelector('#main[aria-busy], [data-loading], [data-arriving]'))
      await page.waitForTimeout(400) // charts and pictures draw themselves
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      if (wide > 0) fault(lang, width, name, `scrolls sideways by ${wide} px`)
      await page.screenshot({ path: `${out}/${name}-${lang}-${scheme}-${width}.png`, fullPage: !process.env.FOLD })
    }
    const base = process.env.BASE ?? ''
    try {
      await page.goto(`${server}${base}/`)
      await page.waitForSelector('input[name=email]')
      if (only.length === 0) await shot('sign-in')
      await page.fill('input[name=email]', email)
      await page.fill('input[name=password]', password)
      await page.click('button[type=submit]')
      await page.waitForSelector('#main h1')
    } catch (e) {
      fault(lang, width, 'signing in:', e.message)
      await context.close()
      continue
    }
    for (const path of only.length > 0 ? only : lines())
      try {
        // As a link does: the console is not loaded anew for each page.
        await page.evaluate((to) => history.pushState(null, '', to), `${base}${await addressOf(api, path)}`)
        await shot(path.replaceAll('/', '-').replace(/[?=]/g, '-').replace(/^-/, '') || 'home')
      } catch (e) {
        fault(lang, width, `${path}:`, e.message)
        await page.goto(`${server}${base}/`).catch(() => {})
      }
    await context.close()
  }
await browser.close()
if (failed.length > 0) {
  console.log(`${failed.length} faults:`)
  for (const f of failed) console.log(`  ${f}`)
  process.exitCode = 1
}
