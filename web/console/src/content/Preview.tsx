import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { FileText, Monitor, Moon, Smartphone } from 'lucide-react'
import { useMemo, useState } from 'react'
import { call, type Schemas } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, useT } from '@/i18n'
import { PersonSelect } from '@/people/PersonSelect'
import { Alert, Group, IconButton, Pending, Progress, Select, useDebouncedValue } from '@/ui'
import css from './content.module.css'
import type { Draft } from './draft'
import { Frame } from './Frame'

type Letter = Schemas['TemplatePreview']

/** Whom the mail is looked at for. */
export interface Reader {
  person: string
  event: string
}

const rest = 100 // milliseconds without a change; the preview is to stand 300 after it

/** The mail as the sending renderer makes it, a moment after the last change. While it cannot be made, the last one that could is kept. */
export function useLetter(draft: Draft, reader: Reader, locale: string) {
  const asked = useMemo(
    () => ({ draft, locale: locale || undefined, person: reader.person || undefined, event: (reader.person && reader.event) || undefined }),
    [draft, locale, reader],
  )
  const [body] = useDebouncedValue(asked, rest)
  const found = useQuery({
    queryKey: ['letter', body],
    queryFn: ({ signal }) => call('post', '/api/v1/templates/preview', { body }, { signal }),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    gcTime: 60_000,
    retry: false,
  })
  const [good, setGood] = useState<Letter>()
  if (found.data?.html && found.data !== good) setGood(found.data)
  const made = found.data?.html || found.data?.text ? found.data : good
  return { letter: made, findings: found.data?.findings ?? [], error: found.error, stale: found.data !== undefined && made !== found.data }
}

export type View = 'desktop' | 'phone' | 'dark' | 'text'

const views: { id: View; icon: typeof Monitor }[] = [
  { id: 'desktop', icon: Monitor },
  { id: 'phone', icon: Smartphone },
  { id: 'dark', icon: Moon },
  { id: 'text', icon: FileText },
]

/** Chooses the reader and how the mail is looked at. */
export function PreviewBar({
  reader,
  events,
  view,
  onReader,
  onView,
}: {
  reader: Reader
  events: string[]
  view: View
  onReader: (r: Reader) => void
  onView: (v: View) => void
}) {
  const t = useT()
  const can = useCan()('people.read')
  return (
    <div className={css.bar}>
      <Group gap={2} role="group" aria-label={t('content.view')}>
        {views.map((v) => (
          <IconButton
            key={v.id}
            label={t(`content.view_${v.id}`)}
            aria-pressed={view === v.id}
            variant={view === v.id ? 'light' : 'subtle'}
            color={view === v.id ? 'accent' : 'gray'}
            onClick={() => onView(v.id)}
          >
            <v.icon size={17} />
          </IconButton>
        ))}
      </Group>
      {can ? (
        <Group gap="xs" className={css.readers}>
          <PersonSelect label={t('content.as_person')} value={reader.person} onChange={(person) => onReader({ person, event: '' })} />
          <Select
            aria-label={t('content.event')}
            placeholder={t('content.event')}
            data={events}
            value={reader.event || null}
            disabled={!reader.person || events.length === 0}
            clearable
            w={{ base: '100%', xs: 168 }}
            onChange={(event) => onReader({ ...reader, event: event ?? '' })}
          />
        </Group>
      ) : null}
    </div>
  )
}

const clipped = 102 * 1024 // bytes; Gmail hides what is beyond (content/check.go)

/** The mail itself with its line in an inbox above and its size below. */
export function Preview({ letter, view, stale, from }: { letter: Letter | undefined; view: View; stale: boolean; from: string }) {
  const t = useT()
  if (!letter) return stale ? <Alert color="warning">{t('content.no_preview')}</Alert> : <Pending />
  const share = Math.min(100, (letter.bytes / clipped) * 100)
  const tone = letter.bytes > clipped ? 'danger' : share > 80 ? 'warning' : 'success'
  return (
    <div className={css.preview}>
      {stale ? <Alert color="warning">{t('content.stale_preview')}</Alert> : null}
      <div className={css.inbox} data-phone={view === 'phone' || undefined}>
        <b>{from}</b>
        <span className={css.inboxLine}>
          <span>{letter.subject}</span>
          {letter.preheader ? <small> {letter.preheader}</small> : null}
        </span>
      </div>
      {view === 'text' ? (
        <pre className={css.text}>{letter.text}</pre>
      ) : (
        <Frame
          html={letter.html || `<pre>${letter.text}</pre>`}
          title={letter.subject}
          dark={view === 'dark'}
          width={view === 'phone' ? 390 : 860}
        />
      )}
      <div className={css.size}>
        <Progress value={share} color={tone} size="sm" aria-label={t('content.size_label')} flex={1} />
        <span>{t('content.size', { n: formatNumber(Math.ceil(letter.bytes / 1024)), most: formatNumber(102) })}</span>
      </div>
    </div>
  )
}
