// Where two versions of a mail, a snippet or the brand differ, in the words of their inputs.
import type { Difference } from '@/app/ClashNotice'
import { formatLanguage, hasText, t, word } from '@/i18n'

interface Place {
  /** Names of members that lead there. */
  path: string[]
  /** The kind of the block around it. */
  block?: string
  locale?: string
}

type Members = Record<string, unknown>

const members = (v: unknown): v is Members => typeof v === 'object' && v !== null && !Array.isArray(v)
const empty = (v: unknown): boolean =>
  v === undefined || v === null || v === '' || v === false || (typeof v === 'object' && Object.values(v).every(empty))

/** What is said there, without marks. */
export function gistOf(v: unknown): string {
  if (typeof v === 'string')
    return v
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ')
      .trim()
  if (typeof v === 'boolean') return t(v ? 'rule.true' : 'rule.false')
  if (!members(v) && !Array.isArray(v)) return v === undefined || v === null ? '' : String(v)
  return Object.entries(v)
    .filter(([key]) => key !== 'id' && key !== 'type')
    .map(([, x]) => gistOf(x))
    .filter(Boolean)
    .join(' · ')
    .slice(0, 300)
}

/** "Subject", "日本語 · Button: Link": what is at a place. */
function nameAt({ path, block, locale }: Place): string {
  const field = path.at(-1) ?? ''
  const around = path.at(-2) ?? ''
  const keys = [
    `brand.${around}_${field}`,
    `content.${field}`,
    `purpose.${field}`,
    `block.field.${field}`,
    `block.colour.${field}`,
    `content.field_${field}`,
    `brand.${field}`,
    `field.${field}`,
  ]
  const key = keys.find(hasText)
  const scheme = around === 'light' || around === 'dark' ? `${t(`brand.${around}`)}: ` : ''
  const name = field === '' && block ? '' : key ? t(key) : field
  const kind = block ? (block === 'section' ? t('content.section_name') : word('block.kind', block)) : ''
  const what = kind && name ? `${kind}: ${name}` : kind || `${scheme}${name}`
  return locale ? `${formatLanguage(locale)} · ${what}` : what
}

/** Where the two differ, each place once; `theirs` is what is saved. */
export function differencesOf(theirs: unknown, mine: unknown, at: Place = { path: [] }): Difference[] {
  if (JSON.stringify(theirs) === JSON.stringify(mine) || (empty(theirs) && empty(mine))) return []
  if (Array.isArray(theirs) || Array.isArray(mine)) {
    const a = (theirs ?? []) as unknown[]
    const b = (mine ?? []) as unknown[]
    const keyOf = (x: unknown) => (members(x) ? String(x.id ?? x.locale ?? '') : '')
    if ([...a, ...b].every((x) => keyOf(x) !== '')) {
      const keys = [...new Set([...a, ...b].map(keyOf))]
      const found = keys.flatMap((k) => {
        const [x, y] = [a.find((v) => keyOf(v) === k), b.find((v) => keyOf(v) === k)] as (Members | undefined)[]
        const some = x ?? y ?? {}
        const next: Place = some.locale
          ? { path: [], locale: String(some.locale) }
          : { ...at, path: [], block: String(some.type ?? (some.columns ? 'section' : (at.block ?? ''))) }
        return x && y ? differencesOf(x, y, next) : [{ label: nameAt(next), theirs: gistOf(x), mine: gistOf(y) }]
      })
      const moved = found.length === 0 && a.map(keyOf).join() !== b.map(keyOf).join()
      return moved ? [{ label: t('content.order'), theirs: gistOf(a), mine: gistOf(b) }] : found
    }
    if ([...a, ...b].some(members) && a.length === b.length) return a.flatMap((x, i) => differencesOf(x, b[i], at))
    return [{ label: nameAt(at), theirs: gistOf(theirs), mine: gistOf(mine) }]
  }
  if ((members(theirs) || empty(theirs)) && (members(mine) || empty(mine)) && (members(theirs) || members(mine))) {
    const [a, b] = [(theirs ?? {}) as Members, (mine ?? {}) as Members]
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((k) => differencesOf(a[k], b[k], { ...at, path: [...at.path, k] }))
  }
  return [{ label: nameAt(at), theirs: gistOf(theirs), mine: gistOf(mine) }]
}
