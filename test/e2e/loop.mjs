// The whole job of a marketer on screen, in each language.
import assert from 'node:assert/strict'
import { api, catalogue, done, languages, open, server, settled, visit } from './lib.mjs'

/** The events of a source, as a website's server sends them; by the first there is without a key. */
export async function track(event, by) {
  const key = by ?? (await api('GET', '/sources')).items.find((s) => s.kind === 'server').write_key
  const answer = await fetch(`${server.url}/v1/track`, {
    method: 'POST',
    headers: { Authorization: `Basic ${btoa(`${key}:`)}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(event),
  })
  assert.equal(answer.status, 200)
}

/** Chooses one of a list that opens below an input. */
async function choose(page, scope, label, option, typed) {
  const box = scope
    .getByRole('combobox', { name: label })
    .or(scope.getByRole('textbox', { name: label }))
    .first()
  await box.click()
  if (typed) await box.fill(typed)
  const wanted = option ? page.getByRole('option', { name: option }) : page.getByRole('option').locator('visible=true')
  await wanted.first().click()
  await page.keyboard.press('Escape')
}

async function tell(lang) {
  const t = catalogue(lang)
  const page = await open({ lang })
  const stamp = `${lang} ${Date.now()}`
  const fill = (text, values) => Object.entries(values).reduce((s, [k, v]) => s.replaceAll(`{${k}}`, v), text)

  // Who is this customer? Found by address from anywhere, and told what is known and what happened.
  await visit(page, '/')
  await page.keyboard.press('Control+k')
  const palette = page.getByRole('combobox')
  await palette.waitFor()
  await page.keyboard.type('customer0003')
  await page.getByRole('option', { name: 'customer0003@aoba-sample.example' }).click()
  await page.waitForURL('**/people/per*')
  await settled(page)
  const person = page.url().split('/').at(-1)
  await page.getByRole('heading', { level: 2, name: t['portrait.basic'] }).waitFor()
  const customer = await page.getByRole('heading', { level: 1 }).innerText()
  assert.ok((await page.locator('main details').count()) > 3, 'the timeline tells what happened')
  const worded = Object.keys(t).filter((k) => k.startsWith('event_name.'))
  const told = await page.locator('main details summary').allInnerTexts()
  assert.ok(told.some((line) => worded.some((k) => line.startsWith(t[k]))), `in the language of the reader: ${told}`)
  const sought = page.getByPlaceholder(t['person.search_events'])
  await sought.fill('絆の茶碗')
  await page.getByText(t['state.nothing_found'], { exact: true }).waitFor()
  await sought.fill('ＴＥＡ') // width and case make no difference
  await page.locator('main details').first().waitFor()
  await page.getByRole('tab', { name: t['person.tab.identity'] }).click()
  await page.getByRole('heading', { name: t['person.identifiers'] }).waitFor()

  // Whom to write to: a segment whose count moves with each condition.
  await visit(page, '/segments/new')
  await page.getByLabel(t['field.name'], { exact: false }).first().fill(`loop ${stamp}`)
  const figure = page.locator('aside div', { has: page.getByText(t['field.people'], { exact: true }) }).last()
  const counted = async (not) => {
    await page.waitForFunction(
      ([label, before]) => {
        const stat = [...document.querySelectorAll('aside span')].find((s) => s.textContent === label)?.parentElement
        const n = stat?.querySelector('span + span')
        return n && !n.querySelector('[data-old]') && /\d/.test(n.textContent) && n.textContent !== before
      },
      [t['field.people'], not],
    )
    return figure.locator('span + span').first().innerText()
  }
  const everybody = await counted('')
  await page.getByRole('button', { name: t['builder.add'], exact: true }).click()
  await page.getByRole('menuitem', { name: t['builder.kind.channel'] }).click()
  const reachable = await counted(everybody)
  assert.notEqual(reachable, everybody, 'the count follows the condition')
  assert.ok((await page.locator('aside li a').count()) > 0, 'people of it are shown')
  await page.getByRole('button', { name: t['action.save'] }).click()
  await page.getByRole('heading', { level: 1, name: `loop ${stamp}` }).waitFor()

  // What to say: a mail, seen as that customer will see it.
  await visit(page, '/content/new')
  await page.getByLabel(t['field.name'], { exact: false }).first().fill(`loop ${stamp}`)
  await page.getByRole('button', { name: t['action.create'] }).click()
  await page.waitForURL((u) => /\/content\/tpl_/.test(u.pathname))
  await page.getByRole('button', { name: t['action.save'] }).waitFor()
  await page.getByText(t['content.panel_mail'], { exact: true }).first().click()
  const subject = page.getByLabel(t['content.subject'], { exact: false }).first()
  await subject.fill("{{ person.first_name | default: 'Friend' }}, hello")
  await choose(page, page, t['content.as_person'], customer, 'customer0003')
  await page.frameLocator('iframe').locator('body').waitFor()
  const wanted = (await api('GET', `/people/${person}`)).traits.first_name ?? 'Friend'
  await page.locator(`iframe[title^="${wanted}"]`).waitFor()
  await page.getByRole('button', { name: t['action.save'] }).click()
  await page
    .getByText(fill(t['content.version'], { n: 2 }))
    .first()
    .waitFor()

  // What follows by itself: a journey, drawn, rehearsed, published.
  await visit(page, '/journeys')
  await page.getByRole('button', { name: t['journeys.new'] }).click()
  await page.getByRole('dialog').getByLabel(t['field.name'], { exact: false }).fill(`loop ${stamp}`)
  await page.getByRole('dialog').getByRole('button', { name: t['action.create'] }).click()
  await page.waitForURL('**/edit')
  const id = page.url().split('/').at(-2)
  await page.locator('[data-card]').first().click()
  const inspector = page.getByRole('complementary', { name: t['page.inspector'] })
  await choose(page, inspector, t['journeys.comes_in'], t['trigger.event'])
  await inspector.getByLabel(t['journeys.event'], { exact: false }).first().fill(`Loop ${stamp}`)
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: t['journeys.add_here'] }).first().click()
  await page.getByRole('dialog').getByRole('button', { name: t['node.send'] }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await choose(page, inspector, t['step_field.template'], `loop ${stamp}`)
  const kept = page.waitForResponse(
    (r) => r.ok() && (r.request().postData() ?? '').includes('"transactional":true') && !r.url().endsWith('/check'),
  )
  await inspector.getByLabel(t['step_field.transactional'], { exact: false }).first().check({ force: true })
  await kept
  await visit(page, `/journeys/${id}/simulate`)
  const one = page.locator('section', { has: page.getByRole('heading', { name: t['journeys.one_person'] }) })
  const reader = (await api('GET', '/people?status=identified&limit=50')).items.find((p) => p.name && p.email?.startsWith('customer')) // who has an address
  await choose(page, one, t['field.person'], reader.name, reader.name)
  await one.getByRole('button', { name: t['journeys.run'] }).click()
  await one.getByText(t['node.send']).first().waitFor()
  await one.getByRole('button', { name: t['journeys.trial_letter'] }).click()
  await page.getByRole('dialog').locator('iframe').waitFor()
  await page.keyboard.press('Escape')
  await visit(page, `/journeys/${id}`)
  await page.getByRole('button', { name: t['journeys.publish'], exact: true }).click()
  // It sends to everybody and has no goal: whoever publishes says that they have seen it.
  const publish = page.getByRole('dialog').getByRole('button', { name: t['journeys.publish'], exact: true })
  await page.getByRole('dialog').getByText(t['journey_warning.no_goal']).waitFor()
  assert.ok(await publish.isDisabled())
  await page.getByRole('dialog').getByLabel(t['journeys.warnings_known']).check()
  await publish.click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  const known = (await api('GET', `/people/${person}`)).identifiers
  await track({ event: `Loop ${stamp}`, userId: known.find((i) => i.kind === 'user_id').value })
  // The figures on the steps move by themselves, and lead to the person.
  await page
    .locator('.react-flow__node')
    .first()
    .getByRole('button', { name: `1 ${t['journeys.fact_entered']}` })
    .click()
  await page.getByRole('dialog').getByRole('link', { name: customer }).waitFor()
  await page.keyboard.press('Escape')

  // One message to all of them, after a pre-flight.
  await visit(page, '/campaigns/new')
  await page.getByLabel(t['field.name'], { exact: false }).first().fill(`loop ${stamp}`)
  await choose(page, page, t['campaigns.audience'], `loop ${stamp}`)
  await choose(page, page, t['campaigns.topic'], 'News')
  await page.getByRole('button', { name: t['campaigns.next'], exact: true }).click()
  await choose(page, page, t['campaigns.template'], `loop ${stamp}`)
  await page.getByRole('button', { name: t['campaigns.save_draft'], exact: true }).first().click()
  await page.getByRole('heading', { level: 1, name: `loop ${stamp}` }).waitFor()
  await page.getByRole('button', { name: t['campaigns.preflight'] }).click()
  await page.getByText(t['preflight.allowed']).first().waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  // Launching passes by the same pre-flight.
  await page.getByRole('button', { name: t['campaigns.launch'], exact: true }).click()
  await page.getByRole('dialog').getByText(t['preflight.allowed']).first().waitFor()
  await page.getByRole('dialog').getByRole('button', { name: t['campaigns.launch'], exact: true }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  // The report fills while it goes out; a figure leads to the people behind it.
  const sent = page.getByRole('button', { name: new RegExp(`^${t['metric.sent']}\\s*[1-9]`, 'i') })
  await sent.waitFor()
  await sent.click()
  await page.getByRole('dialog').locator('a[href^="/people/per"]').first().click()
  await page.waitForURL('**/people/per*')
  await settled(page)
  await page.getByRole('tab', { name: t['person.tab.messages'] }).click()
  await page
    .getByText(/hello$/)
    .first()
    .waitFor()
  await done(page)
}

/** The page of a source listens, and turns green by itself. */
async function listens() {
  const t = catalogue('en')
  const source = await api('POST', '/sources', { name: `Listening ${Date.now()}`, kind: 'server' })
  const somebody = (await api('GET', '/people?q=customer0003')).items[0]
  const { identifiers } = await api('GET', `/people/${somebody.id}`)
  const page = await open({ bypassCSP: true })
  await visit(page, `/settings/sources/${source.id}`)
  await page.getByText(t['source.waiting']).waitFor()
  const green = page.evaluate(
    (text) =>
      new Promise((resolve) => {
        const look = () => (document.body.innerText.includes(text) ? resolve(Date.now()) : requestAnimationFrame(look))
        look()
      }),
    t['source.arrives'],
  )
  const sent = Date.now()
  await track({ event: 'Listened', userId: identifiers.find((i) => i.kind === 'user_id').value }, source.write_key)
  const took = (await green) - sent
  await done(page)
  await api('DELETE', `/sources/${source.id}`)
  return `green ${took} ms after the first event was sent`
}

export const stories = Object.fromEntries([
  ...languages.map((lang) => [`a marketer does the whole job in ${lang}`, () => tell(lang)]),
  ['the page of a source turns green by itself on the first event', listens],
])
