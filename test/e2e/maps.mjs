// Personas and journey maps, from the first name to the real people and ways beside them; drafts that two people edit or that the connection fails.
import assert from 'node:assert/strict'
import { api, catalogue, done, findings, fits, open, phone, server, settled, two, visit } from './lib.mjs'

// The smallest picture there is: one red pixel.
const pixel = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==', 'base64')
const saved = (page, t) =>
  page
    .locator('main, header')
    .getByRole('status')
    .filter({ hasText: new RegExp(`^${t['journeys.save_saved']}$`) })
    .first()
    .waitFor()
const story = { en: 'Buys tea for the office every month.', 'zh-Hans': '每个月为办公室买茶。', ja: '毎月、会社のためにお茶を買う。' }

async function pick(page, label, option) {
  const box = page
    .getByRole('combobox', { name: label })
    .or(page.getByRole('textbox', { name: label }))
    .first()
  await box.click()
  await box.fill(option)
  const choice = page.getByRole('option', { name: option }).first()
  // The list hides while its input is out of sight. Where it opens beyond the edge, the click scrolls to it, which may push the input there: whoever chooses scrolls back.
  await choice.click({ timeout: 10_000 }).catch(async () => {
    await box.scrollIntoViewIfNeeded()
    await choice.click()
  })
}

