// A rule under the hands of somebody who edits it: from the last key to the sign that figures are on their way, and to the figures themselves: total, each
// condition, who can be reached, five people.
//   node bench/console/segment.mjs URL EMAIL PASSWORD
import { api, browser, catalogue, open, server } from '../../test/e2e/lib.mjs'
import { figure, rounds, watch, worker } from './lib.mjs'

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
// Its members enter, each with an event; that is over before anybody edits.
for (let last = -1, since = Date.now(); Date.now() - since < 3000; await new Promise((done) => setTimeout(done, 250))) {
  const [{ state }, { events }] = [await api('GET', `/segments/${made.id}`), await api('GET', '/stats')]
  if (state !== 'ready' || events !== last) [last, since] = [events, Date.now()]
}
const page = await open()
await page.addInitScript(watch)
await page.goto(`${server.url}/segments/${made.id}/edit`)
const days = page.getByLabel(t['builder.field.n'], { exact: true })
await days.waitFor()
const until = (holds) => page.evaluate(`until(() => ${holds}, window.lastKey)`)
const pending = `document.querySelector('aside [data-old]') !== null`
const there = `document.querySelector('aside [data-old]') === null && document.querySelectorAll('aside li a').length === 5`
await until(there)
await page.waitForLoadState('networkidle')
const worked = await worker(page)
const [soon, counted, work] = [[], [], []]
for (let i = 0; i < rounds; i++) {
  await days.focus()
  await page.keyboard.press('Control+a')
  const before = await worked()
  await page.keyboard.type(String(100 + i), { delay: 25 })
  soon.push(await until(pending))
  counted.push(await until(there))
  work.push((await worked()) - before)
  await page.waitForLoadState('networkidle')
}
figure('segment: figures on their way', soon, 300) // UX-11
figure('segment: figures there', counted, 1000)
figure('segment: work of the page', work) // processor time of a number of three digits and its answer
await browser.close()
