import { get, post, q } from '../api.js'
import { every, h, message, mount, paged, table } from '../dom.js'
import { ago, number, t, time } from '../i18n.js'
import { listSection } from './lists.js'
import { personLink, status } from './parts.js'

export async function segments({ main, signal }) {
  const box = h('div', { class: 'card' })
  mount(main, h('div', { class: 'head' }, h('div', {}, h('h1', {}, t('nav.segments')), h('p', { class: 'lead' }, t('segments.lead'))), h('a', { class: 'button primary', href: '#/segments/new' }, t('segments.new'))), box, await listSection())
  await every(2000, signal, async () => {
    const { items } = await get('/segments?limit=200')
    if (signal.aborted) return
    mount(box, table([
      { title: t('field.name'), cell: (s) => h('span', {}, h('a', { href: '#/segments/' + s.id }, s.name), s.description ? h('span', { class: 'evidence' }, s.description) : null) },
      { title: t('field.status'), cell: (s) => status(s.state) },
      { title: t('field.people'), num: true, cell: (s) => number(s.size) }], items, t('segments.empty')))
  })
}

export async function segment({ main, args: [id], signal }) {
  const size = h('span', { class: 'n', 'aria-live': 'polite' })
  const state = h('span')
  const s = await get('/segments/' + id)
  const members = await paged((cursor) => get(`/segments/${id}/members` + q({ cursor, limit: 50 })), (items) => table([
    { title: t('field.person'), cell: personLink }, { title: t('field.email'), cell: (p) => p.traits?.email ?? '' }, { title: t('field.last_seen'), cell: (p) => ago(p.last_seen) }], items, t('list.nobody')))
  const history = h('div')
  mount(main, h('div', { class: 'head' }, h('div', {}, h('h1', {}, s.name), h('p', { class: 'lead' }, s.description))),
    h('div', { class: 'tiles' }, h('div', { class: 'tile' }, size, h('span', { class: 'l' }, h('span', { class: 'live' }), t('field.people'))), h('div', { class: 'tile' }, state)),
    h('div', { class: 'grid' }, h('section', { class: 'card' }, h('h2', {}, t('segments.rule')), h('pre', {}, JSON.stringify(s.rule, null, 2))), h('section', { class: 'card' }, h('h2', {}, t('segments.history')), history)),
    h('section', { class: 'card' }, h('h2', {}, t('segments.members')), members))
  await every(2000, signal, async () => {
    const [now, moves] = await Promise.all([get('/segments/' + id), get(`/segments/${id}/history?limit=12`)])
    if (signal.aborted) return
    mount(size, number(now.size))
    mount(state, status(now.state))
    mount(history, table([
      { title: t('field.person'), cell: (m) => personLink(m.person) },
      { title: t('segments.move'), cell: (m) => t(m.entered ? 'segments.entered' : 'segments.left') },
      { title: t('segments.cause'), cell: (m) => t('cause.' + m.cause) },
      { title: t('field.time'), cell: (m) => h('span', { class: 'nowrap' }, time(m.at)) }], moves.items, t('segments.no_moves')))
  })
}

const example = {
  all: [
    { event: { name: 'Order Completed', agg: 'count', op: 'gte', value: 2, window: { within: { n: 90, unit: 'day' } } } },
    { any: [{ trait: { path: 'country', op: 'eq', value: 'JP' } }, { device: { path: 'os', op: 'eq', value: 'iOS' } }] },
  ],
}

export async function newSegment({ main, signal }) {
  const name = h('input', { required: true, maxlength: 120 })
  const rule = h('textarea', { spellcheck: 'false', 'aria-describedby': 'count' }, JSON.stringify(example, null, 2))
  const count = h('div', { id: 'count', 'aria-live': 'polite' })
  const error = h('p', { class: 'error', role: 'alert' })
  let round = 0
  const preview = async () => {
    const mine = ++round
    try {
      const p = await post('/segments/preview', { rule: JSON.parse(rule.value) })
      if (mine !== round || signal.aborted) return
      mount(count, h('div', { class: 'tile' }, h('span', { class: 'n' }, number(p.count)), h('span', { class: 'l' }, t('field.people'))),
        h('h2', {}, t('segments.by_condition')), table([{ title: t('segments.condition'), cell: (c) => h('code', { class: 'break small' }, c.path || t('segments.whole')) }, { title: t('field.people'), num: true, cell: (c) => number(c.count) }], p.conditions ?? [], ''),
        h('h2', {}, t('segments.sample')), table([{ title: t('field.person'), cell: personLink }], p.sample ?? [], t('list.nobody')))
      mount(error)
    } catch (err) {
      if (mine === round) mount(error, err instanceof SyntaxError ? t('segments.bad_json', { detail: err.message }) : message(err))
    }
  }
  let timer
  rule.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(preview, 350) })
  const save = async (e) => {
    e.preventDefault()
    try {
      const s = await post('/segments', { name: name.value, rule: JSON.parse(rule.value) })
      location.hash = '#/segments/' + s.id
    } catch (err) { mount(error, err instanceof SyntaxError ? t('segments.bad_json', { detail: err.message }) : message(err)) }
  }
  mount(main, h('h1', {}, t('segments.new')), h('p', { class: 'lead' }, t('segments.new_lead')),
    h('form', { class: 'grid', onsubmit: save },
      h('section', { class: 'card' }, h('label', {}, h('span', {}, t('field.name')), name), h('label', {}, h('span', {}, t('segments.rule')), rule), error, h('button', { class: 'primary', type: 'submit' }, t('action.save'))),
      h('section', { class: 'card' }, count)))
  await preview()
}
