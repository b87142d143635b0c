import { getSchema } from '@tiptap/core'
import { beforeAll, describe, expect, test } from 'vitest'
import { speak } from '@/i18n'
import en from '@/i18n/en.json'
import pairs from '../../../../internal/domain/content/block/testdata/rich.json'
import { labelOf, parse, pieces, runs, write } from './rich'
import { extensions } from './RichText'

beforeAll(() => speak('en', en))

const schema = getSchema(extensions)

/** What the field writes back of a text it shows; fails if it does not show it, or if the editor would not hold it. */
function back(src: string): string {
  const read = parse(src)
  if ('obstacle' in read) throw new Error(`${read.obstacle.why}: ${read.obstacle.what}`)
  const node = schema.nodeFromJSON(read.doc)
  node.check()
  return write(node.toJSON())
}

const files = import.meta.glob(['../../../../internal/demo/letters/*.json', '../../../../internal/domain/journey/ready/*/*.json'], {
  import: 'default',
  eager: true,
}) as Record<string, unknown>

/** Every text of the sample's mails and the paragraphs of the ready journeys' letters, as their mails have them. */
function texts(v: unknown, key = ''): string[] {
  if (Array.isArray(v)) return key === 'paragraphs' ? [v.join('\n\n'), ...v] : v.flatMap((x) => texts(x))
  if (typeof v !== 'object' || v === null) return ['text', 'empty', 'why', 'who', 'use'].includes(key) ? [String(v)] : []
  const of = v as Record<string, unknown>
  return ['heading', 'button', 'list'].includes(String(of.type)) ? [] : Object.entries(of).flatMap(([k, x]) => texts(x, k))
}

test('every rich text of the sample business and of the ready journeys comes back as it was, byte by byte', () => {
  const all = Object.values(files).flatMap((f) => texts(f))
  expect(Object.keys(files).length).toBeGreaterThan(30)
  expect(all.length).toBeGreaterThan(100)
  expect(all.filter((x) => back(x) !== x)).toEqual([])
})

describe('what is written by hand comes back byte by byte', () => {
  for (const text of [
    '',
    'one line',
    'a\nb',
    'a\n\nb\nc\n\nd',
    'a\n\n\n\nb', // an empty paragraph
    '<b>a</b> b <i>c</i> <u>d</u> <s>e</s> H<sub>2</sub>O m<sup>2</sup>',
    '<b>bold <i>both</i> bold</b> plain',
    '<i><b>x</b></i> <b><i>x</i></b>',
    '<strong>a <em>b</em></strong>',
    '<b>a\nb</b>',
    'a<br><br>b',
    'a<br><b>b</b><br>c',
    '<b>a</b>\n\n<b>b</b>',
    '<a href="https://a.example/?x=1&y=2">a <b>b</b></a> c',
    '<b>a <a href="mailto:a@b.example">b</a> c</b>',
    '<a href="{{ event.url | default: "https://a.example/" }}">x</a>',
    '<a href="https://a.example/?p={{ person.id }}&amp;copy;=1">x</a>',
    'Hello {{ person.first_name | default: \'<friend>\' }},\n\n<b>{{ event.total | money: "JPY" }}</b>',
    '{% if person.vip %}<b>VIP</b> {{ person.name }}{% else %}you{% endif %}',
    '{% comment %} a {{ b }} <i> {% endcomment %}x{% raw %}{{ y }}{% endraw %}',
    '{{ a\n\n| default: "}}" }} b',
    'Tom & Jerry, Q&A, 1 &amp;amp; 2, a &lt; b > c, &nbsp;x',
    '新茶の<b>ご案内</b><br>{{ person.name | name }}様、お元気ですか。\n\n👨‍👩‍👧 が',
    '<p>a</p>\n<ul><li>x <b>y</b></li><li>{{ item.name }}<ul><li>z</li></ul></li></ul>\n<ol><li>1<br>2</li></ol>\n<p>b<br>c</p>',
    'unfinished {{ per',
  ])
    test(JSON.stringify(text), () => expect(back(text)).toBe(text))
})

