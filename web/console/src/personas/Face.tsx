import css from './personas.module.css'

/** The first letters of a name: of two words, or the first character of one. */
export function initials(name: string): string {
  const words = name
    .replace(/[(（].*/u, '')
    .trim()
    .split(/\s+/)
  const first = (w: string | undefined) => Array.from(w ?? '')[0] ?? ''
  const one = first(words[0])
  // Han and kana say enough alone; two of them would be read as a word.
  return (
    words.length > 1 && /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]/u.test(one) ? one + first(words.at(-1)) : one
  ).toUpperCase()
}

/** The picture of a persona, or its initials on its colour. */
export function Face({ name, colour = 1, picture, size = 56 }: { name: string; colour?: number; picture?: string; size?: number }) {
  const box = { width: size, height: size, fontSize: Math.round(size * 0.38) }
  return picture ? (
    <img src={picture} alt="" className={css.face} style={box} />
  ) : (
    <span aria-hidden className={css.face} style={{ ...box, background: `color-mix(in srgb, var(--ui-chart-${colour}) 80%, black)` }}>
      {initials(name)}
    </span>
  )
}