async function persona(lang) {
  const t = catalogue(lang)
  const page = await open({ lang })
  const name = `${{ en: 'Office Olga', 'zh-Hans': '采购小王', ja: '総務の恵子' }[lang]} ${Date.now()}`
  const segment = (await api('GET', '/segments?limit=200')).items.find((s) => s.name === 'Regulars') // one that no other story takes away meanwhile
  await visit(page, '/personas')
  await page.keyboard.press('n')
  await page.waitForURL('**/personas/new')
  await settled(page)
  const field = (label) => page.locator('main').getByLabel(label, { exact: false }).first()
  await field(t['field.name']).fill(name)
  await field(t['personas.role']).fill('Office manager, 44')
  await field(t['personas.age_from']).fill('40')
  await field(t['personas.age_to']).fill('49')
  await field(t['personas.story']).fill(story[lang])
  await field(t['personas.goals']).fill('one\ntwo')
  // A portrait instead of initials.
  await page.locator('input[type=file]').setInputFiles({ name: 'portrait.png', mimeType: 'image/png', buffer: pixel })
  await page.getByRole('button', { name: t['personas.picture_other'] }).waitFor()
  await pick(page, t['personas.segment'], segment.name)
  await page.getByRole('button', { name: t['action.save'], exact: true }).click()
  await page.getByRole('heading', { level: 1, name }).waitFor()
  await settled(page)
  await page.getByText(story[lang]).waitFor()
  assert.ok((await page.locator('main img').count()) > 0, 'the portrait is shown')
  // Real people beside what is assumed.
  await page.getByRole('heading', { name: t['personas.assumed_real'] }).waitFor()
  await page.getByRole('columnheader', { name: t['personas.real'], exact: true }).waitFor()
  const id = page.url().split('/').at(-1)
  const kept = await api('GET', `/personas/${id}`)
  assert.deepEqual([kept.name, kept.segment_id, kept.age_to, kept.goals.length], [name, segment.id, 49, 2])
  assert.match(kept.picture, /^data:image\//)
  await page.setViewportSize(phone)
  await fits(page, 'the persona on a phone')
  await done(page)
}

async function map(lang) {
  const t = catalogue(lang)
  const page = await open({ lang })
  const name = `${{ en: 'First tea', 'zh-Hans': '第一杯茶', ja: 'はじめてのお茶' }[lang]} ${Date.now()}`
  await visit(page, '/journey-maps')
  await page.keyboard.press('n')
  const sheet = page.getByRole('dialog')
  await sheet.getByRole('radio', { name: t['maps.blank'] }).check()
  await sheet.getByLabel(t['field.name'], { exact: false }).last().fill(name)
  await sheet.getByRole('button', { name: t['action.create'] }).click()
  await page.waitForURL(/journey-maps\/\w+_/)
  await page.getByRole('heading', { level: 1, name }).waitFor()
  const id = new URL(page.url()).pathname.split('/').at(-1)
  // Three stages, each with a touchpoint that is seen by an event.
  const stage = (n) => page.getByRole('textbox', { name: t['maps.stage_n'].replace('{n}', n), exact: true })
  for (const n of [2, 3]) {
    await page.getByRole('button', { name: t['maps.add_stage'], exact: true }).click()
    await page.waitForFunction((label) => document.activeElement?.getAttribute('aria-label') === label, t['maps.stage_n'].replace('{n}', n)) // it is named next
  }
  const names = { en: ['Looks', 'Chooses', 'Buys'], 'zh-Hans': ['浏览', '挑选', '购买'], ja: ['見る', '選ぶ', '買う'] }[lang]
  for (const [i, n] of names.entries()) await stage(i + 1).fill(n)
  const known = (await api('GET', '/event-names?limit=100')).items.filter((e) => e.type === 'track').map((e) => e.name)
  const signals = ['Product Viewed', 'Product Added', 'Order Completed'].map((e, i) => (known.includes(e) ? e : known[i]))
  for (const [i, signal] of signals.entries()) {
    await page.getByRole('button', { name: t['maps.add_touchpoint'] }).nth(i).click()
    await sheet.getByLabel(t['field.name'], { exact: false }).first().fill(`${names[i]} 1`)
    await sheet.getByRole('button', { name: t['maps.add_signal'] }).click()
    await sheet
      .getByRole('combobox', { name: t['field.event'] })
      .or(sheet.getByRole('textbox', { name: t['field.event'] }))
      .first()
      .fill(signal)
    await page.keyboard.press('Escape')
    if (!(await sheet.isVisible())) assert.fail('Escape closes the list, not the sheet')
    await sheet.getByRole('button', { name: t['maps.done'], exact: true }).click()
    await sheet.waitFor({ state: 'detached' })
  }
  await saved(page, t)
  const kept = await api('GET', `/journey-maps/${id}`)
  assert.deepEqual(
    kept.stages.map((s) => [s.name, s.touchpoints[0].signals[0].name]),
    names.map((n, i) => [n, signals[i]]),
  )
  // The ways that people really went, as a picture and as a table, and the people behind a figure.
  await page.getByRole('tab', { name: t['maps.real'] }).click()
  await page.getByRole('heading', { name: t['maps.ways'], exact: true }).waitFor()
  await page.locator('main figure canvas, main figure svg').first().waitFor()
  await page
    .getByRole('button', { name: new RegExp(`^${t['maps.people']}`) })
    .first()
    .click()
  await sheet.locator('a[href^="/people/per"]').first().waitFor()
  await page.keyboard.press('Escape')
  await page.setViewportSize(phone)
  await fits(page, 'the map on a phone')
  await done(page)
}

/** Writes, has the tab die, opens it anew, and returns the new tab. */
async function diesAt(context, path, write) {
  const t = catalogue('en')
  const tab = await context.newPage()
  await visit(tab, path)
  await write(tab)
  await tab.waitForFunction(() => Object.keys(localStorage).some((k) => k.startsWith('unsaved.')))
  await tab.close({ runBeforeUnload: false })
  const next = await context.newPage()
  await visit(next, path)
  await next.getByText(t['saving.restored']).waitFor()
  assert.deepEqual(await findings(next), [], `${path} with what was left over under axe`)
  return next
}

/** The notice that somebody was faster: who, and a row with both. */
function meanwhile(page, t, [theirs, mine]) {
  const notice = page.getByRole('alert').filter({ hasText: t['saving.conflict_by'].replace('{name}', server.email) })
  return notice.filter({ has: page.getByRole('row').filter({ hasText: theirs }).filter({ hasText: mine }) })
}

export const stories = {
  ...Object.fromEntries(two.map((l) => [`a persona gets a face, a story and real people beside it in ${l}`, () => persona(l)])),
  ...Object.fromEntries(two.map((l) => [`a journey map is planned and laid beside the ways people went in ${l}`, () => map(l)])),

  ...Object.fromEntries(
    two.map((lang) => [
      `who edits a map that a colleague saves meanwhile is told who, and chooses, in ${lang}`,
      async () => {
        const t = catalogue(lang)
        const page = await open({ lang })
        const name = `two hands ${lang} ${Date.now()}`
        const made = await api('POST', '/journey-maps', { name, stages: [{ id: 's1', name: 'One', mood: 0 }] })
        const theirs = async (text) => {
          const m = await api('GET', `/journey-maps/${made.id}`)
          await api('PUT', `/journey-maps/${made.id}`, { name, stages: [{ id: 's1', name: text, mood: 0 }], revision: m.revision })
        }
        await visit(page, `/journey-maps/${made.id}`)
        const first = page.getByRole('textbox', { name: t['maps.stage_n'].replace('{n}', 1), exact: true })
        const trouble = page.getByText(new RegExp(t['saving.conflict_by'].replace('{name}', '.+')))
        page.on('response', (r) => r.status() === 409 && page.complaints.splice(0)) // the browser writes it down, and so it should
        await theirs('Theirs')
        await first.fill('Mine')
        await trouble.waitFor()
        assert.equal((await api('GET', `/journey-maps/${made.id}`)).stages[0].name, 'Theirs', 'nothing is written over')
        await page.getByRole('button', { name: t['journeys.conflict_reload'] }).click()
        await page.waitForFunction(() => [...document.querySelectorAll('textarea')].some((x) => x.value === 'Theirs'))
        await theirs('Theirs again')
        await first.fill('Mine after all')
        await trouble.waitFor()
        await page.getByRole('button', { name: t['journeys.conflict_overwrite'] }).click()
        await saved(page, t)
        assert.equal((await api('GET', `/journey-maps/${made.id}`)).stages[0].name, 'Mine after all')
        page.complaints = page.complaints.filter((c) => !/409/.test(c))
        await done(page)
      },
    ]),
  ),

  'what is written without a connection outlives the page and is saved when it is back': async () => {
    const t = catalogue('en')
    const page = await open()
    const made = await api('POST', '/journeys', {
      name: `offline ${Date.now()}`,
      draft: { trigger: { event: { name: 'Signed Up' } }, nodes: [] },
    })
    const title = `written offline ${Date.now()}`
    await visit(page, `/journeys/${made.id}/edit`)
    await page.getByRole('button', { name: t['journeys.settings'] }).click()
    await page.route('**/api/v1/journeys/**', (r) => (r.request().method() === 'PUT' ? r.abort('internetdisconnected') : r.fallback()))
    await page.getByRole('complementary').getByLabel(t['field.name'], { exact: false }).first().fill(title)
    await page.getByText(t['saving.kept_here']).waitFor()
    // The tab dies: no handler of the page runs.
    const context = page.context()
    await page.close({ runBeforeUnload: false })
    const next = await context.newPage()
    await next.goto(`${server.url}/journeys/${made.id}/edit`)
    await next.getByRole('heading', { level: 1, name: title }).waitFor()
    await saved(next, t)
    assert.equal((await api('GET', `/journeys/${made.id}`)).name, title)
    await context.close()
  },

  'a mail, a segment and a campaign that were not saved are there again after the page has died': async () => {
    const t = catalogue('en')
    const page = await open({ drafts: true })
    const context = page.context()
    const n = Date.now()
    const mail = await api('POST', '/templates', { name: `mail ${n}`, channel: 'email', subject: 'before', html: '<p>before</p>' })
    const rule = { trait: { path: 'country', op: 'eq', value: 'JP' } }
    const segment = await api('POST', '/segments', { name: `segment ${n}`, rule })
    const dies = (path, write) => diesAt(context, path, write)
    const subject = (tab) => tab.locator('[name=subject]').first()
    const written = await dies(`/content/${mail.id}`, (tab) => subject(tab).fill('written and lost'))
    assert.equal(await subject(written).inputValue(), 'written and lost')
    assert.equal((await api('GET', `/templates/${mail.id}`)).version, 1, 'what nobody saved does not go live')
    // Somebody else is faster: it says who, and both stay to choose from.
    await api('PUT', `/templates/${mail.id}`, { name: `mail ${n}`, channel: 'email', subject: 'theirs', html: '<p>before</p>', base: 1 })
    await written.getByRole('button', { name: t['action.save'], exact: true }).click()
    await meanwhile(written, t, ['theirs', 'written and lost']).getByRole('button', { name: t['journeys.conflict_overwrite'] }).click()
    await written.getByText(t['content.version'].replace('{n}', '3'), { exact: true }).waitFor()
    assert.equal((await api('GET', `/templates/${mail.id}`)).subject, 'written and lost')
    await written.close()

    const name = (tab) => tab.getByLabel(t['field.name'], { exact: false }).first()
    const rules = await dies(`/segments/${segment.id}/edit`, (tab) => name(tab).fill(`renamed ${n}`))
    assert.equal(await name(rules).inputValue(), `renamed ${n}`)
    await rules.getByRole('button', { name: t['saving.drop'] }).click()
    await rules.getByText(t['saving.restored']).waitFor({ state: 'detached' })
    assert.equal(await name(rules).inputValue(), `segment ${n}`)
    await rules.close()

    const campaign = await dies('/campaigns/new', (tab) => name(tab).fill(`campaign ${n}`))
    assert.equal(await name(campaign).inputValue(), `campaign ${n}`)
    await campaign.getByRole('button', { name: t['action.cancel'], exact: true }).click()
    await campaign.waitForURL('**/campaigns')
    await settled(campaign)
    await visit(campaign, '/campaigns/new')
    assert.equal(await name(campaign).inputValue(), '', 'what was cancelled does not come again')
    await api('DELETE', `/segments/${segment.id}`)
    await api('DELETE', `/templates/${mail.id}`)
    await done(page)
  },

  'a snippet, a series and the brand that were not saved are there again after the page has died': async () => {
    const t = catalogue('en')
    const page = await open({ drafts: true })
    const dies = (path, write) => diesAt(page.context(), path, write)
    const n = Date.now()
    const snippet = await api('POST', '/snippets', {
      name: `snippet ${n}`,
      key: `kept-${n}`,
      locale: 'en',
      blocks: [{ id: 'b1', type: 'text', text: 'before' }],
    })
    const about = (tab) => tab.getByLabel(t['field.description'], { exact: false }).first()
    const written = await dies(`/content/snippets/${snippet.key}`, (tab) => about(tab).fill('written and lost'))
    assert.equal(await about(written).inputValue(), 'written and lost')
    // Somebody else is faster: it says who.
    await api('PUT', `/snippets/${snippet.key}`, {
      name: `snippet ${n}`,
      locale: 'en',
      blocks: [{ id: 'b1', type: 'text', text: 'theirs' }],
      base: 1,
    })
    await written.getByRole('button', { name: t['action.save'], exact: true }).click()
    await meanwhile(written, t, ['theirs', 'before']).getByRole('button', { name: t['journeys.conflict_overwrite'] }).click()
    await written.getByText(t['content.version'].replace('{n}', '3'), { exact: true }).waitFor()
    await written.close()

    const name = (tab) => tab.getByLabel(t['field.name'], { exact: false }).first()
    const series = await dies('/campaigns/series/new', (tab) => name(tab).fill(`series ${n}`))
    assert.equal(await name(series).inputValue(), `series ${n}`)
    await series.getByRole('button', { name: t['saving.drop'] }).click()
    await series.getByText(t['saving.restored']).waitFor({ state: 'detached' })
    assert.equal(await name(series).inputValue(), '')
    await series.close()

    const company = (tab) => tab.getByLabel(t['brand.company'], { exact: false }).first()
    const before = await api('GET', '/brand')
    const brand = await dies('/content/brand', (tab) => company(tab).fill(`Company ${n}`))
    assert.equal(await company(brand).inputValue(), `Company ${n}`)
    assert.equal((await api('GET', '/brand')).revision, before.revision, 'what nobody saved does not go live')
    await brand.getByRole('button', { name: t['saving.drop'] }).click()
    await brand.getByText(t['saving.restored']).waitFor({ state: 'detached' })
    assert.equal(await company(brand).inputValue(), before.brand.footer.company ?? '')
    await api('DELETE', `/snippets/${snippet.key}`)
    await done(page)
  },

  'a draft goes on in another browser, also after five minutes without a connection, and is offered beside what is saved': async () => {
    const t = catalogue('en')
    const n = Date.now()
    const topic = (await api('GET', '/topics')).items[0].id
    const segment = (
      await api('POST', '/segments', { name: `of a draft ${n}`, rule: { trait: { path: 'country', op: 'eq', value: 'JP' } } })
    ).id
    const mail = await api('POST', '/templates', { name: `mail ${n}`, channel: 'email', subject: 'before', html: '<p>before</p>' })
    const plain = {
      name: `series ${n}`,
      audience: { include: [segment] },
      topic,
      template: mail.id,
      schedule: { every: 'day', at: '09:00' },
    }
    const series = await api('POST', '/series', plain)
    const page = await open({ drafts: true })
    const subject = (tab) => tab.locator('[name=subject]').first()
    const name = (tab) => tab.getByLabel(t['field.name'], { exact: false }).first()
    const kept = (tab) => tab.getByText(new RegExp(`^${t['draft.kept'].split('{')[0]}`)).first()

    await page.clock.install()
    await visit(page, `/content/${mail.id}`)
    await subject(page).fill('written on the train')
    const drafts = '**/api/v1/drafts/**'
    await page.route(drafts, (r) => r.abort('internetdisconnected'))
    await page.clock.runFor(2000)
    await page.getByText(t['draft.offline']).waitFor()
    await page.clock.runFor(300_000)
    await page.getByText(t['draft.offline']).waitFor()
    assert.equal((await api('GET', `/drafts/template/${mail.id}`)).draft, undefined)
    await page.unroute(drafts)
    await page.clock.runFor(6000)
    await kept(page).waitFor()
    assert.equal((await api('GET', `/templates/${mail.id}`)).version, 1, 'what nobody saved does not go live')
    await visit(page, `/campaigns/series/${series.id}/edit`)
    await name(page).fill('renamed on the train')
    await page.clock.runFor(2000)
    await kept(page).waitFor()
    await page.context().close() // it complains of the connection

    for (const size of [undefined, phone]) {
      const other = await open({ size, drafts: true })
      await visit(other, `/content/${mail.id}`)
      await other.getByText(t['saving.restored']).waitFor()
      assert.equal(await subject(other).inputValue(), 'written on the train')
      await fits(other, 'a draft')
      assert.deepEqual(await findings(other), [], 'a draft under axe')
      await visit(other, `/campaigns/series/${series.id}/edit`)
      await other.getByText(t['saving.restored']).waitFor()
      assert.equal(await name(other).inputValue(), 'renamed on the train')
      if (!size) {
        await other.getByRole('button', { name: t['draft.go_on'] }).click()
        await other.getByText(t['saving.restored']).waitFor({ state: 'detached' })
        // Somebody else is faster: it says who, and both stay to choose from.
        await api('PUT', `/series/${series.id}`, { ...plain, name: 'theirs' })
        await other.getByRole('button', { name: t['action.save'], exact: true }).click()
        await meanwhile(other, t, ['theirs', 'renamed on the train']).waitFor()
        await fits(other, 'a series that a colleague saved')
        assert.deepEqual(await findings(other), [], 'a series that a colleague saved under axe')
      } else {
        await other.getByRole('button', { name: t['saving.drop'] }).click()
        await other.getByText(t['saving.restored']).waitFor({ state: 'detached' })
        assert.equal(await name(other).inputValue(), 'theirs')
      }
      other.complaints = other.complaints.filter((c) => !/\b409\b/.test(c)) // the refusal, which the browser writes down
      await done(other)
    }
    await api('DELETE', `/drafts/template/${mail.id}`)
    await api('DELETE', `/series/${series.id}`)
    await api('DELETE', `/templates/${mail.id}`)
  },

  'what a segment and a campaign said before is compared with and taken into the editor': async () => {
    const rule = { trait: { path: 'country', op: 'eq', value: 'JP' } }
    const topic = (await api('GET', '/topics')).items[0].id
    const n = Date.now()
    const segment = await api('POST', '/segments', { name: `first segment ${n}`, rule })
    await api('PATCH', `/segments/${segment.id}`, { name: `second segment ${n}`, rule: { not: rule } })
    const draft = { audience: { include: [segment.id] }, topic }
    const campaign = await api('POST', '/campaigns', { name: `first campaign ${n}`, ...draft })
    await api('PUT', `/campaigns/${campaign.id}`, { name: `second campaign ${n}`, ...draft, plan: { per_minute: 7 } })
    for (const [lang, size] of [['en'], ['ja', phone], ['zh-Hans']]) {
      const t = catalogue(lang)
      const page = await open({ lang, size, drafts: true })
      for (const [path, kind, first] of [
        [`/segments/${segment.id}/edit`, `segment/${segment.id}`, `first segment ${n}`],
        [`/campaigns/${campaign.id}/edit`, `campaign/${campaign.id}`, `first campaign ${n}`],
      ]) {
        await visit(page, path)
        await page.getByRole('button', { name: t['content.versions'] }).click()
        const old = page.getByRole('dialog').getByRole('region', { name: t['content.version'].replace('{n}', '1'), exact: true })
        await old.getByRole('button', { name: t['versions.compare'] }).click()
        await old.getByRole('row').filter({ hasText: first }).waitFor()
        assert.deepEqual(await findings(page), [], `${path} with its versions under axe`)
        await fits(page, path)
        await old.getByRole('button', { name: t['snippets.take'] }).click()
        assert.equal(await page.getByLabel(t['field.name'], { exact: false }).first().inputValue(), first)
        await page
          .getByText(new RegExp(t['draft.kept'].split('{')[0].trim()))
          .first()
          .waitFor()
        await api('DELETE', `/drafts/${kind}`)
      }
      await done(page)
    }
    await api('DELETE', `/campaigns/${campaign.id}`)
    await api('DELETE', `/segments/${segment.id}`)
  },

  'who saves a segment or a campaign that a colleague was faster with sees who, and both versions': async () => {
    const t = catalogue('en')
    const n = Date.now()
    const rule = { trait: { path: 'country', op: 'eq', value: 'JP' } }
    const segment = await api('POST', '/segments', { name: `segment ${n}`, rule })
    const topic = (await api('GET', '/topics')).items[0].id
    const draft = { audience: { include: [segment.id] }, topic }
    const campaign = await api('POST', '/campaigns', { name: `campaign ${n}`, ...draft })
    const look = async (page, what) => {
      await settled(page)
      await fits(page, what)
      assert.deepEqual(await findings(page), [], `${what} under axe`)
      if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/${what}.png`, fullPage: true })
    }
    for (const size of [undefined, phone]) {
      const page = await open({ size })
      const where = size ? 'phone' : 'laptop'
      const who = t['saving.conflict_by'].replace('{name}', server.email)
      const name = page.getByLabel(t['field.name'], { exact: false }).first()
      const save = page.getByRole('button', { name: t['action.save'], exact: true })

      await visit(page, `/segments/${segment.id}/edit`)
      await name.fill(`mine ${n} ${where}`)
      await api('PATCH', `/segments/${segment.id}`, { name: `theirs ${n} ${where}`, rule: { not: rule } })
      await save.click()
      const notice = page.getByRole('alert').filter({ hasText: who })
      await notice
        .getByRole('row')
        .filter({ hasText: `theirs ${n} ${where}` })
        .filter({ hasText: `mine ${n} ${where}` })
        .waitFor()
      await look(page, `clash-segment-${where}`)
      if (size) {
        await notice.getByRole('button', { name: t['journeys.conflict_reload'] }).click()
        await notice.waitFor({ state: 'detached' })
        assert.equal(await name.inputValue(), `theirs ${n} ${where}`)
        await save.click()
        await page.mouse.move(5, 5) // a finger does not rest where the notice comes up, which waits for as long as a mouse does
        await page.waitForURL(`**/segments/${segment.id}`)
        assert.equal((await api('GET', `/segments/${segment.id}`)).name, `theirs ${n} ${where}`)
      } else {
        await notice.getByRole('button', { name: t['journeys.conflict_overwrite'] }).click()
        await page.waitForURL(`**/segments/${segment.id}`)
        assert.equal((await api('GET', `/segments/${segment.id}`)).name, `mine ${n} ${where}`)
      }
      await api('PATCH', `/segments/${segment.id}`, { rule })

      await visit(page, `/campaigns/${campaign.id}/edit`)
      await name.fill(`mine ${n} ${where}`)
      await api('PUT', `/campaigns/${campaign.id}`, { name: `theirs ${n} ${where}`, ...draft, plan: { per_minute: 7 } })
      await page.getByRole('button', { name: t['campaigns.save_draft'], exact: true }).click()
      await notice
        .getByRole('row')
        .filter({ hasText: `theirs ${n} ${where}` })
        .filter({ hasText: `mine ${n} ${where}` })
        .waitFor()
      await notice.getByRole('row').filter({ hasText: t['campaigns.per_minute'] }).filter({ hasText: '7' }).waitFor()
      await look(page, `clash-campaign-${where}`)
      await notice.getByRole('button', { name: t['journeys.conflict_overwrite'] }).click()
      await page.waitForURL(`**/campaigns/${campaign.id}`)
      assert.equal((await api('GET', `/campaigns/${campaign.id}`)).name, `mine ${n} ${where}`)
      await page.context().close()
    }
    await api('DELETE', `/campaigns/${campaign.id}`)
    await api('DELETE', `/segments/${segment.id}`)
  },

  'the palette asks the server as one types, and remembers what was opened': async () => {
    const page = await open()
    const t = catalogue('en')
    const name = `Palette of ${Date.now()}`
    const made = await api('POST', '/journeys', { name, draft: { nodes: [] } })
    await visit(page, '/tasks')
    const asked = []
    page.on('request', (r) => asked.push(r.url()))
    const began = Date.now()
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').waitFor()
    const took = Date.now() - began
    // The bell reads campaigns anew when another story has changed one.
    const lists = asked.filter((u) => /\/(segments|campaigns|journeys|templates)\?/.test(u) && !u.endsWith('/campaigns?limit=100'))
    assert.deepEqual(lists, [], 'opening it reads no lists')
    await page.keyboard.type(name.toLowerCase())
    await page.getByRole('option', { name }).click()
    await page.waitForURL(`**/journeys/${made.id}`)
    assert.ok(
      asked.some((u) => u.includes('/journeys?') && u.includes('q=')),
      'the server searches',
    )
    await settled(page)
    await page.keyboard.press('Control+k')
    const first = page.getByRole('option').first()
    await first.waitFor()
    assert.equal((await first.innerText()).trim(), name, 'what was opened last stands first')
    await page.getByText(t['palette.recent'], { exact: true }).waitFor()
    await done(page)
    return `visible after ${took} ms`
  },

  'a list is read by keys, and deleted once nothing uses it': async () => {
    const page = await open()
    const t = catalogue('en')
    // A long list draws the rows in sight alone; the keys go on beyond them.
    await visit(page, '/people')
    await page.locator('[data-index="0"]').waitFor()
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press('j')
      await page.waitForFunction((at) => document.activeElement.closest('[data-index]')?.dataset.index === String(at), i)
    }
    await page.keyboard.press('x')
    await page.getByRole('toolbar').getByText(t['table.selected_one'].replace('{n}', '1')).waitFor()
    const name = `Deleted list ${Date.now()}`
    const list = await api('POST', '/lists', { name })
    const segment = await api('POST', '/segments', { name: `Of ${name}`, rule: { list: { id: list.id } } })
    await visit(page, '/lists')
    await page.getByRole('link', { name }).waitFor()
    await page.keyboard.press('j')
    await page.waitForFunction(() => document.activeElement.closest('[data-index="0"]'))
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/lists\/./)
    const ask = async () => {
      await page.getByRole('button', { name: t['action.delete'] }).click()
      const sure = page.getByRole('dialog')
      await sure.getByRole('textbox').fill(name)
      await sure.getByRole('button', { name: t['action.delete'] }).click()
    }
    await visit(page, `/lists/${list.id}`)
    await ask()
    await page.getByText(`Of ${name}`, { exact: false }).waitFor()
    assert.equal((await api('GET', `/lists/${list.id}`)).name, name, 'what is used stays')
    page.complaints = page.complaints.filter((c) => !/409/.test(c))
    await api('DELETE', `/segments/${segment.id}`)
    await ask()
    await page.waitForURL('**/lists')
    await page.getByRole('link', { name }).waitFor({ state: 'detached' })
    await done(page)
  },

  'the palette finds things of every noun, a person by the id, and begins what is made in a sheet': async () => {
    const page = await open()
    const t = catalogue('en')
    const name = (noun) => `Sought ${noun} ${Date.now()}`
    const made = [
      ['/lists', '/lists', { name: name('list') }],
      ['/personas', '/personas', { name: name('persona') }],
      ['/journey-maps', '/journey-maps', { name: name('map'), stages: [{ id: 's1', name: 'One', mood: 0 }] }],
      ['/saved-reports', '/reports/saved', { name: name('report'), report: 'channels' }],
      [
        '/snippets',
        '/content/snippets',
        { key: `sought_${Date.now()}`, name: name('snippet'), locale: 'en', blocks: [{ id: 'b1', type: 'text', text: 'x' }] },
      ],
    ]
    await visit(page, '/tasks')
    const ask = async (text) => {
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox', { name: t['palette.hint'] }).fill(text)
    }
    const things = []
    for (const [path, , body] of made) things.push(await api('POST', path, body))
    for (const [i, [, place, body]] of made.entries()) {
      await ask(body.name)
      await page.getByRole('option', { name: body.name }).click()
      await page.waitForURL(`**${place}/${things[i].id ?? things[i].key}`)
      await settled(page)
    }
    const [person] = (await api('GET', '/people?limit=1')).items
    await ask(person.id)
    await page.getByRole('option').first().click()
    await page.waitForURL(`**/people/${person.id}`)
    await settled(page)
    for (const [typed, title] of [
      ['lvcheng xinjian', t['journeys.new']],
      ['shinki risuto', t['lists.make']],
    ]) {
      await ask(typed)
      await page.getByRole('option', { name: title }).click()
      await page.getByRole('dialog', { name: title }).waitFor()
      assert.ok(!page.url().includes('new='), 'going back does not open it again')
      await page.keyboard.press('Escape')
      await page.getByRole('dialog', { name: title }).waitFor({ state: 'detached' })
    }
    await done(page)
    for (const [i, [path]] of made.entries()) await api('DELETE', `${path}/${things[i].id ?? things[i].key}`)
  },
}
