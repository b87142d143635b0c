import { type Content, Editor, Extension, Mark, mergeAttributes, Node } from '@tiptap/core'
import { Fragment, type Node as DocNode, Slice } from '@tiptap/pm/model'
import { NodeSelection, Plugin, TextSelection } from '@tiptap/pm/state'
import { Decoration, DecorationSet } from '@tiptap/pm/view'
import {
  Bold,
  Braces,
  CodeXml,
  ExternalLink,
  Italic,
  Link,
  List,
  ListOrdered,
  type LucideIcon,
  Strikethrough,
  Trash2,
  Underline,
} from 'lucide-react'
import { type ReactNode, useEffect, useId, useMemo, useRef, useState } from 'react'
import { useT } from '@/i18n'
import { composing, printed } from '@/lib/keys'
import { Button, Group, IconButton, InputWrapper, Text } from '@/ui'
import css from './content.module.css'
import { LiquidInput, Offers, offered } from './LiquidInput'
import { labelOf, parse, partsOf, pieces, write } from './rich'
import { misnamed, type Variable } from './variables'

/** A mark that an author may write, by its tag. What was written as <strong> stays so. */
const mark = (name: string, tags: string[], style?: { name: string; is: RegExp }, key?: string) =>
  Mark.create({
    name,
    addAttributes: () => ({ tag: { default: tags[0], rendered: false }, depth: { default: 99, rendered: false } }),
    parseHTML: () => [
      // Google's documents stand in a <b> that is not bold.
      ...tags.map((tag) => ({ tag, getAttrs: (e: HTMLElement) => (e.style.fontWeight === 'normal' ? false : null) })),
      ...(style ? [{ style: style.name, getAttrs: (v: string) => (style.is.test(v) ? null : false) }] : []),
    ],
    renderHTML: ({ mark: m, HTMLAttributes }) => [String(m.attrs.tag), HTMLAttributes, 0],
    addKeyboardShortcuts() {
      return key ? { [key]: () => this.editor.commands.toggleMark(name) } : {}
    },
  })

const schemes = /^(https?|mailto|tel|sms|line|weixin|geo|webcal|cid):/i

