import { becomes, type Schemas, troubleText, useList, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { Approval, useMayApprove } from '@/campaigns/Approval'
import { goalOf } from '@/campaigns/goal'
import { useChoices } from '@/campaigns/choices'
import { formatCivil, formatList, formatNumber, formatPercent, formatTime, useT, word } from '@/i18n'
import { useClock } from '@/lib/clock'
import { useGo, useParam } from '@/lib/route'
import {
  Alert,
  Button,
  Card,
  confirm,
  ListTable,
  Definition,
  DetailPage,
  EmptyState,
  Link,
  LinkButton,
  Loaded,
  Note,
  Status,
  Time,
  toastError,
  useAtOnce,
  DangerButton,
} from '@/ui'
import { NextRuns } from './NextRuns'
import { rhythm } from './rhythm'

type Verb = 'activate' | 'approve' | 'pause' | 'end'
const verbs: Record<string, Verb[]> = {
  draft: ['activate'],
  review: ['approve', 'pause'],
  live: ['end', 'pause'],
  paused: ['end', 'activate'],
}
const live = { refresh: ['/api/v1/series', '/api/v1/plan'] }

export default function SeriesDetailPage() {
  const series = useRead('/api/v1/series/{id}', { path: { id: useParam('id') } })
  return <Loaded of={series}>{(s) => <View series={s} />}</Loaded>
}

function View({ series: s }: { series: Schemas['Series'] }) {
  const t = useT()
  const go = useGo()
  const can = useCan()
  const mayApprove = useMayApprove()
  const clock = useClock()
  const { names } = useChoices()
  const runs = useList('/api/v1/series/{id}/runs', { path: { id: s.id } })
  const send = {
    activate: useSend('post', '/api/v1/series/{id}/activate', live),
    approve: useSend('post', '/api/v1/series/{id}/approve', live),
  }
  const stopped = { next_at: undefined, next_shown: undefined, error: undefined, retry_at: undefined }
  const stop = {
    pause: useAtOnce('post', '/api/v1/series/{id}/pause', {
      ...live,
      shows: () => [becomes('/api/v1/series', s.id, { ...stopped, status: s.status === 'review' ? 'draft' : 'paused' })],
    }),
    end: useAtOnce('post', '/api/v1/series/{id}/end', {
      ...live,
      shows: () => [becomes('/api/v1/series', s.id, { ...stopped, status: 'ended' })],
    }),
  }
  const remove = useSend('delete', '/api/v1/series/{id}', live)
  const name = (ids: string[] | null | undefined) => formatList((ids ?? []).map((x) => names[x] ?? x))
  const act = async (verb: Verb) => {
    if (
      verb === 'end' &&
      !(await confirm({
        title: t('series.end_title', { name: s.name }),
        text: t('series.end_text'),
        action: t('series.end'),
        danger: true,
      }))
    )
      return
    if (verb === 'pause' || verb === 'end') await stop[verb]({ path: { id: s.id } })
    else send[verb].mutate({ path: { id: s.id } }, { onError: toastError })
  }
  return (
    <DetailPage
      title={s.name}
      crumbs={[
        { to: '/campaigns', label: t('nav.campaigns') },
        { to: '/campaigns/series', label: t('series.title') },
      ]}
      status={<Status value={s.status} />}
      meta={<span>{rhythm(t, s)}</span>}
      actions={
        <>
          {can('people.read') ? <LinkButton to={`/people/why?series=${s.id}`}>{t('why.ask')}</LinkButton> : null}
          {can('campaigns.write') && s.status === 'draft' && s.runs === 0 ? (
            <DangerButton
              onClick={async () => {
                if (!(await confirm({ title: t('series.delete_title', { name: s.name }), action: t('report.delete'), danger: true })))
                  return
                remove.mutate({ path: { id: s.id } }, { onSuccess: () => go('/campaigns/series'), onError: toastError })
              }}
            >
              {t('report.delete')}
            </DangerButton>
          ) : null}
          {can('campaigns.write') && ['draft', 'paused'].includes(s.status) ? (
            <LinkButton to={`/campaigns/series/${s.id}/edit`}>{t('campaigns.edit')}</LinkButton>
          ) : null}
          {can('campaigns.send')
            ? (verbs[s.status] ?? [])
                .filter((v) => v !== 'approve' || mayApprove(s))
                .map((v) =>
                  v === 'end' ? (
                    <DangerButton key={v} onClick={() => void act(v)}>
                      {t('series.end')}
                    </DangerButton>
                  ) : (
                    <Button key={v} variant={v === 'activate' || v === 'approve' ? 'filled' : 'default'} onClick={() => void act(v)}>
                      {v === 'pause' && s.status === 'review' ? t('campaigns.withdraw') : t(`series.${v}`)}
                    </Button>
                  ),
                )
            : null}
        </>
      }
      rail={
        <>
          <Card title={t('campaigns.section_plan')}>
            <Definition
              items={[
                [t('series.next'), s.next_shown ? formatCivil(s.next_shown) : s.next_at ? clock(s.next_at) : ''],
                [t('campaigns.audience'), name(s.audience.include)],
                [t('campaigns.exclude'), name(s.audience.exclude)],
                [t('campaigns.topic'), name(s.topic ? [s.topic] : [])],
                [t('campaigns.template'), name(s.template ? [s.template] : [])],
                [t('campaigns.goal'), goalOf(s.goal ?? {}, t)],
                [t('series.feed'), s.feed?.url],
                [t('series.until'), s.until ? formatTime(s.until) : ''],
                [t('campaigns.holdout'), s.holdout ? formatPercent(s.holdout / 100) : ''],
                [t('campaigns.per_minute'), s.per_minute ? formatNumber(s.per_minute) : ''],
                [t('campaigns.priority'), s.priority ? t(`campaigns.priority_${s.priority}`) : ''],
              ]}
            />
          </Card>
          <NextRuns schedule={s.schedule} />
        </>
      }
    >
      <Approval of={s} />
      {s.error ? (
        <Alert color="danger" mb="md">
          {troubleText(s.error)} {s.retry_at ? t('series.retry', { time: formatTime(s.retry_at) }) : null}
        </Alert>
      ) : null}
      <Card title={t('series.runs')} flush>
        <ListTable
          bare
          name="series-runs"
          label={t('series.runs')}
          of={runs}
          rowId={(r) => r.planned_at}
          columns={[
            {
              id: 'planned',
              title: t('series.planned'),
              cell: (r) =>
                r.campaign ? <Link to={`/campaigns/${r.campaign}`}>{formatTime(r.planned_at)}</Link> : <Time at={r.planned_at} />,
              text: (r) => r.planned_at,
            },
            { id: 'state', title: t('field.status'), cell: (r) => <Status value={r.state} />, text: (r) => r.state },
            {
              id: 'reason',
              title: t('field.reason'),
              cell: (r) =>
                r.reason ? (
                  <>
                    {word('series.reason', r.reason)} {r.detail ? <Note>{troubleText(r.detail)}</Note> : null}
                  </>
                ) : (
                  ''
                ),
              text: (r) => r.reason,
            },
            ...(can('people.read')
              ? [
                  {
                    id: 'why',
                    title: t('why.column'),
                    cell: (r: Schemas['SeriesRun']) =>
                      r.campaign ? <Link to={`/people/why?campaign=${r.campaign}`}>{t('why.ask')}</Link> : null,
                  },
                ]
              : []),
            {
              id: 'items',
              title: t('series.items'),
              num: true,
              cell: (r) => formatNumber(r.items?.length ?? 0),
              text: (r) => r.items?.length,
            },
          ]}
          empty={<EmptyState title={t('series.no_runs')} />}
        />
      </Card>
    </DetailPage>
  )
}
