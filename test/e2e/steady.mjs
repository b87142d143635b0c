// Pages that stand still while they arrive, and places that answer at once when one goes to them.
import assert from 'node:assert/strict'
import { catalogue, done, laptop, open, pages, phone, settled, visit } from './lib.mjs'

const t = catalogue('en')
const bound = 0.05 // of the score that browsers give to what moved (web.dev/cls), a page

/** Counts what moves without anybody having done anything, by windows of a second's pause and five seconds at the most, as the score is defined. */
function watch() {
  if (window !== window.top) return
  const seen = { worst: 0, now: 0, first: 0, last: Number.NEGATIVE_INFINITY, what: [] }
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

export const stories = {
  ...Object.fromEntries(
    [laptop, phone].map((size) => [
      `no page moves under the reader while it arrives, ${size.width} wide`,
      async () => {
        const page = await open({ size })
        await page.addInitScript(watch)
        const bad = []
        let worst = 0
        for (const path of await pages()) {
          // A machine that does much else besides may be slower than a page waits for its parts: it gets a second chance.
          let moved
          for (let i = 0; i < 2 && !(moved?.worst <= bound); i++) {
            await visit(page, path)
            moved = await page.evaluate(() => new Promise((r) => setTimeout(() => r(window.moved), 150)))
          }
          worst = Math.max(worst, moved.worst)
          if (moved.worst > bound) bad.push(`${path}: ${moved.worst.toFixed(3)}; ${moved.what.join('; ')}`)
        }
        assert.deepEqual(bad, [])
        await done(page)
        return `${worst.toFixed(3)} at the most`
      },
    ]),
  ),

  'a place answers at once when one goes to it, whatever the server does': async () => {
    const page = await open({ bypassCSP: true })
    await visit(page, '/')
    await page.route('**/api/v1/**', async (r) => {
      await new Promise((later) => setTimeout(later, 1500)) // a slow server
      return r.fallback()
    })
    const told = []
    for (const area of ['people', 'segments', 'content', 'campaigns', 'journeys', 'reports']) {
      const link = `nav[aria-label="${t['nav.label']}"] a[href="/${area}"]`
      await page.locator(link).hover()
      const took = await page.evaluate(async (l) => {
        const began = performance.now()
        document.querySelector(l).click()
        while (document.querySelector(l).getAttribute('aria-current') !== 'page' && !document.querySelector('#main[aria-busy]'))
          await new Promise((next) => setTimeout(next))
        return performance.now() - began
      }, link)
      told.push(took)
      await page.waitForURL(`**/${area}`)
      await settled(page)
    }
    await done(page)
    const slowest = Math.max(...told)
    // 100 ms are promised; a machine that others use gets three times that.
    assert.ok(slowest < 300, `answered after ${told.map((n) => n.toFixed(0)).join(', ')} ms`)
    return `after ${Math.min(...told).toFixed(0)} to ${slowest.toFixed(0)} ms while the server takes 1.5 s`
  },
}
