// The rule builder: groups and conditions that are added, changed, moved and undone by mouse, touch or keys alone.
import {
  ArrowDown,
  ArrowUp,
  CircleDashed,
  Copy,
  Ellipsis,
  FolderPlus,
  FoldVertical,
  Plus,
  Redo2,
  Replace,
  Trash2,
  Undo2,
  WholeWord,
} from 'lucide-react'
import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useReducer, useRef, useState } from 'react'
import { formatNumber, t as text, useT, word } from '@/i18n'
import { composing } from '@/lib/keys'
import { Button, IconButton, Menu, Select, Tag } from '@/ui'
import { lacks } from './complete'
import css from './RuleBuilder.module.css'
import type { RuleData } from './data'
import { kinds, LeafInputs } from './leaves'
import type { Fault } from './preview'
import * as tree from './tree'

/** The tree under edit with its undo. */
export function useRuleTree(initial: () => tree.Group) {
  const [s, dispatch] = useReducer(tree.story, undefined, () => tree.begin(initial()))
  return useMemo(
    () => ({
      root: s.now,
      edit: (next: tree.Group, about?: string) => dispatch({ type: 'edit', tree: next, about }),
      undo: s.past.length ? () => dispatch({ type: 'undo' }) : undefined,
      redo: s.future.length ? () => dispatch({ type: 'redo' }) : undefined,
    }),
    [s],
  )
}

export type RuleTree = ReturnType<typeof useRuleTree>

interface Props {
  rule: RuleTree
  data: RuleData
  counts: Map<string, number>
  /** The counts are of a former rule. */
  old: boolean
  faults: Fault[]
  /** Stands in a form that has an undo of its own. */
  inside?: boolean
}

interface Context extends Props {
  act: (a: Act, key: string) => void
  add: (to: string, n: tree.Node) => void
  drag: (key: string | null) => void
  dragged: () => string | null
}

type Act = 'up' | 'down' | 'duplicate' | 'wrap' | 'unwrap' | 'negate' | 'remove'

export function RuleBuilder(p: Props) {
  const t = useT()
  const { root, edit, undo, redo } = p.rule
  const box = useRef<HTMLDivElement>(null)
  const dragged = useRef<string | null>(null)
  // After an edit the focus goes to where the work goes on; the element is there only once React has drawn it.
  const [focus, setFocus] = useState<{ key: string; on: 'input' | 'menu' } | null>(null)
  useEffect(() => {
    if (!focus) return
    const node = box.current?.querySelector(`[data-node="${focus.key}"]`)
    const input = node?.querySelector<HTMLElement>(':scope > [data-inputs] input:not([type=hidden]), :scope > [data-inputs] button')
    const menu = node?.querySelector<HTMLElement>('[data-menu]')
    ;((focus.on === 'input' ? input : undefined) ?? menu)?.focus()
  }, [focus])

  const act = (a: Act, key: string) => {
    switch (a) {
      case 'up':
      case 'down':
        edit(tree.move(root, key, a === 'up' ? -1 : 1))
        return setFocus({ key, on: 'menu' })
      case 'duplicate': {
        const next = tree.duplicate(root, key)
        const kids = tree.parentOf(next, key)?.kids ?? []
        edit(next)
        return setFocus({ key: kids[kids.findIndex((k) => k.key === key) + 1]?.key ?? key, on: 'input' })
      }
      case 'wrap':
        edit(tree.wrap(root, key))
        return setFocus({ key, on: 'menu' })
      case 'unwrap':
        return edit(tree.unwrap(root, key))
      case 'negate':
        edit(tree.change(root, key, (n) => ({ ...n, not: !n.not })))
        return setFocus({ key, on: 'menu' })
      case 'remove': {
        const parent = tree.parentOf(root, key)
        const i = parent?.kids.findIndex((k) => k.key === key) ?? 0
        edit(tree.remove(root, key))
        return setFocus({ key: (parent?.kids[i + 1] ?? parent?.kids[i - 1] ?? parent)?.key ?? root.key, on: 'menu' })
      }
    }
  }
  const add = (to: string, n: tree.Node) => {
    edit(tree.add(root, to, n))
    setFocus({ key: n.key, on: 'input' })
  }
  const onKey = (e: KeyboardEvent) => {
    if (composing(e)) return
    const mod = e.ctrlKey || e.metaKey
    const key = (e.target as HTMLElement).closest('[data-node]')?.getAttribute('data-node')
    const run = (f: (() => void) | undefined) => {
      e.preventDefault()
      e.stopPropagation()
      f?.()
    }
    const letter = e.key.toLowerCase()
    if (mod && letter === 'z' && !p.inside) return run(e.shiftKey ? redo : undo)
    if (mod && letter === 'y' && !p.inside) return run(redo)
    if (!key || key === root.key) return
    if (e.altKey && e.key === 'ArrowUp') return run(() => act('up', key))
    if (e.altKey && e.key === 'ArrowDown') return run(() => act('down', key))
    if (mod && letter === 'd') return run(() => act('duplicate', key))
    if (mod && letter === 'g') return run(() => act('wrap', key))
    if (mod && (e.key === 'Backspace' || e.key === 'Delete')) return run(() => act('remove', key))
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys act on whichever control inside has the focus
    <div ref={box} className={css.builder} onKeyDownCapture={onKey}>
      <GroupBox
        {...p}
        node={root}
        act={act}
        add={add}
        drag={(key) => {
          dragged.current = key
        }}
        dragged={() => dragged.current}
        top
      />
      {p.inside ? null : (
        <div className={css.tools}>
          <span className={`${css.word} ${css.grow}`}>{t('builder.keys')}</span>
          <IconButton label={t('action.undo')} variant="subtle" color="gray" disabled={!undo} onClick={undo}>
            <Undo2 size={16} />
          </IconButton>
          <IconButton label={t('builder.redo')} variant="subtle" color="gray" disabled={!redo} onClick={redo}>
            <Redo2 size={16} />
          </IconButton>
        </div>
      )}
    </div>
  )
}

