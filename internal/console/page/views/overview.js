import { get } from '../api.js'
import { every, h, mount, table } from '../dom.js'
import { ago, number, t } from '../i18n.js'
import { moneyTile, status } from './parts.js'

// overview shows the loop at a glance, live.
export async function overview({ main, signal }) {
  const body = h('div')
  mount(main, h('h1', {}, t('overview.title')), h('p', { class: 'lead' }, h('span', { class: 'live' }), t('overview.lead')), body)
  await every(2000, signal, async () => {
    const [stats, overall, names, segments, journeys, campaigns] = await Promise.all([
      get('/stats'), get('/reports/overview'), get('/event-names?limit=8'), get('/segments?limit=20'), get('/journeys?limit=20'), get('/campaigns?limit=10')])
    if (signal.aborted) return
    const tile = (label, n, href) => h('a', { class: 'tile', href, style: null }, h('span', { class: 'n' }, typeof n === 'string' ? n : number(n ?? 0)), h('span', { class: 'l' }, t(label)))
    mount(body,
      h('div', { class: 'tiles' },
        tile('overview.people', stats.people, '#/people'), tile('overview.events', stats.events, '#/people'),
        tile('overview.segments', number(segments.items.length) + (segments.next_cursor ? '+' : ''), '#/segments'), tile('overview.sent', sum(overall.days, 'sent'), '#/journeys'),
        tile('overview.refused', sum(overall.days, 'refused'), '#/journeys'),
        moneyTile(overall.revenue, 'overview.revenue')),
      h('div', { class: 'grid' },
        h('section', { class: 'card' }, h('h2', {}, t('nav.segments')), table([
          { title: t('field.name'), cell: (s) => h('a', { href: '#/segments/' + s.id }, s.name) },
          { title: t('field.people'), num: true, cell: (s) => number(s.size) }], segments.items, t('segments.empty'))),
        h('section', { class: 'card' }, h('h2', {}, t('nav.journeys')), table([
          { title: t('field.name'), cell: (j) => h('a', { href: '#/journeys/' + j.id }, j.name) },
          { title: t('field.status'), cell: (j) => status(j.status) },
          { title: t('journeys.inside'), num: true, cell: (j) => number(j.active ?? 0) },
          { title: t('journeys.goal'), num: true, cell: (j) => number(j.goals ?? 0) }], journeys.items, t('journeys.empty'))),
        h('section', { class: 'card' }, h('h2', {}, t('overview.what_happens')), table([
          { title: t('field.event'), cell: (n) => n.name || n.type },
          { title: t('field.count'), num: true, cell: (n) => number(n.count) }], names.items, t('overview.no_events'))),
        h('section', { class: 'card' }, h('h2', {}, t('nav.campaigns')), table([
          { title: t('field.name'), cell: (c) => h('a', { href: '#/campaigns/' + c.id }, c.name) },
          { title: t('field.status'), cell: (c) => status(c.status) }], campaigns.items, t('campaigns.empty')))),
      h('p', { class: 'dim small' }, stats.last_event_at ? t('overview.last_event', { when: ago(stats.last_event_at) }) : t('overview.no_events')))
  })
}

const sum = (days, figure) => days.reduce((n, d) => n + d[figure], 0)
