// Edits of a mail's document. Every function returns a new document and leaves the given one as it is, so that undo keeps old ones.

export interface Style {
  [name: string]: string | boolean | undefined
}

/** One piece of content; its further fields are those of its kind, see GET /block-schema. */
export interface Block {
  id: string
  type: string
  if?: string
  style?: Style
  [field: string]: unknown
}

export interface Column {
  width?: number
  valign?: string
  blocks: Block[]
}

export interface Section {
  id: string
  if?: string
  style?: Style
  columns: Column[]
}

export interface MailDocument {
  version: number
  header?: string
  footer?: string
  width?: number
  sections: Section[]
}

/** A place for a block: before the one that stands there now. */
export interface Place {
  section: string
  column: number
  index: number
}

export const emptyDocument = (): MailDocument => ({ version: 1, sections: [{ id: 's1', columns: [{ blocks: [] }] }] })

/** All blocks in the order of reading, each with its place. */
export function blocksOf(doc: MailDocument): { block: Block; at: Place }[] {
  return doc.sections.flatMap((s) =>
    s.columns.flatMap((c, column) => c.blocks.map((block, index) => ({ block, at: { section: s.id, column, index } }))),
  )
}

export const findBlock = (doc: MailDocument, id: string) => blocksOf(doc).find((x) => x.block.id === id)
export const findSection = (doc: MailDocument, id: string) => doc.sections.find((s) => s.id === id)

/** The block or section that a place of the server ("sections[0].columns[1].blocks[2].url") is in. */
export function idAt(doc: MailDocument, path: string): string | undefined {
  const [, s, , c, , b] = /sections\[(\d+)\](\.columns\[(\d+)\](\.blocks\[(\d+)\])?)?/.exec(path) ?? []
  if (s === undefined) return undefined
  const section = doc.sections[Number(s)]
  return (c !== undefined && b !== undefined ? section?.columns[Number(c)]?.blocks[Number(b)]?.id : undefined) ?? section?.id
}

/** A name that neither a section nor a block of the document has. */
export function freshId(doc: MailDocument, prefix = 'b'): string {
  const taken = new Set([...doc.sections.map((s) => s.id), ...blocksOf(doc).map((x) => x.block.id)])
  let n = 1
  while (taken.has(`${prefix}${n}`)) n++
  return `${prefix}${n}`
}

const clamp = (n: number, least: number, most: number) => Math.min(Math.max(n, least), most)

function inColumn(doc: MailDocument, at: Pick<Place, 'section' | 'column'>, edit: (blocks: Block[]) => Block[]): MailDocument {
  return {
    ...doc,
    sections: doc.sections.map((s) =>
      s.id === at.section ? { ...s, columns: s.columns.map((c, i) => (i === at.column ? { ...c, blocks: edit(c.blocks) } : c)) } : s,
    ),
  }
}

/** Puts a block in; it gets a name of its own. A document without sections gets one. */
export function insertBlock(doc: MailDocument, block: Omit<Block, 'id'>, at?: Place): { doc: MailDocument; id: string } {
  if (doc.sections.length === 0) return insertBlock({ ...doc, sections: emptyDocument().sections }, block)
  const id = freshId(doc)
  const last = doc.sections.at(-1)!
  const place = at && findSection(doc, at.section) ? at : { section: last.id, column: 0, index: last.columns[0]?.blocks.length ?? 0 }
  return { id, doc: inColumn(doc, place, (b) => b.toSpliced(clamp(place.index, 0, b.length), 0, { ...block, id } as Block)) }
}

export function updateBlock(doc: MailDocument, id: string, change: (block: Block) => Block): MailDocument {
  const found = findBlock(doc, id)
  if (!found) return doc
  return inColumn(doc, found.at, (b) => b.map((x) => (x.id === id ? { ...change(x), id } : x)))
}

export function removeBlock(doc: MailDocument, id: string): MailDocument {
  const found = findBlock(doc, id)
  return found ? inColumn(doc, found.at, (b) => b.filter((x) => x.id !== id)) : doc
}

export function duplicateBlock(doc: MailDocument, id: string): { doc: MailDocument; id: string } {
  const found = findBlock(doc, id)
  if (!found) return { doc, id }
  return insertBlock(doc, structuredClone(found.block), { ...found.at, index: found.at.index + 1 })
}

