import { useQuery } from '@tanstack/react-query'
import { CircleAlert, CircleCheck, Info, Link2 } from 'lucide-react'
import { useState } from 'react'
import { type Args, call, type Schemas } from '@/api'
import { formatNumber, useT, word } from '@/i18n'
import { Alert, Button, Note, Progress } from '@/ui'
import css from './content.module.css'

type Asked = Args<'/api/v1/templates/links', 'post'>['body']
type Verdict = Schemas['LinkVerdict']

/** Faults first, then what is worth a look. */
const weight = (v: Verdict) => (v.fault ? 0 : v.code ? 1 : 2)

/**
 * What answers at the end of a mail's links. It asks other people's servers, so it waits for the button unless it is to begin at once, and ends when
 * it is no longer looked at.
 */
export function LinkCheck({ body, atOnce = false }: { body: Asked; atOnce?: boolean }) {
  const t = useT()
  const [asked, setAsked] = useState<Asked | undefined>(atOnce ? body : undefined)
  const found = useQuery({
    queryKey: ['links', asked],
    queryFn: ({ signal }) => call('post', '/api/v1/templates/links', { body: asked! }, { signal }),
    enabled: asked !== undefined,
    staleTime: 60_000,
    gcTime: 60_000,
    retry: false,
  })
  const links = (found.data?.links ?? []).toSorted((a, b) => weight(a) - weight(b))
  const wrong = links.filter((v) => v.code)
  const again = () => {
    setAsked(body)
    if (asked === body) void found.refetch()
  }
  return (
    <section className={css.links}>
      <Button variant="default" size="compact-sm" leftSection={<Link2 size={15} />} loading={found.isFetching} onClick={again}>
        {t(found.data ? 'links.again' : 'links.check')}
      </Button>
      <div role="status">
        {found.isFetching ? <Progress value={100} animated size="xs" aria-label={t('links.checking')} /> : null}
        {found.error ? <Alert color="danger">{t('links.failed')}</Alert> : null}
        {found.data && !found.isFetching ? (
          <Note>
            {links.length === 0
              ? t('links.none')
              : wrong.length === 0
                ? t('links.all_well', { count: links.length, n: formatNumber(links.length) })
                : t('links.some', { n: formatNumber(wrong.length), of: formatNumber(links.length) })}
            {found.data.left_out ? ` ${t('links.left_out', { n: formatNumber(found.data.left_out) })}` : null}
          </Note>
        ) : null}
      </div>
      {links.length > 0 ? (
        <ul>
          {links.map((v) => (
            <li key={v.url}>
              {v.fault ? (
                <CircleAlert size={15} className={css.bad} aria-label={t('links.fault')} />
              ) : v.code ? (
                <Info size={15} aria-label={t('links.look')} />
              ) : (
                <CircleCheck size={15} className={css.good} aria-label={t('links.well')} />
              )}
              <span>
                {v.label || t('links.unnamed')}
                {v.code ? (
                  <>
                    {t('links.colon')}
                    {word('links.code', v.code)}
                    {v.status && v.status >= 400 ? ` (${v.status})` : ''}
                  </>
                ) : null}
                <small>{v.location ? `${v.url} → ${v.location}` : v.url}</small>
              </span>
            </li>
          ))}
        </ul>
      ) : null}
    </section>
  )
}
