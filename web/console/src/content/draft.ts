// A template as the editor holds it: one text for each language, the main one first.
import type { Schemas } from '@/api'
import { emptyDocument, type MailDocument } from './document'

export type Draft = Schemas['TemplateDraft']
export type Template = Schemas['Template']

/** The words in one language. */
export interface Words {
  locale: string
  subject: string
  preheader: string
  html: string
  text: string
  document?: MailDocument
}

const doc = (d: unknown) => (d ? (d as MailDocument) : undefined)

export function draftOf(t: Template): Draft {
  const {
    name,
    channel,
    kind,
    locale,
    subject,
    preheader,
    html,
    text,
    from_name,
    reply_to,
    value_proposition,
    document,
    translations,
    purpose,
  } = t
  return {
    name,
    channel,
    kind,
    locale,
    subject,
    preheader,
    html,
    text,
    from_name,
    reply_to,
    value_proposition,
    document,
    translations,
    purpose,
  }
}

export function wordsOf(d: Draft): Words[] {
  return [{ ...d, locale: d.locale ?? '' }, ...(d.translations ?? [])].map((w) => ({
    locale: w.locale,
    subject: w.subject,
    preheader: w.preheader ?? '',
    html: w.html ?? '',
    text: w.text ?? '',
    document: doc(w.document),
  }))
}

/** Changes the words in one language; 0 is the main one. */
export function withWords(d: Draft, at: number, change: Partial<Words>): Draft {
  const patch = change as Partial<Schemas['Translation']>
  if (at === 0) return { ...d, ...patch }
  return { ...d, translations: (d.translations ?? []).map((t, i) => (i === at - 1 ? { ...t, ...patch } : t)) }
}

/** Adds a language with the words of another, to be written over. */
export function addLanguage(d: Draft, locale: string, from = 0): Draft {
  const words = wordsOf(d)
  const copied = structuredClone(words[from] ?? words[0]!)
  const made = { ...copied, locale } as unknown as Schemas['Translation']
  return { ...d, translations: [...(d.translations ?? []), made] }
}

export const removeLanguage = (d: Draft, at: number): Draft => ({
  ...d,
  translations: (d.translations ?? []).filter((_, i) => i !== at - 1),
})

/** Every language of blocks that a mail has a document in; a template of code has none. */
export const documentOf = (w: Words | undefined): MailDocument => w?.document ?? emptyDocument()

export const isBlocks = (d: Draft) => d.kind !== 'code'

/** Whether two drafts say the same; absent and empty are one. */
export const sameDraft = (a: Draft, b: Draft) => JSON.stringify(tidy(a)) === JSON.stringify(tidy(b))

function tidy(v: unknown): unknown {
  if (Array.isArray(v)) return v.map(tidy)
  if (typeof v !== 'object' || v === null) return v
  return Object.fromEntries(
    Object.entries(v)
      .filter(
        ([, x]) => x !== undefined && x !== '' && x !== false && !(typeof x === 'object' && x !== null && Object.keys(x).length === 0),
      )
      .toSorted(([x], [y]) => (x < y ? -1 : 1))
      .map(([k, x]) => [k, tidy(x)]),
  )
}
