import assert from 'node:assert/strict'
import { api, catalogue, done, findings, fits, languages, laptop, noKeys, open, pages, phone, server, settled, visit } from './lib.mjs'

const key = (keys) => Object.keys(catalogue('en')).filter(keys ?? (() => true))

export const stories = {
  'signs in, opens the palette, goes about and opens a person without a mouse': async () => {
    const page = await open({ signedIn: false })
    await page.goto(server.url)
    await page.locator('input[name=email]').waitFor()
    const reach = async (what) => {
      for (let i = 0; i < 40; i++) {
        await page.keyboard.press('Tab')
        if (await page.evaluate((s) => document.activeElement?.matches(s), what)) return
      }
      assert.fail(`Tab never reaches ${what}`)
    }
    await reach('input[name=email]')
    await page.keyboard.type(server.email)
    await reach('input[name=password]')
    await page.keyboard.type('not the password')
    await page.keyboard.press('Enter')
    await page.locator('[role=alert], [aria-invalid=true]').first().waitFor()
    await page.locator('input[name=password]').fill('')
    await page.keyboard.type(server.password)
    await page.keyboard.press('Enter')
    await settled(page)
    await page.keyboard.press('Control+k')
    const palette = page.getByRole('combobox')
    await palette.waitFor()
    await page.keyboard.type('segments')
    await page.getByRole('option').first().waitFor()
    await page.keyboard.press('Enter')
    await page.waitForURL('**/segments')
    await settled(page)
    for (const [keys, path] of [
      ['gp', '/people'],
      ['gc', '/campaigns'],
      ['gj', '/journeys'],
      ['gp', '/people'],
    ]) {
      for (const k of keys) await page.keyboard.press(k)
      await page.waitForURL(`**${path}`)
      await settled(page)
    }
    await page.keyboard.press('/')
    assert.ok(await page.evaluate(() => document.activeElement?.matches('input[type=search]')), '/ goes to the search box')
    await page.keyboard.type('customer0001')
    await page.waitForURL('**q=customer0001**')
    await page.locator('main table a[href^="/people/"], main [role=row] a[href^="/people/"]').first().waitFor()
    await reach('main a[href^="/people/per"]')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/people/per*')
    await settled(page)
    await done(page)
  },

  'finds a person by a Chinese or Japanese name while an input method composes': async () => {
    const page = await open({ lang: 'ja' })
    const asked = []
    page.on('request', (r) => r.url().includes('/api/v1/people?') && asked.push(new URL(r.url()).searchParams.get('q')))
    await visit(page, '/people')
    const box = page.locator('main input[type=search]')
    await box.focus()
    const device = await page.context().newCDPSession(page)
    for (const text of ['ｓ', 'す', 'すz', 'すず', 'すずき'])
      await device.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length })
    // Longer than the box waits after the last key.
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 600)))
    assert.deepEqual(asked.filter(Boolean), [], 'nothing is searched in the middle of a composition')
    await page.keyboard.press('Enter').catch(() => {})
    await box.fill('')
    await box.focus()
    await device.send('Input.imeSetComposition', { text: 'すずき', selectionStart: 3, selectionEnd: 3 })
    await device.send('Input.imeSetComposition', { text: '鈴木', selectionStart: 2, selectionEnd: 2 })
    await device.send('Input.insertText', { text: '鈴木' })
    await page.waitForURL((u) => u.searchParams.get('q') === '鈴木')
    await page.locator('main a[href^="/people/per"]', { hasText: '鈴木' }).first().waitFor()
    assert.deepEqual([...new Set(asked.filter(Boolean))], ['鈴木'], 'what is searched is what was chosen')
    await page.locator('main a[href^="/people/per"]', { hasText: '鈴木' }).first().click()
    await page.getByRole('heading', { level: 1, name: '鈴木' }).waitFor()
    await settled(page)
    assert.match(await page.locator('main').innerText(), /customer\d{4}@aoba-sample\.example/)
    await done(page)
  },

  ...Object.fromEntries(
    languages.map((lang) => [
      `the library of journeys tells what is there and opens it in ${lang}`,
      async () => {
        const t = catalogue(lang)
        const page = await open({ lang })
        await visit(page, '/journeys')
        await page.locator('main a[href="/journeys/library"]').first().click()
        await page.waitForURL('**/journeys/library')
        await page.getByRole('heading', { level: 1, name: t['journeys.library'] }).waitFor()
        // The sample business was made from the library: what it has is told from what could be added, and opens.
        const installed = (await api('GET', `/journeys/ready?locale=${lang}`)).journeys
        assert.ok(installed.length > 5, 'the library has ready-made journeys')
        for (const j of installed) await page.getByText(j.name, { exact: true }).first().waitFor()
        await page.locator('main a[href^="/journeys/j"]').first().click()
        await page.waitForURL((u) => /\/journeys\/j\w+_/.test(u.pathname))
        await settled(page)
        await done(page)
      },
    ]),
  ),

  ...Object.fromEntries(
    languages.map((lang) => [
      `every page stands in ${lang}, on a phone without scrolling sideways`,
      async () => {
        const page = await open({ lang, size: phone })
        const keys = key()
        const all = await pages()
        for (const path of all) {
          await visit(page, path)
          await fits(page, path)
          await noKeys(page, path, keys)
          assert.equal(await page.locator('main h1').count(), 1, `${path} has one h1`)
          assert.equal(await page.locator('main [role=alert][class*=bad]').count(), 0, `${path} shows no error`)
        }
        await done(page)
        return `${all.length} pages`
      },
    ]),
  ),

  'the menu of a phone leads to every area': async () => {
    const page = await open({ size: phone })
    const t = catalogue('en')
    await visit(page, '/')
    for (const area of ['people', 'segments', 'campaigns', 'journeys']) {
      await page.getByRole('button', { name: t['nav.menu'] }).click()
      await page.getByRole('navigation', { name: t['nav.label'] }).getByRole('link', { name: t[`nav.${area}`] }).click()
      await page.waitForURL(`**/${area}`)
      await settled(page)
      await fits(page, area)
    }
    await done(page)
  },

  ...Object.fromEntries(
    ['light', 'dark'].map((scheme) => [
      `axe finds nothing serious or critical, ${scheme}`,
      async () => {
        const page = await open({ scheme, bypassCSP: true })
        const bad = []
        for (const path of await pages()) {
          await visit(page, path)
          bad.push(...(await findings(page)).map((f) => `${path}: ${f}`))
        }
        await page.keyboard.press('Control+k')
        await page.getByRole('combobox').waitFor()
        bad.push(...(await findings(page)).map((f) => `palette: ${f}`))
        await page.context().close()
        const out = await open({ scheme, bypassCSP: true, signedIn: false })
        await out.goto(server.url)
        await out.locator('input[name=email]').waitFor()
        bad.push(...(await findings(out)).map((f) => `sign-in: ${f}`))
        await out.context().close()
        assert.deepEqual(bad, [])
      },
    ]),
  ),

  'texts two fifths longer are not cut off': async () => {
    const longer = Object.fromEntries(Object.entries(catalogue('en')).map(([k, v]) => [k, stretched(v)]))
    const bad = []
    for (const size of [laptop, phone]) {
      const page = await open({ size })
      let swapped = false
      await page.route(/\/assets\/en[^/]*\.json/, (r) => {
        swapped = true
        return r.fulfill({ json: longer })
      })
      for (const path of await pages()) {
        await visit(page, path)
        assert.ok(swapped && (await page.locator('main').innerText()).includes('⟧'), 'the catalogue was swapped')
        await fits(page, path)
        const cut = await page.evaluate(() =>
          [...document.querySelectorAll('body *')]
            .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.includes('⟧')))
            .filter((e) => {
              const s = getComputedStyle(e)
              const hides = (v) => v === 'hidden' || v === 'clip'
              return (
                e.getClientRects().length > 0 &&
                e.clientWidth > 1 && // texts for screen readers are one pixel wide
                ((hides(s.overflowX) && e.scrollWidth > e.clientWidth + 1) || (hides(s.overflowY) && e.scrollHeight > e.clientHeight + 2))
              )
            })
            .map((e) => e.textContent.slice(0, 80)),
        )
        bad.push(...cut.map((c) => `${path} ${size.width}: ${c}`))
      }
      await done(page)
    }
    assert.deepEqual([...new Set(bad)], [])
  },
}

/** A text two fifths longer with marks at both ends; places like {name} stay. */
function stretched(text) {
  const more = Math.ceil(text.replace(/\{[^}]*\}/g, '').length * 0.4)
  return `⟦${text}${more > 0 ? ` ${'ein lang '.repeat(Math.ceil(more / 9)).slice(0, more).trim()}` : ''}⟧`
}
