// The plan as a grid: a column for each stage, a row for each thing to know about it. Everything is edited where it stands.
import { Activity, ArrowLeft, ArrowRight, EllipsisVertical, GripVertical, Plus, Trash2 } from 'lucide-react'
import { useRef, useState } from 'react'
import { t as text, useT } from '@/i18n'
import { placeName } from '@/personas/places'
import { Button, IconButton, Menu, MultiSelect } from '@/ui'
import css from './maps.module.css'
import {
  addRow,
  addStage,
  changeStage,
  curve,
  freshId,
  moveStage,
  type Plan,
  removeRow,
  smooth,
  type Stage,
  textRows,
  type Touchpoint,
} from './plan'
import { TouchpointSheet } from './TouchpointSheet'

interface Props {
  plan: Plan
  change: (next: (p: Plan) => Plan, key?: string) => void
  write: boolean
  removeStage: (id: string) => void
}

export function Grid({ plan, change, write, removeStage }: Props) {
  const t = useT()
  const box = useRef<HTMLDivElement>(null)
  const [dragged, setDragged] = useState<string | null>(null)
  const [over, setOver] = useState<string | null>(null)
  const [open, setOpen] = useState<{ stage: string; point: Touchpoint } | null>(null)
  const { stages } = plan
  const put = (id: string, patch: Partial<Stage>, key: string) => change((p) => changeStage(p, id, patch), key)
  const focusName = (id: string) =>
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>(`[data-stage="${id}"] textarea`)?.focus())
  const insert = (at: number) => {
    const id = freshId(plan, 's')
    change((p) => addStage(p, at))
    focusName(id)
  }
  const shift = (id: string, by: number) => {
    change((p) => moveStage(p, id, p.stages.findIndex((s) => s.id === id) + by))
    focusName(id)
  }
  // Alt and an arrow goes to the cell beside; in a text field the arrows alone move the caret.
  const walk = (e: React.KeyboardEvent) => {
    if (!e.altKey || e.shiftKey || !e.key.startsWith('Arrow')) return
    const cell = (e.target as HTMLElement).closest<HTMLElement>('[data-cell]')
    const [row, column] = cell?.dataset.cell?.split(',').map(Number) ?? []
    if (row === undefined || column === undefined) return
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[e.key]!
    const next = box.current?.querySelector<HTMLElement>(
      `[data-cell="${row + step[0]!},${column + step[1]!}"] :is(textarea, input, button)`,
    )
    if (!next) return
    e.preventDefault()
    next.focus()
  }
  const points = curve(stages.map((s) => s.mood))
  const at = (row: number, column: number) => `${row},${column}`
  return (
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- the keys move between the inputs inside
    <div data-sideways className={css.scroll} onKeyDown={walk} ref={box}>
      <div
        className={css.grid}
        style={{ gridTemplateColumns: `var(--label) repeat(${stages.length}, minmax(var(--column), 1fr))${write ? ' auto' : ''}` }}
        role="group"
        aria-label={t('maps.plan')}
      >
        <div className={css.corner} />
        {stages.map((s, i) => (
          // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- dragging is one way; the menu and Alt+Shift+arrow are others
          <div
            key={s.id}
            className={css.stage}
            data-stage={s.id}
            data-cell={at(0, i)}
            data-over={over === s.id && dragged !== s.id ? 'yes' : undefined}
            onDragOver={(e) => {
              if (!dragged) return
              e.preventDefault()
              setOver(s.id)
            }}
            onDrop={(e) => {
              e.preventDefault()
              if (dragged) change((p) => moveStage(p, dragged, i))
              setDragged(null)
              setOver(null)
            }}
            onKeyDown={(e) => {
              if (!write || !e.altKey || !e.shiftKey || (e.key !== 'ArrowLeft' && e.key !== 'ArrowRight')) return
              e.preventDefault()
              shift(s.id, e.key === 'ArrowLeft' ? -1 : 1)
            }}
          >
            {write ? (
              <span
                className={css.grip}
                draggable
                title={t('maps.drag')}
                aria-hidden
                onDragStart={(e) => {
                  e.dataTransfer.effectAllowed = 'move'
                  e.dataTransfer.setData('text/plain', s.name ?? '')
                  setDragged(s.id)
                }}
                onDragEnd={() => {
                  setDragged(null)
                  setOver(null)
                }}
              >
                <GripVertical size={16} />
              </span>
            ) : null}
            <Cell
              label={t('maps.stage_n', { n: i + 1 })}
              value={s.name ?? ''}
              max={120}
              write={write}
              strong
              onChange={(name) => put(s.id, { name }, `${s.id} name`)}
            />
            {write ? (
              <Menu position="bottom-end">
                <Menu.Target>
                  <IconButton
                    label={t('maps.stage_menu', { name: s.name || t('maps.stage_n', { n: i + 1 }) })}
                    variant="subtle"
                    size={28}
                    style={{ flex: 'none' }}
                  >
                    <EllipsisVertical size={15} />
                  </IconButton>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item leftSection={<ArrowLeft size={15} />} disabled={i === 0} onClick={() => shift(s.id, -1)}>
                    {t('maps.move_left')}
                  </Menu.Item>
                  <Menu.Item leftSection={<ArrowRight size={15} />} disabled={i === stages.length - 1} onClick={() => shift(s.id, 1)}>
                    {t('maps.move_right')}
                  </Menu.Item>
                  <Menu.Item leftSection={<Plus size={15} />} onClick={() => insert(i)}>
                    {t('maps.insert_before')}
                  </Menu.Item>
                  <Menu.Item leftSection={<Trash2 size={15} />} onClick={() => removeStage(s.id)}>
                    {t('action.remove')}
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
            ) : null}
          </div>
        ))}
        {write ? (
          <div className={css.addStage}>
            <IconButton label={t('maps.add_stage')} variant="default" disabled={stages.length >= 16} onClick={() => insert(stages.length)}>
              <Plus size={16} />
            </IconButton>
          </div>
        ) : null}

        <RowHead name={t('maps.row.touchpoints')} help={t('maps.row.touchpoints_help')} />
        {stages.map((s, i) => {
          const row = 1
          return (
            <div key={s.id} className={css.cell} data-cell={at(row, i)}>
              <ul className={css.points}>
                {(s.touchpoints ?? []).map((p) => (
                  <li key={p.id}>
                    <button type="button" className={css.point} onClick={() => setOpen({ stage: s.id, point: p })}>
                      <span className={css.pointName}>{p.name || placeName(p.channel ?? '')}</span>
                      <span className={css.pointFacts}>
                        {[p.channel && p.name ? placeName(p.channel) : '', p.owner].filter(Boolean).join(' · ')}
                        {p.signals?.length ? (
                          <span className={css.linked} title={t('maps.linked')}>
                            <Activity size={12} aria-label={t('maps.linked')} />
                          </span>
                        ) : null}
                      </span>
                    </button>
                  </li>
                ))}
              </ul>
              {write ? (
                <Button
                  size="compact-sm"
                  variant="subtle"
                  leftSection={<Plus size={14} />}
                  disabled={(s.touchpoints ?? []).length >= 12}
                  onClick={() => setOpen({ stage: s.id, point: { id: freshId(plan, 't') } })}
                >
                  {t('maps.add_touchpoint')}
                </Button>
              ) : null}
            </div>
          )
        })}
        {write ? <div /> : null}

        <RowHead name={t('maps.row.mood')} help={t('maps.row.mood_help')} />
        <div
          className={css.moods}
          style={{ gridColumn: `2 / span ${Math.max(stages.length, 1)}`, gridTemplateColumns: `repeat(${stages.length}, minmax(0, 1fr))` }}
        >
          <svg viewBox={`0 0 ${Math.max(stages.length, 1) * 100} 100`} preserveAspectRatio="none" className={css.curve} aria-hidden>
            <line x1="0" x2={stages.length * 100} y1="50" y2="50" className={css.zero} />
            <path d={smooth(points)} className={css.line} />
          </svg>
          {stages.map((s, i) => {
            const row = 2
            return (
              <div key={s.id} className={css.mood} data-cell={at(row, i)} style={{ ['--y' as string]: `${points[i]![1]}%` }}>
                <span className={css.dot} data-mood={s.mood} />
                <input
                  type="range"
                  min={-2}
                  max={2}
                  step={1}
                  value={s.mood}
                  disabled={!write}
                  aria-label={t('maps.mood_of', { name: s.name || t('maps.stage_n', { n: i + 1 }) })}
                  aria-valuetext={text(`maps.mood.${s.mood}`)}
                  onChange={(e) => put(s.id, { mood: Number(e.currentTarget.value) }, `${s.id} mood`)}
                />
                <span className={css.moodName}>{text(`maps.mood.${s.mood}`)}</span>
              </div>
            )
          })}
        </div>
        {write ? <div /> : null}

        {textRows.map((name, n) => (
          <Row key={name} head={<RowHead name={t(`maps.row.${name}`)} />} tail={write}>
            {stages.map((s, i) => {
              const row = 3 + n
              return (
                <div key={s.id} className={css.cell} data-cell={at(row, i)} data-row={name}>
                  <Cell
                    label={`${s.name || t('maps.stage_n', { n: i + 1 })}: ${t(`maps.row.${name}`)}`}
                    value={s[name] ?? ''}
                    max={2000}
                    write={write}
                    onChange={(v) => put(s.id, { [name]: v }, `${s.id} ${name}`)}
                  />
                </div>
              )
            })}
          </Row>
        ))}
        {(plan.rows ?? []).map((r, n) => (
          <Row
            key={r.id}
            tail={write}
            head={
              <div className={css.rowHead}>
                <Cell
                  label={t('maps.row_name')}
                  placeholder={t('maps.row_name')}
                  value={r.name ?? ''}
                  max={120}
                  write={write}
                  strong
                  onChange={(v) =>
                    change((p) => ({ ...p, rows: p.rows?.map((x) => (x.id === r.id ? { ...x, name: v } : x)) }), `${r.id} name`)
                  }
                />
                {write ? (
                  <IconButton
                    label={t('maps.remove_row', { name: r.name ?? '' })}
                    variant="subtle"
                    size="sm"
                    onClick={() => change((p) => removeRow(p, r.id))}
                  >
                    <Trash2 size={14} />
                  </IconButton>
                ) : null}
              </div>
            }
          >
            {stages.map((s, i) => {
              const row = 3 + textRows.length + n
              return (
                <div key={s.id} className={css.cell} data-cell={at(row, i)}>
                  <Cell
                    label={`${s.name || t('maps.stage_n', { n: i + 1 })}: ${r.name || t('maps.row_name')}`}
                    value={s.notes?.[r.id] ?? ''}
                    max={2000}
                    write={write}
                    onChange={(v) => put(s.id, { notes: { ...s.notes, [r.id]: v } }, `${s.id} ${r.id}`)}
                  />
                </div>
              )
            })}
          </Row>
        ))}
        {write && stages.length > 1 ? (
          <Row head={<RowHead name={t('maps.row.also')} help={t('maps.row.also_help')} />} tail>
            {stages.map((s, i) => (
              <div key={s.id} className={css.cell} data-screen="only">
                <MultiSelect
                  aria-label={`${s.name || t('maps.stage_n', { n: i + 1 })}: ${t('maps.row.also')}`}
                  size="xs"
                  value={s.also ?? []}
                  onChange={(also) => put(s.id, { also }, '')}
                  data={stages
                    .filter((o) => o.id !== s.id && o.id !== stages[i + 1]?.id)
                    .map((o) => ({ value: o.id, label: o.name || o.id }))}
                />
              </div>
            ))}
          </Row>
        ) : null}
        {write ? (
          <div className={css.addRow}>
            <Button
              size="compact-sm"
              variant="subtle"
              leftSection={<Plus size={14} />}
              disabled={(plan.rows ?? []).length >= 10}
              onClick={() => change(addRow)}
            >
              {t('maps.add_row')}
            </Button>
          </div>
        ) : null}
      </div>
      {open ? (
        <TouchpointSheet plan={plan} stage={open.stage} point={open.point} write={write} change={change} onClose={() => setOpen(null)} />
      ) : null}
    </div>
  )
}

const RowHead = ({ name, help }: { name: string; help?: string }) => (
  <div className={css.rowHead}>
    <div>
      <b>{name}</b>
      {help ? <span className={css.help}>{help}</span> : null}
    </div>
  </div>
)

const Row = ({ head, tail, children }: { head: React.ReactNode; tail: boolean; children: React.ReactNode }) => (
  <>
    {head}
    {children}
    {tail ? <div /> : null}
  </>
)

/** A text that grows with what is written; nothing but its words until it is looked at. */
function Cell({
  label,
  value,
  max,
  write,
  strong,
  placeholder,
  onChange,
}: {
  label: string
  value: string
  max: number
  write: boolean
  strong?: boolean
  placeholder?: string
  onChange: (v: string) => void
}) {
  if (!write) return <div className={strong ? css.strong : css.words}>{value}</div>
  return (
    <div className={css.grow} data-value={value}>
      <textarea
        aria-label={label}
        placeholder={placeholder}
        className={strong ? css.strong : css.words}
        rows={1}
        maxLength={max}
        value={value}
        onChange={(e) => onChange(e.currentTarget.value)}
      />
    </div>
  )
}
