// How long a line is for its reader: by what people see as one character, and by how wide that is.
const segments = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** Text with each piece of Liquid replaced by a word of six letters, as the server's checks do. */
export const readable = (text: string) => text.replace(/\{%[\s\S]*?%\}/g, '').replace(/\{\{[\s\S]*?\}\}/g, 'xxxxxx')

/** What a reader counts as characters: 👨‍👩‍👧 is one, が of two code points is one. */
export function graphemes(text: string): number {
  let n = 0
  for (const _ of segments.segment(text)) n++
  return n
}

const wide = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Extended_Pictographic}　-〿＀-｠￠-￦]/u

/** Columns the text takes: Chinese, Japanese and Korean characters and pictures are two wide. */
export function width(text: string): number {
  let n = 0
  for (const { segment } of segments.segment(text)) n += wide.test(segment) ? 2 : 1
  return n
}

export type Advice = 'empty' | 'good' | 'long'

// Widths of the server's checks (content/check_text.go): phones show 40 columns of a subject, desktops half as much again.
const most = { subject: 60, preheader: 180 }

export function advise(kind: keyof typeof most, text: string): { count: number; advice: Advice; cjk: boolean } {
  const shown = readable(text).trim()
  const count = graphemes(shown)
  const w = width(shown)
  return { count, cjk: w * 2 > count * 3, advice: count === 0 ? 'empty' : w > most[kind] ? 'long' : 'good' }
}
