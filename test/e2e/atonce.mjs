// Changes that are on the screen before the server has answered, and what happens if it refuses them.
import assert from 'node:assert/strict'
import { api, catalogue, done, open, visit } from './lib.mjs'

const t = catalogue('en')

/** The server keeps its answer to a change to itself until it is let go, and then refuses it as long as `refuses` says so. */
async function silent(page, pattern, refuses = () => true) {
  let go
  const later = new Promise((resolve) => (go = resolve))
  await page.route(pattern, async (r) => {
    if (r.request().method() === 'GET') return r.fallback()
    await later
    if (!refuses()) return r.fallback()
    return r.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify({ status: 503, code: 'unavailable' }) })
  })
  return go
}

/** Milliseconds from a click inside the page to what it should show; no way through the browser's driver is in it. */
const took = (page, button, shown) =>
  page.evaluate(
    async ([b, s]) => {
      const began = performance.now()
      document.querySelector(b).click()
      while (!new Function(`return ${s}`)()) {
        if (performance.now() - began > 100_000) throw new Error(`not before the server has answered: ${s}`)
        await new Promise((next) => setTimeout(next))
      }
      return performance.now() - began
    },
    [button, shown],
  )

export const stories = {
  'a task that is done or taken on is so at once, and is there again with a way to try once more if the server refuses': async () => {
    const page = await open({ bypassCSP: true })
    const title = `at once ${Date.now()}`
    const task = await api('POST', '/tasks', { title })
    await visit(page, '/tasks?tab=open')
    const done1 = `main table [aria-label="${t['tasks.complete_one'].replace('{title}', title)}"]`
    const take1 = `main table [aria-label="${t['tasks.take'].replace('{title}', title)}"]`
    await page.locator(done1).waitFor()
    let refuse = true
    const take = await silent(page, `**/api/v1/tasks/${task.id}`, () => false)
    const complete = await silent(page, '**/api/v1/tasks/*/complete', () => refuse)
    const first = await took(page, take1, `!document.querySelector(${JSON.stringify(take1)})`)
    take()
    const second = await took(page, done1, `!document.querySelector(${JSON.stringify(done1)})`)
    complete()
    await page.locator(done1).waitFor() // the server has refused
    const again = page.getByRole('button', { name: t['action.retry'] })
    await again.waitFor()
    refuse = false
    const completed = page.waitForResponse((r) => r.url().endsWith('/complete') && r.ok())
    await again.click()
    await page.locator(done1).waitFor({ state: 'detached' })
    await completed
    assert.equal((await api('GET', `/tasks/${task.id}`)).status, 'done')
    page.complaints = page.complaints.filter((c) => !/503/.test(c))
    await done(page)
    // 50 ms are promised; on a machine that others use it is told only that nobody waited for the server.
    return `shown after ${first.toFixed(0)} and ${second.toFixed(0)} ms while the server says nothing`
  },

  'what a person may be sent is switched at once and goes back if the server refuses': async () => {
    const page = await open({ bypassCSP: true })
    const { items } = await api('GET', '/people?q=customer0002')
    await visit(page, `/people/${items[0].id}?tab=topics`)
    const toggle = page.locator('main input[role=switch], main input[type=checkbox]').first()
    await toggle.waitFor({ state: 'attached' })
    const before = await toggle.isChecked()
    const answer = await silent(page, '**/subscriptions')
    const after = await took(page, 'main input[role=switch]', `document.querySelector('main input[role=switch]').checked !== ${before}`)
    answer()
    await page.getByRole('button', { name: t['action.retry'] }).waitFor()
    await page.waitForFunction((was) => document.querySelector('main input[role=switch]').checked === was, before)
    page.complaints = page.complaints.filter((c) => !/503/.test(c))
    await done(page)
    return `shown after ${after.toFixed(0)} ms`
  },

  'a mail is put away and an account switched off at once; refused, both are as they were': async () => {
    const page = await open({ bypassCSP: true })
    const mail = await api('POST', '/templates', { name: `At once ${Date.now()}`, subject: 'x', html: '<p>x</p>' })
    const account = (await api('GET', '/accounts')).items[0]
    const told = []
    for (const [path, button, item, shown] of [
      [`/content/${mail.id}`, t['action.more'], t['action.archive'], t['status.archived']],
      [`/settings/accounts/${account.id}`, t['text.pair'].replace('{label}', t['action.more']).replace('{value}', account.name), t['action.disable'], t['status.disabled']],
    ]) {
      await visit(page, path)
      const answer = await silent(page, `**/api/v1/**/${path.split('/').at(-1)}`)
      const sign = page.getByText(shown, { exact: true })
      assert.equal(await sign.count(), 0)
      await page.getByRole('button', { name: button, exact: true }).click()
      await page.getByRole('menuitem', { name: item, exact: true }).waitFor()
      told.push(
        await page.evaluate(
          async ([label, text]) => {
            const there = () => [...document.querySelectorAll('main *, header *')].some((e) => e.children.length === 0 && e.textContent.trim() === text)
            const began = performance.now()
            const entry = [...document.querySelectorAll('[role=menuitem]')].find((i) => i.textContent.trim() === label)
            entry.click()
            while (!there()) await new Promise((next) => setTimeout(next))
            return performance.now() - began
          },
          [item, shown],
        ),
      )
      await sign.first().waitFor()
      answer()
      const again = page.getByRole('button', { name: t['action.retry'] })
      await again.waitFor()
      await sign.waitFor({ state: 'detached' })
      // Put away, so that the next one is the only one, unless it has gone by itself meanwhile.
      await page.evaluate((l) => document.querySelectorAll(`[class*=Notification] [aria-label="${l}"]`).forEach((x) => x.click()), t['action.close'])
      await again.waitFor({ state: 'detached' })
    }
    page.complaints = page.complaints.filter((c) => !/503/.test(c))
    await done(page)
    await api('DELETE', `/templates/${mail.id}`)
    return `shown after ${told.map((n) => n.toFixed(0)).join(' and ')} ms while the server says nothing`
  },

  'the palette opens and finds what this browser knows without the server': async () => {
    const page = await open({ bypassCSP: true })
    const made = await api('POST', '/segments', { name: `Known here ${Date.now()}`, rule: { everyone: {} } })
    await visit(page, '/segments')
    await page.getByText(made.name).first().waitFor()
    let answer
    const later = new Promise((resolve) => (answer = resolve))
    await page.route('**/api/v1/**q=*', async (r) => {
      await later
      return r.fallback()
    })
    const opened = await page.evaluate(async () => {
      const began = performance.now()
      window.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', code: 'KeyK', ctrlKey: true, bubbles: true }))
      while (document.activeElement?.getAttribute('role') !== 'combobox') await new Promise(requestAnimationFrame)
      return performance.now() - began
    })
    const typed = async (text, wanted) => {
      const found = page.evaluate(
        (name) =>
          new Promise((resolve) => {
            let began
            addEventListener('input', () => (began = performance.now()), true)
            const look = () =>
              began && [...document.querySelectorAll('[role=option]')].some((o) => o.textContent.includes(name))
                ? resolve(performance.now() - began)
                : requestAnimationFrame(look)
            look()
          }),
        wanted,
      )
      await page.getByRole('combobox').fill(text)
      return found
    }
    const place = await typed('fenqun', t['nav.segments']) // pinyin
    const thing = await typed(made.name.toLowerCase(), made.name)
    answer()
    await done(page)
    await api('DELETE', `/segments/${made.id}`)
    return `open after ${opened.toFixed(0)} ms, a place after ${place.toFixed(0)}, a segment after ${thing.toFixed(0)}`
  },

  'two who were joined are two again by the button of the toast': async () => {
    const page = await open()
    const n = Date.now()
    const make = async (who) =>
      (await api('POST', '/people', {
        identifiers: [{ kind: 'user_id', value: `${who}-${n}` }, { kind: 'email', value: `${who}-${n}@joined.example` }],
        traits: { name: `${who} ${n}` },
      })).id
    const [one, two] = [await make('Ada'), await make('Bea')]
    const has = (id, count) =>
      page.waitForFunction(
        async ([p, k]) => (await (await fetch(`/api/v1/people/${p}`)).json()).identifiers?.filter((i) => i.kind === 'user_id').length === k,
        [id, count],
      )
    await visit(page, `/people/${one}?tab=identity`)
    await has(one, 1)
    await has(two, 1)
    await page.getByRole('button', { name: t['person.join'], exact: true }).first().click()
    await page.getByPlaceholder(t['people.search']).fill(`Bea ${n}`)
    await page.getByRole('row').filter({ hasText: `Bea ${n}` }).getByRole('button', { name: t['person.join'], exact: true }).click()
    const ask = t['person.join_ask'].replace('{one}', `Ada ${n}`).replace('{two}', `Bea ${n}`)
    await page.getByRole('dialog', { name: ask }).getByRole('button', { name: t['person.join'], exact: true }).click()
    await page.getByText(t['person.join_done']).waitFor()
    await page.getByRole('status').getByRole('button', { name: t['action.undo'], exact: true }).click() // at once: it waits until the joining is through
    await page.getByText(t['person.unjoined'].replace('{one}', `Ada ${n}`).replace('{two}', `Bea ${n}`)).waitFor()
    await has(one, 1)
    await page.waitForFunction(
      async ([user, other]) => {
        const [p] = (await (await fetch(`/api/v1/people?identifier=user_id:${user}`)).json()).items
        return p && p.id !== other && p.identifiers.length === 2
      },
      [`Bea-${n}`, one],
    )
    await done(page)
  },
}
