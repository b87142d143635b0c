import { get, post, q } from '../api.js'
import { h, message, mount, paged, table, toast } from '../dom.js'
import { ago, number, t } from '../i18n.js'
import { personLink } from './parts.js'

// lists are sets of people that somebody uploads; they stand below the segments.
export async function listSection() {
  const box = h('section', { class: 'card' })
  const draw = async () => {
    const { items } = await get('/lists?limit=200')
    const name = h('input', { required: true, maxlength: 200, 'aria-label': t('field.name'), placeholder: t('lists.new') })
    mount(box, h('h2', {}, t('lists.title')), table([
      { title: t('field.name'), cell: (l) => h('a', { href: '#/lists/' + l.id }, l.name) }, { title: t('field.people'), num: true, cell: (l) => number(l.size) }], items, t('lists.empty')),
    h('form', { class: 'actions', onsubmit: async (e) => {
      e.preventDefault()
      try { const l = await post('/lists', { name: name.value }); location.hash = '#/lists/' + l.id } catch (err) { toast(message(err)) }
    } }, name, h('button', { type: 'submit' }, t('lists.make'))))
  }
  await draw()
  return box
}

export async function list({ main, args: [id] }) {
  const l = await get('/lists/' + id)
  const members = h('div')
  const draw = async () => mount(members, await paged((cursor) => get(`/lists/${id}/members` + q({ cursor, limit: 50 })), (items) => table([
    { title: t('field.person'), cell: personLink }, { title: t('field.email'), cell: (p) => p.traits?.email ?? '' }, { title: t('field.last_seen'), cell: (p) => ago(p.last_seen) }], items, t('list.nobody'))))
  const rows = h('textarea', { spellcheck: 'false', placeholder: 'email:aya@example.com\nuser_id:u1', 'aria-label': t('lists.upload') })
  const file = h('input', { type: 'file', accept: '.txt,.csv', 'aria-label': t('lists.file'), onchange: async () => { rows.value = await file.files[0].text() } })
  const result = h('div', { role: 'status' })
  const send = (verb) => async () => {
    // A bare address is a mail address; anything else is written kind:value.
    const all = rows.value.split(/[\r\n]+/).map((r) => r.trim().replace(/^"|"$/g, '')).filter(Boolean).map((r) => !r.includes(':') && r.includes('@') ? 'email:' + r : r)
    const counts = {}
    const bad = []
    try {
      for (let from = 0; from < all.length; from += 5000) {
        const done = await post(`/lists/${id}/${verb}`, { rows: all.slice(from, from + 5000) })
        for (const [k, n] of Object.entries(done.counts)) counts[k] = (counts[k] ?? 0) + n
        bad.push(...done.rows.filter((r) => r.outcome === 'unknown'))
      }
      mount(result, h('p', {}, Object.entries(counts).map(([k, n]) => `${t('lists.' + k)} ${number(n)}`).join(' · ')), bad.length ? h('pre', {}, bad.slice(0, 100).map((r) => r.row).join('\n')) : null)
      await draw()
    } catch (err) { mount(result, h('p', { class: 'error' }, message(err))) }
  }
  mount(main, h('h1', {}, l.name), h('p', { class: 'lead' }, t('lists.lead')),
    h('section', { class: 'card' }, h('h2', {}, t('lists.upload')), file, rows, h('div', { class: 'actions' }, h('button', { class: 'primary', onclick: send('members') }, t('lists.add')), h('button', { onclick: send('remove') }, t('lists.remove'))), result),
    h('section', { class: 'card' }, h('h2', {}, t('segments.members')), members))
  await draw()
}
