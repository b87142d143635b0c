// What stands where there is nothing to show: every page says so, and why, and what can be done.
import assert from 'node:assert/strict'
import { catalogue, follow, open, pages, visit } from './lib.mjs'

const t = catalogue('en')
// What the frame itself needs; without it there is no page.
const frame = /\/api\/v1\/(session|personal-settings|live|setup)(\?|$)/

// Forms whose inputs stand without what is read, and the mailbox of the demonstration, which is no part of the API.
const without = ['/campaigns/new', '/campaigns/series/new', '/content/new', '/segments/new', '/personas/new', '/people/import', '/people/why', '/mailbox']

// How many pages are read at once. A reading that fails is asked for again after a second and after two more, in which a page does nothing.
const readers = 6

const problem = (status, code) => ({ status, title: 'x', code, detail: 'x', request: 'req_test' })
const forbidden = new RegExp(`${t['state.forbidden']}|${t['error.staff.permission.missing']}`)

export const stories = {
  'every page says that it could not be read and offers to try again, and then who can grant what the reader may not see': async () => {
    const crashed = []
    const silent = []
    const waiting = (await pages()).filter((p) => !without.includes(p))
    const read = async () => {
      const page = await open()
      let answer
      await visit(page, '/mailbox')
      page.on('pageerror', (e) => crashed.push(`${page.url()}: ${e.message}`))
      await page.route(/\/api\/v1\//, (r) => {
        if (frame.test(r.request().url()) || r.request().method() !== 'GET') return r.fallback()
        return r.fulfill({ status: answer.status, contentType: 'application/problem+json', body: JSON.stringify(answer) })
      })
      const main = page.locator('main')
      for (let path = waiting.shift(); path; path = waiting.shift()) {
        const began = Date.now()
        try {
          answer = problem(500, 'internal')
          await follow(page, path)
          await page.waitForFunction(() => document.querySelector('#main:not([aria-busy]) h1, #main:not([aria-busy]) [role=alert]'))
          const again = main.getByRole('button', { name: t['action.retry'] }).first()
          await again.waitFor()
          answer = problem(403, 'staff.permission.missing')
          // News of the server may have the page ask by itself, or draw the button anew under the click.
          const said = main.getByText(forbidden).first()
          while (!(await said.isVisible())) {
            await again.click({ timeout: 5_000 }).catch(() => {})
            await said.waitFor({ timeout: 5_000 }).catch(() => {})
            assert.ok(Date.now() - began < 300_000, 'it does not say who can grant it')
          }
        } catch (err) {
          silent.push(`${path}: ${err.message.split('\n')[0]}`)
        }
      }
      await page.context().close()
    }
    await Promise.all(Array.from({ length: readers }, read))
    assert.deepEqual(crashed, [], 'no page breaks')
    assert.deepEqual(silent, [], 'no page is silent')
  },
}