// That the renderer makes the same of both is held by block/rich_test.go, which reads the same file.
describe('what is written otherwise than the field writes it is the same letter', () => {
  for (const { written, rewritten } of pairs)
    test(JSON.stringify(written), () => {
      expect(back(written)).toBe(rewritten)
      expect(runs(rewritten)).toEqual(runs(written))
    })
})

test('what the field cannot keep stays with its tags, and it is said why', () => {
  const why = (text: string) => {
    const read = parse(text)
    return 'obstacle' in read ? `${read.obstacle.why} ${read.obstacle.what}` : ''
  }
  expect(why('a <span class="x">b</span>')).toBe('tag <span class="x">')
  expect(why('<p style="color:red">a</p>')).toBe('tag <p style="color:red">')
  expect(why('<a href="https://a.example" {{ x }}>a</a>')).toBe('tag <a href="https://a.example" {{ x }}>')
  expect(why("<a href='https://a.example' target=_x>x</a>")).toMatch('tag')
  expect(why('a <!-- b -->')).toBe('tag <!-- b -->')
  expect(why('<b>a')).toBe('tag <b>')
  expect(why('{% if x %}<p>a</p>{% endif %}')).toBe('between {% if x %}')
  expect(why('Hello\n<ul><li>a</li></ul>')).toBe('between Hello')
  expect(why('<li>a</li>')).toMatch('between')
  expect(why('&#123;{ x')).toMatch('other') // it would become Liquid
})

test('pieces of Liquid are found as the language finds them', () => {
  const of = (s: string) => pieces(s).map((p) => s.slice(p.from, p.to))
  expect(of('a {{ b | default: "}}" }} {% if c %}')).toEqual(['{{ b | default: "}}" }}', '{% if c %}'])
  expect(of("{{ it's }} b")).toEqual(["{{ it's }}"])
  expect(of('{% raw %}{{ a }}{% endraw %} {{ b')).toEqual(['{% raw %}{{ a }}{% endraw %}'])
})

test('a piece of Liquid is shown in words', () => {
  expect(labelOf("{{ person.first_name | default: 'friend' }}")).toBe('First name · or: friend')
  expect(labelOf('{{ event.total_price | money }}')).toBe('Event › total price · money')
  expect(labelOf('{% if person.vip == true %}')).toBe('If: person.vip == true')
  expect(labelOf('{%- endif -%}')).toBe('End of the condition')
})

// Whatever is built of what the field knows comes back: a walk through nested marks, breaks, Liquid and lists.
test('five hundred made texts come back as the same letter', () => {
  let seed = 7
  const any = (n: number) => (seed = (seed * 48271) % 2147483647) % n
  const word = () => ['a', ' ', '<', '&amp;', '茶', '{{ x }}', '{% if y %}', '\u00a0', '<br>', 'b c', '\n', '&lt;b&gt;'][any(12)]!
  const inline = (deep: number): string =>
    Array.from({ length: 1 + any(4) }, () => {
      const tag = ['b', 'i', 'u', 's', 'em', 'strong', 'sup'][any(7)]
      return deep > 0 && any(3) === 0 ? `<${tag}>${inline(deep - 1)}</${tag}>` : word()
    }).join('')
  const list = (deep: number): string =>
    `<ul>${Array.from({ length: 1 + any(3) }, () => `<li>${inline(2)}${deep > 0 && any(2) ? list(deep - 1) : ''}</li>`).join('')}</ul>`
  let shown = 0
  for (let i = 0; i < 500; i++) {
    const text = any(2)
      ? Array.from({ length: 1 + any(3) }, () => inline(3)).join('\n\n')
      : Array.from({ length: 1 + any(3) }, () => (any(2) ? `<p>${inline(2)}</p>` : list(2))).join('\n')
    const read = parse(text)
    if ('obstacle' in read) continue // as one tag within the same tag
    shown++
    const again = back(text)
    expect(runs(again)).toEqual(runs(text))
    expect(back(again)).toBe(again)
  }
  expect(shown).toBeGreaterThan(200)
})
