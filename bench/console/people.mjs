// The list of people as a reader has it: opened, searched, sorted, scrolled and gone back to.
//   node bench/console/people.mjs URL EMAIL PASSWORD
import { browser, catalogue, open, server, settled } from '../../test/e2e/lib.mjs'
import { figure, rounds, traced, watch } from './lib.mjs'

const t = catalogue('en')
const limit = 500 // UX-07: milliseconds, p95
const page = await open()
await page.addInitScript(watch)

const rows = `document.querySelectorAll('main tbody tr[data-index] a[href^="/people/per"]')`
const loaded = `${rows}.length > 5 && !document.querySelector('main [role=status][class*=skeleton]')`
const until = (holds, since = 'performance.now()') => page.evaluate(`until(() => ${holds}, ${since})`)
const quiet = () => page.waitForLoadState('networkidle')

// From nothing: the program is in the browser's cache, as on every day but the first.
await page.goto(`${server.url}/people`)
await until(loaded)
await quiet()
const cold = []
for (let i = 0; i < rounds; i++) {
  await page.goto(`${server.url}/people`, { waitUntil: 'commit' })
  cold.push(await until(loaded, '0'))
  await quiet()
}
figure('page loaded anew', cold, limit)

// From another page of the console; what the list needs is read anew.
const opened = []
await traced(browser, page, 'open', async () => {
  for (let i = 0; i < rounds; i++) {
    await page.goto(`${server.url}/tasks`)
    await settled(page)
    await quiet()
    opened.push(
      await page.evaluate(
        `(() => { const at = performance.now(); document.querySelector('nav a[href="/people"]').click(); return until(() => ${loaded}, at) })()`,
      ),
    )
  }
})
figure('opened', opened, limit)
await quiet()

// Typed letter by letter. What is found is there when every row shown has the words.
const box = page.locator('main input[type=search]')
const found = (words) =>
  `${loaded.replace('> 5', '> 0')} && [...document.querySelectorAll('main tbody tr[data-index]')].every((r) => r.textContent.toLowerCase().includes('${words}'))`
const nothing = `document.querySelector('main').textContent.includes(${JSON.stringify(t['state.nothing_found'])}) && ${rows}.length === 0`
const search = async (name, words) => {
  const times = []
  for (let i = 0; i < rounds; i++) {
    const text = words(i)
    await box.fill('')
    await page.waitForURL((u) => !u.searchParams.get('q'))
    await until(loaded)
    await quiet()
    await box.focus()
    await page.keyboard.type(text, { delay: 25 })
    times.push(await until(name.includes('nobody') ? nothing : found(text.toLowerCase()), 'window.lastKey'))
  }
  figure(name, times, limit)
  await box.fill('')
  await page.waitForURL((u) => !u.searchParams.get('q'))
  await until(loaded)
}
await traced(browser, page, 'search', () => search('search: one of all', (i) => `u${String((i * 3331 + 17) % 90000).padStart(6, '0')}`))
await search('search: a name of many', (i) => ['lena', '鈴木', 'hayashi', '陽菜'][i % 4])
await search('search: nobody', (i) => `zzqx${i}`)
await quiet()

// Sorted by when they were last here, in both directions.
const sorted = []
for (let i = 0; i < rounds; i++) {
  const before = await page.evaluate(`${rows}[0].href`)
  sorted.push(
    await page.evaluate(
      `(() => { const at = performance.now(); [...document.querySelectorAll('th button')].find((b) => b.textContent.includes(${JSON.stringify(t['field.last_seen'])})).click(); return until(() => ${loaded} && ${rows}[0].href !== ${JSON.stringify(before)}, at) })()`,
    ),
  )
  await quiet()
}
figure('sorted', sorted, limit)
await page.goto(`${server.url}/people`)
await until(loaded)

// Down as fast as it reads: each step goes to the end of what is there.
const pages = []
await traced(browser, page, 'deep', async () => {
  for (let i = 0; i < rounds * 3; i++)
    pages.push(
      await page.evaluate(
        `(() => { const at = performance.now(); const count = () => document.documentElement.scrollHeight; const before = count(); scrollTo(0, before); return until(() => count() > before + 1000 && ${rows}.length > 5, at) })()`,
      ),
    )
})
figure('next 200 rows', pages, limit)
// And by the wheel through what is there by now.
await page.mouse.move(640, 500)
await page.evaluate('frames.start()')
for (let i = 0; i < 120; i++) await page.mouse.wheel(0, i < 60 ? -900 : 700)
figure(
  `frames at row ${(await page.locator('main tbody tr[data-index]').last().getAttribute('data-index')) ?? '?'}`,
  await page.evaluate('frames.stop()'),
)

// A person in the depth, and back to the same place.
const back = []
await traced(browser, page, 'back', async () => {
  for (let i = 0; i < rounds; i++) {
    const at = await page.evaluate('scrollY')
    await page.evaluate(`[...${rows}].find((a) => a.getBoundingClientRect().top > 200).click()`)
    await page.waitForURL('**/people/per*')
    await settled(page)
    await quiet()
    back.push(
      await page.evaluate(
        `(() => { const at = performance.now(); history.back(); return until(() => location.pathname === '/people' && ${loaded} && Math.abs(scrollY - ${at}) < 200, at) })()`,
      ),
    )
  }
})
figure('back to row of the depth', back, limit)
await browser.close()
