// The states every list and panel has: loading, nothing yet, nothing found, error, not allowed, part of it missing.
import { Alert, Button, Skeleton } from '@mantine/core'
import { CircleAlert, Inbox, LockKeyhole, SearchX } from 'lucide-react'
import type { ComponentType, ReactNode } from 'react'
import { describe, Problem } from '@/api'
import { useT } from '@/i18n'
import css from './states.module.css'

interface StateProps {
  icon?: ComponentType<{ size?: number }>
  title: string
  /** What this is and why one wants it. */
  text?: ReactNode
  /** The one thing to do now. */
  action?: ReactNode
  /** It stands for a whole page, whose heading it is. */
  whole?: boolean
}

/** Nothing here yet: what it is, why, and the next step. */
export function EmptyState({ icon: Icon = Inbox, title, text, action, whole }: StateProps) {
  const Heading = whole ? 'h1' : 'h3'
  if (!text && !action) return <p className={css.line}>{title}</p>
  return (
    <div className={css.state}>
      <div className={css.icon}>
        <Icon size={22} />
      </div>
      <Heading>{title}</Heading>
      {text ? <p>{text}</p> : null}
      {action ? <div className={css.actions}>{action}</div> : null}
    </div>
  )
}

/** Filters left nothing. */
export function NothingFound({ onClear }: { onClear?: () => void }) {
  const t = useT()
  return (
    <EmptyState
      icon={SearchX}
      title={t('state.nothing_found')}
      text={t('state.nothing_found_help')}
      action={onClear ? <Button onClick={onClear}>{t('state.clear_filters')}</Button> : null}
    />
  )
}

/** It could not be read. Names the request, so that it can be found in the log; a missing right says who can grant it. */
export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const t = useT()
  const problem = error instanceof Problem ? error : undefined
  if (problem?.status === 403) return <EmptyState icon={LockKeyhole} title={t('state.forbidden')} text={t('state.forbidden_help')} />
  return (
    <div className={`${css.state} ${css.bad}`} role="alert">
      <div className={css.icon}>
        <CircleAlert size={22} />
      </div>
      <h3>{problem?.status === 404 ? t('state.gone') : t('state.error')}</h3>
      <p>{describe(error)}</p>
      {onRetry && problem?.status !== 404 ? (
        <div className={css.actions}>
          <Button onClick={onRetry}>{t('action.retry')}</Button>
        </div>
      ) : null}
      {problem?.request ? <div className={css.request}>{t('state.request', { id: problem.request })}</div> : null}
    </div>
  )
}

/** Placeholder lines while something loads. */
export function LoadingState({ rows = 6 }: { rows?: number }) {
  const t = useT()
  return (
    <div className={css.skeleton} role="status" aria-label={t('state.loading')} data-loading>
      {Array.from({ length: rows }, (_, i) => (
        // oxlint-disable-next-line react/no-array-index-key
        <Skeleton key={i} height={20} width={`${96 - ((i * 17) % 38)}%`} />
      ))}
    </div>
  )
}

/** Stands for a part that shows nothing until it is known whether there is something to show: what follows waits with it while the page arrives. */
export const Pending = () => <span hidden data-loading />

/** A part is missing while the rest is shown. */
export function PartialState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const t = useT()
  return (
    <Alert color="warning" icon={<CircleAlert size={18} />} title={t('state.partial')} mb="md">
      {describe(error)}{' '}
      {onRetry ? (
        <Button size="compact-sm" onClick={onRetry}>
          {t('action.retry')}
        </Button>
      ) : null}
    </Alert>
  )
}

interface Reading<T> {
  data: T | undefined
  error: unknown
  isLoading: boolean
  refetch: () => unknown
}

/** Draws an answer once it is there, and its loading and error states before: <Loaded of={person}>{(p) => ...}</Loaded> */
export function Loaded<T>({ of, rows, children }: { of: Reading<T>; rows?: number; children: (data: T) => ReactNode }) {
  if (of.data !== undefined)
    return (
      <>
        {of.error ? <PartialState error={of.error} onRetry={() => void of.refetch()} /> : null}
        {children(of.data)}
      </>
    )
  if (of.error) return <ErrorState error={of.error} onRetry={() => void of.refetch()} />
  return <LoadingState rows={rows} />
}
