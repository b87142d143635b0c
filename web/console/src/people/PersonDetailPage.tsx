import { type Schemas, useList, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { useT } from '@/i18n'
import { useNames } from '@/journeys/useThings'
import { reasonText } from '@/report/reason'
import { useParam, useUrlState } from '@/lib/route'
import {
  Ago,
  Button,
  DataTable,
  DetailPage,
  EmptyState,
  Link,
  LinkButton,
  Loaded,
  Note,
  PageTabs,
  personName,
  Status,
  Time,
  toastError,
} from '@/ui'
import { Identity } from './Identity'
import { StandingCard } from '@/standing/StandingCard'
import { Portrait } from './Portrait'
import { Privacy } from './Privacy'
import { Invoices, Journeys, Topics } from './Relations'
import { SuppressedTag, Suppression } from './Suppression'
import { EventTimeline } from './EventTimeline'
import { Traits } from './Traits'

type Person = Schemas['Person']

export default function PersonDetailPage() {
  const person = useRead('/api/v1/people/{id}', { path: { id: useParam('id') } })
  return <Loaded of={person}>{(p) => <PersonView person={p} />}</Loaded>
}

function PersonView({ person: p }: { person: Person }) {
  const t = useT()
  const can = useCan()
  const [view, setView] = useUrlState({ tab: 'timeline' })
  const portrait = useRead('/api/v1/people/{id}/portrait', { path: { id: p.id } })
  return (
    <DetailPage
      title={personName(p)}
      crumbs={[{ to: '/people', label: t('nav.people') }]}
      status={
        <>
          <Status value={p.status} />
          <SuppressedTag id={p.id} />
        </>
      }
      meta={
        <>
          {p.email && p.email !== personName(p) ? <span>{p.email}</span> : null}
          <span>
            {t('person.since')} <Time at={p.first_seen} />
          </span>
          <span>
            {t('field.last_seen')} <Ago at={p.last_seen} />
          </span>
        </>
      }
      actions={
        can('campaigns.read') || can('journeys.read') ? (
          <LinkButton to={`/people/why?person=${p.id}`}>{t('why.ask')}</LinkButton>
        ) : undefined
      }
      tabs={
        <PageTabs
          label={personName(p)}
          value={view.tab}
          onChange={(tab) => setView({ tab })}
          tabs={['timeline', 'messages', 'topics', 'journeys', 'invoices', 'identity', 'traits', 'privacy']
            .filter((id) => id !== 'privacy' || can('privacy.write'))
            .map((id) => ({ id, label: t(`person.tab.${id}`) }))}
        />
      }
      rail={
        <>
          <StandingCard id={p.id} />
          <Loaded of={portrait}>{(x) => <Portrait portrait={x} />}</Loaded>
        </>
      }
    >
      {view.tab === 'messages' ? (
        <Messages id={p.id} />
      ) : view.tab === 'topics' ? (
        <>
          <Suppression id={p.id} name={personName(p)} />
          <Topics id={p.id} />
        </>
      ) : view.tab === 'journeys' ? (
        <Journeys id={p.id} />
      ) : view.tab === 'invoices' ? (
        <Invoices id={p.id} />
      ) : view.tab === 'identity' ? (
        <Identity person={p} />
      ) : view.tab === 'traits' ? (
        <Traits person={p} />
      ) : view.tab === 'privacy' && can('privacy.write') ? (
        <Privacy person={p} />
      ) : (
        <EventTimeline id={p.id} />
      )}
    </DetailPage>
  )
}

/** What may come of a message besides being opened and clicked. */
const cameOf = ['replied', 'converted', 'bounced', 'complained', 'unsubscribed'] as const

function Messages({ id }: { id: string }) {
  const t = useT()
  const can = useCan()
  const takeBack = useSend('post', '/api/v1/messages/{id}/cancel', { refresh: ['/api/v1/people'] })
  const names = useNames()
  const messages = useList('/api/v1/people/{id}/messages', { path: { id } }, { size: 20 })
  return (
    <DataTable
      name="person.messages"
      label={t('person.messages')}
      rows={messages.items}
      rowId={(m) => m.id}
      loading={messages.loading}
      error={messages.error}
      more={messages.more}
      loadingMore={messages.loadingMore}
      onMore={messages.loadMore}
      plain
      columns={[
        { id: 'subject', title: t('field.subject'), cell: (m) => m.subject || names[m.source.id ?? ''] || '–' }, // one that was held back has no subject yet
        {
          id: 'state',
          title: t('field.status'),
          cell: (m) => (
            <>
              <Status value={m.state} />
              {m.reason ? <Note>{reasonText(m.reason, m.data)}</Note> : null}
              {cameOf.map((k) => {
                const at = m[`${k}_at`]
                return at ? (
                  <Note key={k}>
                    {t(`metric.${k}`)} <Ago at={at} />
                  </Note>
                ) : null
              })}
              {can('messages.send') && m.state === 'queued' ? (
                <Button
                  size="compact-xs"
                  loading={takeBack.isPending}
                  onClick={() => takeBack.mutate({ path: { id: m.id } }, { onError: toastError })}
                >
                  {t('person.message_cancel')}
                </Button>
              ) : null}
            </>
          ),
        },
        { id: 'opened', title: t('metric.opened'), cell: (m) => <Ago at={m.opened_at} /> },
        { id: 'clicked', title: t('metric.clicked'), cell: (m) => <Ago at={m.clicked_at} /> },
        { id: 'time', title: t('field.time'), num: true, cell: (m) => <Time at={m.sent_at ?? m.created_at} /> },
        { id: 'why', title: t('why.column'), cell: (m) => <Link to={`/people/why?person=${id}&message=${m.id}`}>{t('why.ask')}</Link> },
      ]}
      empty={<EmptyState title={t('person.no_messages')} />}
    />
  )
}
