import { get, post } from '../api.js'
import { every, h, message, mount, table, toast } from '../dom.js'
import { number, t, time } from '../i18n.js'
import { behind, reason, report, status } from './parts.js'

export async function campaigns({ main, signal }) {
  const box = h('div', { class: 'card' })
  mount(main, h('div', { class: 'head' }, h('div', {}, h('h1', {}, t('nav.campaigns')), h('p', { class: 'lead' }, t('campaigns.lead'))), h('a', { class: 'button primary', href: '#/campaigns/new' }, t('campaigns.new'))), box)
  await every(3000, signal, async () => {
    const { items } = await get('/campaigns?limit=200')
    if (signal.aborted) return
    mount(box, table([
      { title: t('field.name'), cell: (c) => h('a', { href: '#/campaigns/' + c.id }, c.name) },
      { title: t('field.status'), cell: (c) => status(c.status) },
      { title: t('field.time'), cell: (c) => time(c.launched_at ?? c.created_at) }], items, t('campaigns.empty')))
  })
}

export async function campaign({ main, args: [id], signal }) {
  const box = h('div')
  const people = h('div')
  mount(main, box, people)
  const act = (verb) => h('button', { onclick: async () => {
    try { await post(`/campaigns/${id}/${verb}`); await draw() } catch (err) { toast(message(err)) }
  } }, t('campaigns.' + verb))
  const draw = async () => {
    const [c, r] = await Promise.all([get('/campaigns/' + id), get(`/campaigns/${id}/report`)])
    if (signal.aborted) return
    const buttons = { draft: ['launch'], scheduled: ['cancel'], preparing: ['pause', 'cancel'], sending: ['pause', 'cancel'], paused: ['resume', 'cancel'] }[c.status] ?? []
    mount(box, h('div', { class: 'head' }, h('div', {}, h('h1', {}, c.name), h('p', { class: 'lead' }, status(c.status), ' ', c.progress ? t('campaigns.progress', { done: number(c.progress.done), total: number(c.progress.total) }) : '')),
      h('div', { class: 'actions' }, buttons.map(act))),
      report(r, (metric, why) => behind(people, t('metric.' + metric) + (why ? ' – ' + reason(why) : ''), `/campaigns/${id}/people`, { metric, reason: why }).catch((e) => toast(message(e)))))
  }
  await every(2000, signal, draw)
}

export async function newCampaign({ main }) {
  const [segments, topics, templates] = await Promise.all([get('/segments?limit=200'), get('/topics?limit=200'), get('/templates?limit=200')])
  const select = (items) => h('select', { required: true }, items.map((i) => h('option', { value: i.id }, i.size === undefined ? i.name : `${i.name} (${number(i.size)})`)))
  const name = h('input', { required: true, maxlength: 120 })
  const segment = select(segments.items)
  const topic = select(topics.items)
  const template = select(templates.items)
  const subject = h('input', { maxlength: 200 })
  const html = h('textarea', { spellcheck: 'true' }, '<p>{{ person.first_name | default: "…" }}</p>\n<p><a href="https://example.com/">…</a></p>')
  const own = h('details', {}, h('summary', {}, t('campaigns.write')), h('label', {}, h('span', {}, t('field.subject')), subject), h('label', {}, h('span', {}, t('campaigns.body')), html))
  const error = h('p', { class: 'error', role: 'alert' })
  const save = async (e) => {
    e.preventDefault()
    try {
      const tpl = own.open ? (await post('/templates', { name: name.value, channel: 'email', subject: subject.value, html: html.value })).id : template.value
      const c = await post('/campaigns', { name: name.value, audience: { include: [segment.value], exclude: [] }, topic: topic.value, template: tpl, channel: 'email' })
      location.hash = '#/campaigns/' + c.id
    } catch (err) { mount(error, message(err)) }
  }
  mount(main, h('h1', {}, t('campaigns.new')), h('p', { class: 'lead' }, t('campaigns.new_lead')),
    h('form', { class: 'card', onsubmit: save },
      h('label', {}, h('span', {}, t('field.name')), name), h('label', {}, h('span', {}, t('campaigns.audience')), segment),
      h('label', {}, h('span', {}, t('campaigns.topic')), topic), templates.items.length ? h('label', {}, h('span', {}, t('campaigns.template')), template) : null, own, error,
      h('button', { class: 'primary', type: 'submit' }, t('action.save'))))
  if (!templates.items.length) own.open = true
}
