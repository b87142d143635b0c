import { ArrowDown, ArrowUp, Copy, GripVertical, Plus, Trash2 } from 'lucide-react'
import { type DragEvent, type KeyboardEvent, useState } from 'react'
import { formatNumber, useT, word } from '@/i18n'
import { composing } from '@/lib/keys'
import { Button, IconButton } from '@/ui'
import css from './content.module.css'
import { excerpt, findSection, type MailDocument, type Place } from './document'
import { iconOf } from './kinds'

/** What a list of blocks can be asked for. */
export interface OutlineActions {
  select: (id: string) => void
  move: (id: string, step: -1 | 1) => void
  moveTo: (id: string, to: Place) => void
  insert: (kind: string, at: Place) => void
  duplicate: (id: string) => void
  remove: (id: string) => void
  addSection: () => void
}

const kindType = 'application/x-kizuna-kind'
const blockType = 'application/x-kizuna-block'

/** The kinds of blocks, to click (it goes below the chosen block) or to drag into the list. */
export function Palette({ kinds, onAdd }: { kinds: string[]; onAdd: (kind: string) => void }) {
  useT()
  return (
    <div className={css.kinds}>
      {kinds.map((k) => {
        const Icon = iconOf(k)
        return (
          <button
            key={k}
            type="button"
            className={css.kind}
            draggable
            onDragStart={(e) => {
              e.dataTransfer.setData(kindType, k)
              e.dataTransfer.effectAllowed = 'copy'
            }}
            onClick={() => onAdd(k)}
          >
            <Icon size={16} />
            {word('block.kind', k)}
          </button>
        )
      })}
    </div>
  )
}

const below = (key: string) => `${key} below`

/** Whether the pointer is over the lower half of a row; the end of a column has none. */
function lower(e: DragEvent) {
  const row = e.currentTarget.querySelector('[data-row]')?.getBoundingClientRect()
  return row !== undefined && e.clientY > row.top + row.height / 2
}

