import { h } from './dom.js'
import { language, languages, setLanguage, t } from './i18n.js'

// languageChoice lets the reader choose a language; changed is called once its texts are there.
export const languageChoice = (changed) => h('select', { 'aria-label': t('nav.language'), onchange: async (e) => { await setLanguage(e.target.value); changed() } },
  languages.map(([code, name]) => h('option', { value: code, selected: code === language() }, name)))
