import { Braces } from 'lucide-react'
import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from 'react'
import { formatNumber, useT } from '@/i18n'
import { composing } from '@/lib/keys'
import { Button, IconButton, Textarea, TextInput } from '@/ui'
import css from './content.module.css'
import { misnamed, type Variable } from './variables'

interface Props {
  label: ReactNode
  value: string
  onChange: (value: string) => void
  variables: Variable[]
  /** lines: several lines; bare: the text itself is a path or condition, without braces. */
  lines?: boolean
  bare?: boolean
  mono?: boolean
  description?: ReactNode
  error?: ReactNode
  required?: boolean
  withAsterisk?: boolean
  maxLength?: number
  name?: string
  placeholder?: string
  autoFocus?: boolean
}

const shown = 8

/** Text with variables: typing {{ offers those there are, with the values of the person who is looked at. */
export function LiquidInput({ label, value, onChange, variables, lines, bare, mono, ...rest }: Props) {
  const t = useT()
  const list = useId()
  const field = useRef<HTMLInputElement & HTMLTextAreaElement>(null)
  // What has been typed of a variable, and where it begins; null while none is asked for.
  const [asked, setAsked] = useState<{ from: number; text: string } | null>(null)
  const [at, setAt] = useState(0)
  const found = asked ? offered(variables, asked.text) : []

  const look = (text: string, caret: number) => {
    const before = text.slice(0, caret)
    const m = bare ? /([A-Za-z_][\w.]*)$/.exec(before) : /\{\{-?\s*([\w.]*)$/.exec(before)
    setAsked(m ? { from: caret - m[1]!.length, text: m[1]! } : null)
    setAt(0)
  }
  const write = (text: string, caret: number) => {
    onChange(text)
    setAsked(null)
    requestAnimationFrame(() => {
      field.current?.focus()
      field.current?.setSelectionRange(caret, caret)
    })
  }
  const take = (v: Variable) => {
    if (!asked) return
    const before = value.slice(0, asked.from)
    const after = value.slice(asked.from + asked.text.length)
    if (bare) return write(before + v.path + after, before.length + v.path.length)
    const gap = /\s$/.test(before) ? '' : ' '
    const rest = after.replace(/^\s*\}\}/, '')
    const put = `${before}${gap}${v.path} }}`
    write(put + rest, put.length)
  }
  const onKeyDown = (e: KeyboardEvent) => {
    if (composing(e) || found.length === 0) return
    const step = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0
    if (step) setAt((n) => (n + step + found.length) % found.length)
    else if (e.key === 'Enter' || e.key === 'Tab') take(found[at]!)
    else if (e.key === 'Escape') setAsked(null)
    else return
    e.preventDefault()
    e.stopPropagation()
  }
  const open = () => {
    const caret = field.current?.selectionStart ?? value.length
    const put = bare ? '' : '{{ '
    const text = value.slice(0, caret) + put + value.slice(caret)
    if (put) onChange(text)
    setAsked({ from: caret + put.length, text: '' })
    setAt(0)
    requestAnimationFrame(() => {
      field.current?.focus()
      field.current?.setSelectionRange(caret + put.length, caret + put.length)
    })
  }
  // What is being typed may still become one that there is.
  const slip = misnamed(value, variables, bare)
  const wrong = slip && !(asked && found.length > 0 && asked.from === slip.from) ? slip : undefined
  const before = wrong ? value.slice(0, wrong.from).split('\n') : []
  const mend = (like: string) => {
    if (wrong) write(value.slice(0, wrong.from) + like + value.slice(wrong.from + wrong.name.length), wrong.from + like.length)
  }
  const common = {
    ...rest,
    error: wrong ? (
      <span className={css.slip}>
        {t('finding.at', {
          name: wrong.name,
          line: formatNumber(before.length),
          col: formatNumber([...before.at(-1)!].length + 1),
          text: wrong.like ? t('finding.unknown_like', { like: wrong.like }) : t('finding.unknown'),
        })}
        {wrong.like ? (
          <Button size="compact-xs" variant="light" onClick={() => mend(wrong.like!)}>
            {t('builder.use_instead', { name: wrong.like })}
          </Button>
        ) : null}
      </span>
    ) : (
      rest.error
    ),
    label,
    value,
    ref: field,
    autoComplete: 'off',
    onKeyDown,
    onBlur: () => setAsked(null),
    'aria-controls': found.length > 0 ? list : undefined,
    'aria-activedescendant': found.length > 0 ? `${list}-${at}` : undefined,
    styles: mono || bare ? { input: { fontFamily: 'var(--ui-mono)', fontSize: 13 } } : undefined,
    rightSectionPointerEvents: 'all' as const,
    rightSection: (
      <IconButton size="sm" label={t('content.insert_variable')} onMouseDown={(e) => e.preventDefault()} onClick={open}>
        <Braces size={14} />
      </IconButton>
    ),
  }
  const typed = (e: { currentTarget: HTMLInputElement | HTMLTextAreaElement }) => {
    onChange(e.currentTarget.value)
    look(e.currentTarget.value, e.currentTarget.selectionStart ?? 0)
  }
  return (
    <div className={css.liquid}>
      {lines ? (
        <Textarea
          {...common}
          autosize
          minRows={3}
          maxRows={16}
          rightSectionProps={{ style: { alignItems: 'flex-start', paddingTop: 5 } }}
          onChange={typed}
        />
      ) : (
        <TextInput {...common} onChange={typed} />
      )}
      <Offers id={list} found={found} at={at} onTake={take} />
    </div>
  )
}

/** Variables that fit what is being typed, with their values. The keys act on the field, which keeps the focus. */
export function Offers({ id, found, at, onTake }: { id: string; found: Variable[]; at: number; onTake: (v: Variable) => void }) {
  const t = useT()
  if (found.length === 0) return null
  return (
    <div id={id} role="listbox" aria-label={t('content.variables')} className={css.offers}>
      {found.map((v, i) => (
        // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus
        <div
          key={v.path}
          id={`${id}-${i}`}
          role="option"
          aria-selected={i === at}
          className={css.offer}
          onMouseDown={(e) => e.preventDefault()}
          onClick={() => onTake(v)}
        >
          <code>{v.path}</code>
          <span>{v.value}</span>
        </div>
      ))}
    </div>
  )
}

/** The variables whose path has what was typed of one. */
export const offered = (variables: Variable[], typed: string) =>
  variables.filter((v) => v.path.toLowerCase().includes(typed.toLowerCase()) && v.path !== typed).slice(0, shown)
