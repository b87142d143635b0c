// The canvas of journeys: several steps at once, every key, a whole journey without a mouse.
import assert from 'node:assert/strict'
import { api, catalogue, done, open, settled, visit } from './lib.mjs'

const t = catalogue('en')
const mod = 'Control'

const wait = (id, to) => ({ id, kind: 'wait', config: { for: { n: 1, unit: 'day' } }, next: to ? { next: to } : {} })
const chain = (...ids) => ids.map((id, i) => wait(id, ids[i + 1]))
const journey = async (name, nodes) =>
  (await api('POST', '/journeys', { name: `${name} ${Date.now()}`, draft: { trigger: { event: { name: 'Signed Up' } }, nodes } })).id

async function edit(page, id) {
  await visit(page, `/journeys/${id}/edit`)
  await page.locator('[data-card]').first().waitFor()
  // The canvas goes to where it begins a moment after its cards are there.
  await page.waitForFunction(() => new DOMMatrix(getComputedStyle(document.querySelector('.react-flow__viewport')).transform).e !== 0)
}
const kept = async (page, id) => {
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))) // what was pressed is on the screen
  await page.locator('header [role=status]', { hasText: new RegExp(`^${t['journeys.save_saved']}$`) }).waitFor()
  return (await api('GET', `/journeys/${id}`)).draft
}
const cards = (page, n) => page.waitForFunction((want) => document.querySelectorAll('[data-card]').length === want, n)
/** Waits until these steps are chosen and no others. */
const chosen = (page, ...ids) =>
  page.waitForFunction(
    (want) => [...document.querySelectorAll('.react-flow__node-card:has([data-selected=true])')].map((n) => n.dataset.id).toSorted().join() === want,
    ids.toSorted().join(),
  )
const at = (page, id) => page.locator(`.react-flow__node[data-id="${id}"] [data-card]`)
/** Waits until the focus has gone from one step to another, which it returns. */
const leaves = (page, id) =>
  page
    .waitForFunction((was) => {
      const now = document.activeElement?.closest('.react-flow__node')?.dataset.id
      return now !== was && now
    }, id)
    .then((found) => found.jsonValue())
const focus = (page, id) => page.waitForFunction((want) => document.activeElement?.closest('.react-flow__node')?.dataset.id === want, id)
const keys = async (page, ...all) => {
  for (const k of all) await page.keyboard.press(k)
}
const box = async (page, id) => page.locator(`.react-flow__node[data-id="${id}"]`).boundingBox()

