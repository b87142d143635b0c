import { useRef, useState } from 'react'
import { useT } from '@/i18n'
import { Modal, NothingFound, SegmentedControl, TextInput, UnstyledButton } from '@/ui'
import css from './AddStep.module.css'
import { lookOf } from './icons'
import { kindTitle } from './words'

interface Props {
  kinds: string[]
  /** Outputs behind which it may stand; one or none is no question. */
  ways: { value: string; label: string }[]
  way: string
  onWay: (way: string) => void
  onPick: (kind: string) => void
  onClose: () => void
}

/** The kinds of nodes, to search and choose from. */
export function AddStep({ kinds, ways, way, onWay, onPick, onClose }: Props) {
  const t = useT()
  const [q, setQ] = useState('')
  const list = useRef<HTMLUListElement>(null)
  const wanted = q.trim().toLowerCase()
  const shown = kinds.filter((k) => `${k} ${kindTitle(k)} ${t(`node_about.${k}`)}`.toLowerCase().includes(wanted))
  const move = (e: React.KeyboardEvent) => {
    if ((e.key !== 'ArrowDown' && e.key !== 'ArrowUp') || e.nativeEvent.isComposing) return
    const all = [...(list.current?.querySelectorAll('button') ?? [])]
    const at = all.indexOf(document.activeElement as HTMLButtonElement)
    all[(at + (e.key === 'ArrowDown' ? 1 : -1) + all.length) % all.length]?.focus()
    e.preventDefault()
  }
  return (
    <Modal title={t('journeys.add_step')} onClose={onClose}>
      {/* oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- the buttons in it have the focus; this hears their arrows */}
      <div onKeyDown={move}>
        {ways.length > 1 ? (
          <SegmentedControl fullWidth mb="sm" aria-label={t('journeys.add_behind')} data={ways} value={way} onChange={onWay} />
        ) : null}
        <TextInput
          // At once, for whoever types on: the window around it gives the focus a moment later only.
          // oxlint-disable-next-line jsx-a11y/no-autofocus -- it is opened to type into
          autoFocus
          data-autofocus
          aria-label={t('journeys.search_step')}
          placeholder={t('journeys.search_step')}
          value={q}
          onChange={(e) => setQ(e.currentTarget.value)}
          onKeyDown={(e) => {
            if (e.key === 'Enter' && !e.nativeEvent.isComposing && shown[0]) onPick(shown[0])
          }}
        />
        <ul ref={list} className={css.kinds}>
          {shown.map((k) => {
            const [Icon, tone] = lookOf(k)
            return (
              <li key={k}>
                <UnstyledButton className={css.kind} onClick={() => onPick(k)}>
                  <span className={css.icon} data-tone={tone}>
                    <Icon size={17} aria-hidden />
                  </span>
                  <span>
                    <b>{kindTitle(k)}</b>
                    <span className={css.about}>{t(`node_about.${k}`)}</span>
                  </span>
                </UnstyledButton>
              </li>
            )
          })}
        </ul>
        {shown.length === 0 ? <NothingFound onClear={() => setQ('')} /> : null}
      </div>
    </Modal>
  )
}
