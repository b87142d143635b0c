// Contrast as WCAG 2.2 defines it, to show while a colour is chosen. The server computes the same (content/brand) and decides.
export type Palette = Record<string, string>

const least = 4.5 // success criterion 1.4.3

function luminance(colour: string): number | undefined {
  const m = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour)
  if (!m) return undefined
  const [r, g, b] = m.slice(1).map((x) => {
    const v = Number.parseInt(x, 16) / 255
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}

/** 1 to 21; 0 if one of them is no colour. */
export function contrast(a: string, b: string): number {
  const x = luminance(a)
  const y = luminance(b)
  if (x === undefined || y === undefined) return 0
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05)
}

const pairs: [string, string][] = [
  ['text', 'page'],
  ['text', 'surface'],
  ['text', 'subtle'],
  ['muted', 'page'],
  ['muted', 'surface'],
  ['muted', 'subtle'],
  ['accent', 'surface'],
  ['on_accent', 'accent'],
]

/** The pairs of colours that meet in mails. */
export const contrasts = (p: Palette) =>
  pairs.map(([fg, bg]) => {
    const ratio = Math.floor(contrast(p[fg] ?? '', p[bg] ?? '') * 100) / 100
    return { fg, bg, ratio, ok: ratio >= least }
  })
