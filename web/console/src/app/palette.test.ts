import { expect, test } from 'vitest'
import { areas } from './areas'

const found = (typed: string) =>
  areas
    .flatMap((a) => [a, ...(a.actions ?? [])])
    .filter((x) => x.aliases?.includes(typed))
    .map((x) => x.id)

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
])('who types %s finds %s', (typed, id) => expect(found(typed)).toContain(id))

test('every place and action of the palette is found by Latin letters, whatever the language of the screen', () => {
  for (const x of areas.flatMap((a) => [a, ...(a.actions ?? [])])) expect(x.aliases, x.id).toMatch(/^[a-z].* [a-z]/)
})
