// A condition of a journey, built like that of a segment, beside the canvas. The journey's own undo covers it.
import { useState } from 'react'
import { describe } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, useT } from '@/i18n'
import { complete } from '@/segments/complete'
import { useRuleData } from '@/segments/data'
import { faultsOf, usePreview } from '@/segments/preview'
import { RuleBuilder } from '@/segments/RuleBuilder'
import * as tree from '@/segments/tree'
import { Alert, helpFirst, InputWrapper, Note, type Rule, Stack, Switch, Textarea } from '@/ui'

interface Props {
  label: string
  description?: string
  error?: string
  required?: boolean
  value: unknown
  /** undefined: no condition. */
  set: (v: Rule | undefined) => void
}

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null)
const ruleOf = (root: tree.Group): Rule | undefined => (root.kids.length ? tree.toRule(root) : undefined)
const begin = (value: unknown) => tree.rootOf((value as Rule | undefined) ?? { all: [] })

export function ConditionField({ label, description, error, required, value, set }: Props) {
  const t = useT()
  const can = useCan()
  const data = useRuleData()
  const [root, setRoot] = useState(() => begin(value))
  const [said, setSaid] = useState(value)
  const [json, setJson] = useState(false)
  // What comes from outside (an undo, another tab) replaces the tree; what was said here does not, so that the focus stays.
  if (value !== said) {
    setSaid(value)
    if (!same(value, ruleOf(root))) setRoot(begin(value))
  }
  const edit = (next: tree.Group) => {
    setRoot(next)
    const rule = ruleOf(next)
    setSaid(rule)
    set(rule)
  }
  const some = root.kids.length > 0
  const preview = usePreview(root, undefined, some && can('segments.read'))
  const faults = preview.error ? faultsOf(root, preview.error) : []
  return (
    <InputWrapper
      label={label}
      description={description}
      error={error}
      required={required}
      labelElement="div"
      inputWrapperOrder={helpFirst}
    >
      <Stack gap="xs" mt={4}>
        {json ? (
          <JsonRule label={label} value={value} set={set} />
        ) : (
          <RuleBuilder
            inside
            rule={{ root, edit, undo: undefined, redo: undefined }}
            data={data}
            counts={preview.counts}
            old={preview.old}
            faults={faults}
          />
        )}
        {some && !json ? (
          <Note>
            {!complete(root)
              ? t('segments.incomplete')
              : preview.data
                ? t('journeys.fits_now', { n: formatNumber(preview.data.count) })
                : t('segments.counting')}
          </Note>
        ) : null}
        {preview.error && faults.length === 0 ? <Alert color="danger">{describe(preview.error)}</Alert> : null}
        <Switch size="xs" label={t('journeys.as_json')} checked={json} onChange={(e) => setJson(e.currentTarget.checked)} />
      </Stack>
    </InputWrapper>
  )
}

function JsonRule({ label, value, set }: { label: string; value: unknown; set: (v: Rule | undefined) => void }) {
  const t = useT()
  const [text, setText] = useState(() => (value === undefined ? '' : JSON.stringify(value, null, 2)))
  const [bad, setBad] = useState(false)
  return (
    <Textarea
      aria-label={label}
      error={bad ? t('segments.not_json') : undefined}
      autosize
      minRows={5}
      maxRows={18}
      spellCheck={false}
      styles={{ input: { fontFamily: 'var(--ui-mono)', fontSize: 13 } }}
      value={text}
      onChange={(e) => {
        const now = e.currentTarget.value
        setText(now)
        try {
          set(now.trim() ? (JSON.parse(now) as Rule) : undefined)
          setBad(false)
        } catch {
          setBad(true)
        }
      }}
    />
  )
}
