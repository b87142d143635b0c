import { get, q } from '../api.js'
import { h, mount, paged, table, toast, message } from '../dom.js'
import { ago, money, number, percent, t, time } from '../i18n.js'
import { personLink, reason, status } from './parts.js'

export async function people({ main, query }) {
  const box = h('div')
  const search = h('input', { type: 'search', placeholder: t('people.search'), 'aria-label': t('people.search'), value: query.get('q') ?? '' })
  const list = async () => mount(box, await paged((cursor) => get('/people' + q({ q: search.value, cursor, limit: 50 })), (items) => table([
    { title: t('field.person'), cell: personLink },
    { title: t('field.email'), cell: (p) => h('span', { class: 'break' }, p.traits.email ?? '') },
    { title: t('field.place'), cell: (p) => [p.traits.city, p.traits.country].filter(Boolean).join(', ') },
    { title: t('field.last_seen'), cell: (p) => h('span', { class: 'nowrap' }, ago(p.last_seen)) }], items, search.value ? t('people.none_found') : t('people.empty'))))
  let timer
  search.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(() => list().catch((e) => toast(message(e))), 250) })
  mount(main, h('div', { class: 'head' }, h('div', {}, h('h1', {}, t('nav.people')), h('p', { class: 'lead' }, t('people.lead')))), h('div', { class: 'card' }, search, box))
  await list()
}

export async function person({ main, args: [id] }) {
  const [p, portrait] = await Promise.all([get('/people/' + id), get(`/people/${id}/portrait`)])
  const timeline = await paged((cursor) => get(`/people/${p.id}/events` + q({ cursor, limit: 25 })), drawTimeline)
  const messages = await paged((cursor) => get(`/people/${p.id}/messages` + q({ cursor, limit: 20 })), (items) => table([
    { title: t('field.subject'), cell: (m) => h('span', { class: 'break' }, m.subject || m.source?.name || m.id) },
    { title: t('field.status'), cell: (m) => h('span', {}, status(m.state), m.reason ? h('span', { class: 'evidence' }, reason(m.reason)) : null) },
    { title: t('metric.opened'), cell: (m) => m.opened_at ? ago(m.opened_at) : '' },
    { title: t('metric.clicked'), cell: (m) => m.clicked_at ? ago(m.clicked_at) : '' },
    { title: t('field.time'), cell: (m) => time(m.sent_at ?? m.created_at) }], items, t('person.no_messages')))
  const why = h('details', { ontoggle: async (e) => {
    if (!e.target.open || e.target.dataset.full) return
    e.target.dataset.full = 1
    e.target.append(await paged((cursor) => get(`/people/${p.id}/identity` + q({ cursor, limit: 30 })), (items) => table([
      { title: t('field.decision'), cell: (d) => t('identity.' + d.kind) },
      { title: t('field.identifier'), cell: (d) => h('span', { class: 'break' }, d.identifier ? `${d.identifier.kind} ${d.identifier.value}` : d.other ?? '') },
      { title: t('field.reason'), cell: (d) => d.reason ?? '' },
      { title: t('field.time'), cell: (d) => time(d.at) }], items, '')))
  } }, h('summary', {}, t('person.why_one')))
  mount(main,
    h('div', { class: 'head' }, h('div', {}, h('h1', {}, p.traits.name ?? p.traits.email ?? p.identifiers[0]?.value ?? p.id),
      h('p', { class: 'lead' }, t('person.seen', { first: time(p.first_seen), last: ago(p.last_seen) })))),
    h('div', { class: 'grid' }, h('section', { class: 'card' }, h('h2', {}, t('portrait.basic')), basic(p, portrait.basic)), h('section', { class: 'card' }, h('h2', {}, t('portrait.assets')), figures(portrait.assets)),
      h('section', { class: 'card' }, h('h2', {}, t('portrait.preferences')), figures(portrait.preferences), hours(portrait.preferences))),
    h('section', { class: 'card' }, h('h2', {}, t('person.identifiers')), table([
      { title: t('field.kind'), cell: (i) => i.kind }, { title: t('field.value'), cell: (i) => h('span', { class: 'break' }, i.value) },
      { title: t('field.status'), cell: (i) => status(i.status) }, { title: t('field.last_seen'), cell: (i) => ago(i.last_seen) }], p.identifiers, ''), why),
    h('section', { class: 'card' }, h('h2', {}, t('person.messages')), messages),
    h('section', { class: 'card' }, h('h2', {}, t('person.timeline')), timeline))
}

