// What is done with everybody who fits a filter, however many were read: as a job that can be watched, undone and fetched.
import assert from 'node:assert/strict'
import { api, catalogue, done, findings, fits, noKeys, open, phone, settled, two, until, visit } from './lib.mjs'

const shots = process.env.PICTURES

/** Presses what begins a job and returns it once it has ended. */
async function job(page, press) {
  const [answer] = await Promise.all([page.waitForResponse((r) => r.request().method() === 'POST' && r.status() === 202), press.click()])
  const { id, kind } = await answer.json()
  return until(`${kind} has ended`, async () => {
    const now = await api('GET', `/jobs/${id}`)
    return now.ended_at && now
  })
}

/** In the page: has the mouse be on a button as soon as it is there. */
const hoverOn = (label) =>
  new Promise((there, never) => {
    const until = performance.now() + 100_000
    const look = () => {
      const button = [...document.querySelectorAll('button')].find((b) => b.textContent.trim() === label)
      if (button) return there(void button.dispatchEvent(new MouseEvent('mouseover', { bubbles: true })))
      return performance.now() < until ? requestAnimationFrame(look) : never(new Error(`there is no ${label}`))
    }
    look()
  })

async function everybody(lang, size) {
  const t = catalogue(lang)
  const page = await open({ lang, size })
  const check = async (what) => {
    await settled(page)
    await fits(page, what)
    await noKeys(page, what)
    assert.deepEqual(await findings(page), [], `${what} under axe`)
    if (shots) await page.screenshot({ path: `${shots}/${what}-${lang}-${size ? 'phone' : 'laptop'}.png` })
  }
  const name = `Everybody ${lang} ${size ? 'p' : ''} ${Date.now()}`
  const list = await api('POST', '/lists', { name })
  const [first] = (await api('GET', '/people?limit=1&status=anonymous')).items
  await api('POST', `/lists/${list.id}/members`, { rows: [first.id] })

  // Pages of fifty, so that the sample business has more than one.
  await page.route(/\/api\/v1\/people\?/, (r) => r.continue({ url: r.request().url().replace('limit=200', 'limit=50') }))
  await visit(page, '/people')
  const bar = page.getByRole('toolbar', { name: t['table.bulk'] })
  const all = page.getByRole('checkbox', { name: t['table.select_all'] })
  await all.check()
  await bar.getByText(t['table.selected_other'].replace('{n}', '50')).waitFor()
  const { count } = await api('GET', '/people/count')
  assert.ok(count > 50, `there are more than one page shows: ${count}`)
  // Visitors come in while this is told, so the number is that of the screen.
  const offer = bar.getByRole('button', { name: new RegExp(`^${t['table.select_matching'].replace('{n}', '[\\d,]+')}$`) })
  await offer.waitFor()
  await check('everybody-offer')
  // Somebody who comes in meanwhile is not selected, and the offer is gone: then all are chosen anew.
  for (const until = Date.now() + 120_000; ; ) {
    await all.check()
    const taken = await offer.click({ timeout: 10_000 }).then(() => true, () => false)
    if (taken) break
    assert.ok(Date.now() < until, 'all that fit are offered')
  }
  await bar.getByText(new RegExp(`^${t['table.matching'].replace('{n}', '[\\d,]+')}$`)).waitFor()
  await check('everybody-selected')
  await bar.getByRole('button', { name: t['people.add_to_list'] }).click()
  const changed = await job(page, page.getByRole('menuitem', { name, exact: true }))
  assert.equal(changed.state, 'done')
  assert.ok((await api('GET', `/lists/${list.id}`)).size >= count, 'everybody is on the list, also those who were not read')
  // The offer beside the message passes; it stays below the jobs.
  await visit(page, '/jobs')
  await page.getByText(name, { exact: true }).first().click()
  const back = await job(page, page.getByRole('dialog').getByRole('button', { name: t['jobs.undo'], exact: true }))
  assert.equal(back.state, 'done')
  assert.equal((await api('GET', `/lists/${list.id}`)).size, 1, 'who was on the list before stays on it')

  // A file of those who fit, and of nobody else.
  await visit(page, '/people?status=identified')
  const { count: before } = await api('GET', '/people/count?status=identified')
  if (size) await page.getByRole('button', { name: t['action.more'], exact: true }).click()
  const made = await job(page, size ? page.getByRole('menuitem', { name: t['people.export'] }) : page.locator('#main header').getByRole('button', { name: t['people.export'] }))
  const { count: after } = await api('GET', '/people/count?status=identified')
  const identified = Math.max(before, after) // others are made, joined and deleted meanwhile
  const text = await page.evaluate(async (id) => (await fetch(`/api/v1/jobs/${id}/files/table`)).text(), made.id)
  const lines = text.trim().split('\r\n')
  assert.ok(lines[0].includes('person_id,status') && lines[0].includes('traits.'), lines[0])
  assert.ok(
    lines.length - 1 <= identified && lines.length > 100 && lines.slice(1).every((l) => l.includes(',identified,')),
    `${lines.length} lines, ${identified} identified`,
  )
  await visit(page, '/jobs')
  await page.getByText(t['job_kind.people_export']).first().waitFor()
  await check('everybody-jobs')
  await api('DELETE', `/lists/${list.id}`)
  await done(page)
}

