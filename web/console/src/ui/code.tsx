import { ActionIcon, CopyButton, Tooltip } from '@mantine/core'
import { Check, Copy } from 'lucide-react'
import { useT } from '@/i18n'
import css from './code.module.css'

/** Text to copy: a key, an id, a snippet. */
export function CopyText({ value, block }: { value: string; block?: boolean }) {
  const t = useT()
  return (
    <span className={block ? css.block : css.inline}>
      {block ? (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard
        <pre data-sideways tabIndex={0}>
          {value}
        </pre>
      ) : (
        <code>{value}</code>
      )}
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Tooltip label={t(copied ? 'action.copied' : 'action.copy')}>
            <ActionIcon size="sm" aria-label={t(copied ? 'action.copied' : 'action.copy')} onClick={copy}>
              {copied ? <Check size={14} /> : <Copy size={14} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </span>
  )
}

/** Data as it is, for those who know it. */
export function Json({ value }: { value: unknown }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard
    <pre className={css.json} tabIndex={0}>
      {JSON.stringify(value, null, 2)}
    </pre>
  )
}
