// What is wrong is marked where it is, at once: the page sees for itself what it can know, and the server's answer comes on top.
import assert from 'node:assert/strict'
import { api, catalogue, done, fits, open, phone, two, visit } from './lib.mjs'

/** From here on the page keeps the time from the last key or click to the first moment in which `shown` holds. */
const timed = (page, shown) =>
  page.evaluate((s) => {
    const holds = new Function(`return ${s}`)
    window.marked = new Promise((resolve) => {
      let since = performance.now()
      for (const e of ['keydown', 'click', 'input']) addEventListener(e, () => (since = performance.now()), true)
      const look = () => (holds() ? resolve(performance.now() - since) : requestAnimationFrame(look))
      look()
    })
    return undefined
  }, shown)
const marked = (page) => page.evaluate(() => window.marked)

/** The server keeps its answer about a draft to itself until it is let go. */
async function silent(page, pattern) {
  let go
  const later = new Promise((resolve) => (go = resolve))
  await page.route(pattern, async (r) => {
    if (r.request().method() === 'GET') return r.fallback()
    await later
    return r.fallback()
  })
  return go
}

export const stories = {
  'a problem is on its step and in the list before the server has said anything': async () => {
    const told = []
    for (const lang of two) {
      const t = catalogue(lang)
      const page = await open({ lang, bypassCSP: true })
      const { id } = await api('POST', '/journeys', {
        name: `At once ${lang} ${Date.now()}`,
        draft: { trigger: { event: { name: 'Signed Up' } }, nodes: [{ id: 'wait_1', kind: 'wait', config: { for: { n: 1, unit: 'day' } } }] },
      })
      await visit(page, `/journeys/${id}/edit`)
      await page.locator('[data-card]').nth(1).waitFor()
      const speak = await silent(page, '**/api/v1/journeys/**')
      // A length that cannot be: on the card and in the list.
      await page.locator('.react-flow__node[data-id="wait_1"] [data-card]').click()
      const length = page.locator('aside [data-field="for"] input').first()
      await timed(page, `document.querySelector('[data-id="wait_1"] [data-problem="true"]') && document.querySelector('header + [role=status] li')`)
      await length.fill('0')
      const first = await marked(page)
      await page.locator('header + [role=status]', { hasText: t['error.journey.span.n'] }).waitFor({ state: 'attached' })
      await timed(page, `!document.querySelector('[data-problem="true"]')`)
      await length.fill('2')
      const gone = await marked(page)
      speak()
      await page.locator('header [role=status]', { hasText: t['journeys.save_saved'] }).waitFor()
      assert.equal(await page.locator('[data-problem="true"]').count(), 0, 'the server agrees')
      await done(page)
      told.push(`${lang} ${first.toFixed(0)} and ${gone.toFixed(0)} ms`)
    }
    return `shown and gone after: ${told.join(', ')}`
  },

  'a condition says what it lacks, and a name that nobody has is named with the one that was meant': async () => {
    const told = []
    for (const [n, lang] of two.entries()) {
      const t = catalogue(lang)
      const page = await open({ lang, bypassCSP: true, size: n === 1 ? phone : undefined })
      await visit(page, '/segments/new')
      const builder = page.getByRole('region', { name: t['builder.label'] })
      await builder.getByRole('button', { name: t['builder.add'], exact: true }).click()
      await page.getByRole('menuitem', { name: new RegExp(`^${t['builder.kind.trait']}`) }).click()
      const lacks = (part) => builder.getByRole('status').filter({ hasText: t['builder.lacks'].replace('{part}', t[`builder.field.${part}`]) })
      await lacks('path').waitFor()
      const path = builder.getByPlaceholder(t['builder.field.path'])
      const speak = await silent(page, '**/api/v1/segments/preview')
      const unseen = t['builder.unseen'].replace('{name}', 'cuontry')
      await timed(page, `document.body.innerText.includes(${JSON.stringify(unseen)})`)
      await path.fill('cuontry')
      told.push(`${lang} ${(await marked(page)).toFixed(0)} ms`)
      await lacks('value').waitFor()
      await fits(page, `the builder in ${lang}`)
      await builder.getByRole('button', { name: t['builder.use_instead'].replace('{name}', 'country') }).click()
      assert.equal(await path.inputValue(), 'country')
      await builder.getByText(unseen).waitFor({ state: 'detached' })
      speak()
      await done(page)
    }
    return `shown after: ${told.join(', ')}`
  },

  'a variable that nobody has is marked where it stands, with the one that was meant, and put right by a click': async () => {
    const told = []
    for (const [n, lang] of two.entries()) {
      const t = catalogue(lang)
      const say = (key, values) => Object.entries(values).reduce((s, [k, v]) => s.replaceAll(`{${k}}`, v), t[key])
      const page = await open({ lang, bypassCSP: true })
      const { id } = await mail(lang)
      await visit(page, `/content/${id}`)
      const subject = page.getByLabel(t['content.subject'], { exact: false }).first()
      // By the page itself: the server says nothing yet.
      const speak = await silent(page, '**/api/v1/templates/preview')
      const like = say('finding.unknown_like', { like: 'person.first_name' })
      const here = (name, col, text = like) => say('finding.at', { name, line: 1, col, text })
      await timed(page, `document.body.innerText.includes(${JSON.stringify(here('person.frist_name', 11))})`)
      await subject.fill('Hello, {{ person.frist_name }}')
      told.push(`${lang} ${(await marked(page)).toFixed(0)} ms`)
      speak()
      // By the server: in the list of findings, with its place, which leads to the field.
      await page.locator('label', { hasText: t['content.panel_checks'] }).first().click()
      const finding = page.locator('aside li', { hasText: like })
      await finding.getByText(say('finding.place', { line: 1, col: 11 }), { exact: false }).waitFor()
      await finding.getByRole('button').click()
      await page.waitForFunction(() => document.activeElement?.getAttribute('name') === 'subject')
      await page.getByRole('button', { name: say('builder.use_instead', { name: 'person.first_name' }) }).click()
      assert.equal(await subject.inputValue(), 'Hello, {{ person.first_name }}')
      await page.getByText(like).first().waitFor({ state: 'detached' })
      // Liquid that cannot be read is marked in place, too.
      await subject.fill('Hello, {{ person.first_name | upcas }}')
      await page.getByText(say('error.journey.template.liquid.filter.unknown', { 0: 1, 1: 31 })).first().waitFor()
      if (n === 0) {
        await page.setViewportSize(phone)
        await fits(page, 'a mail with a fault')
      }
      await done(page)
    }
    return `marked after: ${told.join(', ')}`
  },

  'the languages of a mail stand side by side, and who reads another one is shown what they get': async () => {
    for (const lang of two) {
      const t = catalogue(lang)
      const say = (key, values) => Object.entries(values).reduce((s, [k, v]) => s.replaceAll(`{${k}}`, v), t[key])
      const name = (code) => new Intl.DisplayNames([lang], { type: 'language' }).of(code)
      const page = await open({ lang })
      const { id } = await mail(lang)
      await visit(page, `/content/${id}`)
      const missing = page.getByRole('button', { name: name('ja'), exact: true })
      await missing.click()
      await page.getByText(say('content.fallback', { wanted: name('ja'), language: name('en') })).waitFor()
      await page.locator('iframe[title="A word of thanks"]').waitFor()
      // A text of its own is begun with the words of the main one, which stay beside it.
      await page.getByRole('button', { name: t['content.add_language'] }).click()
      await page.getByRole('menuitem', { name: name('ja') }).click()
      await missing.waitFor({ state: 'detached' })
      const subject = page.getByLabel(t['content.subject'], { exact: false }).first()
      await subject.fill('ありがとうございます')
      assert.match(await subject.evaluate((el) => document.getElementById(el.getAttribute('aria-describedby').split(' ')[0]).textContent), /A word of thanks/)
      await page.locator('iframe[title="ありがとうございます"]').waitFor()
      await page.getByRole('button', { name: t['action.save'] }).click()
      await page.getByText(say('content.version', { n: 2 })).first().waitFor()
      await visit(page, '/content?tab=languages')
      await done(page)
    }
  },
}

let made = 0
/** A mail in English whose brand also writes in Chinese and Japanese. */
const mail = (lang) =>
  api('POST', '/templates', {
    name: `Faults ${lang} ${Date.now()} ${++made}`,
    channel: 'email',
    kind: 'blocks',
    locale: 'en',
    subject: 'A word of thanks',
    document: { version: 1, sections: [{ id: 's1', columns: [{ blocks: [{ id: 'b1', type: 'text', text: 'Thank you.' }] }] }] },
  })