function Count({ of, c }: { of: string; c: Context }) {
  const n = c.counts.get(of)
  if (n === undefined) return null
  return (
    <span className={css.count} data-old={c.old || undefined}>
      {text('builder.people_fit', { n: formatNumber(n) })}
    </span>
  )
}

function Faults({ of, c }: { of: string; c: Context }) {
  const found = c.faults.filter((f) => f.key === of)
  if (found.length === 0) return null
  return (
    <div className={css.fault} role="alert">
      {found.map((f) => (
        <div key={f.at + f.message}>{f.message}</div>
      ))}
    </div>
  )
}

function Actions({ node, c, label, group }: { node: tree.Node; c: Context; label: string; group?: boolean }) {
  const t = useT()
  const item = (a: Act, title: string, icon: ReactNode, key: string) => (
    <Menu.Item key={a} leftSection={icon} rightSection={<span className={css.word}>{key}</span>} onClick={() => c.act(a, node.key)}>
      {title}
    </Menu.Item>
  )
  return (
    <Menu returnFocus={false}>
      <Menu.Target>
        <IconButton label={label} variant="subtle" color="gray" data-menu="">
          <Ellipsis size={16} />
        </IconButton>
      </Menu.Target>
      <Menu.Dropdown>
        {item('up', t('builder.up'), <ArrowUp size={15} />, 'Alt ↑')}
        {item('down', t('builder.down'), <ArrowDown size={15} />, 'Alt ↓')}
        {item('duplicate', t('builder.duplicate'), <Copy size={15} />, 'Ctrl D')}
        {item('negate', t('builder.negate'), <Replace size={15} />, '')}
        {item('wrap', t('builder.wrap'), <FolderPlus size={15} />, 'Ctrl G')}
        {group ? item('unwrap', t('builder.unwrap'), <FoldVertical size={15} />, '') : null}
        <Menu.Item color="danger" leftSection={<Trash2 size={15} />} onClick={() => c.act('remove', node.key)}>
          {t('builder.remove')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

/** Lets a node be dragged by its handle and take another before itself. */
function useDrag(node: tree.Node, c: Context) {
  const [over, setOver] = useState(false)
  return {
    handle: {
      draggable: true,
      onDragStart: (e: React.DragEvent) => {
        c.drag(node.key)
        e.dataTransfer.effectAllowed = 'move'
        e.dataTransfer.setData('text/plain', node.key)
      },
      onDragEnd: () => {
        c.drag(null)
      },
    },
    target: {
      'data-over': over || undefined,
      onDragOver: (e: React.DragEvent) => {
        const key = c.dragged()
        if (!key || key === node.key) return
        e.preventDefault()
        e.stopPropagation()
        setOver(true)
      },
      onDragLeave: () => setOver(false),
      onDrop: (e: React.DragEvent) => {
        setOver(false)
        const key = c.dragged()
        if (!key || key === node.key) return
        e.preventDefault()
        e.stopPropagation()
        const { root, edit } = c.rule
        const parent = tree.parentOf(root, node.key)
        if (tree.isGroup(node) || !parent) edit(tree.place(root, key, node.key, tree.isGroup(node) ? node.kids.length : 0))
        else edit(tree.place(root, key, parent.key, parent.kids.indexOf(node)))
      },
    },
  }
}

function LeafBox({ node, n, ...c }: Context & { node: tree.Leaf; n: number }) {
  const t = useT()
  const drag = useDrag(node, c)
  const known = kinds.find((k) => k.kind === node.kind)
  const Icon = known?.icon ?? WholeWord
  const fault = c.faults.find((f) => f.key === node.key)
  const lack = lacks(node)
  return (
    <li
      className={css.leaf}
      data-node={node.key}
      data-faulty={fault ? true : undefined}
      {...drag.target}
      aria-label={t('builder.condition_n', { n })}
    >
      <div className={css.inputs} data-inputs="">
        <span className={css.kind} {...drag.handle}>
          <Icon size={16} />
          {word('builder.kind', node.kind)}
        </span>
        {node.not ? <Tag tone="danger">{t('builder.not_badge')}</Tag> : null}
        <LeafInputs
          kind={node.kind}
          body={node.body}
          data={c.data}
          fault={fault?.at}
          onChange={(body, about) =>
            c.rule.edit(
              tree.change(c.rule.root, node.key, (x) => ({ ...x, body }) as tree.Node),
              `${node.key} ${about}`,
            )
          }
        />
      </div>
      <div className={css.side}>
        <Count of={node.key} c={c} />
        <Actions node={node} c={c} label={t('builder.more')} />
      </div>
      <Faults of={node.key} c={c} />
      {lack && !fault ? (
        <div className={css.lack} role="status">
          <CircleDashed size={14} aria-hidden /> {t('builder.lacks', { part: text(`builder.field.${lack}`) })}
        </div>
      ) : null}
    </li>
  )
}

const joins = [
  { value: 'all', group: 'all', not: false },
  { value: 'any', group: 'any', not: false },
  { value: 'not_all', group: 'all', not: true },
  { value: 'not_any', group: 'any', not: true },
] as const

function GroupBox({ node, top, ...c }: Context & { node: tree.Group; top?: boolean }) {
  const t = useT()
  const drag = useDrag(node, c)
  const join = joins.find((j) => j.group === node.group && j.not === node.not) ?? joins[0]
  const Box = top ? 'div' : 'li'
  return (
    <Box
      className={css.group}
      data-node={node.key}
      data-any={node.group === 'any' || undefined}
      data-not={node.not || undefined}
      data-faulty={c.faults.some((f) => f.key === node.key) || undefined}
      {...drag.target}
    >
      <div className={css.head}>
        <div data-inputs="" className={css.join}>
          <Select
            size="sm"
            aria-label={t('builder.group_means')}
            value={join.value}
            allowDeselect={false}
            data={joins.filter((j) => !top || !j.not).map((j) => ({ value: j.value, label: text(`builder.${j.value}`) }))}
            onChange={(v) => {
              const next = joins.find((j) => j.value === v) ?? joins[0]
              c.rule.edit(tree.change(c.rule.root, node.key, (n) => ({ ...n, group: next.group, not: next.not }) as tree.Node))
            }}
          />
        </div>
        {top ? null : (
          <span className={css.kind} {...drag.handle} aria-hidden>
            ⠿
          </span>
        )}
        <span className={css.grow} />
        <Count of={node.key} c={c} />
        {top ? null : <Actions node={node} c={c} label={t('builder.group_more')} group />}
      </div>
      <Faults of={node.key} c={c} />
      {node.kids.length === 0 ? (
        <p className={css.word}>
          {t(top && c.inside ? 'builder.empty_inside' : node.group === 'any' ? 'builder.empty_any' : 'builder.empty')}
        </p>
      ) : (
        <ul className={css.kids} aria-label={text(`builder.${join.value}`)}>
          {node.kids.map((k, i) =>
            tree.isGroup(k) ? <GroupBox key={k.key} {...c} node={k} /> : <LeafBox key={k.key} {...c} node={k} n={i + 1} />,
          )}
        </ul>
      )}
      <div className={css.head}>
        <AddCondition onAdd={(n) => c.add(node.key, n)} />
        <Button
          size="compact-sm"
          variant="subtle"
          color="gray"
          leftSection={<FolderPlus size={14} />}
          onClick={() => c.add(node.key, tree.group(node.group === 'all' ? 'any' : 'all'))}
        >
          {t('builder.add_group')}
        </Button>
      </div>
    </Box>
  )
}

function AddCondition({ onAdd }: { onAdd: (n: tree.Node) => void }) {
  const t = useT()
  return (
    <Menu position="bottom-start" returnFocus={false}>
      <Menu.Target>
        <Button size="compact-sm" variant="light" leftSection={<Plus size={14} />} data-menu="">
          {t('builder.add')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {kinds.map((k) => (
          <Menu.Item key={k.kind} onClick={() => onAdd(tree.leaf(k.kind, structuredClone(k.begin)))}>
            <span className={css.choices}>
              <k.icon size={16} />
              {text(`builder.kind.${k.kind}`)}
              <small>{text(`builder.kind_help.${k.kind}`)}</small>
            </span>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