/** All that a text can hold, and nothing else. */
export const extensions = [
  Node.create({ name: 'doc', topNode: true, content: 'block+' }),
  Node.create({ name: 'text', group: 'inline' }),
  Node.create({
    name: 'paragraph',
    group: 'block',
    content: 'inline*',
    parseHTML: () => ['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((tag) => ({ tag })),
    renderHTML: () => ['p', 0],
  }),
  Node.create({
    name: 'hardBreak',
    group: 'inline',
    inline: true,
    selectable: false,
    parseHTML: () => [{ tag: 'br' }],
    renderHTML: () => ['br'],
    renderText: () => '\n',
    addKeyboardShortcuts() {
      return { 'Shift-Enter': () => this.editor.commands.insertContent({ type: 'hardBreak' }) }
    },
  }),
  ...[
    { name: 'bulletList', tag: 'ul', key: 'Mod-Shift-8' },
    { name: 'orderedList', tag: 'ol', key: 'Mod-Shift-7' },
  ].map(({ name, tag, key }) =>
    Node.create({
      name,
      group: 'block list',
      content: 'listItem+',
      parseHTML: () => [{ tag }],
      renderHTML: () => [tag, 0],
      addKeyboardShortcuts() {
        return { [key]: () => this.editor.commands.toggleList(name, 'listItem') }
      },
    }),
  ),
  Node.create({
    name: 'listItem',
    content: 'paragraph list*',
    defining: true,
    parseHTML: () => [{ tag: 'li' }],
    renderHTML: () => ['li', 0],
    addKeyboardShortcuts() {
      return {
        Enter: () => this.editor.commands.splitListItem('listItem'),
        Backspace: () => {
          const { empty, $from } = this.editor.state.selection
          return empty && $from.parentOffset === 0 && this.editor.isActive('listItem') && this.editor.commands.liftListItem('listItem')
        },
      }
    },
  }),
  Node.create({
    name: 'liquid',
    group: 'inline',
    inline: true,
    atom: true,
    draggable: true,
    addAttributes: () => ({ src: { default: '', rendered: false } }),
    parseHTML: () => [{ tag: 'span[data-liquid]', getAttrs: (e) => ({ src: e.dataset.liquid }) }],
    renderHTML: ({ node }) => ['span', { 'data-liquid': String(node.attrs.src), class: css.chip }, labelOf(String(node.attrs.src))],
    renderText: ({ node }) => String(node.attrs.src),
  }),
  Mark.create({
    name: 'link',
    inclusive: false,
    addAttributes: () => ({ href: { default: '' }, depth: { default: 99, rendered: false } }),
    parseHTML: () => [
      {
        tag: 'a[href]',
        getAttrs: (e) => (schemes.test(e.getAttribute('href') ?? '') || /^\{\{/.test(e.getAttribute('href') ?? '') ? null : false),
      },
    ],
    renderHTML: ({ HTMLAttributes }) => ['a', mergeAttributes(HTMLAttributes, { rel: 'noreferrer' }), 0],
  }),
  mark('bold', ['b', 'strong'], { name: 'font-weight', is: /^(bold(er)?|[6-9]00)$/ }, 'Mod-b'),
  mark('italic', ['i', 'em'], { name: 'font-style', is: /^italic$/ }, 'Mod-i'),
  mark('underline', ['u'], undefined, 'Mod-u'),
  mark('strike', ['s', 'del', 'strike'], { name: 'text-decoration', is: /line-through/ }, 'Mod-Shift-s'),
  mark('superscript', ['sup']),
  mark('subscript', ['sub']),
]

/** Word's lists are paragraphs with a bullet of their own; here they become lists. */
function unworded(html: string): string {
  const d = new DOMParser().parseFromString(html, 'text/html')
  for (const p of d.querySelectorAll<HTMLElement>('p[class^="MsoListParagraph"]')) {
    const bullet = p.querySelector('[style*="mso-list"]')
    const tag = /^\W*\w+[.)]/.test(bullet?.textContent ?? '') ? 'OL' : 'UL'
    bullet?.remove()
    const item = d.createElement('li')
    item.append(...p.childNodes)
    const before = p.previousElementSibling
    if (before?.tagName === tag && before.hasAttribute('data-word')) {
      before.append(item)
      p.remove()
    } else {
      const list = d.createElement(tag)
      list.setAttribute('data-word', '')
      list.append(item)
      p.replaceWith(list)
    }
  }
  return d.body.innerHTML
}

interface Props {
  label: ReactNode
  value: string
  onChange: (value: string) => void
  variables: Variable[]
  description?: ReactNode
  error?: ReactNode
  /** Where the error stands in the text, from 1. */
  errorAt?: { line: number; col: number }
  required?: boolean
  name?: string
  maxLength?: number
}

/** What a click or a key has opened below the text: a piece of Liquid or the address of a link. */
type Opened = { kind: 'liquid'; pos: number; src: string } | { kind: 'link'; href: string }

/** Running text as its reader will see it. A text that the field cannot keep as it is, and whoever wants to see the tags, gets a plain one. */
export function RichText(props: Props) {
  const t = useT()
  const [code, setCode] = useState(false)
  // What the visual field wrote last is its own, whatever could be read of it.
  const [own, setOwn] = useState<string>()
  const read = useMemo(() => (props.value === own ? undefined : parse(props.value)), [props.value, own])
  const obstacle = read && 'obstacle' in read ? read.obstacle : undefined
  const written = (text: string) => {
    setOwn(text)
    props.onChange(text)
  }
  if (!code && !obstacle) return <Visual {...props} onChange={written} onCode={() => setCode(true)} />
  return (
    <div>
      <LiquidInput
        {...props}
        lines
        description={t('rich.code_help')}
        onChange={(v) => {
          setCode(true)
          props.onChange(v)
        }}
      />
      {obstacle ? (
        <Text size="xs" c="dimmed" mt={4}>
          {t(`rich.why_${obstacle.why}`, { what: obstacle.what.slice(0, 80) })}
        </Text>
      ) : (
        <Button variant="subtle" size="xs" mt={4} className={css.visual} onClick={() => setCode(false)}>
          {t('rich.visual')}
        </Button>
      )}
    </div>
  )
}

function Visual({
  label,
  value,
  onChange,
  variables,
  description,
  error,
  errorAt,
  required,
  name,
  onCode,
}: Props & { onCode: () => void }) {
  const t = useT()
  const id = useId()
  const list = `${id}-offers`
  const place = useRef<HTMLDivElement>(null)
  const [editor, setEditor] = useState<Editor>()
  const [, redraw] = useState(0)
  const [opened, setOpened] = useState<Opened>()
  const [at, setAt] = useState(0)
  const [shut, setShut] = useState(-1) // where a {{ stands whose offers were sent away

  // The variable that is being typed: what there is of it, and where its {{ begins.
  const asked = (() => {
    if (!editor?.isFocused) return
    const { $from, empty } = editor.state.selection
    const before = empty ? $from.parent.textBetween(0, $from.parentOffset, undefined, '\ufffc') : ''
    const m = /\{\{-?\s*([\w.]*)$/.exec(before)
    return m && $from.pos - m[0].length !== shut ? { from: $from.pos - m[0].length, text: m[1]! } : undefined
  })()
  const found = asked ? offered(variables, asked.text) : []
  const chosen = Math.min(at, Math.max(found.length - 1, 0))

  const take = (v: Variable) => {
    if (!editor || !asked) return
    const { $from } = editor.state.selection
    const after = $from.parent.textBetween($from.parentOffset, $from.parent.content.size, undefined, '\ufffc')
    const rest = /^\s*\}\}/.exec(after)?.[0].length ?? 0
    editor.view.dispatch(
      editor.state.tr.replaceWith(asked.from, $from.pos + rest, chip(editor, `{{ ${v.path} }}`, $from.marks())).scrollIntoView(),
    )
    editor.view.focus()
  }
  const openLink = () => {
    if (!editor) return
    editor.chain().extendMarkRange('link').run()
    setOpened({ kind: 'link', href: String(editor.getAttributes('link').href ?? '') })
  }
  const openChip = (pos: number) => {
    const node = editor?.state.doc.nodeAt(pos)
    if (node?.type.name === 'liquid') setOpened({ kind: 'liquid', pos, src: String(node.attrs.src) })
  }
  const close = () => {
    setOpened(undefined)
    editor?.view.focus()
  }

  // The editor lives longer than one drawing; what it calls is the latest.
  const now = useRef({ onChange, take, openLink, openChip, found, chosen, asked, variables, errorAt, value })
  useEffect(() => {
    now.current = { onChange, take, openLink, openChip, found, chosen, asked, variables, errorAt, value }
  })

  useEffect(() => {
    const read = parse(now.current.value)
    const made = new Editor({
      element: place.current,
      injectCSS: false,
      enableInputRules: false,
      enablePasteRules: false,
      extensions: [...extensions, Faults.configure({ faulty: (src: string) => faulty(src, now.current) })],
      content: ('doc' in read ? read.doc : now.current.value) as Content,
      editorProps: {
        handleKeyDown: (view, e) => {
          if (composing(e) || view.composing) return false
          const { found: all, chosen: i, asked: open } = now.current
          const mod = e.ctrlKey || e.metaKey
          const { selection } = view.state
          if (all.length > 0 && !mod && !e.altKey) {
            const step = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0
            if (step) setAt((i + step + all.length) % all.length)
            else if (e.key === 'Enter' || e.key === 'Tab') now.current.take(all[i]!)
            else if (e.key === 'Escape') setShut(open?.from ?? -1)
            else return false
            e.stopPropagation()
          } else if (mod && !e.altKey && !e.shiftKey && e.key.toLowerCase() === 'k') {
            now.current.openLink()
            e.stopPropagation()
          } else if (e.key === 'Enter' && selection instanceof NodeSelection && selection.node.type.name === 'liquid') {
            now.current.openChip(selection.from)
          } else return false
          e.preventDefault()
          return true
        },
        handleClickOn: (_, __, node, pos) => {
          if (node.type.name !== 'liquid') return false
          now.current.openChip(pos)
          return true
        },
        handleDOMEvents: {
          // Undo is the page's: one row of steps over the whole mail. The editor would keep its keys from the page.
          keydown: (_, e) => (e.ctrlKey || e.metaKey) && /^[zy]$/i.test(e.key),
          beforeinput: (_, e) => {
            if (e.inputType === 'historyUndo' || e.inputType === 'historyRedo') e.preventDefault()
            return false
          },
        },
        transformPastedHTML: unworded,
        clipboardTextParser: (text, $at, _, view) => {
          const { schema } = view.state
          const paras = text
            .replace(/\r\n?/g, '\n')
            .split(/\n{2,}/)
            .map((para) => {
              const inline = para
                .split('\n')
                .flatMap((line, i) => [
                  ...(i > 0 ? [schema.nodes.hardBreak!.create()] : []),
                  ...(line ? [schema.text(line, $at.marks())] : []),
                ])
              return schema.nodes.paragraph!.create(null, inline)
            })
          return new Slice(Fragment.from(paras), 1, 1)
        },
      },
      onUpdate: ({ editor: e }) => {
        if (!e.view.composing && gather(e)) return // which is an update of its own
        now.current.onChange(write(e.getJSON()))
      },
      onTransaction: () => redraw((n) => n + 1),
      onFocus: () => redraw((n) => n + 1),
      onBlur: () => redraw((n) => n + 1),
    })
    setEditor(made)
    return () => made.destroy()
  }, [])

  // A change from elsewhere (undo, another version) is written into what is there, so that the caret stays near.
  useEffect(() => {
    if (!editor || value === write(editor.getJSON())) return
    const read = parse(value)
    if ('doc' in read) replace(editor, editor.schema.nodeFromJSON(read.doc))
  }, [editor, value])

  const hint = [description ? `${id}-description` : '', error || slipOf(value, variables) ? `${id}-error` : ''].filter(Boolean).join(' ')
  useEffect(() => {
    if (!editor) return
    editor.setOptions({
      editorProps: {
        ...editor.options.editorProps,
        attributes: {
          id,
          role: 'textbox',
          'aria-multiline': 'true',
          'aria-labelledby': `${id}-label`,
          ...(hint ? { 'aria-describedby': hint } : {}),
          ...(error ? { 'aria-invalid': 'true' } : {}),
          ...(required ? { 'aria-required': 'true' } : {}),
          ...(found.length > 0 ? { 'aria-controls': list, 'aria-activedescendant': `${list}-${chosen}` } : {}),
          class: css.written!,
          'data-rich': name ?? '',
        },
      },
    })
  }, [editor, id, hint, error, required, found.length, chosen, list, name])
  // Which variables there are, and what the server found, becomes known later.
  useEffect(() => {
    editor?.view.dispatch(editor.state.tr.setMeta('faults', true))
  }, [editor, variables, errorAt])

  const slip = slipOf(value, variables)
  const mend = (wrong: string, like: string) => {
    if (!editor) return
    const { tr } = editor.state
    editor.state.doc.descendants((node, pos) => {
      const m = node.type.name === 'liquid' ? misnamed(String(node.attrs.src), variables) : undefined
      if (m?.name === wrong) tr.setNodeAttribute(pos, 'src', mended(String(node.attrs.src), m, like))
    })
    if (tr.docChanged) editor.view.dispatch(tr)
    else onChange(slip ? mended(value, slip, like) : value) // it stands in the address of a link
    editor.view.focus()
  }
  const tool = (text: string, Icon: LucideIcon, active: boolean, run: () => void, keys?: string) => (
    <IconButton
      key={text}
      label={keys ? `${text} (${printed(keys).join('+')})` : text}
      aria-label={text}
      aria-pressed={active}
      className={css.tool}
      variant={active ? 'light' : 'subtle'}
      onMouseDown={(e) => e.preventDefault()}
      onClick={run}
    >
      <Icon size={16} />
    </IconButton>
  )
  const toggle = (mark: string) => () => editor?.chain().focus().toggleMark(mark).run()
  const is = (what: string) => editor?.isActive(what) ?? false
  const ask = () => {
    if (!editor) return
    const { from } = editor.state.selection
    setShut(-1)
    setAt(0)
    editor.chain().focus().insertContentAt(from, { type: 'text', text: '{{ ' }).run()
  }
  return (
    <InputWrapper
      id={id}
      label={label}
      labelElement="div"
      labelProps={{ id: `${id}-label`, onClick: () => editor?.view.focus() }}
      description={description}
      required={required}
      error={
        slip ? (
          <span className={css.slip}>
            {t('rich.unknown', {
              name: slip.name,
              text: slip.like ? t('finding.unknown_like', { like: slip.like }) : t('finding.unknown'),
            })}
            {slip.like ? (
              <Button size="compact-xs" variant="light" onClick={() => mend(slip.name, slip.like!)}>
                {t('builder.use_instead', { name: slip.like })}
              </Button>
            ) : null}
          </span>
        ) : (
          error
        )
      }
    >
      <div className={css.liquid}>
        <div className={css.rich} data-invalid={Boolean(error || slip) || undefined}>
          <div role="toolbar" aria-label={t('rich.tools')} className={css.tools}>
            {tool(t('rich.bold'), Bold, is('bold'), toggle('bold'), 'mod+b')}
            {tool(t('rich.italic'), Italic, is('italic'), toggle('italic'), 'mod+i')}
            {tool(t('rich.underline'), Underline, is('underline'), toggle('underline'), 'mod+u')}
            {tool(t('rich.strike'), Strikethrough, is('strike'), toggle('strike'))}
            {tool(t('rich.link'), Link, is('link'), openLink, 'mod+k')}
            {tool(t('rich.bullets'), List, is('bulletList'), () => editor?.chain().focus().toggleList('bulletList', 'listItem').run())}
            {tool(t('rich.numbers'), ListOrdered, is('orderedList'), () =>
              editor?.chain().focus().toggleList('orderedList', 'listItem').run(),
            )}
            <IconButton
              label={t('content.insert_variable')}
              className={css.tool}
              variant="subtle"
              onMouseDown={(e) => e.preventDefault()}
              onClick={ask}
            >
              <Braces size={16} />
            </IconButton>
            <IconButton label={t('rich.code')} className={css.tool} variant="subtle" onClick={onCode}>
              <CodeXml size={16} />
            </IconButton>
          </div>
          <div ref={place} />
        </div>
        <Offers id={list} found={found} at={chosen} onTake={take} />
        {opened && editor ? (
          <Popup
            key={opened.kind === 'link' ? 'link' : opened.pos}
            opened={opened}
            variables={variables}
            onClose={close}
            onDone={(text) => {
              if (opened.kind === 'link') setLink(editor, text.trim())
              else setChip(editor, opened.pos, text)
              close()
            }}
          />
        ) : null}
      </div>
    </InputWrapper>
  )
}

/** Marks pieces of Liquid that have a fault. */
const Faults = Extension.create<{ faulty: (src: string) => boolean }>({
  name: 'faults',
  addOptions: () => ({ faulty: () => false }),
  addProseMirrorPlugins() {
    const { faulty: is } = this.options
    return [
      new Plugin({
        props: {
          decorations: (state) => {
            const bad: Decoration[] = []
            state.doc.descendants((node, pos) => {
              if (node.type.name === 'liquid' && is(String(node.attrs.src))) bad.push(Decoration.node(pos, pos + 1, { 'data-bad': 'true' }))
            })
            return DecorationSet.create(state.doc, bad)
          },
        },
      }),
    ]
  },
})

/** Whether a piece has a name that nobody has, or is where the server found a fault. */
function faulty(src: string, of: { variables: Variable[]; errorAt?: { line: number; col: number }; value: string }): boolean {
  if (misnamed(src, of.variables)) return true
  if (!of.errorAt) return false
  const lines = of.value.split('\n')
  const offset = lines.slice(0, of.errorAt.line - 1).reduce((sum, l) => sum + l.length + 1, 0)
  const at = offset + [...(lines[of.errorAt.line - 1] ?? '')].slice(0, of.errorAt.col - 1).join('').length
  return pieces(of.value).some((p) => p.from <= at && at < p.to && of.value.slice(p.from, p.to) === src)
}

const slipOf = (value: string, variables: Variable[]) => {
  const closed = pieces(value).map((p) => value.slice(p.from, p.to))
  return closed.some((src) => misnamed(src, variables)) ? misnamed(value, variables) : undefined
}

const mended = (src: string, at: { from: number; name: string }, like: string) =>
  src.slice(0, at.from) + like + src.slice(at.from + at.name.length)

const chip = (editor: Editor, src: string, marks: readonly DocNode['marks'][number][]) =>
  editor.schema.nodes.liquid!.create({ src }, undefined, marks)

/** Makes chips of Liquid that was typed or pasted. */
function gather(editor: Editor): boolean {
  const { tr } = editor.state
  const found: { from: number; to: number; src: string; marks: DocNode['marks'] }[] = []
  editor.state.doc.descendants((node, pos) => {
    if (!node.isTextblock) return
    const text = node.textBetween(0, node.content.size, undefined, '\ufffc')
    for (const p of pieces(text)) {
      const src = text.slice(p.from, p.to)
      if (!src.includes('\ufffc'))
        found.push({ from: pos + 1 + p.from, to: pos + 1 + p.to, src, marks: node.resolve(p.from + 1).marks() as DocNode['marks'] })
    }
  })
  for (const f of found.toReversed()) tr.replaceWith(f.from, f.to, chip(editor, f.src, f.marks))
  if (found.length > 0) editor.view.dispatch(tr)
  return found.length > 0
}

/** Replaces what differs, and only that. */
function replace(editor: Editor, next: DocNode) {
  const { doc, tr } = editor.state
  const from = doc.content.findDiffStart(next.content)
  const ends = doc.content.findDiffEnd(next.content)
  if (from === null || !ends) return
  const overlap = Math.max(from - Math.min(ends.a, ends.b), 0)
  tr.replace(from, ends.a + overlap, next.slice(from, ends.b + overlap)).setMeta('preventUpdate', true)
  editor.view.dispatch(tr)
}

function setLink(editor: Editor, href: string) {
  const { empty, from, to } = editor.state.selection
  if (!href) editor.chain().unsetMark('link').run()
  else if (empty)
    editor
      .chain()
      .insertContent({ type: 'text', text: href, marks: [{ type: 'link', attrs: { href } }] })
      .run()
  else editor.chain().setMark('link', { href }).setTextSelection({ from, to }).run()
}

function setChip(editor: Editor, pos: number, src: string) {
  const { tr } = editor.state
  if (tr.doc.nodeAt(pos)?.type.name !== 'liquid') return // it was undone meanwhile
  if (src) tr.setNodeAttribute(pos, 'src', src).setSelection(TextSelection.create(tr.doc, pos + 1))
  else tr.delete(pos, pos + 1)
  editor.view.dispatch(tr)
}

/** The address of a link or the expression of a piece of Liquid, below the text. */
function Popup({
  opened,
  variables,
  onDone,
  onClose,
}: {
  opened: Opened
  variables: Variable[]
  onDone: (text: string) => void
  onClose: () => void
}) {
  const t = useT()
  const link = opened.kind === 'link'
  const { before, inner, after } = link ? { before: '', inner: opened.href, after: '' } : partsOf(opened.src)
  const [text, setText] = useState(inner)
  const title = link ? t('rich.address') : t('rich.expression')
  const done = () => onDone(text.trim() ? before + text.trim() + after : '')
  const there = link && /^https?:\/\/[^{]+$/.test(opened.href) ? opened.href : ''
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      role="dialog"
      aria-label={title}
      className={css.popup}
      onKeyDown={(e) => {
        if (composing(e)) return
        if (e.key === 'Escape') onClose()
        else if (e.key === 'Enter' && e.target instanceof HTMLInputElement) done()
        else return
        e.preventDefault()
        e.stopPropagation()
      }}
    >
      <LiquidInput
        label={title}
        value={text}
        onChange={setText}
        variables={variables}
        bare={!link}
        mono
        autoFocus
        placeholder={link ? 'https://' : undefined}
      />
      <Group gap="xs" mt="xs">
        <Button size="xs" variant="filled" className={css.tool} onClick={done}>
          {t('rich.apply')}
        </Button>
        {there ? (
          <Button
            size="xs"
            component="a"
            href={there}
            target="_blank"
            rel="noreferrer"
            className={css.tool}
            leftSection={<ExternalLink size={14} />}
          >
            {t('rich.open')}
          </Button>
        ) : null}
        {inner ? (
          <Button size="xs" className={css.tool} leftSection={<Trash2 size={14} />} onClick={() => onDone('')}>
            {t('action.remove')}
          </Button>
        ) : null}
        <Button size="xs" variant="subtle" className={css.tool} onClick={onClose}>
          {t('action.cancel')}
        </Button>
      </Group>
    </div>
  )
}
