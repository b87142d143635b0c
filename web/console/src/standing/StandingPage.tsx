import { Settings2, TrendingUp } from 'lucide-react'
import { useRead, useSend, type Schemas } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, formatPercent, useT } from '@/i18n'
import {
  Ago,
  Button,
  Card,
  DashboardPage,
  DataTable,
  EmptyState,
  Link,
  LinkButton,
  Loaded,
  Note,
  Num,
  Stack,
  Stat,
  toast,
  toastError,
} from '@/ui'
import css from './standing.module.css'
import { segmentOf } from './rules'
import { labelName, ordered } from './words'

type Overview = Schemas['StandingOverview']

/** How all people stand: stages, RFM, participation, service. Every number leads to a segment of those people. */
export default function StandingPage() {
  const overview = useRead('/api/v1/standing', {})
  const scheme = useRead('/api/v1/standing/scheme', {})
  return <Loaded of={overview}>{(o) => <Loaded of={scheme}>{(s) => <View overview={o} scheme={s} />}</Loaded>}</Loaded>
}

function View({ overview: o, scheme }: { overview: Overview; scheme: Schemas['StandingScheme'] }) {
  const t = useT()
  const write = useCan()('segments.write')
  const again = useSend('post', '/api/v1/standing/round', { refresh: ['/api/v1/standing'] })
  const stages = ordered('stage', o.stages ?? [])
  const people = stages.reduce((n, s) => n + s.n, 0)
  const scored = o.customers > 0
  const judge = async () => {
    try {
      await again.mutateAsync({})
      toast(t('standing.judging'))
    } catch (err) {
      toastError(err)
    }
  }
  const running = o.round.state !== 'waiting'
  return (
    <DashboardPage
      title={t('standing.title')}
      lead={t('standing.lead')}
      crumbs={[{ to: '/segments', label: t('nav.segments') }]}
      meta={
        running ? (
          <span role="status">{t(`standing.round.${o.round.state}`, { n: formatNumber(o.round.done) })}</span>
        ) : o.round.ended_at ? (
          <span>
            {t('standing.judged')} <Ago at={o.round.ended_at} />
          </span>
        ) : null
      }
      actions={
        <>
          {write ? (
            <Button onClick={() => void judge()} disabled={running || again.isPending}>
              {t('standing.judge_now')}
            </Button>
          ) : null}
          <LinkButton to="/standing/scheme" leftSection={<Settings2 size={16} />}>
            {t('standing.scheme')}
          </LinkButton>
        </>
      }
      kpis={
        <>
          <Stat label={t('standing.customers')} value={scored ? <Num value={o.customers} /> : '–'} note={t('standing.customers_help')} />
          <Stat
            label={t('standing.gap')}
            value={o.gap_days ? t('standing.days', { count: Math.round(o.gap_days), n: formatNumber(Math.round(o.gap_days)) }) : '–'}
            note={t('standing.gap_help')}
          />
          <Stat
            to={segmentOf({ stage: 'at_risk' })}
            label={t('standing.stage.at_risk')}
            value={<Num value={stages.find((s) => s.key === 'at_risk')?.n} />}
            note={t('standing.at_risk_help')}
          />
          <Stat
            to={segmentOf({ stage: 'won_back' })}
            label={t('standing.stage.won_back')}
            value={<Num value={stages.find((s) => s.key === 'won_back')?.n} />}
          />
        </>
      }
    >
      {people === 0 ? (
        <Card wide>
          <EmptyState icon={TrendingUp} title={t('standing.empty')} text={t('standing.empty_text')} />
        </Card>
      ) : (
        <>
          <Stack gap="md">
            <Shares title={t('standing.stages')} help={t('standing.stages_help')} member="stage" rows={stages} words="standing.stage" />
            {scored ? (
              <Labels counts={o.labels ?? []} labels={scheme.labels ?? []} />
            ) : (
              <Card title={t('standing.labels')} help={t('standing.labels_help')}>
                <EmptyState title={t('standing.no_scores')} text={t('standing.no_scores_text')} />
              </Card>
            )}
          </Stack>
          <Stack gap="md">
            <Card title={t('standing.grid')} help={t('standing.grid_help')}>
              {scored ? <Grid cells={o.grid ?? []} /> : <EmptyState title={t('standing.no_scores')} text={t('standing.no_scores_text')} />}
            </Card>
            <Shares
              title={t('standing.services')}
              help={t('standing.services_help')}
              member="service"
              rows={ordered('service', o.services ?? [])}
              words="standing.service"
            />
            <Shares
              title={t('standing.taking_part')}
              help={t('standing.participation_help')}
              member="participation"
              rows={ordered('participation', o.participation ?? [])}
              words="standing.part"
            />
          </Stack>
        </>
      )}
    </DashboardPage>
  )
}

