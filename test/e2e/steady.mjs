// Places that answer at once when one goes to them.
import assert from 'node:assert/strict'
import { catalogue, done, open, settled, visit } from './lib.mjs'

const t = catalogue('en')
export const stories = {
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
    // 100 ms are promised; on a machine that others use it is told only that nobody waited for the server.
    assert.ok(slowest < 1500, `answered after ${told.map((n) => n.toFixed(0)).join(', ')} ms`)
    return `after ${Math.min(...told).toFixed(0)} to ${slowest.toFixed(0)} ms while the server takes 1.5 s`
  },
}
