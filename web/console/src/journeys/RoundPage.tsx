import { useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { useT } from '@/i18n'
import { useParam } from '@/lib/route'
import { Button, Card, confirm, DetailPage, LinkButton, Loaded, personName, Status, toastError, DangerButton } from '@/ui'
import { RoundPath, useVersionGraph } from './RoundPath'

/** One person's way through a journey. */
export default function RoundPage() {
  const t = useT()
  const can = useCan()('journeys.publish')
  const id = useParam('round')
  const round = useRead('/api/v1/journey-rounds/{id}', { path: { id } })
  const person = useRead('/api/v1/people/{id}', { path: { id: round.data?.person_id ?? '' } }, { enabled: round.data !== undefined })
  const journey = useRead('/api/v1/journeys/{id}', { path: { id: round.data?.journey_id ?? '' } }, { enabled: round.data !== undefined })
  const graph = useVersionGraph(round.data?.journey_id ?? '', round.data?.version)
  const changed = ['/api/v1/journey-rounds', '/api/v1/journeys']
  const retry = useSend('post', '/api/v1/journey-rounds/{id}/retry', { refresh: changed })
  const remove = useSend('post', '/api/v1/journey-rounds/{id}/remove', { refresh: changed })
  return (
    <Loaded of={round}>
      {(r) => (
        <DetailPage
          title={t('journeys.path_of', { name: person.data ? personName(person.data) : '…' })}
          status={<Status value={r.status} />}
          crumbs={[
            { to: '/journeys', label: t('nav.journeys') },
            { to: `/journeys/${r.journey_id}`, label: journey.data?.name ?? '…' },
          ]}
          meta={<span>{t('journeys.version', { n: r.version })}</span>}
          actions={
            <>
              <LinkButton to={`/people/${r.person_id}`}>{t('journeys.to_person')}</LinkButton>
              {can && r.status === 'parked' ? (
                <Button loading={retry.isPending} onClick={() => retry.mutate({ path: { id } }, { onError: toastError })}>
                  {t('action.retry')}
                </Button>
              ) : null}
              {can && (r.status === 'active' || r.status === 'parked') ? (
                <DangerButton
                  loading={remove.isPending}
                  onClick={async () => {
                    if (await confirm({ title: t('journeys.take_out_title'), action: t('journeys.take_out'), danger: true }))
                      remove.mutate({ path: { id } }, { onError: toastError })
                  }}
                >
                  {t('journeys.take_out')}
                </DangerButton>
              ) : null}
            </>
          }
        >
          <Card>
            <RoundPath round={r} graph={graph} />
          </Card>
        </DetailPage>
      )}
    </Loaded>
  )
}
