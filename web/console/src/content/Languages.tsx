import { Languages, Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { formatLanguage, formatList, languages as spoken, useT } from '@/i18n'
import { Alert, Button, confirm, FormBody, IconButton, Menu, Modal, SegmentedControl, TextInput, useForm } from '@/ui'
import css from './content.module.css'
import { addLanguage, type Draft, removeLanguage, wordsOf } from './draft'

/** The languages of a mail: which one is edited, which are missing, and adding one by copying another. */
export function LanguageBar({
  draft,
  at,
  wanted,
  reads,
  onAt,
  onReads,
  onChange,
}: {
  draft: Draft
  at: number
  /** A language without a text whose readers' mail is looked at; '' for none. */
  reads?: string
  /** Languages that the brand writes in. */
  wanted: string[]
  onAt: (at: number) => void
  /** Without it the missing ones are only named. */
  onReads?: (locale: string) => void
  onChange: (next: (d: Draft) => Draft) => void
}) {
  const t = useT()
  const [adding, setAdding] = useState(false)
  const words = wordsOf(draft)
  const has = words.map((w) => w.locale)
  const missing = wanted.filter((w) => !has.some((h) => sameText(h, w)))
  const add = (locale: string) => {
    onChange((d) => addLanguage(d, locale, at))
    onAt(words.length)
  }
  const offers = [...new Set([...missing, ...wanted, ...spoken.map((l) => l.code)])].filter((l) => !has.includes(l))
  return (
    <div className={css.languages}>
      <Languages size={16} aria-hidden />
      <SegmentedControl
        size="xs"
        aria-label={t('content.language')}
        value={String(at)}
        onChange={(v) => onAt(Number(v))}
        data={words.map((w, i) => ({ value: String(i), label: w.locale ? formatLanguage(w.locale) : t('content.no_language') }))}
      />
      <Menu position="bottom-start">
        <Menu.Target>
          <Button size="compact-sm" variant="subtle" leftSection={<Plus size={14} />}>
            {t('content.add_language')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {has[0] ? <Menu.Label>{t('content.add_language_help', { language: formatLanguage(has[at] || has[0]) })}</Menu.Label> : null}
          {has[0]
            ? offers.map((l) => (
                <Menu.Item key={l} onClick={() => add(l)}>
                  {formatLanguage(l)}
                </Menu.Item>
              ))
            : null}
          <Menu.Item onClick={() => setAdding(true)}>{has[0] ? t('content.other_language') : t('content.main_language')}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {at > 0 ? (
        <IconButton
          size="sm"
          label={t('content.remove_language')}
          onClick={async () => {
            const language = formatLanguage(words[at]?.locale ?? '')
            if (!(await confirm({ title: t('content.remove_language_title', { language }), action: t('action.remove') }))) return
            onChange((d) => removeLanguage(d, at))
            onAt(0)
          }}
        >
          <Trash2 size={14} />
        </IconButton>
      ) : null}
      {missing.length > 0 && has[0] ? (
        <span className={css.missing}>
          {onReads ? t('content.no_text_yet') : t('content.missing', { languages: formatList(missing.map((m) => formatLanguage(m))) })}
          {onReads
            ? missing.map((m) => (
                <Button
                  key={m}
                  size="compact-xs"
                  color="warning"
                  variant={reads === m ? 'light' : 'subtle'}
                  aria-pressed={reads === m}
                  title={t('content.see_fallback')}
                  onClick={() => onReads(reads === m ? '' : m)}
                >
                  {formatLanguage(m)}
                </Button>
              ))
            : null}
        </span>
      ) : null}
      {adding ? (
        <OtherLanguage
          main={!has[0]}
          taken={has}
          onClose={() => setAdding(false)}
          onDone={(locale) => {
            if (has[0]) add(locale)
            else onChange((d) => ({ ...d, locale }))
            setAdding(false)
          }}
        />
      ) : null}
    </div>
  )
}

/** Whether the first language tag reads the second: the same language in the same script. */
export function sameText(a: string, b: string): boolean {
  try {
    const x = new Intl.Locale(a).maximize()
    const y = new Intl.Locale(b).maximize()
    return x.language === y.language && x.script === y.script
  } catch {
    return a === b
  }
}

function OtherLanguage({
  main,
  taken,
  onClose,
  onDone,
}: {
  main: boolean
  taken: string[]
  onClose: () => void
  onDone: (locale: string) => void
}) {
  const t = useT()
  const form = useForm({
    initial: { locale: main ? 'en' : '' },
    check: (v) => {
      try {
        const tag = new Intl.Locale(v.locale.trim()).toString()
        return taken.includes(tag) ? { locale: t('content.language_taken') } : {}
      } catch {
        return { locale: t('content.language_unknown') }
      }
    },
    save: (v) => Promise.resolve(onDone(new Intl.Locale(v.locale.trim()).toString())),
  })
  return (
    <Modal title={main ? t('content.main_language') : t('content.other_language')} onClose={onClose}>
      <FormBody form={form} action={t('action.save')} onCancel={onClose}>
        {main ? <Alert color="info">{t('content.main_language_help')}</Alert> : null}
        <TextInput
          label={t('content.language_tag')}
          description={t('content.language_tag_help')}
          placeholder="ko"
          data-autofocus
          {...form.getInputProps('locale')}
        />
      </FormBody>
    </Modal>
  )
}
