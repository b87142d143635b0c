import { becomes, useList, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { useExport } from '@/jobs/useExport'
import { useT, word } from '@/i18n'
import { useParam, useUrlState } from '@/lib/route'
import {
  Accordion,
  Ago,
  Button,
  Card,
  confirm,
  ListTable,
  DetailPage,
  EmptyState,
  ErrorState,
  Json,
  LinkButton,
  Loaded,
  Num,
  PageTabs,
  PersonLink,
  RuleSentence,
  Stat,
  StatRow,
  Status,
  Tag,
  toastError,
  toastUndo,
  useAtOnce,
} from '@/ui'
import { Growth, Overlap, Users } from './Insights'
import { Limits } from './Limits'
import { useSegmentNames } from './names'

export default function SegmentDetailPage() {
  const t = useT()
  const id = useParam('id')
  const [view, setView] = useUrlState({ tab: 'members' })
  const segment = useRead('/api/v1/segments/{id}', { path: { id } })
  const names = useSegmentNames()
  const can = useCan()
  const write = can('segments.write')
  const exporting = useExport()
  const archive = useSend('delete', '/api/v1/segments/{id}', { refresh: ['/api/v1/segments'] })
  const restore = useAtOnce('post', '/api/v1/segments/{id}/unarchive', {
    refresh: ['/api/v1/segments'],
    shows: () => [becomes('/api/v1/segments', id, { status: 'active' })],
  })
  if (!segment.data)
    return segment.error ? (
      <ErrorState error={segment.error} onRetry={() => void segment.refetch()} />
    ) : (
      <Loaded of={segment}>{() => null}</Loaded>
    )
  const s = segment.data
  const bringBack = () => void restore({ path: { id } })
  const putAway = async () => {
    if (
      !(await confirm({
        title: t('segments.archive_title', { name: s.name }),
        text: t('segments.archive_text'),
        action: t('action.archive'),
      }))
    )
      return
    archive.mutate(
      { path: { id } },
      { onSuccess: () => toastUndo(t('segments.archived', { name: s.name }), bringBack), onError: toastError },
    )
  }
  return (
    <DetailPage
      title={s.name}
      crumbs={[{ to: '/segments', label: t('nav.segments') }]}
      status={<Status value={s.status === 'archived' ? 'archived' : s.state} />}
      lead={s.description}
      actions={
        s.status === 'archived' ? (
          write ? (
            <Button onClick={bringBack}>{t('action.restore')}</Button>
          ) : null
        ) : (
          <>
            {can('export') ? (
              <Button loading={exporting.busy} onClick={() => exporting.people({ set: id }, s.name)}>
                {t('people.export')}
              </Button>
            ) : null}
            {write ? (
              <>
                <Button loading={archive.isPending} onClick={() => void putAway()}>
                  {t('action.archive')}
                </Button>
                <LinkButton to={`/segments/${id}/edit`} variant="filled">
                  {t('action.edit')}
                </LinkButton>
              </>
            ) : null}
          </>
        )
      }
      tabs={
        <PageTabs
          label={s.name}
          value={view.tab}
          onChange={(tab) => setView({ tab })}
          tabs={[
            { id: 'members', label: t('segments.members') },
            { id: 'growth', label: t('segments.growth') },
            { id: 'history', label: t('segments.history') },
            { id: 'overlap', label: t('segments.overlap') },
          ]}
        />
      }
      rail={
        <>
          <StatRow>
            <Stat label={t('field.people')} value={<Num value={s.size} />} note={s.evaluated_at ? <Ago at={s.evaluated_at} /> : null} />
          </StatRow>
          <Card title={t('segments.rule')}>
            <RuleSentence rule={s.rule} names={names} />
            <Limits rule={s.rule} />
            <Accordion mt="sm" variant="filled">
              <Accordion.Item value="json">
                <Accordion.Control>JSON</Accordion.Control>
                <Accordion.Panel>
                  <Json value={s.rule} />
                </Accordion.Panel>
              </Accordion.Item>
            </Accordion>
          </Card>
          <Users id={id} />
        </>
      }
    >
      {view.tab === 'history' ? (
        <History id={id} />
      ) : view.tab === 'growth' ? (
        <Growth id={id} />
      ) : view.tab === 'overlap' ? (
        <Overlap id={id} name={s.name} />
      ) : (
        <Members id={id} size={s.size} />
      )}
    </DetailPage>
  )
}

function Members({ id, size }: { id: string; size: number }) {
  const t = useT()
  const members = useList('/api/v1/segments/{id}/members', { path: { id } })
  return (
    <ListTable
      name="segment-members"
      people
      total={members.more ? size : undefined}
      label={t('segments.members')}
      of={members}
      rowId={(p) => p.id}
      columns={[
        { id: 'person', title: t('field.person'), cell: (p) => <PersonLink person={p} />, text: (p) => p.name ?? p.id },
        { id: 'email', title: t('field.email'), cell: (p) => p.email ?? '', text: (p) => p.email },
        { id: 'seen', title: t('field.last_seen'), num: true, cell: (p) => <Ago at={p.last_seen} />, text: (p) => p.last_seen },
      ]}
      empty={<EmptyState title={t('list.nobody')} />}
    />
  )
}

function History({ id }: { id: string }) {
  const t = useT()
  const moves = useList('/api/v1/segments/{id}/history', { path: { id } })
  return (
    <ListTable
      name="segment-history"
      label={t('segments.history')}
      of={moves}
      rowId={(m) => `${m.version} ${m.person.id} ${m.entered} ${m.at}`}
      columns={[
        {
          id: 'person',
          title: t('field.person'),
          cell: (m) => <PersonLink person={m.person} />,
          text: (m) => m.person.name ?? m.person.id,
        },
        {
          id: 'move',
          title: t('segments.move'),
          cell: (m) => <Tag tone={m.entered ? 'success' : 'gray'}>{t(m.entered ? 'segments.entered' : 'segments.left')}</Tag>,
          text: (m) => (m.entered ? 'entered' : 'left'),
        },
        { id: 'cause', title: t('segments.cause'), cell: (m) => word('cause', m.cause), text: (m) => m.cause },
        { id: 'time', title: t('field.time'), num: true, cell: (m) => <Ago at={m.at} />, text: (m) => m.at },
      ]}
      empty={<EmptyState title={t('segments.no_moves')} />}
    />
  )
}