/** Moves a block to a place that was read off the document as it is now. */
export function moveBlockTo(doc: MailDocument, id: string, to: Place): MailDocument {
  const found = findBlock(doc, id)
  if (!found || !findSection(doc, to.section)?.columns[to.column]) return doc
  const same = found.at.section === to.section && found.at.column === to.column
  const index = same && found.at.index < to.index ? to.index - 1 : to.index
  if (same && index === found.at.index) return doc
  return inColumn(removeBlock(doc, id), to, (b) => b.toSpliced(clamp(index, 0, b.length), 0, found.block))
}

/** Moves a block one step up (-1) or down (1); at the end of a column it goes on into the next column or section. */
export function moveBlock(doc: MailDocument, id: string, step: -1 | 1): MailDocument {
  const found = findBlock(doc, id)
  if (!found) return doc
  const columns = doc.sections.flatMap((s) => s.columns.map((c, column) => ({ section: s.id, column, count: c.blocks.length })))
  const here = columns.findIndex((c) => c.section === found.at.section && c.column === found.at.column)
  const { index } = found.at
  if (step < 0 && index > 0) return moveBlockTo(doc, id, { ...found.at, index: index - 1 })
  if (step > 0 && index < columns[here]!.count - 1) return moveBlockTo(doc, id, { ...found.at, index: index + 2 })
  const next = columns[here + step]
  return next ? moveBlockTo(doc, id, { section: next.section, column: next.column, index: step < 0 ? next.count : 0 }) : doc
}

/** Puts a section in after another one, else at the end. */
export function insertSection(doc: MailDocument, columns = 1, after?: string): { doc: MailDocument; id: string } {
  const id = freshId(doc, 's')
  const at = doc.sections.findIndex((s) => s.id === after)
  const made: Section = { id, columns: Array.from({ length: columns }, () => ({ blocks: [] })) }
  return { id, doc: { ...doc, sections: doc.sections.toSpliced(at < 0 ? doc.sections.length : at + 1, 0, made) } }
}

export function updateSection(doc: MailDocument, id: string, change: (s: Section) => Section): MailDocument {
  return { ...doc, sections: doc.sections.map((s) => (s.id === id ? { ...change(s), id } : s)) }
}

export const removeSection = (doc: MailDocument, id: string): MailDocument => ({
  ...doc,
  sections: doc.sections.filter((s) => s.id !== id),
})

export function duplicateSection(doc: MailDocument, id: string): { doc: MailDocument; id: string } {
  const at = doc.sections.findIndex((s) => s.id === id)
  if (at < 0) return { doc, id }
  const made = insertSection(doc, doc.sections[at]!.columns.length, id)
  let out = updateSection(made.doc, made.id, () => ({
    ...structuredClone(doc.sections[at]!),
    columns: doc.sections[at]!.columns.map((c) => ({ ...c, blocks: [] })),
  }))
  doc.sections[at]!.columns.forEach((c, column) => {
    c.blocks.forEach((b, index) => {
      out = insertBlock(out, structuredClone(b), { section: made.id, column, index }).doc
    })
  })
  return { doc: out, id: made.id }
}

export function moveSection(doc: MailDocument, id: string, step: -1 | 1): MailDocument {
  const from = doc.sections.findIndex((s) => s.id === id)
  const to = from + step
  if (from < 0 || to < 0 || to >= doc.sections.length) return doc
  const sections = [...doc.sections]
  const [moved] = sections.splice(from, 1)
  sections.splice(to, 0, moved!)
  return { ...doc, sections }
}

/** Changes how many columns a section has; blocks of columns that go move into the last one that stays. */
export function setColumns(doc: MailDocument, id: string, count: number): MailDocument {
  return updateSection(doc, id, (s) => {
    const kept = s.columns.slice(0, count).map((c) => ({ ...c, width: undefined, blocks: [...c.blocks] }))
    while (kept.length < count) kept.push({ width: undefined, blocks: [] })
    kept.at(-1)!.blocks.push(...s.columns.slice(count).flatMap((c) => c.blocks))
    return { ...s, columns: kept }
  })
}

/** The words of a block for a list of blocks: without tags, Liquid left as it is. */
export function excerpt(block: Block): string {
  const text = ['text', 'label', 'alt', 'src', 'snippet', 'each', 'html']
    .map((k) => block[k])
    .find((v) => typeof v === 'string' && v !== '')
  return typeof text === 'string'
    ? text
        .replace(/<[^>]*>/g, ' ')
        .replace(/\s+/g, ' ')
        .trim()
        .slice(0, 120)
    : ''
}
