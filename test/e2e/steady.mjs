// Places that answer at once when one goes to them.
import { catalogue, done, open, settled, visit } from './lib.mjs'

const t = catalogue('en')
export const stories = {
  'a place answers at once when one goes to it, whatever the server does': async () => {
    const page = await open({ bypassCSP: true })
    await visit(page, '/')
    // The server says nothing until it has been seen that nobody waits for it.
    let answer = () => {}
    let later = Promise.resolve()
    await page.route('**/api/v1/**', (r) => later.then(() => r.fallback()))
    const told = []
    for (const area of ['people', 'segments', 'content', 'campaigns', 'journeys', 'reports']) {
      later = new Promise((resolve) => (answer = resolve))
      const link = `nav[aria-label="${t['nav.label']}"] a[href="/${area}"]`
      await page.locator(link).hover()
      const took = await page.evaluate(async (l) => {
        const began = performance.now()
        document.querySelector(l).click()
        while (document.querySelector(l).getAttribute('aria-current') !== 'page' && !document.querySelector('#main[aria-busy]')) {
          if (performance.now() - began > 100_000) throw new Error(`not before the server has answered: ${l}`)
          await new Promise((next) => setTimeout(next))
        }
        return performance.now() - began
      }, link)
      told.push(took)
      answer()
      await page.waitForURL(`**/${area}`)
      await settled(page)
    }
    await done(page)
    // 100 ms are promised; on a machine that others use it is told only that nobody waited for the server.
    return `after ${Math.min(...told).toFixed(0)} to ${Math.max(...told).toFixed(0)} ms while the server says nothing`
  },
}
