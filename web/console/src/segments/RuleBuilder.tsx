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
import {
  createContext,
  type KeyboardEvent,
  memo,
  type ReactNode,
  use,
  useEffect,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from 'react'
import { formatNumber, t as text, useT, word } from '@/i18n'
import { composing } from '@/lib/keys'
import { Button, IconButton, Menu, Select, Tag, UnstyledButton } from '@/ui'
import { lacks } from './complete'
import css from './RuleBuilder.module.css'
import type { RuleData } from './data'
import { kinds, LeafInputs } from './leaves'
import type { Fault } from './preview'
import * as tree from './tree'

/** The tree under edit with its undo. */
export function useRuleTree(initial: () => tree.Group) {
  const [s, dispatch] = useReducer(tree.story, undefined, () => tree.begin(initial()))
  const latest = useRef(s.now)
  useLayoutEffect(() => {
    latest.current = s.now
  }, [s])
  return useMemo(
    () => ({
      root: s.now,
      /** The tree of this moment, also if a later rendering shows it. */
      current: () => latest.current,
      edit: (next: tree.Group, about?: string) => dispatch({ type: 'edit', tree: next, about }),
      undo: s.past.length ? () => dispatch({ type: 'undo' }) : undefined,
      redo: s.future.length ? () => dispatch({ type: 'redo' }) : undefined,
    }),
    [s],
  )
}

export type RuleTree = Omit<ReturnType<typeof useRuleTree>, 'current'>

interface Props {
  rule: RuleTree
  data: RuleData
  counts: Map<string, number>
  /** The counts are of a former rule. */
  old: boolean
  faults: Fault[]
  /** Opens the people whom the count of a node counts, by the key of the node. */
  onPeople?: (key: string) => void
  /** Stands in a form that has an undo of its own. */
  inside?: boolean
}

/** What nodes do to the tree. They stay the same while it changes, so that a key pressed in one condition draws no other anew. */
interface Hands {
  /** The tree as it is now. */
  take: (rule: RuleTree) => void
  act: (a: Act, key: string) => void
  add: (to: string, n: tree.Node) => void
  change: (key: string, edit: (n: tree.Node) => tree.Node, about?: string) => void
  drag: (key: string | null) => void
  dragged: () => string | null
  drop: (on: tree.Node) => void
}

interface Focus {
  key: string
  on: 'input' | 'menu'
}

type Act = 'up' | 'down' | 'duplicate' | 'wrap' | 'unwrap' | 'negate' | 'remove'

export function RuleBuilder(p: Props) {
  const t = useT()
  const { root, undo, redo } = p.rule
  const box = useRef<HTMLDivElement>(null)
  // After an edit the focus goes to where the work goes on; the element is there only once React has drawn it.
  const [focus, setFocus] = useState<Focus | null>(null)
  useEffect(() => {
    if (focus) focusAt(box.current, focus)
  }, [focus])

  // A step back or forth may draw the node that has the focus in another place, or not at all, or leave the button without a further step.
  const left = useRef<{ root: tree.Group; key?: string; on: Focus['on'] } | null>(null)
  const step = (go: (() => void) | undefined) => {
    const from = document.activeElement
    if (go && box.current?.contains(from)) left.current = { root, key: nodeOf(from), on: from?.closest('[data-inputs]') ? 'input' : 'menu' }
    go?.()
  }
  useLayoutEffect(() => {
    const was = left.current
    left.current = null
    const at = document.activeElement
    if (!was || (box.current?.contains(at) && !at?.matches(':disabled'))) return
    if (was.key) focusAt(box.current, { key: tree.near(was.root, root, was.key), on: was.on })
    else box.current?.querySelector<HTMLElement>('[data-tools] button:enabled')?.focus()
  }, [root])

  const [hands] = useState(() => handsFor(p.rule, setFocus))
  useLayoutEffect(() => hands.take(p.rule), [hands, p.rule])
  const onKey = (e: KeyboardEvent) => {
    if (composing(e)) return
    const mod = e.ctrlKey || e.metaKey
    const key = nodeOf(e.target as HTMLElement)
    const run = (f: () => void) => {
      e.preventDefault()
      e.stopPropagation()
      f()
    }
    const letter = e.key.toLowerCase()
    if (mod && letter === 'z' && !p.inside) return run(() => step(e.shiftKey ? redo : undo))
    if (mod && letter === 'y' && !p.inside) return run(() => step(redo))
    if (!key || key === root.key) return
    if (e.altKey && e.key === 'ArrowUp') return run(() => hands.act('up', key))
    if (e.altKey && e.key === 'ArrowDown') return run(() => hands.act('down', key))
    if (mod && letter === 'd') return run(() => hands.act('duplicate', key))
    if (mod && letter === 'g') return run(() => hands.act('wrap', key))
    if (mod && (e.key === 'Backspace' || e.key === 'Delete')) return run(() => hands.act('remove', key))
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys act on whichever control inside has the focus
    <div ref={box} className={css.builder} data-old={p.old || undefined} onKeyDownCapture={onKey}>
      <Opening value={p.onPeople}>
        <GroupBox
          node={root}
          hands={hands}
          data={p.data}
          counts={p.counts}
          faults={p.faults.length ? p.faults : none}
          inside={p.inside}
          top
        />
      </Opening>
      {p.inside ? null : (
        <div className={css.tools} data-tools="">
          <span className={`${css.word} ${css.keys}`}>{t('builder.keys')}</span>
          <IconButton label={t('action.undo')} variant="subtle" color="gray" disabled={!undo} onClick={() => step(undo)}>
            <Undo2 size={16} />
          </IconButton>
          <IconButton label={t('builder.redo')} variant="subtle" color="gray" disabled={!redo} onClick={() => step(redo)}>
            <Redo2 size={16} />
          </IconButton>
        </div>
      )}
    </div>
  )
}

/** The key of the node that an element belongs to. */
const nodeOf = (e: Element | null) => e?.closest('[data-node]')?.getAttribute('data-node') ?? undefined

function focusAt(box: Element | null, { key, on }: Focus) {
  const node = box?.querySelector(`[data-node="${key}"]`)
  const input = node?.querySelector<HTMLElement>(':scope > [data-inputs] :is(input:not([type=hidden]), button)')
  const menu = node?.querySelector<HTMLElement>('[data-menu]')
  ;((on === 'input' ? input : undefined) ?? menu)?.focus()
}

function handsFor(rule: RuleTree, setFocus: (f: Focus) => void): Hands {
  let dragged: string | null = null
  return {
    take: (next) => {
      rule = next
    },
    act: (a, key) => {
      const { root, edit } = rule
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
        case 'unwrap': {
          const next = tree.unwrap(root, key)
          const inner = tree.find(root, key)
          edit(next)
          const first = inner && tree.isGroup(inner) ? inner.kids[0] : undefined
          return setFocus({ key: next !== root && first ? first.key : tree.near(root, next, key), on: 'menu' })
        }
        case 'negate':
          edit(tree.change(root, key, (n) => ({ ...n, not: !n.not })))
          return setFocus({ key, on: 'menu' })
        case 'remove': {
          const next = tree.remove(root, key)
          edit(next)
          return setFocus({ key: tree.near(root, next, key), on: 'menu' })
        }
      }
    },
    add: (to, n) => {
      const { root, edit } = rule
      edit(tree.add(root, to, n))
      setFocus({ key: n.key, on: 'input' })
    },
    change: (key, change, about) => {
      const { root, edit } = rule
      edit(tree.change(root, key, change), about)
    },
    drag: (key) => {
      dragged = key
    },
    dragged: () => dragged,
    drop: (on) => {
      if (!dragged || dragged === on.key) return
      const { root, edit } = rule
      const parent = tree.parentOf(root, on.key)
      if (tree.isGroup(on) || !parent) edit(tree.place(root, dragged, on.key, tree.isGroup(on) ? on.kids.length : 0))
      else edit(tree.place(root, dragged, parent.key, parent.kids.indexOf(on)))
      setFocus({ key: dragged, on: 'menu' })
    },
  }
}

