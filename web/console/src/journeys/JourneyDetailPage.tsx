import { useState } from 'react'
import { type Schemas, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, useT, word } from '@/i18n'
import { useParam } from '@/lib/route'
import { EffectCard } from '@/report/EffectCard'
import { Figures, Share } from '@/report/Figures'
import { NotePanel } from '@/report/NotePanel'
import { type Behind, PeopleBehind } from '@/report/PeopleBehind'
import { Amounts, Button, Card, DetailPage, LinkButton, Loaded, Num, Stat, StatRow, Status, Tag, toastError, UnstyledButton } from '@/ui'
import css from './JourneyDetailPage.module.css'

const next: Record<string, 'publish' | 'pause' | 'resume' | undefined> = { draft: 'publish', live: 'pause', paused: 'resume' }
const live = ['/api/v1/journeys']

export default function JourneyDetailPage() {
  const t = useT()
  const id = useParam('id')
  const can = useCan()
  const [behind, setBehind] = useState<Behind | null>(null)
  const journey = useRead('/api/v1/journeys/{id}', { path: { id } })
  const report = useRead('/api/v1/journeys/{id}/report', { path: { id } })
  const verbs = {
    publish: useSend('post', '/api/v1/journeys/{id}/publish', { refresh: live }),
    pause: useSend('post', '/api/v1/journeys/{id}/pause', { refresh: live }),
    resume: useSend('post', '/api/v1/journeys/{id}/resume', { refresh: live }),
  }
  return (
    <Loaded of={journey}>
      {(j) => {
        const verb = next[j.status]
        return (
          <DetailPage
            title={j.name}
            crumbs={[{ to: '/journeys', label: t('nav.journeys') }]}
            status={<Status value={j.status} />}
            meta={j.published_version ? <span>{t('journeys.version', { n: j.published_version })}</span> : null}
            actions={
              <>
                {can('journeys.write') && j.status !== 'archived' ? (
                  <LinkButton to={`/journeys/${id}/edit`}>{t('journeys.edit')}</LinkButton>
                ) : null}
                {verb && can('journeys.publish') ? (
                  <Button
                    variant={verb === 'publish' ? 'filled' : 'default'}
                    loading={verbs[verb].isPending}
                    onClick={() => verbs[verb].mutate({ path: { id } }, { onError: toastError })}
                  >
                    {t(`journeys.${verb}`)}
                  </Button>
                ) : null}
              </>
            }
          >
            <Loaded of={report}>
              {(r) => (
                <>
                  <StatRow>
                    {(['entered', 'active', 'goals', 'exited', 'parked'] as const).map((m) => (
                      <Stat
                        key={m}
                        label={t(`journeys.tile_${m}`)}
                        value={<Num value={r[m]} />}
                        note={m === 'goals' ? <Share rate={r.goal_rate} /> : null}
                        onClick={() => setBehind({ title: t(`journeys.tile_${m}`), metric: m })}
                      />
                    ))}
                    {r.revenue?.length ? (
                      <Stat
                        label={t('journeys.revenue')}
                        value={
                          <span className={css.money}>
                            <Amounts of={r.revenue} />
                          </span>
                        }
                      />
                    ) : null}
                  </StatRow>
                  <Card title={t('journeys.nodes')}>
                    <ol className={css.nodes}>
                      {(r.nodes ?? []).map((n) => (
                        <Node key={n.id} node={n} onOpen={setBehind} />
                      ))}
                    </ol>
                  </Card>
                  <h2>{t('journeys.messages')}</h2>
                  <div>
                    <Figures of={r.messages} onOpen={setBehind} />
                  </div>
                  <EffectCard of="journeys" id={id} />
                  <NotePanel of="journeys" id={id} />
                </>
              )}
            </Loaded>
            <PeopleBehind of="journeys" id={id} behind={behind} onClose={() => setBehind(null)} />
          </DetailPage>
        )
      }}
    </Loaded>
  )
}

function Node({ node: n, onOpen }: { node: Schemas['NodeReport']; onOpen: (b: Behind) => void }) {
  const t = useT()
  const title = n.title || n.id
  const figure = (count: number, metric: string, label: string) => (
    <UnstyledButton key={metric} className={css.figure} onClick={() => onOpen({ title: `${title} · ${label}`, metric, node: n.id })}>
      <b>{formatNumber(count)}</b> {label}
    </UnstyledButton>
  )
  return (
    <li className={css.node}>
      <div className={css.name}>
        <span>{title}</span>
        <Tag>{word('node', n.kind)}</Tag>
      </div>
      <div className={css.figures}>
        {figure(n.waiting, 'waiting', t('journeys.waiting'))}
        {figure(n.passed, 'passed', t('journeys.passed'))}
        {n.messages
          ? (['sent', 'opened', 'clicked', 'converted', 'refused'] as const).map((m) => figure(n.messages?.[m] ?? 0, m, t(`metric.${m}`)))
          : null}
      </div>
    </li>
  )
}
