// Who enters a journey: staff add people by hand, and what became of each is told.
import assert from 'node:assert/strict'
import { api, catalogue, done, findings, fits, languages, noKeys, open, phone, settled, two, visit } from './lib.mjs'

async function entering(lang, size) {
  const t = catalogue(lang)
  const page = await open({ lang, size })
  const name = `entering ${lang} ${size ? 'phone' : 'laptop'} ${Date.now()}`
  const draft = { trigger: { manual: {} }, nodes: [{ id: 'w', kind: 'wait', config: { for: { n: 1, unit: 'day' } } }] }
  const { id } = await api('POST', '/journeys', { name, draft })
  await api('POST', `/journeys/${id}/publish`)
  const people = (await api('GET', '/people?q=aoba-sample&limit=3')).items // not those that other stories make and join meanwhile
  const list = await api('POST', '/lists', { name })
  await api('POST', `/lists/${list.id}/members`, { rows: people.map((p) => p.id) })

  await visit(page, `/journeys/${id}?tab=entering`)
  const add = async () => {
    await page.getByRole('button', { name: t['journeys.add_people'], exact: true }).click()
    await page.getByRole('combobox', { name: t['journeys.add_set'] }).fill(name)
    await page.getByRole('option', { name }).click()
    // How many these are stands on the button before anything happens.
    await page.getByRole('button', { name: (t['journeys.add_n_other'] ?? '').replace('{n}', '3') }).click()
  }
  await add()
  await page.getByText(t['journeys.task_done'].replace('{done}', '3').replace('{total}', '3')).waitFor()
  assert.equal((await api('GET', `/journeys/${id}`)).active, 3)
  // The same people again: nobody is inside twice, and each stands there with the reason.
  await add()
  await page.getByText(t['journey_turned.inside']).nth(2).waitFor()
  await settled(page)
  await fits(page, 'entering')
  await noKeys(page, 'entering')
  assert.deepEqual(await findings(page), [], 'entering under axe')
  await api('POST', `/journeys/${id}/exit-all`)
  await done(page)
}

async function gone(lang) {
  const t = catalogue(lang)
  const page = await open({ lang, size: phone })
  const name = `gone ${lang} ${Date.now()}`
  const template = await api('POST', '/templates', { name, kind: 'code', subject: 'Hello', html: '<p>Hello</p>' })
  const segment = await api('POST', '/segments', { name, rule: { trait: { path: 'gone', op: 'exists' } } })
  const nodes = [
    { id: 'b', kind: 'branch', config: { rule: { segment: { id: segment.id } } }, next: { yes: 's', no: 's' } },
    { id: 's', kind: 'send', title: 'The greeting', config: { template: template.id, transactional: true } },
  ]
  const { id } = await api('POST', '/journeys', { name, draft: { trigger: { event: { name } }, nodes } })
  await api('POST', `/journeys/${id}/publish`)
  await visit(page, `/journeys/${id}`)
  await page.getByText(t['journeys.nodes'], { exact: true }).waitFor()
  assert.equal(await page.getByText(t['journeys.broken'], { exact: true }).count(), 0, 'nothing is gone yet')
  await api('DELETE', `/templates/${template.id}`)
  await visit(page, `/journeys/${id}`)
  await page.getByText(t['journeys.broken'], { exact: true }).waitFor()
  const said = (code) => t[`error.${code}`].replace('{0}', name)
  await page.getByText(`The greeting: ${said('template.archived')}`).waitFor()
  await fits(page, 'gone')
  assert.deepEqual(await findings(page), [], 'gone under axe')
  // A segment goes only once nothing needs it: who archives it is told what does.
  await visit(page, `/segments/${segment.id}`)
  const archive = async () => {
    await page.getByRole('button', { name: t['action.archive'], exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: t['action.archive'], exact: true }).click()
  }
  await archive()
  await page.getByText(said('segment.in_use')).waitFor()
  page.complaints = page.complaints.filter((c) => !/409/.test(c))
  assert.equal((await api('GET', `/segments/${segment.id}`)).status, 'active')
  await api('POST', `/journeys/${id}/stop`)
  await api('POST', `/journeys/${id}/archive`)
  await archive()
  await page.getByText(t['segments.archived'].replace('{name}', name)).waitFor()
  await done(page)
}

/** A secret gets another value, and is not deleted while a running journey sends it. */
async function secret() {
  const t = catalogue('en')
  const page = await open()
  const name = `crm ${Date.now()}`
  const made = await api('POST', '/journey-secrets', { name, value: 'old' })
  const headers = [{ name: 'Authorization', secret: made.id }]
  const nodes = [{ id: 'h', kind: 'webhook', config: { url: 'https://crm.example.com/people', headers } }]
  const { id } = await api('POST', '/journeys', { name, draft: { trigger: { event: { name } }, nodes } })
  await api('POST', `/journeys/${id}/publish`)
  await visit(page, '/settings/webhooks')
  const row = page.getByRole('row', { name })
  await row.getByRole('button', { name: t['action.edit'] }).click()
  await page.getByLabel(t['journeys.secret_value']).fill('new')
  const saved = page.waitForResponse((r) => r.request().method() === 'PUT' && r.url().endsWith(`/journey-secrets/${made.id}`))
  await page.getByRole('button', { name: t['action.save'] }).click()
  assert.equal((await saved).status(), 200)
  const remove = async () => {
    await row.getByRole('button', { name: t['action.delete'] }).click()
    await page.getByRole('dialog').getByRole('button', { name: t['action.delete'] }).click()
  }
  await remove()
  await page.getByText(t['error.journey_secret.in_use'].replace('{0}', name)).waitFor()
  await api('POST', `/journeys/${id}/stop`)
  await api('POST', `/journeys/${id}/archive`)
  await remove()
  await row.waitFor({ state: 'detached' })
  page.complaints = page.complaints.filter((c) => !/409/.test(c)) // the refusal, which the browser writes down
  await done(page)
}

const manual = Object.fromEntries(
  languages.map((lang) => [
    `staff add people to a journey by hand and see who could not enter, in ${lang}${lang === 'ja' ? ' on a phone' : ''}`,
    () => entering(lang, lang === 'ja' ? phone : undefined),
  ]),
)

export const stories = {
  ...manual,
  'a secret of journeys gets another value, and is deleted once no journey sends it': secret,
  ...Object.fromEntries(
    two.map((lang) => [`what a running journey uses and is gone is told, and a segment it uses stays, in ${lang}`, () => gone(lang)]),
  ),
}
