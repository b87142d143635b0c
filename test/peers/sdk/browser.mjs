// Opens a page in headless Chromium, waits until it says that it is done, and prints what it says as a line of JSON. The
// page stays open until standard input ends: its client may still have something to send.
// Arguments: path of Chromium, an empty folder for its profile, address of the page.
import { chromium } from 'playwright-core'

const [executablePath, profile, page] = process.argv.slice(2)
const context = await chromium.launchPersistentContext(profile, {
  executablePath,
  headless: true,
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync',
  ],
})
try {
  const tab = await context.newPage()
  tab.on('console', (m) => console.error('console', m.text()))
  tab.on('pageerror', (e) => console.error('page error', e.message))
  await tab.goto(page)
  await tab.waitForFunction('window.done', null, { timeout: 50_000 })
  console.log(JSON.stringify(await tab.evaluate('window.done')))
  for await (const _ of process.stdin);
} finally {
  await context.close()
}