/** What opens the people of a node; beside the nodes' own properties, so that they are not drawn anew with it. */
const Opening = createContext<Props['onPeople']>(undefined)

function Count({ of, n }: { of: string; n: number | undefined }) {
  const open = use(Opening)
  if (n === undefined) return null
  const words = text('builder.people_fit', { n: formatNumber(n) })
  return (
    <span className={css.count}>
      {open && n > 0 ? (
        <UnstyledButton data-finger className={css.open} onClick={() => open(of)}>
          {words}
        </UnstyledButton>
      ) : (
        words
      )}
    </span>
  )
}

function Faults({ found }: { found: Fault[] }) {
  if (found.length === 0) return null
  return (
    <div className={css.fault} role="alert">
      {found.map((f) => (
        <div key={f.at + f.message}>{f.message}</div>
      ))}
    </div>
  )
}

const none: Fault[] = []

/** The same empty list wherever nothing is wrong. */
function faultsAt(key: string, faults: Fault[]): Fault[] {
  const found = faults.filter((f) => f.key === key)
  return found.length ? found : none
}

const Actions = memo(function Actions({ of, hands, label, group }: { of: string; hands: Hands; label: string; group?: boolean }) {
  const t = useT()
  const item = (a: Act, title: string, icon: ReactNode, key: string) => (
    <Menu.Item key={a} leftSection={icon} rightSection={<span className={css.word}>{key}</span>} onClick={() => hands.act(a, of)}>
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
        <Menu.Item leftSection={<Trash2 size={15} />} onClick={() => hands.act('remove', of)}>
          {t('builder.remove')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
})

/** Lets a node be dragged by its handle and take another before itself. */
function useDrag(node: tree.Node, hands: Hands) {
  const [over, setOver] = useState(false)
  return {
    handle: {
      draggable: true,
      onDragStart: (e: React.DragEvent) => {
        hands.drag(node.key)
        e.dataTransfer.effectAllowed = 'move'
        e.dataTransfer.setData('text/plain', node.key)
      },
      onDragEnd: () => {
        hands.drag(null)
      },
    },
    target: {
      'data-over': over || undefined,
      onDragOver: (e: React.DragEvent) => {
        const key = hands.dragged()
        if (!key || key === node.key) return
        e.preventDefault()
        e.stopPropagation()
        setOver(true)
      },
      onDragLeave: () => setOver(false),
      onDrop: (e: React.DragEvent) => {
        setOver(false)
        const key = hands.dragged()
        if (!key || key === node.key) return
        e.preventDefault()
        e.stopPropagation()
        hands.drop(node)
      },
    },
  }
}

interface LeafBoxProps {
  node: tree.Leaf
  n: number
  hands: Hands
  data: RuleData
  count: number | undefined
  faults: Fault[]
}

const LeafBox = memo(function LeafBox({ node, n, hands, data, count, faults }: LeafBoxProps) {
  const t = useT()
  const drag = useDrag(node, hands)
  const known = kinds.find((k) => k.kind === node.kind)
  const Icon = known?.icon ?? WholeWord
  const fault = faults[0]
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
          data={data}
          fault={fault?.at}
          onChange={(body, about) => hands.change(node.key, (x) => ({ ...x, body }) as tree.Node, `${node.key} ${about}`)}
        />
      </div>
      <div className={css.side}>
        <Count of={node.key} n={count} />
        <Actions of={node.key} hands={hands} label={t('builder.more')} />
      </div>
      <Faults found={faults} />
      {lack && !fault ? (
        <div className={css.lack} role="status">
          <CircleDashed size={14} aria-hidden /> {t('builder.lacks', { part: text(`builder.field.${lack}`) })}
        </div>
      ) : null}
    </li>
  )
})

const joins = [
  { value: 'all', group: 'all', not: false },
  { value: 'any', group: 'any', not: false },
  { value: 'not_all', group: 'all', not: true },
  { value: 'not_any', group: 'any', not: true },
] as const

const joinOf = (group: 'all' | 'any', not: boolean) => joins.find((j) => j.group === group && j.not === not) ?? joins[0]

interface GroupBoxProps {
  node: tree.Group
  hands: Hands
  data: RuleData
  counts: Map<string, number>
  faults: Fault[]
  top?: boolean
  inside?: boolean
}

const GroupBox = memo(function GroupBox({ node, top, inside, ...c }: GroupBoxProps) {
  const t = useT()
  const drag = useDrag(node, c.hands)
  const Box = top ? 'div' : 'li'
  const faults = faultsAt(node.key, c.faults)
  return (
    <Box
      className={css.group}
      data-node={node.key}
      data-any={node.group === 'any' || undefined}
      data-not={node.not || undefined}
      data-faulty={faults.length > 0 || undefined}
      {...drag.target}
    >
      <div className={css.head}>
        <Join of={node.key} group={node.group} not={node.not} top={top} hands={c.hands} />
        {top ? null : (
          <span className={css.kind} {...drag.handle} aria-hidden>
            ⠿
          </span>
        )}
        <span className={css.grow} />
        <Count of={node.key} n={c.counts.get(node.key)} />
        {top ? null : <Actions of={node.key} hands={c.hands} label={t('builder.group_more')} group />}
      </div>
      <Faults found={faults} />
      {node.kids.length === 0 ? (
        <p className={css.word}>
          {t(top && inside ? 'builder.empty_inside' : node.group === 'any' ? 'builder.empty_any' : 'builder.empty')}
        </p>
      ) : (
        <ul className={css.kids} aria-label={text(`builder.${joinOf(node.group, node.not).value}`)}>
          {node.kids.map((k, i) =>
            tree.isGroup(k) ? (
              <GroupBox key={k.key} {...c} node={k} />
            ) : (
              <LeafBox
                key={k.key}
                node={k}
                n={i + 1}
                hands={c.hands}
                data={c.data}
                count={c.counts.get(k.key)}
                faults={faultsAt(k.key, c.faults)}
              />
            ),
          )}
        </ul>
      )}
      <Adding to={node.key} group={node.group} hands={c.hands} />
    </Box>
  )
})

interface JoinProps {
  of: string
  group: 'all' | 'any'
  not: boolean
  top?: boolean
  hands: Hands
}

/** How the members of a group belong together. */
const Join = memo(function Join({ of, group, not, top, hands }: JoinProps) {
  const t = useT()
  return (
    <div data-inputs="" className={css.join}>
      <Select
        size="sm"
        aria-label={t('builder.group_means')}
        value={joinOf(group, not).value}
        allowDeselect={false}
        data={joins.filter((j) => !top || !j.not).map((j) => ({ value: j.value, label: text(`builder.${j.value}`) }))}
        onChange={(v) => {
          const next = joins.find((j) => j.value === v) ?? joins[0]
          hands.change(of, (n) => ({ ...n, group: next.group, not: next.not }) as tree.Node)
        }}
      />
    </div>
  )
})

/** Puts something into a group. */
const Adding = memo(function Adding({ to, group, hands }: { to: string; group: 'all' | 'any'; hands: Hands }) {
  const t = useT()
  return (
    <div className={css.head}>
      <AddCondition onAdd={(n) => hands.add(to, n)} />
      <Button
        size="compact-sm"
        variant="subtle"
        color="gray"
        leftSection={<FolderPlus size={14} />}
        onClick={() => hands.add(to, tree.group(group === 'all' ? 'any' : 'all'))}
      >
        {t('builder.add_group')}
      </Button>
    </div>
  )
})

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
