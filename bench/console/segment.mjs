// A rule under the hands of somebody who edits it: from the last key to the sign that figures are on their way, and to the figures themselves: total, each
// condition, who can be reached, five people.
//   node bench/console/segment.mjs URL EMAIL PASSWORD
import { api, browser, catalogue, open, server } from '../../test/e2e/lib.mjs'
import { figure, rounds, watch } from './lib.mjs'

const t = catalogue('en')
const made = await api('POST', '/segments', {
  name: `edited ${Date.now()}`,
  rule: {
    all: [
      { trait: { path: 'city', op: 'in', value: ['Osaka', '東京', 'Berlin'] } },
      {
        any: [
          { channel: { kind: 'email', reachable: true } },
          { event: { name: 'Order Completed', op: 'gte', value: 1, window: { within: { n: 30, unit: 'day' } } } },
        ],
      },
    ],
  },
})
const page = await open()
await page.addInitScript(watch)
await page.goto(`${server.url}/segments/${made.id}/edit`)
const days = page.getByLabel(t['builder.field.n'], { exact: true })
await days.waitFor()
const until = (holds) => page.evaluate(`until(() => ${holds}, window.lastKey)`)
const pending = `document.querySelector('aside [data-old]') !== null`
const there = `document.querySelector('aside [data-old]') === null && document.querySelectorAll('aside li a').length === 5`
await page.waitForFunction(there)
await page.waitForLoadState('networkidle')
const [soon, counted] = [[], []]
for (let i = 0; i < rounds; i++) {
  await days.focus()
  await page.keyboard.press('Control+a')
  await page.keyboard.type(String(100 + i), { delay: 25 })
  soon.push(await until(pending))
  counted.push(await until(there))
  await page.waitForLoadState('networkidle')
}
figure('segment: figures on their way', soon, 300) // UX-11
figure('segment: figures there', counted, 1000)
await browser.close()
