// Accessibility of every page, light and dark: fails on any serious or critical finding of axe.
//   node test/axe.mjs http://127.0.0.1:8480 EMAIL PASSWORD
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

const [server, email, password] = process.argv.slice(2)
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const pages = [
  '/',
  '/people',
  '/people/ID',
  '/people/ID?tab=identity',
  '/segments',
  '/segments/ID',
  '/segments/new',
  '/lists',
  '/campaigns',
  '/campaigns/ID',
  '/campaigns/new',
  '/journeys',
  '/journeys/ID',
  '/settings',
  '/settings/accounts',
  '/settings/sending',
  '/settings/keys',
  '/settings/rejections',
]
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
})
let found = 0
for (const colorScheme of ['light', 'dark']) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    colorScheme,
    bypassCSP: true,
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  const check = async (name) => {
    await page.waitForLoadState('networkidle').catch(() => {})
    await page.evaluate(axe)
    const { violations } = await page.evaluate(() =>
      globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }),
    )
    for (const v of violations.filter((x) => ['serious', 'critical'].includes(x.impact))) {
      found++
      console.log(
        `${colorScheme} ${name}: ${v.id} (${v.impact}) on ${v.nodes.length}: ${v.nodes[0].html.slice(0, 160)} ${v.nodes[0].failureSummary.split('\n')[1] ?? ''}`,
      )
    }
  }
  await page.goto(`${server}/`)
  await page.waitForSelector('input[name=email]')
  await check('sign-in')
  await page.fill('input[name=email]', email)
  await page.fill('input[name=password]', password)
  await page.click('button[type=submit]')
  await page.waitForSelector('#main h1')
  for (const path of pages) {
    const id = path.includes('/ID')
      ? ((await page.evaluate(async (p) => (await (await fetch(p)).json()).items?.[0]?.id, `/api/v1${path.split('/ID')[0]}?limit=1`)) ??
        'none')
      : ''
    await page.goto(`${server}${path.replace('/ID', `/${id}`)}`, { waitUntil: 'domcontentloaded' })
    await page.waitForSelector('h1')
    await page.waitForTimeout(700)
    await check(path)
  }
  await page.keyboard.press('Control+k')
  await page.waitForSelector('[role=combobox]')
  await check('palette')
  await context.close()
}
await browser.close()
console.log(found === 0 ? 'nothing serious or critical' : `${found} findings`)
if (found > 0) process.exitCode = 1
