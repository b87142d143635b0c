// Pieces that several views show.
import { get, q } from '../api.js'
import { h, mount, paged, table } from '../dom.js'
import { money, number, percent, t, time } from '../i18n.js'

const tones = { live: 'good', ready: 'good', sent: 'good', active: 'good', sending: 'warn', preparing: 'warn', evaluating: 'warn', scheduled: 'warn', review: 'warn', paused: 'warn', failed: 'bad', refused: 'bad', bounced: 'bad', parked: 'bad', cancelled: 'bad' }

export const status = (s) => h('span', { class: 'tag ' + (tones[s] ?? '') }, t('status.' + s))

// reason is why the gate refused, in the reader's language.
export const reason = (code) => t('reason.' + code)

export const personLink = (p) => h('a', { href: '#/people/' + p.id }, p.name || p.email || p.traits?.name || p.traits?.email || p.identifiers?.[0]?.value || p.id)

// moneyTile shows amounts of several currencies; sums over currencies would say nothing.
export const moneyTile = (amounts, label) => (amounts ?? []).length === 0 ? null : h('div', { class: 'tile wide' },
  h('div', { class: 'amounts' }, amounts.map((m) => h('span', { class: 'n' }, money(m.minor, m.currency)))), h('span', { class: 'l' }, t(label)))

// report draws the figures of a campaign or a journey node as tiles; each leads to the people behind it.
export function report(r, open) {
  const share = (metric) => {
    const rate = r.rates?.[metric]
    return rate?.n ? t('report.share', { share: percent(rate.share), low: percent(rate.low), high: percent(rate.high), n: number(rate.n) }) : ''
  }
  const tile = (metric) => h('button', { class: 'tile', onclick: () => open(metric), 'aria-label': `${t('metric.' + metric)}: ${number(r[metric] ?? 0)}` },
    h('span', { class: 'n' }, number(r[metric] ?? 0)), h('span', { class: 'l' }, t('metric.' + metric)), h('span', { class: 'r' }, share(metric)))
  const metrics = ['audience', 'refused', 'queued', 'sent', 'delivered', 'bounced', 'failed', 'opened', 'clicked', 'converted', 'unsubscribed']
  return h('div', {},
    h('div', { class: 'tiles' }, metrics.map(tile),
      moneyTile(r.revenue, 'metric.revenue'),
      r.uncertain ? h('div', { class: 'tile', title: t('metric.uncertain_help') }, h('span', { class: 'n' }, number(r.uncertain)), h('span', { class: 'l' }, t('metric.uncertain'))) : null),
    (r.refused_by_reason ?? []).length ? h('section', { class: 'card' }, h('h2', {}, t('report.refused')), table([
      { title: t('field.reason'), cell: (x) => h('button', { class: 'link', onclick: () => open('refused', x.reason) }, reason(x.reason)) },
      { title: t('field.people'), num: true, cell: (x) => number(x.count) }], r.refused_by_reason, '')) : null)
}

// behind lists the people behind one figure.
export async function behind(box, title, path, params) {
  const list = await paged((cursor) => get(path + q({ ...params, cursor, limit: 50 })), (items) => table([
    { title: t('field.person'), cell: (m) => personLink(m.person ?? m) },
    { title: t('field.status'), cell: (m) => m.state ? status(m.state) : '' },
    { title: t('field.reason'), cell: (m) => m.reason ? h('span', {}, reason(m.reason), m.detail ? h('span', { class: 'evidence' }, m.detail) : null) : '' },
    { title: t('field.time'), cell: (m) => h('span', { class: 'nowrap' }, time(m.at ?? m.sent_at ?? m.created_at)) }], items, t('list.nobody')))
  mount(box, h('section', { class: 'card' }, h('h2', {}, title), list))
  box.scrollIntoView({ block: 'nearest' })
}
