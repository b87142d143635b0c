import { api, get, post } from '../api.js'
import { h, message, mount, paged, table, toast } from '../dom.js'
import { ago, number, t, time } from '../i18n.js'
import { status } from './parts.js'

// settings shows where events come from, the way out, API keys, and what the intake has refused.
export async function settings({ main }) {
  const sections = [sources, accounts, rules, keys, rejections].map((draw) => [draw, h('section', { class: 'card' })])
  mount(main, h('h1', {}, t('nav.settings')), h('p', { class: 'lead' }, t('settings.lead')), sections.map(([, box]) => box))
  await Promise.all(sections.map(([draw, box]) => draw(box).catch((err) => mount(box, h('p', { class: 'error' }, message(err))))))
}

// form is a small form in a fold; its fields are inputs by name.
function form(title, fields, save) {
  const error = h('p', { class: 'error', role: 'alert' })
  const box = h('details', {}, h('summary', {}, title), h('form', { onsubmit: async (e) => {
    e.preventDefault()
    try { await save(Object.fromEntries(Object.entries(fields).map(([k, [, input]]) => [k, input.value]))) } catch (err) { mount(error, message(err)) }
  } }, Object.values(fields).map(([label, input]) => h('label', {}, h('span', {}, label), input)), error, h('button', { class: 'primary', type: 'submit' }, t('action.save'))))
  return box
}

async function sources(box) {
  const { items } = await get('/sources?limit=200')
  const fields = {
    name: [t('field.name'), h('input', { required: true, maxlength: 200 })],
    kind: [t('field.kind'), h('select', {}, ['server', 'browser'].map((k) => h('option', { value: k }, t('source.' + k))))],
  }
  mount(box, h('h2', {}, t('settings.sources')), table([
    { title: t('field.name'), cell: (s) => s.name }, { title: t('field.kind'), cell: (s) => t('source.' + s.kind) },
    { title: t('settings.write_key'), cell: (s) => h('code', { class: 'break' }, s.write_key) }, { title: t('settings.last_used'), cell: (s) => s.last_used ? ago(s.last_used) : '–' },
    { title: '', cell: (s) => h('button', { onclick: async () => {
      try { await api('PUT', '/sources/' + s.id, { name: s.name, disabled: !s.disabled }); await sources(box) } catch (err) { toast(message(err)) }
    } }, t(s.disabled ? 'action.enable' : 'action.disable')) }], items, ''),
  form(t('settings.new_source'), fields, async (v) => { await post('/sources', v); await sources(box) }))
}

async function accounts(box) {
  const { items } = await get('/accounts')
  const text = (props = {}) => h('input', props)
  const fields = {
    name: [t('field.name'), text({ required: true })], from_name: [t('account.from_name'), text()], from_address: [t('account.from_address'), text({ type: 'email', required: true })],
    host: [t('account.host'), text({ required: true, placeholder: 'smtp.example.com' })], port: [t('account.port'), text({ type: 'number', min: 1, max: 65535, value: '587' })],
    security: [t('account.security'), h('select', {}, ['required', 'implicit', 'opportunistic', 'none'].map((s) => h('option', { value: s }, t('security.' + s))))],
    username: [t('account.username'), text({ autocomplete: 'off' })], password: [t('signin.password'), text({ type: 'password', autocomplete: 'new-password' })],
  }
  mount(box, h('h2', {}, t('settings.accounts')), table([
    { title: t('field.name'), cell: (a) => a.name }, { title: t('account.from_address'), cell: (a) => a.from_address },
    { title: t('account.host'), cell: (a) => `${a.config.host}:${a.config.port ?? ''}` }, { title: t('field.status'), cell: (a) => status(a.status) },
    { title: '', cell: (a) => h('button', { onclick: async () => {
      try { await post(`/accounts/${a.id}/check`); toast(t('account.works')) } catch (err) { toast(message(err)) }
    } }, t('account.check')) }], items, t('account.empty')),
  form(t('settings.new_account'), fields, async ({ host, port, security, username, password, ...rest }) => {
    await post('/accounts', { ...rest, kind: 'email', default: true, config: { host, port: Number(port), security, username, password } })
    await accounts(box)
  }))
}

