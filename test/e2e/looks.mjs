// What can be seen on a page and is nowhere in its text: room for names, edges, what stands beside what.
import assert from 'node:assert/strict'
import { addressOf } from './pages.mjs'
import { api, catalogue, done, languages, open, phone, settled, visit } from './lib.mjs'

/** Upper left corners of tables that begin their card, in pixels of radius; what is painted there must not be square. */
const corners = () =>
  [...document.querySelectorAll('#main section > :first-child > [data-table]:first-child')].map((table) =>
    Number.parseFloat(getComputedStyle(table.parentElement).borderStartStartRadius),
  )

/** How far names on the cards of a phone stand below or above the middle of the input beside them. */
const aside = () =>
  [...document.querySelectorAll('#main [class*=cardPair]')].flatMap((pair) => {
    const input = pair.querySelector('input')?.getBoundingClientRect()
    const name = pair.firstElementChild.getBoundingClientRect()
    return input ? [Math.abs(name.top + name.height / 2 - (input.top + input.height / 2))] : []
  })

const names = () => {
  const table = document.querySelector('#main [data-table] table')
  const cell = table.querySelector('tbody td[data-main]').getBoundingClientRect()
  return { width: cell.width, beyond: table.parentElement.scrollWidth - table.parentElement.clientWidth }
}

export const stories = {
  'on a phone the chart of real paths scrolls, says so, and keeps its menu in sight': async () => {
    const t = catalogue('ja')
    const page = await open({ lang: 'ja', size: phone })
    await visit(page, await addressOf(api, '/journey-maps/ID?tab=real'))
    const plot = page.getByRole('group', { name: t['maps.ways'] })
    await plot.getByText(t['maps.column'].replace('{n}', '2')).waitFor()
    await page.getByText(t['chart.sideways']).waitFor()
    const { wide, seen, columns } = await plot.evaluate((e) => ({
      wide: e.scrollWidth,
      seen: e.clientWidth,
      columns: e.querySelectorAll('[aria-hidden] > span').length,
    }))
    assert.ok(wide > seen && wide / columns >= 128, `${columns} columns have ${wide} px`)
    const menu = await page.getByRole('button', { name: t['chart.menu'].replace('{title}', t['maps.ways']) }).boundingBox()
    assert.ok(menu.x + menu.width <= phone.width, 'the menu of the chart is in sight')
    await done(page)
  },

  'tables keep the round corners of their cards, and names on a phone stand beside their inputs': async () => {
    const page = await open()
    await visit(page, '/settings/topics')
    await settled(page)
    const found = await page.evaluate(corners)
    assert.ok(found.length > 0 && found.every((r) => r > 0), `corners of ${found} px`)
    await done(page)
    const small = await open({ size: phone })
    await visit(small, '/settings/retention')
    await settled(small)
    const far = await small.evaluate(aside)
    assert.ok(far.length > 0 && Math.max(...far) <= 2, `names stand ${Math.max(...far)} px beside the middle`)
    await done(small)
  },

  'the names of a report have their room on a laptop, in each language': async () => {
    for (const lang of languages) {
      const page = await open({ lang })
      await visit(page, '/reports/campaigns')
      await settled(page)
      await page.locator('#main [data-table] tbody tr').first().waitFor()
      const { width, beyond } = await page.evaluate(names)
      assert.ok(width >= 160 && beyond <= 0, `in ${lang} names have ${width} px and the table goes ${beyond} px beyond its card`)
      await done(page)
    }
  },
}
