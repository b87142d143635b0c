// Spaces between words and what fills their places. Chinese texts have one there ("{name} 的路径"), which is right beside Latin letters and figures only.

export const han = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u

const begin = '\ue000'
const end = '\ue001'
const wide = `(?:${han.source}|[“”‘’（）「」『』《》【】。，、：；？！])`
const afterValue = new RegExp(`(?<=${wide}${end}) (?=${wide})`, 'gu')
const beforeValue = new RegExp(`(?<=${wide}) (?=${begin}${wide})`, 'gu')

/** Fills a text with values; where a value and the words beside it are both written in Chinese or Japanese, the space between them falls away. */
export function fillClosely<V extends Record<string, string | number>>(fill: (values: V) => string, values: V): string {
  const marked = Object.entries(values).map(([k, v]) => [k, typeof v === 'string' ? `${begin}${v}${end}` : v])
  return fill(Object.fromEntries(marked) as V)
    .replace(afterValue, '')
    .replace(beforeValue, '')
    .replace(/[\ue000\ue001]/g, '')
}
