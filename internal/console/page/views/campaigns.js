import { api, get, post } from '../api.js'
import { every, h, message, mount, table, toast } from '../dom.js'
import { has, number, percent, t, time } from '../i18n.js'
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
  const check = h('div', { 'aria-live': 'polite' })
  const people = h('div')
  mount(main, box, check, people)
  const [segments, topics, templates] = await choices()
  const names = Object.fromEntries([...segments.items, ...topics.items, ...templates.items].map((i) => [i.id, i.name]))
  const name = (x) => names[x] ?? x
  const run = (label, does) => h('button', { onclick: async () => {
    try { await does() } catch (err) { toast(message(err)) }
  } }, label)
  const act = (verb) => run(t('campaigns.' + verb), async () => { await post(`/campaigns/${id}/${verb}`); await draw() })
  const again = (verb, c) => run(t('campaigns.' + verb), async () => {
    const made = await post(`/campaigns/${id}/${verb}`, { name: t(`campaigns.${verb}_name`, { name: c.name }), ...verb === 'resend' ? { segment_name: t('campaigns.unopened', { name: c.name }) } : {} })
    location.hash = `#/campaigns/${made.id}`
  })
  const buttons = { draft: ['launch'], review: ['approve', 'withdraw'], scheduled: ['pause', 'withdraw', 'cancel'], preparing: ['pause', 'cancel'], sending: ['pause', 'cancel'], paused: ['resume', 'cancel'], failed: ['launch', 'cancel'] }
  const draw = async () => {
    const [c, r] = await Promise.all([get('/campaigns/' + id), get(`/campaigns/${id}/report`)])
    if (signal.aborted) return
    const open = (metric, why) => behind(people, t('metric.' + metric) + (why ? ' – ' + reason(why) : ''), `/campaigns/${id}/people`, { metric, reason: why }).catch((e) => toast(message(e)))
    mount(box, h('div', { class: 'head' }, h('div', {}, h('h1', {}, c.name), h('p', { class: 'lead' }, status(c.status), ' ', c.progress.total ? t('campaigns.progress', { done: number(c.progress.done), total: number(c.progress.total) }) : '')),
      h('div', { class: 'actions' }, (buttons[c.status] ?? []).map(act),
        ['draft', 'scheduled'].includes(c.status) ? h('a', { class: 'button', href: `#/campaigns/${id}/edit` }, t('campaigns.edit')) : null,
        ['draft', 'review', 'scheduled'].includes(c.status) ? run(t('campaigns.preflight'), () => preflight(check, id)) : null,
        again('copy', c), c.status === 'sent' ? again('resend', c) : null)),
    c.error ? h('p', { class: 'error', role: 'alert' }, c.error) : null,
    h('section', { class: 'card' }, h('dl', { class: 'dl' }, [
      ['campaigns.audience', c.audience.include.map(name).join(t('list.separator'))],
      ['campaigns.exclude', (c.audience.exclude ?? []).map(name).join(t('list.separator'))],
      ['campaigns.topic', c.topic && name(c.topic)], ['campaigns.template', c.template && name(c.template)],
      ['campaigns.when', when(c)], ['campaigns.per_minute', c.plan?.per_minute ? number(c.plan.per_minute) : ''], ['campaigns.holdout', c.plan?.holdout ? percent(c.plan.holdout / 100) : ''],
    ].filter(([, v]) => v).map(([k, v]) => [h('dt', {}, t(k)), h('dd', {}, v)]))),
    c.plan?.test ? test(c, r, name) : null, report(r, open))
  }
  await every(2000, signal, draw)
}

// when tells the plan's time in words.
function when(c) {
  if (c.plan?.local) return t('campaigns.when_local', { time: time(c.plan.local + ':00') })
  const at = c.scheduled_at ? time(c.scheduled_at) : t('campaigns.when_now')
  return c.plan?.best_hour ? t('campaigns.when_best', { time: at }) : at
}