interface Row {
  key: string
  n: number
}

function Bar({ share }: { share: number }) {
  return (
    <span className={css.bar}>
      <i style={{ width: `${share * 100}%` }} />
    </span>
  )
}

/** People by one thing, with their shares. */
function Shares({ title, help, member, rows, words }: { title: string; help: string; member: string; rows: Row[]; words: string }) {
  const t = useT()
  const all = rows.reduce((n, r) => n + r.n, 0)
  return (
    <Card title={title} help={help} flush>
      <DataTable
        bare
        plain
        name={`standing-${member}`}
        label={title}
        rows={rows}
        rowId={(r) => r.key}
        columns={[
          {
            id: 'name',
            title: t('field.name'),
            cell: (r) => (
              <>
                {r.key === 'anonymous' ? (
                  t(`${words}.${r.key}`) // nothing is known of them, so no condition can ask for it
                ) : (
                  <Link to={segmentOf({ [member]: r.key })}>{t(`${words}.${r.key}`)}</Link>
                )}
                <Note>{t(`${words}_help.${r.key}`)}</Note>
              </>
            ),
            text: (r) => t(`${words}.${r.key}`),
          },
          { id: 'bar', title: '', cell: (r) => <Bar share={all ? r.n / all : 0} />, text: () => '' },
          {
            id: 'share',
            title: t('standing.share'),
            num: true,
            cell: (r) => (all ? formatPercent(r.n / all, 0) : '–'),
            text: (r) => (all ? r.n / all : 0),
          },
          { id: 'n', title: t('field.people'), num: true, cell: (r) => <Num value={r.n} />, text: (r) => r.n },
        ]}
      />
    </Card>
  )
}

function Labels({ counts, labels }: { counts: Row[]; labels: Schemas['StandingLabel'][] }) {
  const t = useT()
  const all = counts.reduce((n, c) => n + c.n, 0)
  return (
    <Card title={t('standing.labels')} help={t('standing.labels_help')} flush>
      <DataTable
        bare
        plain
        name="standing-labels"
        label={t('standing.labels')}
        rows={labels.map((l) => ({ ...l, n: counts.find((c) => c.key === l.key)?.n ?? 0 }))}
        rowId={(l) => l.key}
        columns={[
          {
            id: 'name',
            title: t('field.name'),
            cell: (l) => <Link to={segmentOf({ label: l.key })}>{labelName(l)}</Link>,
            text: (l) => labelName(l),
          },
          {
            id: 'scores',
            title: 'R · F · M',
            cell: (l) => (
              <span className={css.scores}>{[l.r, l.f, l.m].map((r) => (r.from === r.to ? r.from : `${r.from}–${r.to}`)).join(' · ')}</span>
            ),
          },
          { id: 'bar', title: '', cell: (l) => <Bar share={all ? l.n / all : 0} />, text: () => '' },
          { id: 'n', title: t('field.people'), num: true, cell: (l) => <Num value={l.n} />, text: (l) => l.n },
        ]}
      />
    </Card>
  )
}

/** Recency against frequency; the darker, the more people. */
function Grid({ cells }: { cells: Schemas['StandingCell'][] }) {
  const t = useT()
  const of = (r: number, f: number) => cells.find((c) => c.r === r && c.f === f)?.n ?? 0
  const top = Math.max(1, ...cells.map((c) => c.n))
  const scores = [1, 2, 3, 4, 5]
  return (
    <table className={css.grid}>
      <caption className={css.hidden}>{t('standing.grid')}</caption>
      <thead>
        <tr>
          <th scope="col">{t('standing.r_by_f')}</th>
          {scores.map((f) => (
            <th key={f} scope="col">
              F {f}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {scores.toReversed().map((r) => (
          <tr key={r}>
            <th scope="row">R {r}</th>
            {scores.map((f) => {
              const n = of(r, f)
              return (
                <td key={f} style={{ '--heat': `${n ? 8 + Math.sqrt(n / top) * 37 : 0}%` } as React.CSSProperties}>
                  {n ? <Link to={segmentOf({ r, f })}>{formatNumber(n)}</Link> : <span aria-hidden>·</span>}
                </td>
              )
            })}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
