// What stands where there is nothing to show: every page says so, and why, and what can be done.
import assert from 'node:assert/strict'
import { catalogue, open, pages, server } from './lib.mjs'

const t = catalogue('en')
// What the frame itself needs; without it there is no page.
const frame = /\/api\/v1\/(session|personal-settings|live|setup)(\?|$)/

// Forms whose inputs stand without what is read, and the mailbox of the demonstration, which is no part of the API.
const without = ['/campaigns/new', '/campaigns/series/new', '/content/new', '/segments/new', '/personas/new', '/people/import', '/people/why', '/mailbox']

// How many pages are read at once. A reading that fails is asked for again after a second and after two more, in which a page does nothing.
const readers = 6

/** Opens every page while the API answers readings with the problem, and expects it to say what it should. */
async function tell(problem, says) {
  const crashed = []
  const silent = []
  const waiting = (await pages()).filter((p) => !without.includes(p))
  const read = async () => {
    const page = await open()
    page.on('pageerror', (e) => crashed.push(`${page.url()}: ${e.message}`))
    await page.route(/\/api\/v1\//, (r) => {
      if (frame.test(r.request().url()) || r.request().method() !== 'GET') return r.fallback()
      return r.fulfill({ status: problem.status, contentType: 'application/problem+json', body: JSON.stringify(problem) })
    })
    for (let path = waiting.shift(); path; path = waiting.shift()) {
      await page.goto(`${server.url}${path}`, { waitUntil: 'domcontentloaded' })
      await page
        .locator('main')
        .getByText(says)
        .first()
        .waitFor()
        .catch(() => silent.push(path))
    }
    await page.context().close()
  }
  await Promise.all(Array.from({ length: readers }, read))
  assert.deepEqual(crashed, [], 'no page breaks')
  assert.deepEqual(silent, [], 'no page is silent')
}

export const stories = {
  'every page says that it could not be read, by which request, and offers to try again': async () => {
    await tell({ status: 500, title: 'x', code: 'internal', detail: 'x', request: 'req_test' }, t['action.retry'])
  },
  'every page says who can grant what the reader may not see': async () => {
    await tell(
      { status: 403, title: 'x', code: 'staff.permission.missing', detail: 'x', request: 'req_test' },
      new RegExp(`${t['state.forbidden']}|${t['error.staff.permission.missing']}`),
    )
  },
}