// test shows the variants of an A/B test side by side, and how it ended.
function test(c, r, name) {
  const x = c.plan.test
  const templates = [c.template, ...x.variants]
  const live = Object.fromEntries((r.variants ?? []).map((v) => [v.variant, v]))
  return h('section', { class: 'card' }, h('h2', {}, t('campaigns.test')),
    h('p', { class: 'dim small' }, t('campaigns.test_rule', { share: percent(x.share / 100), hours: number(x.hours), metric: t('metric.' + x.metric) })),
    table([
      { title: t('campaigns.variant'), cell: (v) => h('span', {}, v.letter, ' ', name(v.template), c.result?.winner === v.letter ? [' ', h('span', { class: 'tag good' }, t('campaigns.winner'))] : null) },
      ...['sent', 'delivered', 'opened', 'clicked', 'converted'].map((m) => ({ title: t('metric.' + m), num: true, cell: (v) => number(live[v.letter]?.[m] ?? 0) })),
      { title: t('metric.' + x.metric) + ' %', num: true, cell: (v) => {
        const rate = live[v.letter]?.rates?.[x.metric]
        return rate?.n ? h('span', { class: 'nowrap' }, t('report.share', { share: percent(rate.share), low: percent(rate.low), high: percent(rate.high), n: number(rate.n) })) : '–'
      } }], templates.map((template, i) => ({ template, letter: String.fromCharCode(65 + i) })), ''),
    c.result ? h('p', {}, t(c.result.certain ? 'campaigns.test_certain' : 'campaigns.test_uncertain', { winner: c.result.winner, chance: percent(c.result.chance) })) : null)
}

// preflight shows who would get the campaign, who would not, and why.
async function preflight(box, id) {
  const p = await get(`/campaigns/${id}/preflight`)
  const tile = (n, label) => h('div', { class: 'tile' }, h('span', { class: 'n' }, number(n)), h('span', { class: 'l' }, t(label)))
  mount(box, h('section', { class: 'card' }, h('h2', {}, t('campaigns.preflight')),
    h('div', { class: 'tiles' }, tile(p.included, 'preflight.included'), tile(p.excluded, 'preflight.excluded'), tile(p.audience, 'metric.audience'), tile(p.allowed, 'preflight.allowed')),
    p.checked < p.audience ? h('p', { class: 'dim small' }, t('preflight.estimate', { n: number(p.checked) })) : null,
    p.warnings.map((w) => h('p', { class: 'tag warn' }, has('preflight.' + w.code) ? t('preflight.' + w.code) : w.message)),
    p.refused_by_reason.length ? table([{ title: t('field.reason'), cell: (x) => reason(x.reason) }, { title: t('field.people'), num: true, cell: (x) => number(x.count) }], p.refused_by_reason, '') : null,
    p.arms.length ? [h('h2', {}, t('campaigns.test')), table([
      { title: t('campaigns.variant'), cell: (a) => a.variant }, { title: t('field.people'), num: true, cell: (a) => number(a.people) },
      { title: t('preflight.detectable'), num: true, cell: (a) => percent(a.detectable) }], p.arms, '')] : null))
  box.scrollIntoView({ block: 'nearest' })
}

const choices = () => Promise.all(['/segments?limit=200', '/topics?limit=200', '/templates?limit=200'].map((path) => get(path)))

export const newCampaign = (view) => editor(view, { name: '', audience: { include: [] } })

export async function editCampaign(view) {
  await editor(view, await get('/campaigns/' + view.args[0]))
}

// local is a date for an input of type datetime-local, on the reader's clock.
const local = (iso) => {
  const d = new Date(iso)
  return new Date(d - d.getTimezoneOffset() * 60000).toISOString().slice(0, 16)
}

