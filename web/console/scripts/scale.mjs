// Refuses sizes off the 4-px scale: distances and sizes in stylesheets (px), and the same as numbers in properties of components.
// Hairlines of 1 and 2 px may be; what must stand elsewhere for the eye says why: /* off the scale: reason */ on its line.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const sized =
  /^\s*(?:padding|margin|gap|row-gap|column-gap|inset|top|right|bottom|left|width|height|min-|max-|flex|grid-template|border-radius|border-spacing|translate|--)[\w-]*:(.*)/
const prop = /\b(?:[mp][trblxy]?|gap|spacing|verticalSpacing|w|h|maw|mah|miw|mih|width|height)=\{(?:\{[^}]*\}|-?[\d.]+)\}/g
const off = (n) => n % 4 !== 0 && n > 2

const faults = []
for (const file of readdirSync('src', { recursive: true }).map((f) => join('src', f))) {
  if (!/(\.css|(?<!\.test)\.tsx)$/.test(file) || file.endsWith('tokens.css')) continue
  for (const [i, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    if (line.includes('off the scale:')) continue
    const sizes = file.endsWith('.css')
      ? [...(sized.exec(line)?.[1] ?? '').matchAll(/([\d.]+)px/g)].map((m) => m[1])
      : [...line.matchAll(prop)].flatMap(([m]) => [...m.matchAll(/(?<!['\w.])([\d.]+)(?!['\w%])/g)].map((n) => n[1]))
    for (const s of sizes)
      if (off(Number(s))) faults.push(`${file}:${i + 1}: ${s} px is off the 4-px scale; take ${4 * Math.floor(s / 4) || 2} or ${4 * Math.ceil(s / 4)}, or a token of ui/tokens.css`)
  }
}
for (const f of faults) console.error(f)
if (faults.length > 0) process.exit(1)