export const stories = {
  'several steps are caught by a box, moved, copied to another journey, cut, duplicated, removed and brought back': async () => {
    const page = await open()
    const id = await journey('box', chain('wait_1', 'wait_2', 'wait_3'))
    const other = await journey('box, other', chain('wait_1'))
    await edit(page, id)
    // Shift and the mouse draw a box round the second and the third.
    const [second, third] = [await box(page, 'wait_2'), await box(page, 'wait_3')]
    await page.keyboard.down('Shift')
    await page.mouse.move(second.x - 30, second.y + 20)
    await page.mouse.down()
    await page.mouse.move(third.x + 60, third.y + 30, { steps: 6 })
    await page.mouse.up()
    await page.keyboard.up('Shift')
    await chosen(page, 'wait_2', 'wait_3')
    // Shift and a click take one out and in again.
    await at(page, 'wait_2').click({ modifiers: ['Shift'] })
    await chosen(page, 'wait_3')
    await at(page, 'wait_2').click({ modifiers: ['Shift'] })
    await chosen(page, 'wait_2', 'wait_3')
    assert.equal(await page.getByRole('complementary', { name: t['page.inspector'] }).count(), 0, 'choosing opens nothing')
    // What is dragged takes the others along.
    const from = await box(page, 'wait_2')
    const third0 = await box(page, 'wait_3')
    await page.mouse.move(from.x + 100, from.y + 94)
    await page.mouse.down()
    await page.mouse.move(from.x + 220, from.y + 94, { steps: 8 })
    await page.mouse.up()
    await page.waitForFunction((x) => document.querySelector('.react-flow__node[data-id="wait_3"]').getBoundingClientRect().x - x > 80, third0.x)
    let draft = await kept(page, id)
    const x = (n) => draft.nodes.find((s) => s.id === n).x
    assert.ok(x('wait_2') - x('wait_1') > 100 && Math.abs(x('wait_2') - x('wait_3')) < 3, 'both are kept where they were put')
    await keys(page, `${mod}+z`)
    draft = await kept(page, id)
    assert.equal(draft.nodes[1].x ?? 0, 0, 'undone as one')

    // Copied, and put into another journey behind what is chosen there.
    await at(page, 'wait_2').click({ modifiers: ['Shift'] })
    await at(page, 'wait_2').click({ modifiers: ['Shift'] })
    await keys(page, `${mod}+c`)
    await page.getByText(t['journeys.copied_other'].replace('{count}', '2')).waitFor()
    await edit(page, other)
    await at(page, 'wait_1').focus()
    await keys(page, `${mod}+v`)
    await cards(page, 4)
    draft = await kept(page, other)
    assert.deepEqual(
      draft.nodes.map((n) => [n.id, n.next?.next]),
      [
        ['wait_1', 'wait_2'],
        ['wait_2', 'wait_3'],
        ['wait_3', undefined],
      ],
    )
    // Cut and put back; duplicated; removed; everything can be undone.
    await focus(page, 'wait_2')
    await keys(page, `${mod}+x`)
    await cards(page, 2)
    await keys(page, `${mod}+v`)
    await cards(page, 4)
    await focus(page, 'wait_2')
    await keys(page, `${mod}+d`)
    await cards(page, 6)
    await page.waitForFunction(() => document.querySelectorAll('[data-selected=true]').length === 2)
    await keys(page, 'Delete')
    await cards(page, 4)
    await page.getByText(t['journeys.removed_many_other'].replace('{count}', '2')).first().waitFor()
    for (const n of [6, 4, 2, 4, 2]) {
      await keys(page, `${mod}+z`)
      await cards(page, n)
    }
    draft = await kept(page, other)
    assert.deepEqual(draft.nodes.map((n) => n.id), ['wait_1'])
    await done(page)
  },

  'what is in the clipboard is checked before it becomes steps': async () => {
    const page = await open()
    const id = await journey('clipboard', chain('wait_1'))
    await edit(page, id)
    const paste = (text) =>
      page.evaluate((s) => {
        const data = new DataTransfer()
        data.setData('text/plain', s)
        document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
      }, text)
    await at(page, 'wait_1').focus()
    await paste('an ordinary text')
    await page.getByText(t['journeys.paste_other']).waitFor()
    await paste('{"kizuna.journey-steps":1,"steps":[{"id":"a","kind":"wait","next":{"next":"nowhere"}}]}')
    await page.getByText(t['journeys.paste_broken']).waitFor()
    await paste('{"kizuna.journey-steps":1,"steps":[{"id":"a","kind":"no such kind"}]}')
    await page.getByText(t['journeys.paste_unknown']).waitFor()
    await cards(page, 2)
    assert.equal((await api('GET', `/journeys/${id}`)).draft.nodes.length, 1)
    await done(page)
  },

  'every key of the canvas does what the sheet of keys says': async () => {
    const page = await open()
    const id = await journey('keys', [
      { id: 'split_1', kind: 'split', config: { salt: 'split_1', percent: [50, 50] }, next: { a: 'wait_1', b: 'wait_2' } },
      wait('wait_1'),
      wait('wait_2'),
    ])
    await edit(page, id)
    await keys(page, '?')
    const sheet = page.getByRole('dialog')
    await sheet.waitFor()
    for (const k of ['go', 'open', 'add', 'extend', 'all', 'move', 'remove', 'copy', 'one', 'fit', 'in', 'out', 'take', 'cut', 'put', 'problem'])
      await sheet.getByText(t[`journeys.key_${k}`], { exact: true }).waitFor()
    await keys(page, 'Escape')
    await sheet.waitFor({ state: 'detached' })

    await page.locator('[data-card]').first().focus()
    await keys(page, 'ArrowDown')
    await focus(page, 'split_1')
    await keys(page, 'ArrowDown')
    const first = await leaves(page, 'split_1')
    await keys(page, first === 'wait_1' ? 'ArrowRight' : 'ArrowLeft')
    const second = await leaves(page, first)
    assert.deepEqual([first, second].toSorted(), ['wait_1', 'wait_2'], 'arrows go to neighbours')
    await keys(page, `Shift+${first === 'wait_1' ? 'ArrowLeft' : 'ArrowRight'}`)
    await chosen(page, 'wait_1', 'wait_2') // with Shift they choose
    await focus(page, first)
    await keys(page, 'Escape')
    await chosen(page, first)
    await keys(page, `${mod}+a`)
    await chosen(page, 'split_1', 'wait_1', 'wait_2')
    await keys(page, 'Escape', 'Alt+ArrowDown', 'Alt+ArrowRight')
    let draft = await kept(page, id)
    const spot = (n) => draft.nodes.find((s) => s.id === n)
    assert.equal(spot(first).y - spot(second).y, 24, `moved by a key: ${first} ${JSON.stringify(draft.nodes)}`)
    await keys(page, 't')
    draft = await kept(page, id)
    assert.equal(spot(first).x, undefined, 'put in order')

    const zoom = () => page.evaluate(() => new DOMMatrix(getComputedStyle(document.querySelector('.react-flow__viewport')).transform).a)
    const zooms = async (key, fits) => {
      const before = await zoom()
      await keys(page, key)
      await page.waitForFunction(
        ([was, up]) => {
          const now = new DOMMatrix(getComputedStyle(document.querySelector('.react-flow__viewport')).transform).a
          return up ? now > was : now < was
        },
        [before, fits],
      )
    }
    await zooms('-', false)
    await zooms('-', false)
    await zooms('+', true)
    await zooms('f', true)

    // Behind a step with several ways the reader says behind which.
    await page.locator('[data-card]').first().focus()
    await keys(page, 'ArrowDown')
    await focus(page, 'split_1')
    await keys(page, 'a')
    await page.getByRole('dialog').getByRole('radiogroup', { name: t['journeys.add_behind'] }).waitFor()
    await page.keyboard.type('exit')
    await keys(page, 'Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    // Enter goes into the fields of a step, Escape back to it.
    await at(page, 'wait_1').focus()
    await keys(page, 'Enter')
    await page.waitForFunction(() => document.activeElement?.closest('aside') !== null)
    await keys(page, 'Escape')
    await focus(page, 'wait_1')
    await keys(page, `${mod}+d`)
    await cards(page, 5)
    await keys(page, 'Backspace')
    await cards(page, 4)
    await keys(page, `${mod}+z`)
    await cards(page, 5)
    await keys(page, `${mod}+z`)
    await cards(page, 4)
    await keys(page, `${mod}+Shift+z`)
    await cards(page, 5)
    await keys(page, `${mod}+z`, `${mod}+y`)
    await cards(page, 5)
    await keys(page, `${mod}+s`)
    assert.equal((await kept(page, id)).nodes.length, 4)
    await done(page)
  },

  'a problem leads to its step and field, by mouse and by key, however far away it is': async () => {
    const page = await open()
    const far = Array.from({ length: 40 }, (_, i) => `wait_${i + 1}`)
    const nodes = chain(...far)
    nodes.push({ id: 'send_1', kind: 'send', config: { channel: 'email' }, next: {} })
    nodes[39].next = { next: 'send_1' }
    const id = await journey('problems', nodes)
    await edit(page, id)
    await page.locator('.react-flow__minimap').waitFor()
    await page.locator('header + [role=status] summary').first().click() // what is to be mended, before what is to be considered
    await page.locator('header + [role=status] li button').first().click()
    await page.locator('.react-flow__node[data-id="send_1"]').waitFor()
    await page.waitForFunction(() => document.activeElement?.closest('aside [data-field]') !== null)
    assert.equal(await page.evaluate(() => document.activeElement.closest('[data-field]').dataset.field), 'template')
    await keys(page, 'Escape', 'Escape') // the list that is open, and the field
    await focus(page, 'send_1')
    await page.locator('.react-flow__controls-fitview').click()
    await cards(page, 42)
    await page.locator('.react-flow__pane').click({ position: { x: 5, y: 5 } })
    await keys(page, 'p')
    await page.waitForFunction(() => document.activeElement?.closest('aside [data-field]')?.dataset.field === 'template')
    await done(page)
  },

  'a journey with branches is built, rehearsed and published without a mouse': async () => {
    const page = await open()
    const name = `keys only ${Date.now()}`
    await visit(page, '/journeys')
    await keys(page, 'n')
    await page.waitForFunction(() => document.activeElement?.matches('[role=dialog] input'))
    await page.keyboard.type(name)
    await keys(page, 'Enter')
    await page.waitForURL('**/edit')
    const id = page.url().split('/').at(-2)
    await page.locator('[data-card]').first().waitFor()
    const reach = async (what, back = false) => {
      for (let i = 0; i < 80; i++) {
        if (await page.evaluate((s) => document.activeElement?.matches(s), what)) return
        await page.keyboard.press(back ? 'Shift+Tab' : 'Tab')
      }
      assert.fail(`Tab never reaches ${what}`)
    }
    const pressed = async (label, back = false) => {
      for (let i = 0; i < 80; i++) {
        if (await page.evaluate((l) => document.activeElement?.textContent?.trim() === l, label)) return page.keyboard.press('Enter')
        await page.keyboard.press(back ? 'Shift+Tab' : 'Tab')
      }
      assert.fail(`Tab never reaches “${label}”`)
    }
    // The entrance: an event.
    await reach('[data-card]')
    await keys(page, 'Enter')
    await page.waitForFunction(() => document.activeElement?.closest('aside') !== null)
    await reach(`aside input[role=combobox], aside input[aria-haspopup=listbox], aside input[readonly]`)
    await page.keyboard.press('ArrowDown')
    await page.getByRole('option').first().waitFor()
    for (let i = 0; i < 12; i++) {
      if (
        (await page.evaluate(() => document.querySelector('[role=option][data-combobox-selected], [role=option][aria-selected=true][data-combobox-active]')?.textContent)) ===
        t['trigger.event']
      )
        break
      await page.keyboard.press('ArrowDown')
    }
    await keys(page, 'Enter')
    await page.getByLabel(t['journeys.event'], { exact: false }).first().waitFor()
    await page.keyboard.press('Tab')
    await page.waitForFunction(() => document.activeElement?.matches('aside input'))
    await page.keyboard.type('Signed Up')
    await keys(page, 'Tab', 'Shift+Tab', 'Escape', 'Escape')
    await page.waitForFunction(() => document.activeElement?.matches('[data-card]'))
    // Steps behind it, each by its key; a split with something on both ways.
    const add = async (kind, way) => {
      await keys(page, 'a')
      const dialog = page.getByRole('dialog')
      await dialog.waitFor()
      await page.waitForFunction(() => document.activeElement?.matches('[role=dialog] input:not([type=radio])')) // the search, not yet the window itself
      if (way) {
        await page.evaluate(() => new Promise((given) => setTimeout(given))) // the window gives it to the search once more by a timer
        await reach('[role=dialog] input[type=radio]', true)
        for (let i = 0; i < way; i++) await page.keyboard.press('ArrowRight')
        await page.keyboard.press('Tab')
      }
      await page.keyboard.type(t[`node.${kind}`])
      await keys(page, 'Enter')
      await dialog.waitFor({ state: 'detached' })
      await focus(page, `${kind}_${(added[kind] = (added[kind] ?? 0) + 1)}`)
    }
    const added = {}
    await add('split')
    await add('wait')
    await add('exit')
    await keys(page, 'ArrowUp')
    await focus(page, 'wait_1')
    await keys(page, 'ArrowUp')
    await focus(page, 'split_1')
    await add('wait', 2) // to the other way and back: the free one is offered first
    let draft = await kept(page, id)
    assert.equal(draft.start, 'split_1')
    assert.deepEqual(draft.nodes.find((n) => n.id === 'split_1').next, { a: 'wait_1', b: 'wait_2' }, JSON.stringify(draft))
    // A field of the second wait.
    await keys(page, 'Enter')
    await page.waitForFunction(() => document.activeElement?.closest('aside') !== null)
    for (let i = 0; i < 20 && !(await page.evaluate(() => document.activeElement?.closest('[data-field=for]') && document.activeElement.matches('input'))); i++)
      await page.keyboard.press('Tab')
    await page.keyboard.press(`${mod}+a`)
    await page.keyboard.type('3')
    await keys(page, 'Escape')
    await focus(page, 'wait_2')
    draft = await kept(page, id)
    assert.equal(draft.nodes.find((n) => n.id === 'wait_2').config.for.n, 3)
    assert.equal(draft.trigger.event.name, 'Signed Up')
    // Rehearsed with somebody, and published.
    await pressed(t['journeys.finish'], true)
    await page.waitForURL(`**/journeys/${id}`)
    await settled(page)
    await reach(`a[href="/journeys/${id}/simulate"]`)
    await keys(page, 'Enter')
    await page.waitForURL('**/simulate')
    await settled(page)
    const labelled = (label) => page.evaluate((l) => [...(document.activeElement?.labels ?? [])].some((x) => x.textContent.includes(l)), label)
    for (let i = 0; i < 40 && !(await labelled(t['field.person'])); i++) await page.keyboard.press('Tab')
    await page.keyboard.type('customer0001')
    await page.getByRole('option').nth(1).waitFor({ state: 'detached' }) // the identifier is that of one person
    await page.getByRole('option').first().waitFor()
    await keys(page, 'ArrowDown', 'Enter')
    await pressed(t['journeys.run'])
    await page.locator('main').getByText(t['node.split']).first().waitFor()
    await page.goBack()
    await page.waitForURL(`**/journeys/${id}`)
    await settled(page)
    await pressed(t['journeys.publish'])
    await page.getByRole('dialog').waitFor()
    await pressed(t['journeys.publish'])
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    assert.equal((await api('GET', `/journeys/${id}`)).status, 'live')
    await done(page)
  },
}
