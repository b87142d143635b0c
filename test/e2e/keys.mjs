// What hands on a keyboard do: input methods compose without anything acting, and segments and journeys are made without a mouse.
import assert from 'node:assert/strict'
import { api, catalogue, done, open, settled, visit } from './lib.mjs'

const t = catalogue('en')

/** Composes a text in whatever has the focus; commit() makes it final, as Enter does in an input method. */
async function composer(page) {
  const device = await page.context().newCDPSession(page)
  const compose = (text) => device.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length })
  return {
    async write(...steps) {
      for (const text of steps) await compose(text)
    },
    // The key event that an input method lets through while it composes has the code 229.
    async enter() {
      for (const type of ['rawKeyDown', 'keyUp'])
        await device.send('Input.dispatchKeyEvent', { type, key: 'Process', code: 'Enter', windowsVirtualKeyCode: 229 })
      for (const type of ['rawKeyDown', 'keyUp'])
        await device.send('Input.dispatchKeyEvent', { type, key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13 })
    },
    commit: (text) => device.send('Input.insertText', { text }),
  }
}

/** Presses Tab until the focus is on what is wanted. */
async function reach(page, what, { back = false, most = 80 } = {}) {
  for (let i = 0; i < most; i++) {
    if (await page.evaluate((s) => document.activeElement?.matches(s), what)) return
    await page.keyboard.press(back ? 'Shift+Tab' : 'Tab')
  }
  assert.fail(`${back ? 'Shift+Tab' : 'Tab'} never reaches ${what}`)
}

