// Language of the page: the reader's choice, else the browser's. Catalogues are flat: key -> text with {name} places.
export const languages = [['en', 'English'], ['zh-Hans', '简体中文'], ['ja', '日本語']]

let code = 'en'
let texts = {}
let fallback = {}

export const language = () => code
export const has = (key) => key in texts || key in fallback

export function t(key, values = {}) {
  const text = texts[key] ?? fallback[key] ?? key
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''))
}

async function load(lang) {
  const res = await fetch(`i18n/${lang}.json`)
  return res.json()
}

export async function loadLanguage() {
  const wanted = localStorage.getItem('language') ?? navigator.language
  code = /^zh/i.test(wanted) ? 'zh-Hans' : /^ja/i.test(wanted) ? 'ja' : 'en'
  fallback = await load('en')
  texts = code === 'en' ? fallback : await load(code)
  document.documentElement.lang = code
}

export async function setLanguage(lang) {
  localStorage.setItem('language', lang)
  await loadLanguage()
}

export const number = (n) => new Intl.NumberFormat(code).format(n)
export const percent = (x) => new Intl.NumberFormat(code, { style: 'percent', maximumFractionDigits: 1 }).format(x)
export const money = (minor, currency) => {
  const f = new Intl.NumberFormat(code, { style: 'currency', currency })
  return f.format(minor / 10 ** f.resolvedOptions().maximumFractionDigits)
}
export const time = (iso) => iso ? new Intl.DateTimeFormat(code, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(iso)) : '–'

export function ago(iso) {
  if (!iso) return '–'
  const seconds = (new Date(iso) - Date.now()) / 1000
  const f = new Intl.RelativeTimeFormat(code, { numeric: 'auto' })
  for (const [unit, size] of [['day', 86400], ['hour', 3600], ['minute', 60]]) {
    if (Math.abs(seconds) >= size) return f.format(Math.round(seconds / size), unit)
  }
  return f.format(Math.round(seconds), 'second')
}
