// Rich text as it is stored (a few tags, Liquid, an empty line between paragraphs) and as it is written in the visual field. What the sender's
// renderer makes of a text is said by runs, which read it like inline() of internal/domain/content/block/inline.go does: two texts with the same
// runs are the same letter. The field takes a text only if what it would write back has its runs.
import type { JSONContent } from '@tiptap/core'
import { hasText, t } from '@/i18n'

/** Characters (Liquid in them is one private character each), the beginning or the end of an element; for a link its address. */
export interface Run {
  op: 't' | '<' | '>'
  tag?: string
  text?: string
}

/** Why a text cannot be shown in the visual field: what stands in the way, and which part of the text that is. */
export interface Obstacle {
  why: 'tag' | 'between' | 'other'
  what: string
}

class Unfit extends Error {
  constructor(readonly obstacle: Obstacle) {
    super(obstacle.why)
  }
}

const unfit = (why: Obstacle['why'], what = ''): never => {
  throw new Unfit({ why, what })
}

const private_ = /[\u{F0000}-\u{FFFFD}]/u
const marksOf: Record<string, string> = {
  b: 'bold',
  strong: 'bold',
  i: 'italic',
  em: 'italic',
  u: 'underline',
  s: 'strike',
  sup: 'superscript',
  sub: 'subscript',
  a: 'link',
}
const listsOf: Record<string, string> = { ul: 'bulletList', ol: 'orderedList' }
const structural = new Set(['p', 'ul', 'ol', 'li'])

