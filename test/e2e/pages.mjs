// The pages of the console as addresses of a server that runs. What the sample business has none of is made, so that every page has something to show.
import { readFileSync } from 'node:fs'

const text = (s) => ({ id: 'a', type: 'text', text: s })

// Where pages are not below the name that the API has for their things; `make` is what is asked for when there is none.
const things = {
  '/content': { list: '/templates' },
  '/content/snippets': {
    list: '/snippets',
    id: 'key',
    make: { key: 'opening_hours', name: 'Opening hours', locale: 'en', blocks: [text('Open every day from ten to six.')] },
  },
  // The first campaign has been sent, and can be edited no more.
  '/campaigns/ID/edit': {
    find: async (api) =>
      (await api('GET', '/campaigns?status=draft&archived=no&limit=1')).items[0]?.id ??
      (await api('POST', '/campaigns', { name: 'Spring tasting', audience: { include: [(await api('GET', '/segments?limit=1')).items[0].id] } })).id,
  },
  '/campaigns/series': {
    list: '/series',
    make: async (api) => ({
      name: 'Tea of the week',
      audience: { include: [(await api('GET', '/segments?limit=1')).items[0].id] },
      schedule: { every: 'week', at: '09:00', weekdays: [2] },
    }),
  },
  '/people/import/mappings': {
    list: '/import-mappings',
    make: { name: 'Till receipts', columns: ['email', 'name'], plan: { columns: [{ name: 'email', to: 'identifier', key: 'email' }] } },
  },
  '/settings/accounts': { list: '/accounts' },
  '/settings/domains': { list: '/sending/domains', make: { domain: 'mail.aoba-sample.example' } },
  '/settings/sources': { list: '/sources' },
  '/settings/webhooks': {
    list: '/webhooks',
    make: { name: 'Shop system', url: 'https://shop.aoba-sample.example/hook', kinds: ['message.sent'], off: true },
  },
  '/lists': { list: '/lists', make: { name: 'Guests of the tasting', description: 'Who came to the shop in spring' } },
  '/reports/saved': { list: '/saved-reports', make: { name: 'Mail by channel', report: 'channels' } },
  '/journeys/rounds': {
    find: async (api) => {
      for (const j of (await api('GET', '/journeys?limit=50')).items) {
        const one = (await api('GET', `/journeys/${j.id}/people?metric=entered&limit=1`)).items?.[0]
        if (one?.round_id) return one.round_id
      }
      return undefined
    },
  },
}

async function idBelow(api, noun) {
  const { list = noun, id = 'id', make, find } = things[noun] ?? {}
  if (find) return find(api)
  const first = async () => (await api('GET', `${list}?limit=1`)).items?.[0]?.[id]
  const found = await first()
  if (found || !make) return found
  await api('POST', list, typeof make === 'function' ? await make(api) : make)
  return first()
}

/** The lines of pages.txt. */
export const lines = () =>
  readFileSync(new URL('pages.txt', import.meta.url), 'utf8')
    .split('\n')
    .map((l) => l.trim())
    .filter((l) => l.startsWith('/'))

const ids = {}
/** The address of a page; api is called with a method, a path and a body. Stories that ask at once wait for the same thing. */
export async function addressOf(api, path) {
  if (!path.includes('/ID')) return path
  const noun = path in things ? path : path.split('/ID')[0]
  ids[noun] ??= idBelow(api, noun)
  const id = await ids[noun]
  if (!id) throw new Error(`the sample business has something below ${noun}`)
  return path.replace('/ID', `/${id}`)
}
