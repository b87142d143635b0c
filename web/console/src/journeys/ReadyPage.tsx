// The library of ready-made journeys: what each does, what it is judged by, and whether the workspace sends what it needs.
import { Check, CircleDashed } from 'lucide-react'
import { useState } from 'react'
import { type Schemas, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, language, useT } from '@/i18n'
import { Button, Card, Checkbox, Definition, LinkButton, ListPage, Loaded, Note, Tag, toast, toastError } from '@/ui'
import css from './ReadyPage.module.css'

export default function ReadyPage() {
  const t = useT()
  const can = useCan()
  const ready = useRead('/api/v1/journeys/ready', { query: { locale: language() } })
  const events = useRead('/api/v1/event-names', { query: { limit: 500 } }, { enabled: can('people.read') })
  const install = useSend('post', '/api/v1/journeys/ready', { refresh: ['/api/v1/journeys'] })
  const [chosen, setChosen] = useState<string[]>([])
  const write = can('journeys.write')
  const seen = events.data ? new Set((events.data.items ?? []).map((e) => e.name)) : undefined
  const add = (keys: string[]) =>
    install.mutate(
      { body: { locale: language(), keys } },
      {
        onSuccess: () => {
          setChosen([])
          toast(t('journeys.installed_count', { count: keys.length }))
        },
        onError: toastError,
      },
    )
  return (
    <ListPage
      title={t('journeys.library')}
      lead={t('journeys.library_lead')}
      crumbs={[{ to: '/journeys', label: t('nav.journeys') }]}
      actions={
        write && chosen.length > 0 ? (
          <Button variant="filled" loading={install.isPending} onClick={() => add(chosen)}>
            {t('journeys.install_count', { count: chosen.length })}
          </Button>
        ) : null
      }
    >
      <Loaded of={ready}>
        {(r) => (
          <div className={css.grid}>
            {(r.journeys ?? []).map((j) => (
              <Ready
                key={j.key}
                journey={j}
                seen={seen}
                write={write}
                chosen={chosen.includes(j.key)}
                onChoose={(on) => setChosen((c) => (on ? [...c, j.key] : c.filter((k) => k !== j.key)))}
              />
            ))}
          </div>
        )}
      </Loaded>
    </ListPage>
  )
}

function Ready({
  journey: j,
  seen,
  write,
  chosen,
  onChoose,
}: {
  journey: Schemas['ReadyJourney']
  seen?: Set<string>
  write: boolean
  chosen: boolean
  onChoose: (on: boolean) => void
}) {
  const t = useT()
  return (
    <Card
      title={j.name}
      actions={
        j.journey ? (
          <LinkButton to={`/journeys/${j.journey}`} size="xs">
            {t('action.open')}
          </LinkButton>
        ) : write ? (
          <Checkbox label={t('journeys.choose')} checked={chosen} onChange={(e) => onChoose(e.currentTarget.checked)} />
        ) : null
      }
    >
      <div className={css.card}>
        <p>{j.about}</p>
        <Definition
          items={[
            [t('journeys.judged_by'), j.indicator],
            [t('journeys.goal'), j.goal],
            [t('journeys.goal_event'), t('journeys.within_days', { name: j.goal_event, count: j.goal_days, n: formatNumber(j.goal_days) })],
          ]}
        />
        <div>
          <Note>{t('journeys.needs')}</Note>
          <ul className={css.events}>
            {(j.events ?? []).map((e) => (
              <li key={e}>
                {seen === undefined ? null : seen.has(e) ? (
                  <Check size={14} className={css.seen} aria-label={t('journeys.seen')} />
                ) : (
                  <CircleDashed size={14} className={css.unseen} aria-label={t('journeys.unseen')} />
                )}
                {e}
                {seen && !seen.has(e) ? <span className={css.unseen}>{t('journeys.unseen')}</span> : null}
              </li>
            ))}
            {(j.traits ?? []).map((x) => (
              <li key={x}>
                <Tag>{t('journeys.trait', { name: x })}</Tag>
              </li>
            ))}
          </ul>
        </div>
        <details>
          <summary>{t('journeys.its_messages', { count: j.messages?.length ?? 0 })}</summary>
          <ul className={css.messages}>
            {(j.messages ?? []).map((m) => (
              <li key={m.name}>
                <b>{m.name}</b>
                <Note>{m.value_proposition}</Note>
              </li>
            ))}
          </ul>
        </details>
      </div>
    </Card>
  )
}
