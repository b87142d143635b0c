import { AlertTriangle } from 'lucide-react'
import { useT } from '@/i18n'
import { Tooltip } from '@/ui'
import css from './Canvas.module.css'
import { entrance } from './graph'
import { lookOf } from './icons'

export interface Fact {
  label: string
  value: string
  tone?: 'danger'
  onOpen: () => void
}

/** What a card shows. */
export interface Face {
  kind: string
  title: string
  sum: string
  problem?: string
  /** What may not be meant so; shown unless there is a problem. */
  warning?: string
  facts?: Fact[]
}

export const sameFace = (a: Face, b: Face) =>
  a === b ||
  (a.kind === b.kind &&
    a.title === b.title &&
    a.sum === b.sum &&
    a.problem === b.problem &&
    a.warning === b.warning &&
    a.facts?.map((f) => f.label + f.value).join() === b.facts?.map((f) => f.label + f.value).join())

export function CardFace({
  face,
  selected,
  onClick,
  onFocus,
}: {
  face: Face
  selected?: boolean
  onClick: (e: React.MouseEvent) => void
  onFocus?: () => void
}) {
  const t = useT()
  const [Icon, tone] = lookOf(face.kind)
  return (
    <div className={css.card} data-selected={selected} data-problem={face.problem !== undefined} data-figures={face.facts !== undefined}>
      <span className={css.icon} data-tone={tone}>
        <Icon size={17} aria-hidden />
      </span>
      <div className={css.text}>
        <button
          type="button"
          data-card
          className={css.title}
          title={face.title}
          aria-label={[face.kind === entrance ? t('journeys.entrance') : '', face.title, face.sum, face.problem ?? face.warning]
            .filter(Boolean)
            .join('. ')}
          onClick={onClick}
          onFocus={onFocus}
        >
          {face.title}
        </button>
        <div className={css.sum} title={face.sum}>
          {face.sum}
        </div>
        {face.facts ? (
          <div className={css.figures}>
            {face.facts.map((f) => (
              <button
                data-finger
                key={f.label}
                type="button"
                className={`${css.figure} nodrag nopan`}
                data-tone={f.tone}
                onClick={f.onOpen}
              >
                <b>{f.value}</b> {f.label}
              </button>
            ))}
          </div>
        ) : null}
      </div>
      {face.problem || face.warning ? (
        <Tooltip label={face.problem ?? face.warning} multiline maw={320}>
          <span className={css.wrong} data-warning={face.problem === undefined || undefined}>
            <AlertTriangle size={12} aria-hidden />
          </span>
        </Tooltip>
      ) : null}
    </div>
  )
}
