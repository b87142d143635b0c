// Small helpers to build the page from data. Text always goes in as text, never as HTML.
import { t, has } from './i18n.js'

export function h(tag, props, ...children) {
  const el = document.createElement(tag)
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue
    if (key.startsWith('on')) el.addEventListener(key.slice(2), value)
    else if (key === 'value') el.value = value
    else el.setAttribute(key, value === true ? '' : value)
  }
  el.append(...children.flat(9).filter((c) => c !== null && c !== undefined && c !== false))
  return el
}

export function mount(el, ...children) {
  el.replaceChildren(...children.flat(9).filter((c) => c !== null && c !== undefined && c !== false))
}

// message is what to tell a person about an error of the API: its translation if there is one, else its own words.
export function message(err) {
  const key = 'error.' + err.code
  const text = err.code && has(key) ? t(key) : err.message
  return err.field && text === err.message ? `${err.field}: ${text}` : text
}

export function toast(text) {
  const box = document.getElementById('toast')
  mount(box, h('span', {}, text))
  setTimeout(() => mount(box), 3500)
}

// every runs fn now and then each `ms` until the view is left; hidden tabs wait. An error is shown, and the next
// round tries again.
export async function every(ms, signal, fn) {
  await fn()
  const timer = setInterval(async () => {
    if (document.hidden) return
    try { await fn() } catch (err) { if (!signal.aborted) toast(message(err)) }
  }, ms)
  signal.addEventListener('abort', () => clearInterval(timer))
}

export function table(columns, rows, empty) {
  if (rows.length === 0) return h('p', { class: 'empty' }, empty)
  return h('div', { class: 'scroll' }, h('table', {},
    h('thead', {}, h('tr', {}, columns.map((c) => h('th', { scope: 'col', class: c.num ? 'num' : null }, c.title)))),
    h('tbody', {}, rows.map((r) => h('tr', {}, columns.map((c) => h('td', { class: c.num ? 'num' : null }, c.cell(r))))))))
}

// paged shows a list page by page: load(cursor) returns {items, next_cursor}; render draws all items so far.
export async function paged(load, render) {
  const box = h('div')
  let items = []
  async function more(cursor) {
    const page = await load(cursor)
    items = items.concat(page.items ?? [])
    mount(box, render(items), page.next_cursor ? h('p', {}, h('button', { onclick: () => more(page.next_cursor).catch((e) => toast(message(e))) }, t('list.more'))) : null)
  }
  await more('')
  return box
}
