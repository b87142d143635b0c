// One screen that says why somebody got something, or not.
import assert from 'node:assert/strict'
import { api, catalogue, done, findings, fits, languages, noKeys, open, phone, settled, until, visit } from './lib.mjs'

const shots = process.env.PICTURES

/** Somebody who got the campaign and somebody who did not, with the reason. */
async function people(campaign) {
  const got = await api('GET', `/campaigns/${campaign}/people?metric=sent&limit=1`)
  const not = await api('GET', `/campaigns/${campaign}/people?metric=refused&limit=1`)
  return [got.items[0].person, not.items[0].person]
}

async function why(lang, size) {
  const t = catalogue(lang)
  const page = await open({ lang, size })
  const check = async (what) => {
    await settled(page)
    await fits(page, what)
    await noKeys(page, what)
    assert.deepEqual(await findings(page), [], `${what} under axe`)
    if (shots) await page.screenshot({ path: `${shots}/${what}-${lang}-${size ? 'phone' : 'laptop'}.png`, fullPage: true })
  }
  const campaign = (await api('GET', '/campaigns?limit=50')).items.find((c) => c.status === 'sent')
  const [got, not] = await people(campaign.id)

  // From the campaign, whom to ask about is chosen by name.
  await visit(page, `/campaigns/${campaign.id}`)
  if (size) await page.getByRole('button', { name: t['action.more'], exact: true }).click()
  await page.getByRole(size ? 'menuitem' : 'link', { name: t['why.ask'], exact: true }).click()
  const whom = page.getByRole('combobox', { name: t['why.person'] })
  await whom.waitFor()
  await check('why-empty')
  await whom.fill(got.email)
  await page.getByRole('option').nth(1).waitFor({ state: 'detached' }) // the address is that of one person
  await page.getByRole('option').first().click()
  await page.getByText(t['why.sent_text'], { exact: true }).waitFor()
  const steps = page.locator('ol').first().locator('li')
  const questions = ['content', 'person', 'address', 'consent', 'control', 'caps', 'quiet', 'sending']
  assert.equal(await steps.count(), questions.length)
  for (const [i, s] of questions.entries()) assert.ok((await steps.nth(i).innerText()).startsWith(t[`why.step.${s}`]), s)
  await check('why-sent')

  // The question that settled it says why, and those behind it were not asked.
  await visit(page, `/people/why?person=${not.id}&campaign=${campaign.id}`)
  await page.getByText(t['why.refused_text'], { exact: true }).waitFor()
  const said = await api('GET', `/people/${not.id}/why?campaign=${campaign.id}`)
  const at = said.messages[0].gate.findIndex((s) => s.outcome === 'failed')
  assert.ok((await steps.nth(at).innerText()).includes(t[`reason.${said.messages[0].reason}`]), said.messages[0].reason)
  await steps.nth(at).getByRole('link', { name: t['why.look'] }).waitFor()
  assert.ok((await steps.nth(at + 1).innerText()).includes(t['why_outcome.not_asked']))
  await check('why-refused')
  await done(page)
}

/** It is reached from the palette and from the person, and tells of journeys, too. */
async function reached() {
  const t = catalogue('en')
  const page = await open({})
  await visit(page, '/')
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: t['palette.hint'] }).fill('weishenme')
  await page.getByRole('option', { name: t['why.title'] }).click()
  await page.getByRole('heading', { level: 1, name: t['why.title'] }).waitFor()
  const journey = (await api('GET', '/journeys?limit=50')).items.find((j) => j.status === 'live')
  const [somebody] = (await api('GET', '/people?status=anonymous&limit=1')).items
  await visit(page, `/people/${somebody.id}`)
  await page.getByRole('link', { name: t['why.ask'], exact: true }).click()
  await page.getByRole('combobox', { name: t['why.thing'] }).fill(journey.name)
  // A campaign may be called the same.
  await page.getByRole('group', { name: t['nav.journeys'] }).getByRole('option', { name: journey.name, exact: true }).click()
  await page.getByText(t['why.rounds'], { exact: true }).waitFor()
  assert.equal(new URL(page.url()).searchParams.get('journey'), journey.id)
  await done(page)
}

