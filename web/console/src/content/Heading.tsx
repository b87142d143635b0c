import { formatNumber, useT } from '@/i18n'
import { advise } from './count'
import css from './content.module.css'
import type { Words } from './draft'
import { LiquidInput } from './LiquidInput'
import type { Variable } from './variables'

/** Subject and preheader with what readers will see of them. */
export function LinesForm({
  words,
  original,
  variables,
  errors,
  onChange,
}: {
  words: Words
  /** The same in the main language, to translate from. */
  original?: Words
  variables: Variable[]
  errors: Partial<Record<'subject' | 'preheader', string>>
  onChange: (name: 'subject' | 'preheader', value: string) => void
}) {
  const t = useT()
  const line = (name: 'subject' | 'preheader') => {
    const { count, advice, cjk } = advise(name, words[name])
    return (
      <LiquidInput
        name={name}
        label={
          <span className={css.counted}>
            {t(`content.${name}`)}
            <small data-advice={advice}>
              {t('content.count', { count, n: formatNumber(count) })} ·{' '}
              {t(`content.advice.${name}.${advice}${advice === 'empty' ? '' : cjk ? '_cjk' : ''}`)}
            </small>
          </span>
        }
        description={original?.[name] || undefined}
        required={name === 'subject'}
        withAsterisk={false}
        value={words[name]}
        variables={variables}
        error={errors[name]}
        onChange={(v) => onChange(name, v)}
      />
    )
  }
  return (
    <div className={css.lines}>
      {line('subject')}
      {line('preheader')}
    </div>
  )
}