const drawTimeline = (items) => items.length === 0 ? h('p', { class: 'empty' }, t('person.no_events')) : h('ol', { class: 'timeline' }, items.map((e) => {
  const about = e.properties ?? {}
  const detail = about.title ?? about.segment_name ?? about.subject ?? about.name ?? about.url ?? about.reason ?? ''
  const total = about.total !== undefined && about.currency ? ` · ${about.total} ${about.currency}` : ''
  return h('li', { class: e.type }, h('strong', {}, e.name || e.type), detail || total ? h('span', { class: 'break' }, ' ', String(detail), total) : null,
    h('div', { class: 'dim small' }, time(e.time)), h('details', {}, h('summary', { class: 'small' }, t('person.details')), h('pre', {}, JSON.stringify({ message_id: e.message_id, ...about }, null, 2))))
}))

function basic(p, part) {
  return h('div', {}, figures(part), h('details', {}, h('summary', {}, t('person.traits', { n: Object.keys(p.traits).length })),
    h('dl', { class: 'dl' }, Object.entries(p.traits).map(([k, v]) => [h('dt', {}, k), h('dd', {}, typeof v === 'object' ? JSON.stringify(v) : String(v))]))))
}

// figures draws a part of the portrait: each key is a figure {value, evidence} or a list of them. What is missing has no evidence yet.
function figures(part) {
  const entries = Object.entries(part ?? {}).filter(([key, f]) => key !== 'hours' && f && (!Array.isArray(f) || f.length))
  if (entries.length === 0) return h('p', { class: 'empty' }, t('portrait.nothing'))
  return h('dl', { class: 'dl' }, entries.map(([key, f]) => {
    const list = Array.isArray(f) ? f : [f]
    return [h('dt', {}, t('figure.' + key)), h('dd', {}, list.map((x) => h('div', {}, shown(x.value))), evidence(list[0].evidence))]
  }))
}

const evidence = (e) => h('span', { class: 'evidence' }, t('evidence.' + e.rule), e.events ? ' · ' + t('evidence.events', { n: number(e.events), last: e.last ? ago(e.last) : '' }) : '')

// shown writes a value: text, number, time, share of several, money, or engagement on a channel.
function shown(v) {
  if (typeof v === 'number') return number(v)
  if (typeof v === 'string') return /^\d{4}-\d\d-\d\dT/.test(v) ? time(v) : v
  if ('share' in v) return `${v.value} ${percent(v.share)}`
  if ('net' in v) return t('figure.money', { net: money(v.net, v.currency), n: number(v.orders), average: money(v.average, v.currency) })
  if ('sent' in v) return t('figure.engagement', { channel: t('channel.' + v.channel), sent: number(v.sent), opened: number(v.opened), clicked: number(v.clicked) })
  return JSON.stringify(v)
}

function hours(part) {
  const f = part?.hours
  if (!f) return null
  const top = Math.max(...f.value.hours, 1)
  return h('div', {}, h('div', { class: 'bars', role: 'img', 'aria-label': t('figure.hours', { peak: f.value.peak, zone: f.value.zone }) }, f.value.hours.map((n, i) => {
    const bar = h('i', { class: i === f.value.peak ? 'peak' : null, title: `${i}:00 · ${number(n)}` })
    bar.style.height = `${(n / top) * 100}%`
    return bar
  })), h('span', { class: 'evidence' }, t('figure.hours', { peak: f.value.peak, zone: f.value.zone })), evidence(f.evidence))
}
