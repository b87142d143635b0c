// People made by hand, and keys of lists.
import assert from 'node:assert/strict'
import { api, catalogue, done, open, phone, server, settled, visit } from './lib.mjs'

export const stories = {
  'a person is made by hand with one key, and who is there already is refused in the words of the reader': async () => {
    const t = catalogue('ja')
    const page = await open({ lang: 'ja' })
    const mail = `hand-${Date.now()}@made.example`
    await visit(page, '/people')
    const make = async () => {
      await page.keyboard.press('n')
      const sheet = page.getByRole('dialog', { name: t['people.new'] })
      await sheet.waitFor()
      const create = sheet.getByRole('button', { name: t['action.create'], exact: true })
      await create.click()
      await sheet.getByText(t['people.new_nothing']).waitFor()
      await sheet.getByLabel(t['people.last_name']).fill('手島')
      await sheet.getByLabel(t['people.first_name'], { exact: true }).fill('花')
      await sheet.getByLabel(t['field.email']).fill('not an address')
      await create.click()
      await sheet.getByText(t['trait_fault.email']).waitFor()
      assert.equal(await sheet.getByLabel(t['people.last_name']).inputValue(), '手島', 'what was typed is still there')
      await sheet.getByLabel(t['field.email']).fill(mail)
      await create.click()
      return sheet
    }
    await make()
    await page.waitForURL('**/people/per_*')
    await page.getByRole('heading', { level: 1, name: /手島/ }).waitFor()
    await visit(page, '/people')
    const sheet = await make()
    await sheet.getByText(t['error.person.identifier.taken'].replace('{1}', mail)).waitFor()
    assert.equal((await api('GET', `/people?identifier=email:${mail}`)).items.length, 1)
    page.complaints = page.complaints.filter((c) => !/\b409\b/.test(c)) // the refusal
    await done(page)
  },

  'every list has a key for what one does there first, and the sheet at ? lists it': async () => {
    const t = catalogue('zh-Hans')
    const page = await open({ lang: 'zh-Hans', size: phone })
    for (const [path, label, opens] of [
      ['/people', 'people.new', 'dialog'],
      ['/lists', 'lists.make', 'dialog'],
      ['/journeys', 'journeys.new', 'dialog'],
      ['/journey-maps', 'maps.new', 'dialog'],
      ['/tasks', 'tasks.new', 'dialog'],
      ['/segments', 'segments.new', '/segments/new'],
      ['/personas', 'personas.new', '/personas/new'],
      ['/content', 'content.new_mail', '/content/new'],
      ['/content/snippets', 'snippets.new', 'dialog'],
      ['/campaigns', 'campaigns.new', '/campaigns/new'],
      ['/campaigns/series', 'series.new', '/campaigns/series/new'],
      ['/settings/members', 'members.invite', 'dialog'],
      ['/settings/sources', 'settings.new_source', 'dialog'],
      ['/settings/keys', 'settings.new_key', 'dialog'],
      ['/settings/accounts', 'settings.new_account', 'dialog'],
      ['/settings/domains', 'domain.add', 'dialog'],
      ['/settings/topics', 'topic.new', 'dialog'],
      ['/settings/suppressions', 'suppression.add', 'dialog'],
      ['/settings/webhooks', 'webhook.add', 'dialog'],
    ]) {
      await visit(page, path)
      await page.keyboard.press('?')
      const help = page.getByRole('dialog', { name: t['shortcut.help'] })
      await help.getByRole('listitem').filter({ hasText: t[label] }).getByText('N', { exact: true }).waitFor()
      await page.keyboard.press('Escape')
      await help.waitFor({ state: 'detached' })
      await page.keyboard.press('n')
      if (opens === 'dialog') await page.getByRole('dialog').waitFor()
      else {
        await page.waitForURL(`**${opens}`)
        await settled(page)
      }
    }
    await done(page)
  },

  'whoever may only look is told who can grant more, instead of a form that cannot be saved': async () => {
    const t = catalogue('ja')
    const email = `viewer-${Date.now()}@forms.example`
    const { token } = await api('POST', '/staff', { email, role: 'viewer' })
    const page = await open({ lang: 'ja', size: phone, signedIn: false })
    const accepted = await page.request.post(`${server.url}/api/v1/staff/accept`, { data: { token, password: 'looks-but-does-not-touch' } })
    assert.equal(accepted.status(), 200)
    await page.goto(server.url)
    await page.locator('input[name=email]').fill(email)
    await page.locator('input[name=password]').fill('looks-but-does-not-touch')
    await page.keyboard.press('Enter')
    await page.locator('input[name=password]').waitFor({ state: 'detached' })
    const [segment] = (await api('GET', '/segments?limit=1')).items
    for (const path of ['/segments/new', `/segments/${segment.id}/edit`, '/content/new', '/campaigns/new', '/campaigns/series/new', '/personas/new', '/people/import']) {
      await visit(page, path)
      await page.getByText(t['state.forbidden_help']).waitFor()
      assert.equal(await page.locator('main form').count(), 0, `${path} has no form`)
    }
    await visit(page, `/segments/${segment.id}`)
    await page.getByRole('heading', { level: 1, name: segment.name }).waitFor() // looking is allowed
    await done(page)
  },
}