export const stories = {
  'Enter of an input method chooses nothing in the palette, adds no tag, searches nothing and saves nothing': async () => {
    const page = await open({ lang: 'ja' })
    const ja = catalogue('ja')
    // The palette: the first entry would be opened.
    await visit(page, '/people')
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').waitFor()
    const ime = await composer(page)
    await ime.write('せ', 'せg', 'せぐ')
    await ime.enter()
    assert.ok(await page.getByRole('combobox').isVisible(), 'the palette stays')
    assert.match(page.url(), /\/people$/, 'and nothing is opened')
    await ime.commit('セグメント')
    await page.getByRole('option', { name: ja['nav.segments'] }).first().waitFor()
    await page.keyboard.press('Enter')
    await page.waitForURL('**/segments')
    await settled(page)

    // A tag input: words not to use of the brand.
    await visit(page, '/content/brand')
    const tags = page.getByLabel(ja['brand.dont'], { exact: false }).first()
    await tags.focus()
    const before = await page.locator('main form').innerText()
    await ime.write('や', 'やす', '安')
    await ime.enter()
    assert.equal(await page.locator('main form').innerText(), before, 'no tag is added in the middle of a composition')
    await ime.commit('安売り')
    await page.keyboard.press('Enter')
    await page.locator('main form').getByText('安売り', { exact: true }).waitFor()

    // The value of a condition: a list of texts.
    await visit(page, '/segments/new')
    const name = page.getByLabel(ja['field.name'], { exact: false }).first()
    await name.focus()
    await ime.write('し', 'しん', '新')
    await ime.enter()
    assert.match(page.url(), /\/segments\/new/, 'Enter of an input method does not send the form')
    assert.equal(await page.locator('[aria-invalid=true]').count(), 0, 'nor finds fault with it')
    await ime.commit('新しい客')
    assert.equal(await name.inputValue(), '新しい客')
    await page.getByRole('button', { name: ja['builder.add'], exact: true }).click()
    await page.getByRole('menuitem', { name: ja['builder.kind.trait'] }).click()
    const field = page.getByPlaceholder(ja['builder.field.path'], { exact: true })
    await field.focus()
    await ime.write('と', 'とし', '都市')
    await ime.enter()
    assert.match(page.url(), /\/segments\/new/)
    await ime.commit('city')
    await page.keyboard.press('Escape')

    // Shortcuts: "g p" while composing goes nowhere.
    await visit(page, '/segments')
    await page.locator('main input[type=search]').focus()
    await ime.write('g', 'gp', 'ごp')
    assert.match(page.url(), /\/segments$/)
    await done(page)
  },

  'three conditions, one group in another, are put together without a mouse': async () => {
    const page = await open()
    const name = `by keys ${Date.now()}`
    await visit(page, '/segments')
    await reach(page, 'main a[href="/segments/new"]')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: t['segments.new'] }).waitFor()
    await reach(page, 'main input[required], main input[aria-required=true], main form input:not([type=hidden])')
    await page.keyboard.type(name)
    const add = async (kind) => {
      await page.keyboard.press('Enter')
      await page.getByRole('menu').waitFor()
      for (let i = 0; i < 15; i++) {
        const at = await page.evaluate(() => document.activeElement?.textContent ?? '')
        if (at.startsWith(t[`builder.kind.${kind}`])) break
        await page.keyboard.press('ArrowDown')
        await page.waitForFunction((was) => document.activeElement?.textContent !== was, at) // on a slow machine the focus follows later
      }
      await page.keyboard.press('Enter')
      await page.getByRole('menu').waitFor({ state: 'detached' })
    }
    const button = (label) => page.evaluate((l) => document.activeElement?.textContent?.trim() === l, label)
    const toButton = async (label) => {
      for (let i = 0; i < 60; i++) {
        if (await button(label)) return
        await page.keyboard.press('Tab')
      }
      assert.fail(`Tab never reaches “${label}”`)
    }
    await toButton(t['builder.add'])
    await add('channel')
    await toButton(t['builder.add'])
    await add('order')
    await toButton(t['builder.add'])
    await add('channel')
    assert.equal((await page.locator('[data-node]').count()) >= 3, true)
    // The last condition goes into a group of its own.
    await page.keyboard.press('Control+g')
    await page.getByText(t['builder.people_fit'].replace('{n}', '').trim(), { exact: false }).first().waitFor()
    await page.keyboard.press('Control+z')
    await page.keyboard.press('Control+Shift+z')
    await toButton(t['action.save'])
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name }).waitFor()
    const made = (await api('GET', '/segments?limit=200')).items.find((s) => s.name === name)
    const nested = JSON.stringify(made.rule)
    assert.ok((nested.match(/"channel"/g) ?? []).length >= 2 && nested.includes('"order"'), nested)
    await done(page)
  },

  'a journey is begun, filled, undone and saved without a mouse': async () => {
    const page = await open()
    const name = `by keys ${Date.now()}`
    const made = await api('POST', '/journeys', { name, draft: { trigger: { event: { name: 'Signed Up' } }, nodes: [] } })
    await visit(page, `/journeys/${made.id}/edit`)
    await page.locator('[data-card]').first().waitFor()
    await reach(page, '[data-card]')
    await page.keyboard.press('Enter')
    await page.getByLabel(t['journeys.comes_in']).first().waitFor()
    // The + behind the entrance is the next stop; it opens the choice of steps, whose search has the focus.
    const insert = async (kind) => {
      await reach(page, `button[aria-label="${t['journeys.add_here']}"]`)
      await page.keyboard.press('Enter')
      await page.getByRole('dialog').waitFor()
      await page.keyboard.type(kind)
      await page.keyboard.press('Enter')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    }
    await insert('exit')
    const cards = () => page.locator('[data-card]').count()
    await page.waitForFunction(() => document.querySelectorAll('[data-card]').length === 2)
    await page.locator('[data-card]').nth(0).focus()
    await insert('wait')
    await page.waitForFunction(() => document.querySelectorAll('[data-card]').length === 3)
    await page.keyboard.press('Escape')
    await page.locator('[data-card]').nth(0).focus()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Delete')
    await page.waitForFunction(() => document.querySelectorAll('[data-card]').length === 2)
    await page.keyboard.press('Control+z')
    await page.waitForFunction(() => document.querySelectorAll('[data-card]').length === 3)
    assert.equal(await cards(), 3)
    await reach(page, 'header button[data-variant=filled]', { back: true })
    await page.keyboard.press('Enter')
    await page.waitForURL(`**/journeys/${made.id}`)
    assert.equal((await api('GET', `/journeys/${made.id}`)).draft.nodes.length, 2, 'what is on the canvas is kept by itself')
    await done(page)
  },
}
