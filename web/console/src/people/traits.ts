// A person's traits as rows of a form, and what became of them as a request.

export type TraitKind = 'text' | 'number' | 'boolean' | 'json'

export interface TraitRow {
  /** Tells rows apart while their names are written. */
  key: string
  name: string
  kind: TraitKind
  /** As it stands in the input; 'true' or 'false' of a boolean. Empty: there is none. */
  value: string
  /** Added in this form, so that its name and kind can be written too. */
  fresh?: boolean
}

/** What the product itself keeps among the traits. */
const kept = new Set(['standing', 'sample_data'])

const kindOf = (v: unknown): TraitKind =>
  typeof v === 'number' ? 'number' : typeof v === 'boolean' ? 'boolean' : typeof v === 'object' && v !== null ? 'json' : 'text'

export function rowsOf(traits: Record<string, unknown>): TraitRow[] {
  return Object.entries(traits)
    .filter(([name]) => !kept.has(name))
    .map(([name, v]) => ({ key: name, name, kind: kindOf(v), value: typeof v === 'object' ? JSON.stringify(v, null, 2) : String(v) }))
}

/** What is wrong, by the input: { 'rows.0.value': 'number' }; the words are trait_fault.* */
export function faultsOf(rows: TraitRow[]): Record<string, 'name' | 'twice' | 'number' | 'json' | 'email' | 'own'> {
  const out: ReturnType<typeof faultsOf> = {}
  rows.forEach((r, i) => {
    const name = r.name.trim()
    if (r.fresh && !name) out[`rows.${i}.name`] = 'name'
    else if (r.fresh && kept.has(name)) out[`rows.${i}.name`] = 'own'
    else if (rows.some((other, j) => j !== i && other.name.trim() === name)) {
      if (r.fresh) out[`rows.${i}.name`] = 'twice'
    }
    if (r.value.trim() === '') return
    if (r.kind === 'number' && !Number.isFinite(Number(r.value))) out[`rows.${i}.value`] = 'number'
    if (r.kind === 'json' && parse(r.value) === undefined) out[`rows.${i}.value`] = 'json'
    if (name === 'email' && !looksLikeMail(r.value)) out[`rows.${i}.value`] = 'email'
  })
  return out
}

/** Whether it can be an address at all; whether it exists only a mail can tell. */
export const looksLikeMail = (s: string) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(s.trim())

/** What is to be written: changed and new traits with their values, removed and emptied ones with null. */
export function changesOf(before: Record<string, unknown>, rows: TraitRow[]): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const was of rowsOf(before)) {
    const now = rows.find((r) => !r.fresh && r.name === was.name)
    if (!now || (now.value.trim() === '' && was.value !== '')) out[was.name] = null
    else if (now.value !== was.value) out[was.name] = valueOf(now)
  }
  for (const r of rows) if (r.fresh && r.value.trim() !== '') out[r.name.trim()] = valueOf(r)
  return out
}

function valueOf(r: TraitRow): unknown {
  switch (r.kind) {
    case 'number':
      return Number(r.value)
    case 'boolean':
      return r.value === 'true'
    case 'json':
      return parse(r.value)
    case 'text':
      return r.value.trim()
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
