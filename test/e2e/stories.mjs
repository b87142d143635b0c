import assert from 'node:assert/strict'
import { api, arrives, catalogue, done, findings, fits, languages, laptop, load, noKeys, open, pages, phone, server, settled, sized, two, visit, watched } from './lib.mjs'

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
      await Promise.all([...keys].map((k) => page.keyboard.press(k))) // in a row, as fingers do: a busy machine would take a second between two
      await page.waitForURL(`**${path}`)
      await settled(page)
    }
    await page.keyboard.press('/')
    assert.ok(await page.evaluate(() => document.activeElement?.matches('input[type=search]')), '/ goes to the search box')
    await page.keyboard.type('customer0001')
    await page.waitForURL('**q=customer0001**')
    // Those found, and no longer those before: a row that goes takes the focus with it.
    const found = (await api('GET', '/people?q=customer0001')).items.map((p) => `/people/${p.id}`)
    await page.waitForFunction((hrefs) => {
      const links = [...document.querySelectorAll('main a[href^="/people/per"]')]
      return links.length > 0 && links.every((a) => hrefs.includes(a.getAttribute('href')))
    }, found)
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
    await device.send('Input.imeSetComposition', { text: '', selectionStart: 0, selectionEnd: 0 }) // taken back: emptied in its midst, it would end for a moment
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
    two.map((lang) => [
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

  // To load a page costs a busy machine seconds: what can be seen in one loading is looked at in one, and each page is loaded anew in one of the languages.
  ...Object.fromEntries(
    ['zh-Hans', 'ja'].map((lang) => [
      `every page stands still in ${lang}, on a phone, without scrolling sideways`,
      async () => {
        const page = await watched({ lang, size: phone })
        await visit(page, '/')
        let worst = 0
        for (const [i, path] of (await pages()).entries()) {
          worst = Math.max(worst, await arrives(page, path, anew(i, lang) ? load : visit))
          await fits(page, path)
          await stands(page, path)
          assert.deepEqual(await page.evaluate(outOfSight), [], `${path} shows where one is`)
          assert.deepEqual(await page.evaluate(headRows), [], `${path} has its main button in one row with the others`)
        }
        await done(page)
        return `moves by ${worst.toFixed(3)} at the most`
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

  'on a phone what is told of lies over neither the button that saves nor the last row': async () => {
    const page = await open({ size: phone, bypassCSP: true })
    const t = catalogue('en')
    await visit(page, '/settings/sending')
    const save = page.locator('form').last().getByRole('button', { name: t['action.save'] })
    await save.evaluate((b) => b.scrollIntoView({ block: 'end' }))
    await save.click()
    const told = page.locator('[class*=Notification-root]').filter({ hasText: t['settings.saved'] })
    await told.waitFor()
    await told.evaluate((e) => Promise.all(e.getAnimations({ subtree: true }).map((a) => a.finished)))
    const over = await told.boundingBox()
    for (const [what, of] of [['the button', save], ['the last row', page.locator('form').last().locator('input').last()]]) {
      const box = await of.boundingBox()
      assert.ok(box.y >= 0 && box.y < phone.height, `${what} is in sight`)
      assert.ok(over.y + over.height <= box.y || over.y >= box.y + box.height, `a toast at ${over.y} to ${over.y + over.height}, ${what} at ${box.y}`)
    }
    await done(page)
  },

  'every page stands still in en, and axe finds nothing serious or critical, light or dark': async () => {
    const page = await watched({ bypassCSP: true })
    await visit(page, '/')
    const bad = []
    let worst = 0
    const look = async (page, what) => {
      bad.push(...(await findings(page)).map((f) => `${what}: ${f}`))
      const light = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
      await page.emulateMedia({ colorScheme: 'dark' })
      await page.waitForFunction((c) => getComputedStyle(document.body).backgroundColor !== c, light)
      // Of the rules, these two look at colours.
      bad.push(...(await findings(page, ['color-contrast', 'link-in-text-block'])).map((f) => `${what} in the dark: ${f}`))
      await page.emulateMedia({ colorScheme: 'light' })
    }
    for (const [i, path] of (await pages()).entries()) {
      worst = Math.max(worst, await arrives(page, path, anew(i, 'en') ? load : visit))
      await stands(page, path)
      await look(page, path)
    }
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').waitFor()
    await look(page, 'palette')
    await page.context().close()
    const out = await open({ bypassCSP: true, signedIn: false })
    await out.goto(server.url)
    await out.locator('input[name=email]').waitFor()
    await look(out, 'sign-in')
    await out.context().close()
    assert.deepEqual(bad, [])
    return `moves by ${worst.toFixed(3)} at the most`
  },

  'texts two fifths longer are not cut off': async () => {
    const longer = Object.fromEntries(Object.entries(catalogue('en')).map(([k, v]) => [k, stretched(v)]))
    const bad = []
    const page = await open({ size: phone })
    let swapped = false
    await page.route(/\/assets\/en[^/]*\.json/, (r) => {
      swapped = true
      return r.fulfill({ json: longer })
    })
    await visit(page, '/')
    for (const path of await pages()) {
      await sized(page, phone)
      await visit(page, path)
      assert.ok(swapped && (await page.locator('main').innerText()).includes('⟧'), 'the catalogue was swapped')
      for (const size of [phone, laptop]) {
        await sized(page, size)
        await fits(page, path)
        bad.push(...(await page.evaluate(cutOff)).map((c) => `${path} ${size.width}: ${c}`))
      }
    }
    await done(page)
    assert.deepEqual([...new Set(bad)], [])
  },
}

/** Whether the walk through all pages in a language loads the page anew. */
const anew = (i, lang) => i % languages.length === languages.indexOf(lang)

/** What has to be true of any page in any language. */
async function stands(page, path) {
  await noKeys(page, path)
  assert.equal(await page.locator('main h1').count(), 1, `${path} has one h1`)
  assert.equal(await page.locator('main [role=alert][class*=bad]').count(), 0, `${path} shows no error`)
}

/** In the page: tabs and sections that are chosen and stand beside the screen. */
function outOfSight() {
  return [...document.querySelectorAll('main nav [aria-current=page], main [role=tab][aria-selected=true]')]
    .filter((e) => {
      const { left, width } = e.getBoundingClientRect()
      return width > 0 && (left + width / 2 < 0 || left + width / 2 > window.innerWidth)
    })
    .map((e) => e.textContent)
}

/** In the page: buttons of heads that stand in more than one row. */
function headRows() {
  return [...document.querySelectorAll('header')]
    .map((head) => [...head.querySelectorAll('button, a[data-variant], [role=radiogroup]')].map((b) => b.getBoundingClientRect()).filter((r) => r.width > 1))
    .filter((boxes) => Math.max(...boxes.map((r) => r.top)) >= Math.min(...boxes.map((r) => r.bottom)))
    .map((boxes) => boxes.map((r) => `${r.left.toFixed()} ${r.top.toFixed()} ${r.width.toFixed()}x${r.height.toFixed()}`).join(', '))
}

/** In the page: the marked texts of which something is hidden. */
function cutOff() {
  return [...document.querySelectorAll('body *')]
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
    .map((e) => e.textContent.slice(0, 80))
}

/** A text two fifths longer with marks at both ends; places like {name} stay. */
function stretched(text) {
  const more = Math.ceil(text.replace(/\{[^}]*\}/g, '').length * 0.4)
  return `⟦${text}${more > 0 ? ` ${'ein lang '.repeat(Math.ceil(more / 9)).slice(0, more).trim()}` : ''}⟧`
}
