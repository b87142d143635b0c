// Who enters a journey: staff add people by hand, and what became of each is told.
import assert from 'node:assert/strict'
import { api, catalogue, done, findings, fits, languages, noKeys, open, phone, settled, visit } from './lib.mjs'

async function entering(lang, size) {
  const t = catalogue(lang)
  const page = await open({ lang, size })
  const name = `entering ${lang} ${size ? 'phone' : 'laptop'} ${Date.now()}`
  const draft = { trigger: { manual: {} }, nodes: [{ id: 'w', kind: 'wait', config: { for: { n: 1, unit: 'day' } } }] }
  const { id } = await api('POST', '/journeys', { name, draft })
  await api('POST', `/journeys/${id}/publish`)
  const people = (await api('GET', '/people?limit=3')).items
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
  await noKeys(page, 'entering', Object.keys(t))
  assert.deepEqual(await findings(page), [], 'entering under axe')
  await api('POST', `/journeys/${id}/exit-all`)
  await done(page)
}

export const stories = Object.fromEntries(
  languages.flatMap((lang) =>
    [undefined, phone].map((size) => [
      `staff add people to a journey by hand and see who could not enter, in ${lang}${size ? ' on a phone' : ''}`,
      () => entering(lang, size),
    ]),
  ),
)
