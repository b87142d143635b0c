import '@mantine/dates/styles.css'
import 'dayjs/locale/ja'
import 'dayjs/locale/zh-cn'
import { DateInput, DateTimePicker } from '@mantine/dates'
import { language, useT } from '@/i18n'

export interface DateTimeProps {
  label: string
  description?: string
  /** Civil time "2026-03-01T09:00", without a zone; the empty text for none. */
  value: string
  onChange: (civil: string) => void
  error?: React.ReactNode
  required?: boolean
  /** Only a date: "2026-03-01". */
  dateOnly?: boolean
  /** Earliest choice, civil. */
  min?: string
}

const locales = { en: 'en', 'zh-Hans': 'zh-cn', ja: 'ja' }
const clocks = { en: 'h:mm A', 'zh-Hans': 'HH:mm', ja: 'H:mm' } // as formatClock writes it
const formats = { en: 'MMM D, YYYY', 'zh-Hans': 'YYYY年M月D日', ja: 'YYYY年M月D日' }

export default function DateTime({ value, onChange, dateOnly, min, ...rest }: DateTimeProps) {
  useT()
  const common = { ...rest, locale: locales[language()], clearable: !rest.required, minDate: min?.slice(0, 10) }
  if (dateOnly)
    return (
      <DateInput {...common} valueFormat={formats[language()]} value={value || null} onChange={(v) => onChange(v ? v.slice(0, 10) : '')} />
    )
  return (
    <DateTimePicker
      {...common}
      valueFormat={`${formats[language()]} ${clocks[language()]}`}
      value={value ? value.replace('T', ' ') : null}
      onChange={(v) => onChange(v ? v.slice(0, 16).replace(' ', 'T') : '')}
    />
  )
}
