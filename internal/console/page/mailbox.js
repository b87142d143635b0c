// The demonstration's mailbox: what would have been sent to the sample's customers.
import { h, mount, every, toast } from './dom.js'
import { loadLanguage, number, t, time } from './i18n.js'

async function get(path) {
  const res = await fetch('/demo/mailbox' + path)
  if (!res.ok) throw new Error(t(res.status === 401 ? 'mailbox.sign_in' : 'mailbox.gone'))
  return res.json()
}

async function open(id, box) {
  const m = await get('/' + id)
  const frame = h('iframe', { title: m.Subject, sandbox: 'allow-popups allow-popups-to-escape-sandbox', class: 'letter', src: `/demo/mailbox/${id}/letter` })
  mount(box, h('section', { class: 'card' }, h('h2', {}, m.Subject), h('p', { class: 'dim small' }, m.From, ' → ', m.To), frame,
    h('details', {}, h('summary', {}, t('mailbox.text')), h('pre', {}, m.Text)),
    h('details', {}, h('summary', {}, t('mailbox.headers')), h('pre', {}, (m.Headers ?? []).map((x) => `${x.Name}: ${x.Value}`).join('\n')))))
  box.scrollIntoView({ block: 'nearest' })
}

await loadLanguage()
const theme = localStorage.getItem('theme')
if (theme) document.documentElement.dataset.theme = theme
const list = h('div')
const letter = h('div')
mount(document.getElementById('main'), h('h1', {}, t('nav.mailbox')), h('p', { class: 'lead' }, t('mailbox.lead')), letter, h('section', { class: 'card' }, list))
const show = (id) => open(id, letter).catch((e) => toast(e.message))
try {
  await every(3000, new AbortController().signal, async () => {
    const { items, count } = await get('')
    mount(list, h('h2', {}, t('mailbox.count', { n: number(count) })), (items ?? []).length === 0 ? h('p', { class: 'empty' }, t('mailbox.empty')) : h('div', { class: 'scroll' }, h('table', {},
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, t('field.person')), h('th', { scope: 'col' }, t('field.subject')), h('th', { scope: 'col' }, t('field.time')))),
      h('tbody', {}, items.map((m) => h('tr', {}, h('td', { class: 'break' }, m.To), h('td', {}, h('button', { class: 'link', onclick: () => show(m.ID) }, m.Subject)), h('td', { class: 'nowrap' }, time(m.Date))))))))
  })
} catch (err) {
  mount(list, h('p', { class: 'error', role: 'alert' }, err.message))
}