/** The blocks of a mail in their order. Alt with the arrows moves, Delete removes, dragging puts elsewhere. `flat` hides sections. */
export function Outline({
  document: d,
  selected,
  faulty,
  flat,
  actions: a,
}: {
  document: MailDocument
  selected: string
  faulty: Set<string>
  flat?: boolean
  actions: OutlineActions
}) {
  const t = useT()
  const [over, setOver] = useState('')
  const onKey = (e: KeyboardEvent<HTMLButtonElement>, id: string) => {
    if (composing(e)) return
    const step = e.key === 'ArrowUp' ? -1 : e.key === 'ArrowDown' ? 1 : 0
    if (step && e.altKey) a.move(id, step)
    else if (step) {
      const all = [...(e.currentTarget.closest('[data-outline]')?.querySelectorAll<HTMLElement>('[data-row]') ?? [])]
      const next = all[all.indexOf(e.currentTarget) + step]
      next?.focus()
      if (next?.dataset.row) a.select(next.dataset.row)
    } else if (e.key === 'Delete' || e.key === 'Backspace') a.remove(id)
    else if (e.key.toLowerCase() === 'd' && (e.ctrlKey || e.metaKey)) a.duplicate(id)
    else return
    e.preventDefault()
    e.stopPropagation()
  }
  // What is dropped on the upper half of a row goes above it, on the lower half below.
  const drop = (place: Place, key: string) => ({
    'data-over': over === key ? 'above' : over === below(key) ? 'below' : undefined,
    onDragOver: (e: DragEvent) => {
      if (!e.dataTransfer.types.some((x) => x === kindType || x === blockType)) return
      e.preventDefault()
      e.stopPropagation()
      setOver(lower(e) ? below(key) : key)
    },
    onDragLeave: (e: DragEvent) => {
      if (!e.currentTarget.contains(e.relatedTarget as Node | null)) setOver('')
    },
    onDrop: (e: DragEvent) => {
      e.preventDefault()
      e.stopPropagation()
      setOver('')
      const at = lower(e) ? { ...place, index: place.index + 1 } : place
      const kind = e.dataTransfer.getData(kindType)
      const id = e.dataTransfer.getData(blockType)
      if (kind) a.insert(kind, at)
      else if (id) a.moveTo(id, at)
    },
  })
  const tools = (id: string) => (
    <span className={css.tools}>
      <IconButton size="sm" label={t('content.move_up')} onClick={() => a.move(id, -1)}>
        <ArrowUp size={14} />
      </IconButton>
      <IconButton size="sm" label={t('content.move_down')} onClick={() => a.move(id, 1)}>
        <ArrowDown size={14} />
      </IconButton>
      <IconButton size="sm" label={t('content.duplicate')} onClick={() => a.duplicate(id)}>
        <Copy size={14} />
      </IconButton>
      <IconButton size="sm" label={t('action.remove')} onClick={() => a.remove(id)}>
        <Trash2 size={14} />
      </IconButton>
    </span>
  )
  const section = (id: string, n: number) => {
    const s = findSection(d, id)!
    return (
      <li key={id} className={css.section}>
        {flat ? null : (
          <div className={css.row} data-selected={selected === id || undefined}>
            <button
              type="button"
              data-row={id}
              className={css.sectionName}
              aria-pressed={selected === id}
              onClick={() => a.select(id)}
              onKeyDown={(e) => onKey(e, id)}
            >
              {t('content.section', { n: formatNumber(n + 1) })}
              {faulty.has(id) ? <span className={css.fault} role="img" aria-label={t('content.has_errors')} /> : null}
            </button>
            {selected === id ? tools(id) : null}
          </div>
        )}
        {s.columns.map((c, column) => (
          // oxlint-disable-next-line react/no-array-index-key
          <ul
            key={column}
            className={css.column}
            aria-label={s.columns.length > 1 ? t('content.column', { n: formatNumber(column + 1) }) : undefined}
          >
            {c.blocks.map((b, index) => {
              const Icon = iconOf(b.type)
              const words = excerpt(b)
              return (
                <li
                  key={b.id}
                  className={css.row}
                  data-selected={selected === b.id || undefined}
                  {...drop({ section: id, column, index }, b.id)}
                >
                  <button
                    type="button"
                    data-row={b.id}
                    draggable
                    className={css.block}
                    aria-pressed={selected === b.id}
                    onDragStart={(e) => {
                      e.dataTransfer.setData(blockType, b.id)
                      e.dataTransfer.effectAllowed = 'move'
                    }}
                    onClick={() => a.select(b.id)}
                    onKeyDown={(e) => onKey(e, b.id)}
                  >
                    <GripVertical size={12} className={css.grip} aria-hidden />
                    <Icon size={15} />
                    <span className={css.blockName}>
                      <span>{word('block.kind', b.type)}</span>
                      {words ? <small>{words}</small> : null}
                    </span>
                    {faulty.has(b.id) ? <span className={css.fault} role="img" aria-label={t('content.has_errors')} /> : null}
                  </button>
                  {selected === b.id ? tools(b.id) : null}
                </li>
              )
            })}
            <li
              className={css.end}
              data-empty={c.blocks.length === 0 || undefined}
              {...drop({ section: id, column, index: c.blocks.length }, `${id}.${column}`)}
            >
              {c.blocks.length === 0 ? t('content.column_empty') : ''}
            </li>
          </ul>
        ))}
      </li>
    )
  }
  return (
    <div data-outline>
      <ol className={css.outline}>{d.sections.map((s, i) => section(s.id, i))}</ol>
      {flat ? null : (
        <Button fullWidth size="xs" variant="subtle" leftSection={<Plus size={14} />} onClick={a.addSection}>
          {t('content.add_section')}
        </Button>
      )}
    </div>
  )
}
