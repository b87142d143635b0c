// The language that the reader reads at the moment. speak() of index.ts changes it; formats follow.
export type Language = 'en' | 'zh-Hans' | 'ja'

let current: Language = 'en'

export const language = (): Language => current

export function setLanguage(lang: Language) {
  current = lang
}
