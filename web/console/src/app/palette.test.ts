import { expect, test } from 'vitest'
import { areas } from './areas'
import { fitting } from './Palette'

const entries = areas.flatMap((a) => [a, ...(a.actions ?? [])])
const found = (typed: string) => entries.filter((x) => fitting(typed, [x.aliases])).map((x) => x.id)

test.each([
  ['kehu', 'people'],
  ['kokyaku', 'people'],
  ['fenqun', 'segments'],
  ['segumento', 'segments'],
  ['lvcheng', 'journeys'],
  ['xinjian kehu', 'people.new'],
  ['chongfu', 'people.duplicates'],
  ['yaoqing', 'settings.members'],
  ['yakuwari', 'settings.members'],
  ['shujuyuan', 'settings.sources'],
  ['puraibashii', 'settings.privacy'],
  ['webhook', 'settings.webhooks'],
  ['seikyuu', 'settings.invoices'],
  ['rili', 'campaign.plan'],
  ['kehu xinjian', 'people.new'],
  ['flow create', 'journey.new'],
  ['xinjian lvcheng', 'journey.new'],
  ['shinki jaanii', 'journey.new'],
  ['create list', 'list.new'],
  ['shinki risuto', 'list.new'],
  ['journey map create', 'map.new'],
  ['tasuku', 'task.new'],
  ['trend', 'report.trend'],
  ['qudao', 'report.channels'],
  ['ready-made', 'journey.library'],
])('who types %s finds %s', (typed, id) => expect(found(typed)).toContain(id))

test('every place and action of the palette is found by Latin letters, whatever the language of the screen', () => {
  for (const x of areas.flatMap((a) => [a, ...(a.actions ?? [])])) expect(x.aliases, x.id).toMatch(/^[a-z].* [a-z]/)
})

// What is found otherwise, or is looked for within its section.
const apart = [
  '/people',
  '/people/import/mappings',
  '/reports',
  '/journeys/rounds',
  '/settings/accounts',
  '/settings/domains',
  '/settings/webhooks',
]

test('whatever has a page of its own is found by its name', () => {
  const pages = areas.flatMap((a) => a.screens.map((s) => /^(.*)\/\$\w+$/.exec(s.path)?.[1])).filter((p) => p !== undefined)
  const found = areas.flatMap((a) => a.things ?? []).map((x) => x.path)
  expect(pages.toSorted()).toEqual([...found, ...apart].toSorted())
})