/** The pieces of Liquid in a text, in order: {{ … }}, {% … %}, and whole comments and raw parts. One that is never closed is text. */
export function pieces(src: string): { from: number; to: number }[] {
  const out = []
  for (let pos = 0; ; ) {
    const at = src.slice(pos).search(/\{[{%]/)
    if (at < 0) return out
    const from = pos + at
    let to = closed(src, from)
    const [, block] = /^\{%-?\s*(comment|raw)\b/.exec(src.slice(from, to)) ?? []
    for (let depth = 1; block && depth > 0 && to > 0; ) {
      const m = new RegExp(`\\{%-?\\s*(end)?${block}\\b`, 'g')
      m.lastIndex = to
      const next = m.exec(src)
      to = next ? closed(src, next.index) : -1
      depth += next?.[1] ? -1 : block === 'comment' ? 1 : 0
    }
    if (to < 0) return out
    out.push({ from, to })
    pos = to
  }
}

function closed(src: string, from: number): number {
  const end = src[from + 1] === '%' ? '%}' : '}}'
  let quote = ''
  for (let i = from + 2; i < src.length; i++) {
    const c = src[i]!
    if (quote) quote = c === quote ? '' : quote
    else if (c === '"' || c === "'") quote = c
    else if (src.startsWith(end, i)) return i + 2
  }
  const at = quote ? src.indexOf(end, from + 2) : -1
  return at < 0 ? -1 : at + 2
}

const element = () => document.createElement('span')

function decode(s: string): string {
  return s.replace(/&(?:#\w+|[a-zA-Z]\w*);?/g, (ref) => {
    const e = element()
    e.innerHTML = ref
    return e.textContent
  })
}

function decodeAddress(s: string): string {
  if (!s.includes('&')) return s
  const e = element()
  e.innerHTML = `<a href="${s.replaceAll('"', '&quot;')}"></a>`
  return e.firstElementChild!.getAttribute('href') ?? ''
}

const tokens = /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-z]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>|<[a-z/!?][^>]*>?|[^<]+|</gi

/** Reads a text as the renderer does; throws what only the renderer or nobody could read. */
function read(src: string): { runs: Run[]; liquid: string[]; structured: boolean } {
  if (private_.test(src) || /\r(?!\n)|\0/.test(src)) unfit('other')
  const liquid: string[] = []
  let masked = ''
  let pos = 0
  for (const p of pieces(src)) {
    masked += src.slice(pos, p.from) + String.fromCodePoint(0xf0000 + liquid.length)
    liquid.push(src.slice(p.from, p.to))
    pos = p.to
  }
  masked += src.slice(pos)
  const shown = (s: string) => s.replace(new RegExp(private_, 'gu'), (c) => liquid[c.codePointAt(0)! - 0xf0000]!)
  const runs: Run[] = []
  const open: string[] = []
  let text = ''
  const flush = () => {
    const says = decode(text)
    if (/\{[{%]/.test(says) && !/\{[{%]/.test(text)) unfit('other', text)
    if (text) runs.push({ op: 't', text: says })
    text = ''
  }
  for (const m of masked.matchAll(tokens)) {
    const name = m[2]?.toLowerCase()
    if (!name) {
      if (/^<[a-z/!?]/i.test(m[0])) unfit('tag', shown(m[0]))
      text += m[0]
      continue
    }
    flush()
    const known = name === 'br' || structural.has(name) || marksOf[name]
    const attributes = [...m[3]!.matchAll(/([a-z]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/gi)].map((a) => ({
      name: a[1]!.toLowerCase(),
      value: a[2] ?? a[3]!,
    }))
    const href = attributes.filter((a) => a.name === 'href')
    const fine =
      name === 'a'
        ? attributes.every((a) => ['href', 'target', 'rel'].includes(a.name)) && href.length === (m[1] ? 0 : 1)
        : attributes.length === 0
    if (!known || !fine || (name === 'br' ? m[1] : m[4])) unfit('tag', shown(m[0]))
    if (m[1]) {
      if (open.pop() !== name) unfit('tag', m[0])
      runs.push({ op: '>', tag: name })
    } else {
      const to = decodeAddress(href[0]?.value ?? '').trim()
      if (name === 'a' && !to) unfit('tag', m[0])
      runs.push(name === 'a' ? { op: '<', tag: name, text: to } : { op: '<', tag: name })
      if (name !== 'br') open.push(name)
    }
  }
  flush()
  if (open.length > 0) unfit('tag', `<${open.at(-1)}>`)
  const structured = runs.some((r) => structural.has(r.tag ?? ''))
  return { runs: structured ? runs : paragraphs(runs), liquid, structured }
}

/** Paragraphs out of empty lines, breaks out of line ends, wherever the tags stand beside them. */
function paragraphs(runs: Run[]): Run[] {
  const out: Run[] = [{ op: '<', tag: 'p' }]
  const open: Run[] = []
  let ends = 0 // line ends that nothing has followed yet
  let begun = false // the paragraph has something in it
  let broken = false // what came last was a break, which the line end behind it does not repeat
  const follow = () => {
    if (ends > 1) {
      out.push(...open.toReversed().map(({ tag }): Run => ({ op: '>', tag })))
      for (let i = 0; i < Math.floor(ends / 2); i++) out.push({ op: '>', tag: 'p' }, { op: '<', tag: 'p' })
      out.push(...open)
    } else if (ends === 1 && begun && !broken) out.push({ op: '<', tag: 'br' })
    ends = 0
    begun = true
    broken = false
  }
  for (const r of runs) {
    if (r.op === 't')
      for (const [j, text] of r.text!.replaceAll('\r\n', '\n').split('\n').entries()) {
        if (j > 0) ends++
        if (!text) continue
        follow()
        out.push({ op: 't', text })
      }
    else if (r.op === '>') {
      out.push(r)
      open.pop()
    } else if (r.tag === 'br') {
      if (ends === 1) ends = 0 // the same line end, written twice
      follow()
      out.push(r)
      broken = true
    } else {
      follow()
      out.push(r)
      open.push(r)
    }
  }
  if (ends > 1) follow()
  return [...out, { op: '>', tag: 'p' }]
}

/** What of a text matters to its reader: with tags of their own, line ends are spaces, and the room between paragraphs and items is nothing. */
export function runs(src: string): Run[] {
  const r = read(src)
  const all = r.structured ? smooth(r.runs) : r.runs
  const shown = (s?: string) => s?.replace(new RegExp(private_, 'gu'), (c) => r.liquid[c.codePointAt(0)! - 0xf0000]!)
  return all.map((x) => (x.text === undefined ? x : { ...x, text: shown(x.text) }))
}

function smooth(all: Run[]): Run[] {
  const edge = (r?: Run) => !r || structural.has(r.tag ?? '')
  const flows = (i: number, r: Run) =>
    r.op === 't' && !(/^\s*$/.test(r.text!) && edge(all[i - 1]) && edge(all[i + 1]) && !(all[i - 1]?.op === '<' && all[i + 1]?.op === '>'))
  return all
    .filter((r, i) => r.op !== 't' || flows(i, r))
    .map((r) => (r.op === 't' ? { ...r, text: r.text!.replace(/[ \t]*[\r\n]\s*/g, ' ') } : r))
}

type Mark = { type: string; attrs: Record<string, unknown> }

/** The text as a document of the visual field, or what stands in the way. */
export function parse(src: string): { doc: JSONContent } | { obstacle: Obstacle } {
  try {
    const { runs: all, liquid, structured } = read(src)
    const doc = { type: 'doc', content: build(structured ? smooth(all) : all, liquid) }
    if (JSON.stringify(runs(write(doc))) !== JSON.stringify(runs(src))) unfit('other')
    return { doc }
  } catch (err) {
    if (err instanceof Unfit) return { obstacle: err.obstacle }
    throw err
  }
}

function build(all: Run[], liquid: string[]): JSONContent[] {
  let at = 0
  const ends = (tag: string) => all[at]?.op === '>' && all[at]?.tag === tag
  const begins = (...tags: string[]) => all[at]?.op === '<' && tags.includes(all[at]!.tag!)
  const says = (r?: Run) => (r?.text ?? '').replace(new RegExp(private_, 'gu'), (c) => liquid[c.codePointAt(0)! - 0xf0000]!)
  // Characters, breaks and marks, up to what is none of them.
  const inline = (): JSONContent[] => {
    const out: JSONContent[] = []
    const marks: Mark[] = []
    for (; at < all.length; at++) {
      const r = all[at]!
      const add = (node: JSONContent) => out.push(marks.length > 0 ? { ...node, marks: [...marks] } : node)
      if (r.op === 't')
        for (const part of r.text!.split(new RegExp(`(${private_.source})`, 'u'))) {
          if (private_.test(part)) add({ type: 'liquid', attrs: { src: liquid[part.codePointAt(0)! - 0xf0000] } })
          else if (part) add({ type: 'text', text: part })
        }
      else if (r.tag === 'br') add({ type: 'hardBreak' })
      else if (!marksOf[r.tag!]) break
      else if (r.op === '>') marks.pop()
      else if (marks.some((m) => m.type === marksOf[r.tag!]))
        unfit('other') // bold within bold
      else if (r.tag === 'a') marks.push({ type: 'link', attrs: { href: says(r), depth: marks.length } })
      else marks.push({ type: marksOf[r.tag!]!, attrs: { tag: r.tag, depth: marks.length } })
    }
    if (marks.length > 0) unfit('other')
    return out
  }
  const paragraph = (): JSONContent => {
    const content = inline()
    return content.length > 0 ? { type: 'paragraph', content } : { type: 'paragraph' }
  }
  const close = (tag: string) => (ends(tag) ? at++ : unfit('between', all[at]?.op === 't' ? says(all[at]) : `<${all[at]?.tag ?? tag}>`))
  const list = (): JSONContent => {
    const tag = all[at++]!.tag!
    const content: JSONContent[] = []
    while (begins('li')) {
      at++
      const item = [paragraph()]
      while (begins('ul', 'ol')) item.push(list())
      close('li')
      content.push({ type: 'listItem', content: item })
    }
    if (content.length === 0) unfit('tag', `<${tag}>`)
    close(tag)
    return { type: listsOf[tag], content }
  }
  const out: JSONContent[] = []
  while (at < all.length) {
    if (begins('ul', 'ol')) out.push(list())
    else if (begins('p')) {
      at++
      out.push(paragraph())
      close('p')
    } else unfit('between', all[at]?.op === 't' ? says(all[at]).trim() : `<${all[at]!.tag}>`)
  }
  return out
}

const escapeText = (s: string) =>
  s
    .replace(/&(?:#\w+|[a-zA-Z]\w*);?/g, (ref) => (decode(ref) === ref ? ref : `&amp;${ref.slice(1)}`))
    .replaceAll('<', '&lt;')
    .replaceAll('\u00a0', '&nbsp;')

/** An address within double quotes; its Liquid stays as it is. */
function escapeAddress(s: string): string {
  let out = ''
  let pos = 0
  const literal = (x: string) => (decodeAddress(x) === x ? x : x.replaceAll('&', '&amp;')).replaceAll('"', '&quot;')
  for (const p of pieces(s)) {
    out += literal(s.slice(pos, p.from)) + s.slice(p.from, p.to)
    pos = p.to
  }
  return out + literal(s.slice(pos))
}

const tagOf = (m: Mark) =>
  m.type === 'link' ? 'a' : typeof m.attrs.tag === 'string' ? m.attrs.tag : Object.keys(marksOf).find((k) => marksOf[k] === m.type)!
const keyOf = (m: Mark) => `${tagOf(m)} ${m.type === 'link' ? String(m.attrs.href) : ''}`

function writeInline(nodes: JSONContent[], asTags: boolean): string {
  const has = (n: JSONContent | undefined, m: Mark) => (n?.marks ?? []).some((x) => keyOf(x as Mark) === keyOf(m))
  const reach = (i: number, m: Mark) => {
    let n = i
    while (has(nodes[n], m)) n++
    return n
  }
  const depth = (m: Mark) => (typeof m.attrs.depth === 'number' ? m.attrs.depth : 99)
  // A break is a line end between two texts, else a tag: two line ends would be a paragraph.
  const parts: { text?: string; tag?: string }[] = []
  const put = (text: string) => (parts.at(-1)?.text === undefined ? parts.push({ text }) : (parts.at(-1)!.text += text))
  const open: Mark[] = []
  for (const [i, n] of nodes.entries()) {
    const keep = open.findIndex((m) => !has(n, m))
    while (keep >= 0 && open.length > keep) parts.push({ tag: `</${tagOf(open.pop()!)}>` })
    const fresh = ((n.marks ?? []) as Mark[]).filter((m) => !open.some((o) => keyOf(o) === keyOf(m)))
    for (const m of fresh.toSorted((a, b) => reach(i, b) - reach(i, a) || depth(a) - depth(b))) {
      parts.push({ tag: m.type === 'link' ? `<a href="${escapeAddress(String(m.attrs.href ?? ''))}">` : `<${tagOf(m)}>` })
      open.push(m)
    }
    if (n.type === 'hardBreak') parts.push({ tag: '<br>' })
    else put(n.type === 'liquid' ? String(n.attrs?.src) : escapeText(n.text ?? ''))
  }
  while (open.length > 0) parts.push({ tag: `</${tagOf(open.pop()!)}>` })
  return parts
    .map((p, i) =>
      p.tag === '<br>' && !asTags && parts[i - 1]?.text !== undefined && parts[i + 1]?.text !== undefined ? '\n' : (p.tag ?? p.text),
    )
    .join('')
}

/** The document of the visual field as it is stored: with tags for paragraphs only where there is a list. */
export function write(doc: JSONContent): string {
  const top = doc.content ?? []
  if (top.every((n) => n.type === 'paragraph')) return top.map((n) => writeInline(n.content ?? [], false)).join('\n\n')
  const block = (n: JSONContent): string => {
    if (n.type === 'paragraph') return `<p>${writeInline(n.content ?? [], true)}</p>`
    const tag = n.type === 'orderedList' ? 'ol' : 'ul'
    const items = (n.content ?? []).map((item) => {
      const [first, ...more] = item.content ?? []
      return `<li>${writeInline(first?.content ?? [], true)}${more.map(block).join('')}</li>`
    })
    return `<${tag}>${items.join('')}</${tag}>`
  }
  return top.map(block).join('\n')
}

/** A piece of Liquid in its parts: {{, its expression, }}. A comment or raw part is all expression. */
export function partsOf(src: string): { before: string; inner: string; after: string } {
  const m = /^(\{\{-?|\{%-?)\s*([\s\S]*?)\s*(-?\}\}|-?%\})$/.exec(src)
  if (!m || pieces(m[2]!).length > 0 || /[{%]%|%\}/.test(m[2]!)) return { before: '', inner: src, after: '' }
  return { before: `${m[1]} `, inner: m[2]!, after: ` ${m[3]}` }
}

const named = (path: string) => {
  const own = path.replace(/^person\./, '')
  if (hasText(`rich.name.${own}`)) return t(`rich.name.${own}`)
  const words = own.replaceAll('_', ' ').replaceAll('.', ' › ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** What a piece of Liquid says to people: "First name · or: friend". */
export function labelOf(src: string): string {
  const { before, inner } = partsOf(src)
  if (!before) return inner
  if (before.startsWith('{%')) {
    const [, tag = '', rest = ''] = /^(\S+)\s*([\s\S]*)$/.exec(inner) ?? []
    return hasText(`rich.tag.${tag}`) ? t(`rich.tag.${tag}`, { what: rest }).trim() : inner
  }
  const [path = '', ...filters] = inner.match(/(?:"[^"]*"|'[^']*'|[^|"'])+/g)?.map((x) => x.trim()) ?? []
  const says = filters.map((f) => {
    const [, double, single] = /^default:\s*(?:"([^"]*)"|'([^']*)')/.exec(f) ?? []
    const other = double ?? single
    return other === undefined ? f : t('rich.or', { what: other })
  })
  return [/^[\w.]+$/.test(path) ? named(path) : path, ...says].join(' · ')
}