/** A message of the API that waits says until when, from the person's list and by its key; a series tells of each run. */
async function everything() {
  const t = catalogue('en')
  const page = await open({})
  const n = Date.now()
  const somebody = await api('POST', '/people', { identifiers: [{ kind: 'email', value: `why-${n}@reader.example` }], traits: { email: `why-${n}@reader.example` } })
  const later = new Date(n + 3 * 86_400_000).toISOString()
  const asked = await api('POST', '/messages/batch', {
    messages: [{ key: `why-${n}`, to: { person: somebody.id }, subject: `Receipt ${n}`, text: 'Thank you', send_at: later }],
  })
  const message = asked.items[0].message.id
  await visit(page, `/people/${somebody.id}?tab=messages`)
  await page.getByRole('row').getByRole('link', { name: t['why.ask'], exact: true }).click()
  const sending = page.locator('li[data-outcome=waits]')
  await sending.getByText(t['reason.scheduled'], { exact: true }).waitFor()
  assert.equal(new URL(page.url()).searchParams.get('message'), message)
  await visit(page, `/people/why?person=${somebody.id}&key=why-${n}`)
  await sending.getByText(t['why.earliest'].split('{')[0].trim()).waitFor()
  await settled(page)
  assert.deepEqual(await findings(page), [], 'a message that waits under axe')
  const list = await api('POST', '/lists', { name: `series ${n}` })
  const series = await api('POST', '/series', { name: `Weekly ${n}`, audience: { include: [list.id] }, schedule: { every: 'day', at: '09:00' } })
  await visit(page, `/people/why?person=${somebody.id}&series=${series.id}`)
  const said = await api('GET', `/people/${somebody.id}/why?series=${series.id}`)
  await page.getByText(t[`why.${said.outcome}_text`], { exact: true }).waitFor()
  await settled(page)
  assert.equal(await page.getByText(t['why.run'].split('{')[0].trim()).count(), said.runs.length)
  await api('POST', `/messages/${message}/cancel`)
  await api('DELETE', `/series/${series.id}`)
  await done(page)
}

/** Before a campaign goes, it is counted how many of those who get it read another language; each language leads to its people. */
async function unread(lang, size) {
  const t = catalogue(lang)
  const page = await open({ lang, size })
  const n = Date.now()
  const list = await api('POST', '/lists', { name: `readers ${n}` })
  const topic = (await api('GET', '/topics')).items.find((x) => x.opt_in !== 'double')
  const people = []
  for (const [who, locale] of [['jun', 'ja'], ['mei', 'zh-TW'], ['ann', 'en-GB'], ['ken', 'ja-JP']]) {
    const p = await api('POST', '/people', {
      identifiers: [{ kind: 'email', value: `${who}-${n}@reader.example` }],
      traits: { email: `${who}-${n}@reader.example`, name: `${who} ${n}`, locale },
    })
    people.push(p.id)
  }
  await api('POST', `/lists/${list.id}/members`, { rows: people })
  for (const id of people) await api('POST', `/people/${id}/subscriptions`, { topic: topic.id, channel: 'email', status: 'subscribed', evidence: 'by telephone' })
  const mail = await api('POST', '/templates', { name: `English ${n}`, channel: 'email', locale: 'en', subject: 'Hello', html: '<p>Hello</p>' })
  const campaign = await api('POST', '/campaigns', { name: `English ${n}`, audience: { include: [list.id] }, topic: topic.id, template: mail.id })
  await visit(page, `/campaigns/${campaign.id}`)
  await until('those who read other languages are counted', async () => {
    const { fallbacks } = await api('GET', `/campaigns/${campaign.id}/preflight`) // what was said goes through the log
    return JSON.stringify(fallbacks.map((f) => [f.language, f.people])) === '[["ja",2],["zh-Hant",1]]'
  })
  await page.getByRole('button', { name: t['campaigns.preflight'], exact: true }).click()
  await page.getByText(t['preflight.fallback_other'].replace('{n}', '3')).waitFor()
  await settled(page)
  await fits(page, `unread-${lang}`)
  await noKeys(page, `unread-${lang}`)
  assert.deepEqual(await findings(page), [], 'the languages of the preflight under axe')
  if (process.env.PICTURES) {
    await page.getByText(t['preflight.fallback_other'].replace('{n}', '3')).scrollIntoViewIfNeeded()
    await page.screenshot({ path: `${process.env.PICTURES}/unread-${lang}.png` })
  }
  await page.locator('li button').filter({ hasText: '2' }).click()
  for (const who of ['jun', 'ken']) await page.getByText(`${who} ${n}`).first().waitFor()
  assert.equal(await page.getByText(`ann ${n}`).count(), 0, 'who reads the text is not among them')
  await api('DELETE', `/campaigns/${campaign.id}`)
  await done(page)
}

export const stories = Object.fromEntries([
  ...languages.map((lang) => [`why somebody got something or not, in ${lang}`, () => why(lang, lang === 'zh-Hans' ? phone : undefined)]),
  ['why is asked from the palette and from a person', reached],
  ['why is told of messages of the API and of series', everything],
  ['before a campaign it is counted who gets a language that they do not read', () => unread('en')],
  ['before a campaign it is counted who gets a language that they do not read, in ja, on a phone', () => unread('ja', phone)],
])