/** Several campaigns over more pages than were read: put away, brought back, and in a file. */
async function archived(lang, size) {
  const t = catalogue(lang)
  const page = await open({ lang, size })
  const tag = `Put away ${lang} ${size ? 'p' : ''} ${Date.now()}`
  const made = []
  for (let n = 0; n < 5; n++) made.push(await api('POST', '/campaigns', { name: `${tag} ${n}`, audience: { include: [] } }))
  const inSight = async () => (await api('GET', `/campaigns?archived=no&q=${encodeURIComponent(tag)}`)).items.length
  await page.route(/\/api\/v1\/campaigns\?/, (r) => r.continue({ url: r.request().url().replace('limit=50', 'limit=2') }))
  // Pages follow when their place comes into view; here only when they are asked for.
  await page.addInitScript(() => delete window.IntersectionObserver)
  await visit(page, `/campaigns?q=${encodeURIComponent(tag)}`)
  const bar = page.getByRole('toolbar', { name: t['table.bulk'] })
  await page.getByRole('checkbox', { name: t['table.select_all'] }).check()
  await bar.getByRole('button', { name: t['table.select_matching'].replace('{n}', '5') }).click()
  await bar.getByText(t['table.matching'].replace('{n}', '5'), { exact: true }).waitFor()
  await settled(page)
  await fits(page, `a selection of campaigns in ${lang}`)
  assert.deepEqual(await findings(page), [], `a selection of campaigns in ${lang} under axe`)
  if (shots) await page.screenshot({ path: `${shots}/bulk-campaigns-${lang}-${size ? 'phone' : 'laptop'}.png` })
  const file = await job(page, page.getByRole('button', { name: t['table.csv'] }))
  const text = await page.evaluate(async (id) => (await fetch(`/api/v1/jobs/${id}/files/table`)).text(), file.id)
  assert.equal(text.trim().split('\r\n').length, 6, text)
  assert.ok(text.includes(`${tag} 0,draft,`) && text.includes(t['field.name']), text)
  // Whoever is about to take it back has the mouse there: what offers it stays as long, however long the job takes.
  const undo = page.getByRole('button', { name: t['action.undo'], exact: true })
  const [put] = await Promise.all([
    job(page, bar.getByRole('button', { name: t['action.archive'], exact: true })),
    page.evaluate(hoverOn, t['action.undo']),
  ])
  assert.deepEqual([put.state, put.figures.changed, put.figures.not_done, await inSight()], ['done', 5, 0, 0])
  if (shots) await page.screenshot({ path: `${shots}/bulk-done-${lang}-${size ? 'phone' : 'laptop'}.png` })
  const back = await job(page, undo)
  assert.deepEqual([back.figures.changed, await inSight()], [5, 5])
  await page.getByRole('link', { name: `${tag} 4` }).waitFor()
  for (const c of made) await api('DELETE', `/campaigns/${c.id}`)
  await done(page)
}

async function onAPhone() {
  const t = catalogue('ja')
  const page = await open({ lang: 'ja', size: phone })
  await visit(page, '/people')
  await page.getByRole('button', { name: t['table.sort'] }).click()
  await page.getByRole('menuitem', { name: t['table.sort_up'].replace('{name}', t['field.last_seen']) }).click()
  await page.waitForFunction(() => new URL(location.href).searchParams.get('order') === 'silent')
  await settled(page)
  const [silent] = (await api('GET', '/people?order=silent&limit=1')).items
  await page.locator(`a[href="/people/${silent.id}"]:visible`).first().waitFor()
  assert.deepEqual(await findings(page), [], 'a sorted list on a phone under axe')
  await fits(page, 'a sorted list on a phone')
  await done(page)
}

export const stories = Object.fromEntries([
  ...two.map((lang) => [
    `everybody who fits is put on a list, undone, and in a file, in ${lang}`,
    () => everybody(lang, lang === 'ja' ? phone : undefined),
  ]),
  ...two.map((lang) => [
    `several campaigns are put away, brought back, and in a file, in ${lang}`,
    () => archived(lang, lang === 'ja' ? phone : undefined),
  ]),
  ['a list is sorted on a phone', onAPhone],
])