// rules is what must hold before messages go out: approval, quiet hours, caps, holdout, and the switch that stops everything.
async function rules(box) {
  const [w, policy, sending, topics] = await Promise.all([get('/workspace'), get('/sending/policy'), get('/sending'), get('/topics?limit=200')])
  const names = Object.fromEntries(topics.items.map((x) => [x.id, x.name]))
  const attempt = async (change) => {
    try { await change(); toast(t('settings.saved')) } catch (err) { toast(message(err)) }
    await rules(box)
  }
  const put = (change) => attempt(() => api('PUT', '/sending/policy', { quiet: policy.quiet, caps: policy.caps, holdout: policy.holdout, ...change }))
  const approve = h('input', { type: 'checkbox', checked: w.approve_campaigns, onchange: () => attempt(() => api('PATCH', '/workspace', { approve_campaigns: approve.checked })) })
  const without = (list, i) => list.filter((_, k) => k !== i)
  const remove = (change) => h('button', { onclick: () => put(change) }, t('action.remove'))
  const clock = () => h('input', { type: 'time', required: true })
  const amount = (min, value) => h('input', { type: 'number', min, value: String(value), required: true })
  const pick = (options) => h('select', {}, options.map(([value, label]) => h('option', { value }, label)))
  const holdout = h('input', { type: 'number', min: 0, max: 50, step: 'any', value: String(policy.holdout) })
  mount(box, h('h2', {}, t('settings.rules')),
    h('p', {}, sending.stopped ? h('span', { class: 'tag bad' }, t('sending.stopped')) : h('span', { class: 'tag good' }, t('sending.running')), ' ',
      h('button', { onclick: () => attempt(() => api('PUT', '/sending', { stopped: !sending.stopped })) }, t(sending.stopped ? 'sending.resume' : 'sending.stop'))),
    h('label', { class: 'check' }, approve, h('span', {}, t('settings.approve'))),
    h('h3', {}, t('policy.quiet')), h('p', { class: 'dim small' }, t('policy.quiet_help')),
    table([{ title: t('policy.from'), cell: (x) => x.from }, { title: t('policy.to'), cell: (x) => x.to }, { title: t('policy.then'), cell: (x) => t('policy.' + x.then) },
      { title: '', cell: (x) => remove({ quiet: without(policy.quiet, policy.quiet.indexOf(x)) }) }], policy.quiet, t('policy.no_quiet')),
    form(t('policy.add_quiet'), { from: [t('policy.from'), clock()], to: [t('policy.to'), clock()], then: [t('policy.then'), pick([['hold', t('policy.hold')], ['refuse', t('policy.refuse')]])] },
      (v) => put({ quiet: [...policy.quiet, v] })),
    h('h3', {}, t('policy.caps')), h('p', { class: 'dim small' }, t('policy.caps_help')),
    table([{ title: t('policy.limit'), num: true, cell: (x) => number(x.limit) }, { title: t('policy.days'), cell: (x) => h('span', { class: 'nowrap' }, t(x.calendar ? 'policy.calendar_days' : 'policy.rolling_days', { n: number(x.days) })) },
      { title: t('campaigns.topic'), cell: (x) => x.topic ? names[x.topic] ?? x.topic : t('policy.all_topics') }, { title: t('policy.retry'), cell: (x) => x.retry_hours ? number(x.retry_hours) : '–' },
      { title: '', cell: (x) => remove({ caps: without(policy.caps, policy.caps.indexOf(x)) }) }], policy.caps, t('policy.no_caps')),
    form(t('policy.add_cap'), { limit: [t('policy.limit'), amount(1, 3)], days: [t('policy.days_count'), amount(1, 7)], kind: [t('policy.days'), pick([['rolling', t('policy.rolling')], ['calendar', t('policy.calendar')]])],
      topic: [t('campaigns.topic'), pick([['', t('policy.all_topics')], ...topics.items.map((x) => [x.id, x.name])])], retry: [t('policy.retry'), amount(0, 0)] },
    (v) => put({ caps: [...policy.caps, { limit: Number(v.limit), days: Number(v.days), calendar: v.kind === 'calendar', retry_hours: Number(v.retry), ...v.topic ? { topic: v.topic } : {} }] })),
    h('h3', {}, t('policy.holdout')), h('p', { class: 'dim small' }, t('policy.holdout_help')),
    h('form', { class: 'actions', onsubmit: (e) => { e.preventDefault(); put({ holdout: Number(holdout.value) }) } }, h('label', {}, h('span', {}, t('policy.percent')), holdout), h('button', { type: 'submit' }, t('action.save'))))
}

async function keys(box, secret) {
  const { items } = await get('/keys?limit=200')
  const fields = {
    name: [t('field.name'), h('input', { required: true, maxlength: 200 })],
    scopes: [t('settings.scopes'), h('input', { required: true, value: 'people.read segments.read reports.read' })],
  }
  mount(box, h('h2', {}, t('settings.keys')), secret ? h('p', { role: 'status' }, t('settings.secret_once'), ' ', h('code', { class: 'break' }, secret)) : null, table([
    { title: t('field.name'), cell: (k) => k.name }, { title: t('settings.scopes'), cell: (k) => h('span', { class: 'small break' }, k.scopes.join(' ')) },
    { title: t('settings.last_used'), cell: (k) => k.last_used ? ago(k.last_used) : '–' },
    { title: '', cell: (k) => k.revoked_at ? t('settings.revoked') : h('button', { onclick: async () => {
      if (!confirm(t('settings.revoke_confirm', { name: k.name }))) return
      try { await api('DELETE', '/keys/' + k.id); await keys(box) } catch (err) { toast(message(err)) }
    } }, t('settings.revoke')) }], items, t('settings.no_keys')),
  form(t('settings.new_key'), fields, async (v) => { const made = await post('/keys', { name: v.name, scopes: v.scopes.split(/[\s,]+/).filter(Boolean) }); await keys(box, made.secret) }))
}

async function rejections(box) {
  const list = await paged((cursor) => get('/rejections?limit=20&cursor=' + encodeURIComponent(cursor)), (items) => table([
    { title: t('field.time'), cell: (r) => h('span', { class: 'nowrap' }, time(r.at)) }, { title: t('field.reason'), cell: (r) => h('span', {}, r.reason, h('span', { class: 'evidence' }, r.code)) },
    { title: 'messageId', cell: (r) => h('code', { class: 'break' }, r.message_id ?? '') }], items, t('settings.no_rejections')))
  mount(box, h('h2', {}, t('settings.rejections')), list)
}
