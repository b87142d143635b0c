// Texts, numbers, dates, money and names in the reader's language. Catalogues are flat JSON: key -> text with {name} places;
// plural forms end in _one and _other (the form is chosen by {count}). They are loaded one at a time, as files.
import i18next from 'i18next'
import { useSyncExternalStore } from 'react'
import en from './en.json?url'
import ja from './ja.json?url'
import { type Language, language, setLanguage } from './language'
import { fillClosely } from './spaces'
import zhHans from './zh-Hans.json?url'

export const languages: { code: Language; name: string }[] = [
  { code: 'en', name: 'English' },
  { code: 'zh-Hans', name: '简体中文' },
  { code: 'ja', name: '日本語' },
]

const files: Record<Language, string> = { en, 'zh-Hans': zhHans, ja }
const listeners = new Set<() => void>()
let revision = 0

const fit = (wanted: string): Language => (/^zh/i.test(wanted) ? 'zh-Hans' : /^ja/i.test(wanted) ? 'ja' : 'en')

/** The reader's choice, else the browser's first language that we have. */
export function preferred(): Language {
  const chosen = localStorage.getItem('language')
  if (chosen) return fit(chosen)
  return fit(navigator.languages.find((l) => /^(en|zh|ja)/i.test(l)) ?? 'en')
}

/** Loads a catalogue and shows it; the page's language follows, which also selects the right Han glyphs. */
export async function speak(lang: Language, texts?: Record<string, string>) {
  const catalogue = texts ?? ((await (await fetch(files[lang])).json()) as Record<string, string>)
  if (!i18next.isInitialized) {
    await i18next.init({
      lng: lang,
      fallbackLng: false,
      keySeparator: false,
      nsSeparator: false,
      interpolation: { prefix: '{', suffix: '}', escapeValue: false }, // React escapes
      resources: { [lang]: { translation: catalogue } },
    })
  } else {
    i18next.addResourceBundle(lang, 'translation', catalogue, true, true)
    await i18next.changeLanguage(lang)
  }
  setLanguage(lang)
  revision++
  document.documentElement.lang = lang
  for (const l of listeners) l()
}

/** Changes the language and keeps the choice in this browser. */
export function choose(lang: Language) {
  localStorage.setItem('language', lang)
  return speak(lang)
}

/** t is a text in the reader's language. Components call useT() once, so that they follow a change of language. */
export const t = (key: string, values: Record<string, string | number> = {}): string => {
  const fill = (v: Record<string, string | number>) => i18next.t(key, v) as string
  return language() === 'zh-Hans' ? fillClosely(fill, values) : fill(values)
}

/** True if the catalogue has the key; for codes of the server that may be newer than we are. */
export const hasText = (key: string): boolean => i18next.exists(key)

/** The codes that have a text below a prefix: codesBelow('audit.noun') is ['account', ...]. */
export const codesBelow = (prefix: string): string[] =>
  Object.keys((i18next.getResourceBundle(language(), 'translation') ?? {}) as object)
    .filter((k) => k.startsWith(`${prefix}.`))
    .map((k) => k.slice(prefix.length + 1))

/** A text for a code of the server; the code itself where no catalogue knows it yet. */
export const word = (prefix: string, code: string): string =>
  hasText(`${prefix}.${code}`) ? t(`${prefix}.${code}`) : code.replaceAll('_', ' ')

const subscribe = (l: () => void) => {
  listeners.add(l)
  return () => void listeners.delete(l)
}

/** Draws the component anew when the language changes; gives t. */
export function useT() {
  useSyncExternalStore(subscribe, () => revision)
  return t
}

export * from './format'
export { type Language, language }
