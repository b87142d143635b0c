import { CornerDownRight, Plus } from 'lucide-react'
import { useT } from '@/i18n'
import { IconButton } from '@/ui'
import css from './Canvas.module.css'
import type { CanvasProps } from './Canvas'
import { CardFace } from './CardFace'
import { entrance, outputsOf, startOf, stepOf } from './graph'
import { layout } from './layout'
import { outputText, stepTitle } from './words'

/** The journey as a list, in the order in which people walk: the same cards and the same things to do, without a canvas. */
export function StepList({ graph, outputs, faces, selected, edit, onSelect, onOpen, onInsert, onRemove, onCopy }: CanvasProps) {
  const t = useT()
  const spots = layout({ ...graph, nodes: graph.nodes.map(({ x: _x, y: _y, ...n }) => n) }, outputs).spots
  const order = [...spots].toSorted(([, a], [, b]) => a.y - b.y || a.x - b.x).map(([id]) => id)
  return (
    <ol className={css.list} aria-label={t('journeys.nodes')}>
      {order.map((id) => {
        const step = stepOf(graph, id)
        const face = faces.get(id)
        if (!face) return null
        const outs = id === entrance ? ['start'] : step ? outputsOf(step, outputs.get(step.kind) ?? []) : []
        return (
          <li key={id} className={css.item}>
            {/* oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- hears the keys of the button in it */}
            <div
              style={{ flex: '1 1 240px', minWidth: 0 }}
              onKeyDown={(e) => {
                if (!edit || id === entrance || !(e.target as HTMLElement).closest('[data-card]')) return
                if (e.key === 'Delete') onRemove?.([id])
                else if (e.key.toLowerCase() === 'd' && (e.ctrlKey || e.metaKey)) {
                  e.preventDefault()
                  onCopy?.([id])
                }
              }}
            >
              <CardFace
                face={face}
                selected={selected === id}
                onClick={() => {
                  onSelect(id)
                  onOpen(id)
                }}
              />
            </div>
            <div className={css.outs}>
              {outs.map((o) => {
                const to = id === entrance ? startOf(graph) : step?.next?.[o]
                const target = to ? stepOf(graph, to) : undefined
                return (
                  <span key={o} className={css.out}>
                    <CornerDownRight size={14} aria-hidden />
                    {outs.length > 1 ? <b>{outputText(o, step)}</b> : null}
                    <span>{target ? stepTitle(target) : t('journeys.leaves')}</span>
                    {edit ? (
                      <IconButton
                        label={t('journeys.add_here')}
                        variant="subtle"
                        size="sm"
                        onClick={() => onInsert?.({ node: id, output: o })}
                      >
                        <Plus size={14} />
                      </IconButton>
                    ) : null}
                  </span>
                )
              })}
            </div>
          </li>
        )
      })}
    </ol>
  )
}
