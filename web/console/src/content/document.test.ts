import { expect, test } from 'vitest'
import {
  blocksOf,
  duplicateBlock,
  duplicateSection,
  emptyDocument,
  excerpt,
  idAt,
  insertBlock,
  insertSection,
  type MailDocument,
  moveBlock,
  moveBlockTo,
  moveSection,
  removeBlock,
  setColumns,
  updateBlock,
} from './document'
import { begin, edit, redo, undo } from './history'

const sample = (): MailDocument => ({
  version: 1,
  sections: [
    {
      id: 's1',
      columns: [
        {
          blocks: [
            { id: 'b1', type: 'heading', text: 'A' },
            { id: 'b2', type: 'text', text: 'B' },
          ],
        },
        { blocks: [{ id: 'b3', type: 'button', label: 'C', url: 'https://x.example' }] },
      ],
    },
    { id: 's2', columns: [{ blocks: [] }] },
  ],
})

const places = (d: MailDocument) => d.sections.map((s) => s.columns.map((c) => c.blocks.map((b) => b.id).join(' ')))

test('a block goes in where it is asked for and gets a free name', () => {
  const made = insertBlock(sample(), { type: 'divider' }, { section: 's1', column: 0, index: 1 })
  expect(made.id).toBe('b4')
  expect(places(made.doc)).toEqual([['b1 b4 b2', 'b3'], ['']])
  expect(places(insertBlock(sample(), { type: 'divider' }).doc)).toEqual([['b1 b2', 'b3'], ['b4']])
  expect(blocksOf(insertBlock({ version: 1, sections: [] }, { type: 'divider' }).doc)).toHaveLength(1)
})

test('blocks move step by step through columns and sections and stop at the ends', () => {
  let d = moveBlock(sample(), 'b1', 1)
  expect(places(d)).toEqual([['b2 b1', 'b3'], ['']])
  d = moveBlock(d, 'b1', 1)
  expect(places(d)).toEqual([['b2', 'b1 b3'], ['']])
  d = moveBlock(moveBlock(d, 'b1', 1), 'b1', 1)
  expect(places(d)).toEqual([['b2', 'b3'], ['b1']])
  expect(moveBlock(d, 'b1', 1)).toBe(d)
  expect(places(moveBlock(d, 'b1', -1))).toEqual([['b2', 'b3 b1'], ['']])
  expect(moveBlock(d, 'b2', -1)).toBe(d)
})

test('a block that is dropped stands before the one it was dropped on', () => {
  expect(places(moveBlockTo(sample(), 'b1', { section: 's1', column: 0, index: 2 }))).toEqual([['b2 b1', 'b3'], ['']])
  expect(places(moveBlockTo(sample(), 'b3', { section: 's1', column: 0, index: 0 }))).toEqual([['b3 b1 b2', ''], ['']])
  const d = sample()
  expect(moveBlockTo(d, 'b1', { section: 's1', column: 0, index: 1 })).toBe(d)
  expect(moveBlockTo(d, 'b1', { section: 'gone', column: 0, index: 0 })).toBe(d)
})

test('removing, changing and copying leave the rest and the old document alone', () => {
  const d = sample()
  expect(places(removeBlock(d, 'b2'))).toEqual([['b1', 'b3'], ['']])
  expect(updateBlock(d, 'b1', (b) => ({ ...b, id: 'other', text: 'Z' })).sections[0]!.columns[0]!.blocks[0]).toEqual({
    id: 'b1',
    type: 'heading',
    text: 'Z',
  })
  const copy = duplicateBlock(d, 'b1')
  expect(places(copy.doc)).toEqual([['b1 b4 b2', 'b3'], ['']])
  expect(d).toEqual(sample())
})

test('sections are added, copied with new names, moved, and keep their blocks when columns go', () => {
  const d = sample()
  expect(insertSection(d, 2, 's1').doc.sections.map((s) => s.id)).toEqual(['s1', 's3', 's2'])
  const copy = duplicateSection(d, 's1')
  expect(places(copy.doc)).toEqual([['b1 b2', 'b3'], ['b4 b5', 'b6'], ['']])
  expect(moveSection(d, 's1', 1).sections.map((s) => s.id)).toEqual(['s2', 's1'])
  expect(moveSection(d, 's1', -1)).toBe(d)
  expect(places(setColumns(d, 's1', 1))).toEqual([['b1 b2 b3'], ['']])
  expect(places(setColumns(d, 's1', 3))).toEqual([['b1 b2', 'b3', ''], ['']])
})

test('a place of the server leads to its block, else to its section', () => {
  expect(idAt(sample(), 'document.sections[0].columns[1].blocks[0].url')).toBe('b3')
  expect(idAt(sample(), 'sections[1].columns[0].width')).toBe('s2')
  expect(idAt(sample(), 'subject')).toBeUndefined()
})

test('a list shows the words of a block without tags', () => {
  expect(excerpt({ id: 'b', type: 'text', text: '<p>Hello <b>{{ person.name }}</b></p>' })).toBe('Hello {{ person.name }}')
  expect(excerpt({ id: 'b', type: 'divider' })).toBe('')
})

test('undo and redo walk through edits; keys of one input typed in a row are one step', () => {
  let h = begin(emptyDocument())
  const first = h.now
  const a = insertBlock(h.now, { type: 'text', text: '' }).doc
  h = edit(h, a, '', 0)
  h = edit(
    h,
    updateBlock(h.now, 'b1', (b) => ({ ...b, text: 'H' })),
    'b1.text',
    5000,
  )
  h = edit(
    h,
    updateBlock(h.now, 'b1', (b) => ({ ...b, text: 'Hi' })),
    'b1.text',
    5400,
  )
  expect(h.past).toHaveLength(2)
  h = undo(h)
  expect(h.now).toBe(a)
  h = undo(undo(h))
  expect(h.now).toBe(first)
  h = redo(redo(h))
  expect(blocksOf(h.now)[0]!.block.text).toBe('Hi')
  h = edit(undo(h), emptyDocument(), '', 9000)
  expect(h.future).toHaveLength(0)
  const steps = h.past.length
  h = edit(h, removeBlock(h.now, 'gone'), '', 9100)
  expect(h.past).toHaveLength(steps)
})