async function editor({ main }, c) {
  const [segments, topics, templates] = await choices()
  const label = (i) => i.size === undefined ? i.name : `${i.name} (${number(i.size)})`
  const select = (items, chosen, props = {}) => h('select', props, items.map((i) => h('option', { value: i.id, selected: [chosen ?? []].flat().includes(i.id) }, label(i))))
  const field = (key, input, help) => h('label', {}, h('span', {}, t(key)), input, help ? h('span', { class: 'evidence' }, t(help)) : null)
  const chosen = (s) => [...s.selectedOptions].map((o) => o.value)
  const many = { multiple: true, size: Math.min(6, Math.max(2, segments.items.length)) }
  const name = h('input', { required: true, maxlength: 200, value: c.name })
  const include = select(segments.items, c.audience.include, { ...many, required: true })
  const exclude = select(segments.items, c.audience.exclude, many)
  const topic = select(topics.items, c.topic, { required: true })
  const template = select(templates.items, c.template)
  const subject = h('input', { maxlength: 200 })
  const html = h('textarea', { spellcheck: 'true' }, '<p>{{ person.first_name | default: "…" }}</p>\n<p><a href="https://example.com/">…</a></p>')
  const own = h('details', {}, h('summary', {}, t('campaigns.write')), field('field.subject', subject), field('campaigns.body', html))
  const mode = h('select', {}, ['now', 'at', 'local', 'best'].map((m) => h('option', { value: m, selected: m === (c.plan?.local ? 'local' : c.plan?.best_hour ? 'best' : c.scheduled_at ? 'at' : 'now') }, t('campaigns.mode_' + m))))
  const at = h('input', { type: 'datetime-local', value: c.plan?.local ?? (c.scheduled_at ? local(c.scheduled_at) : '') })
  const atField = field('field.time', at)
  const rate = h('input', { type: 'number', min: 0, value: String(c.plan?.per_minute ?? '') })
  const holdout = h('input', { type: 'number', min: 0, max: 50, step: 'any', value: String(c.plan?.holdout ?? '') })
  const x = c.plan?.test
  const variants = select(templates.items, x?.variants, { multiple: true, size: Math.min(5, Math.max(2, templates.items.length)) })
  const share = h('input', { type: 'number', min: 1, max: 100, value: String(x?.share ?? 20) })
  const metric = h('select', {}, ['opened', 'clicked', 'converted'].map((m) => h('option', { value: m, selected: m === (x?.metric ?? 'clicked') }, t('metric.' + m))))
  const hours = h('input', { type: 'number', min: 1, max: 336, value: String(x?.hours ?? 4) })
  const testing = h('details', { open: !!x }, h('summary', {}, t('campaigns.test')), field('campaigns.variants', variants, 'campaigns.variants_help'), field('campaigns.test_share', share), field('campaigns.test_metric', metric), field('campaigns.test_hours', hours, 'campaigns.test_hours_help'))
  const show = () => { atField.hidden = mode.value === 'now' || mode.value === 'best'; at.required = !atField.hidden }
  mode.addEventListener('change', show)
  show()
  const error = h('p', { class: 'error', role: 'alert' })
  const save = async (e) => {
    e.preventDefault()
    try {
      const made = own.open ? (await post('/templates', { name: name.value, channel: 'email', subject: subject.value, html: html.value })).id : template.value
      const plan = { per_minute: Number(rate.value || 0), holdout: Number(holdout.value || 0) }
      if (mode.value === 'local') plan.local = at.value
      if (mode.value === 'best') plan.best_hour = true
      if (testing.open && chosen(variants).length) plan.test = { variants: chosen(variants), share: Number(share.value), metric: metric.value, hours: Number(hours.value) }
      const draft = { name: name.value, audience: { include: chosen(include), exclude: chosen(exclude) }, topic: topic.value, template: made, channel: 'email', goal: c.goal, plan }
      if (mode.value === 'at') draft.scheduled_at = new Date(at.value).toISOString()
      const saved = c.id ? await api('PUT', '/campaigns/' + c.id, draft) : await post('/campaigns', draft)
      location.hash = '#/campaigns/' + saved.id
    } catch (err) { mount(error, message(err)) }
  }
  mount(main, h('h1', {}, c.id ? c.name : t('campaigns.new')), h('p', { class: 'lead' }, t('campaigns.new_lead')),
    h('form', { onsubmit: save },
      h('section', { class: 'card' }, field('field.name', name), h('div', { class: 'grid' }, field('campaigns.audience', include), field('campaigns.exclude', exclude, 'campaigns.many_help')), field('campaigns.topic', topic)),
      h('section', { class: 'card' }, templates.items.length ? field('campaigns.template', template) : null, own, testing),
      h('section', { class: 'card' }, field('campaigns.when', mode), atField, field('campaigns.per_minute', rate, 'campaigns.per_minute_help'), field('campaigns.holdout', holdout, 'campaigns.holdout_help')),
      error, h('button', { class: 'primary', type: 'submit' }, t('action.save'))))
  if (!templates.items.length) own.open = true
}
