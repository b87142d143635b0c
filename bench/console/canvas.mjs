// A large journey under the hands of somebody who edits it: moved about, zoomed, a step dragged.
//   node bench/console/canvas.mjs URL EMAIL PASSWORD
import { api, browser, open, visit } from '../../test/e2e/lib.mjs'
import { figure, rounds, traced, watch, worker } from './lib.mjs'

const limit = 20 // milliseconds a frame, p95
const { items } = await api('GET', '/journeys?limit=1&q=Large')
const page = await open()
await page.addInitScript(watch)
await visit(page, `/journeys/${items[0].id}/edit`)
await page.locator('[data-card]').first().waitFor()
await page.waitForLoadState('networkidle')
const worked = await worker(page)
const box = await page.locator('.react-flow').boundingBox()
const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 }
const drawn = () => page.locator('[data-card]').count()

/** Frames while something goes on, some of it for each round; what is done between two rounds (letting go of a step) is told apart. */
async function during(name, act, end) {
  await page.mouse.move(middle.x, middle.y)
  const round = async (i, times, work, after) => {
    const from = await worked()
    await page.evaluate('frames.start()')
    await act(i)
    times.push(...(await page.evaluate('frames.stop()')))
    const moved = await worked()
    work.push(moved - from)
    if (!end) return
    await page.evaluate('frames.start()')
    await end(i)
    await page.waitForLoadState('networkidle')
    after.push(Math.max(...(await page.evaluate('frames.stop()'))))
  }
  await round(0, [], [], []) // the first time is that of a program just loaded
  const [times, work, after] = [[], [], []]
  await traced(browser, page, name.replaceAll(' ', '-'), async () => {
    for (let i = 0; i < rounds; i++) await round(i, times, work, after)
  })
  figure(name, times, limit)
  figure(`${name}: main thread a frame`, [work.reduce((a, b) => a + b, 0) / times.length])
  if (end) figure(`${name}: longest frame on letting go`, after)
}

const pan = async (i) => {
  for (let n = 0; n < 12; n++) await page.mouse.wheel(n % 3 === 0 ? 30 : 0, i % 2 ? -70 : 70)
}
const zoom = async (i) => {
  await page.keyboard.down('Control')
  for (let n = 0; n < 8; n++) await page.mouse.wheel(0, i % 2 ? -40 : 40)
  await page.keyboard.up('Control')
}
const drag = (card) => async (i) => {
  const at = await card.boundingBox()
  const from = { x: at.x + at.width / 2, y: at.y + at.height * 0.94 }
  await page.mouse.move(from.x, from.y)
  await page.mouse.down()
  for (let n = 1; n <= 12; n++) await page.mouse.move(from.x + (i % 2 ? -n : n) * 6, from.y + (n % 4))
}
const letGo = () => page.mouse.up()
const near = page.locator('.react-flow__node-card').nth(2)

console.log(`${await drawn()} cards are drawn at reading size`)
await during('canvas pan', pan)
await during('canvas zoom', zoom)
await during('canvas drag a step', drag(near), letGo)
const whole = async () => {
  await page.locator('.react-flow__controls-fitview').click()
  await page.waitForFunction(() => document.querySelectorAll('[data-card]').length > 150)
}
await whole()
console.log(`${await drawn()} cards are drawn, the whole journey in sight`)
await during('whole pan', pan)
await during('whole zoom', zoom)
await whole() // a busy machine lets turns of a wheel go, so that those back do not end where those before began
await during('whole drag a step', drag(page.locator('.react-flow__node-card').nth(90)), letGo)
await browser.close()
