import { get, post } from '../api.js'
import { every, h, message, mount, table, toast } from '../dom.js'
import { language, number, t } from '../i18n.js'
import { behind, moneyTile, report, status } from './parts.js'

export async function journeys({ main, signal }) {
  const box = h('div', { class: 'card' })
  const install = h('button', { onclick: async () => {
    try { await post('/journeys/ready', { locale: language() }); toast(t('journeys.installed')) } catch (err) { toast(message(err)) }
  } }, t('journeys.install'))
  mount(main, h('div', { class: 'head' }, h('div', {}, h('h1', {}, t('nav.journeys')), h('p', { class: 'lead' }, t('journeys.lead'))), install), box)
  await every(2000, signal, async () => {
    const { items } = await get('/journeys?limit=200')
    if (signal.aborted) return
    mount(box, table([
      { title: t('field.name'), cell: (j) => h('a', { href: '#/journeys/' + j.id }, j.name) },
      { title: t('field.status'), cell: (j) => status(j.status) },
      { title: t('journeys.entered'), num: true, cell: (j) => number(j.entered ?? 0) },
      { title: t('journeys.inside'), num: true, cell: (j) => number(j.active ?? 0) },
      { title: t('journeys.goal'), num: true, cell: (j) => number(j.goals ?? 0) }], items, t('journeys.empty')))
  })
}

export async function journey({ main, args: [id], signal }) {
  const box = h('div')
  const people = h('div')
  mount(main, box, people)
  const act = (verb) => h('button', { onclick: async () => {
    try { await post(`/journeys/${id}/${verb}`); await draw() } catch (err) { toast(message(err)) }
  } }, t('journeys.' + verb))
  const open = (metric, params, title) => behind(people, title, `/journeys/${id}/people`, { metric, ...params }).catch((e) => toast(message(e)))
  const draw = async () => {
    const [j, r] = await Promise.all([get('/journeys/' + id), get(`/journeys/${id}/report`)])
    if (signal.aborted) return
    const buttons = { draft: ['publish'], live: ['pause'], paused: ['resume'] }[j.status] ?? []
    const link = (n, metric, params, title) => h('button', { class: 'link', onclick: () => open(metric, params, title) }, `${title} ${number(n)}`)
    mount(box, h('div', { class: 'head' }, h('div', {}, h('h1', {}, j.name), h('p', { class: 'lead' }, status(j.status), ' ', j.published_version ? t('journeys.version', { n: j.published_version }) : '')), h('div', { class: 'actions' }, buttons.map(act))),
      h('div', { class: 'tiles' }, ['entered', 'active', 'goals', 'exited', 'parked'].map((m) => h('button', { class: 'tile', onclick: () => open(m, {}, t('journeys.tile_' + m)) }, h('span', { class: 'n' }, number(r[m] ?? 0)), h('span', { class: 'l' }, t('journeys.tile_' + m)))),
        moneyTile(r.revenue, 'journeys.revenue')),
      h('section', { class: 'card' }, h('h2', {}, t('journeys.nodes')), (r.nodes ?? []).map((n) => h('div', { class: 'node' },
        h('div', {}, h('strong', {}, n.title || n.id), ' ', h('span', { class: 'tag' }, t('node.' + n.kind))),
        h('div', { class: 'numbers small' }, link(n.waiting ?? 0, 'waiting', { node: n.id }, t('journeys.waiting')), link(n.passed ?? 0, 'passed', { node: n.id }, t('journeys.passed')),
          n.messages ? ['sent', 'opened', 'clicked', 'converted', 'refused'].map((m) => link(n.messages[m] ?? 0, m, { node: n.id }, t('metric.' + m))) : null)))),
      h('h2', {}, t('journeys.messages')), report(r.messages ?? {}, (metric, why) => open(metric, { reason: why }, t('metric.' + metric))))
  }
  await every(2000, signal, draw)
}
