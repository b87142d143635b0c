// A mail under the hands of its author: from the last key to the preview by the sending renderer.
//   node bench/console/mail.mjs URL EMAIL PASSWORD
import { api, browser, catalogue, open, server } from '../../test/e2e/lib.mjs'
import { figure, rounds, watch } from './lib.mjs'

const t = catalogue('en')
const text = (id) => ({ id, type: 'text', text: 'Hello {{ person.first_name | default: "friend" }}, here is what is new in the shop this week.' })
const made = await api('POST', '/templates', {
  name: `previewed ${Date.now()}`,
  channel: 'email',
  subject: 'News',
  document: { version: 1, sections: [{ columns: [{ blocks: Array.from({ length: 12 }, (_, i) => text(`b${i}`)) }] }] },
})
const page = await open()
await page.addInitScript(watch)
await page.goto(`${server.url}/content/${made.id}`)
const subject = page.getByLabel(t['field.subject'], { exact: false }).first()
await subject.waitFor()
await page.locator('main iframe').first().waitFor()
await page.waitForLoadState('networkidle')
const shown = []
for (let i = 0; i < rounds; i++) {
  const said = `Round ${i} of the news`
  await subject.click()
  await page.keyboard.press('Control+a')
  await page.keyboard.type(said, { delay: 25 })
  const holds = `[...document.querySelectorAll('[class*=inboxLine]')].some((x) => x.textContent.includes(${JSON.stringify(said)}))`
  shown.push(await page.evaluate(`until(() => ${holds}, window.lastKey)`))
  await page.waitForLoadState('networkidle')
}
figure('mail: preview', shown, 300) // UX-19
await browser.close()
