import { Megaphone } from 'lucide-react'
import { useState } from 'react'
import { becomes, type Schemas, troubleText, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatCivil, formatList, formatNumber, formatPercent, useT, word } from '@/i18n'
import { useClock } from '@/lib/clock'
import { useLooked } from '@/lib/preferences'
import { useGo, useParam } from '@/lib/route'
import { verdict } from '@/lib/verdict'
import { EffectCard } from '@/report/EffectCard'
import { Figures, Share } from '@/report/Figures'
import { LinkHeat } from '@/report/LinkHeat'
import { NotePanel } from '@/report/NotePanel'
import { type Behind, PeopleBehind } from '@/report/PeopleBehind'
import {
  Alert,
  Button,
  Card,
  confirm,
  DataTable,
  Definition,
  DetailPage,
  EmptyState,
  LinkButton,
  Loaded,
  Note,
  Num,
  Progress,
  Sheet,
  Status,
  Tag,
  toastError,
  toastUndo,
  UnstyledButton,
  useAtOnce,
  DangerButton,
} from '@/ui'
import { Approval, useMayApprove } from './Approval'
import figureCss from '@/report/Figures.module.css'
import { useChoices } from './choices'
import { editable } from './draft'
import { goalOf } from './goal'
import { Preflight } from './Preflight'

type Campaign = Schemas['Campaign']
type Going = 'launch' | 'approve'
type Verb = Going | 'withdraw' | 'pause' | 'resume' | 'cancel'

/** What lets messages go out, and so passes by the pre-flight. */
const going = (verb: Verb): verb is Going => verb === 'launch' || verb === 'approve'

const verbs: Record<string, Verb[]> = {
  draft: ['launch'],
  review: ['approve', 'withdraw'],
  scheduled: ['pause', 'withdraw', 'cancel'],
  preparing: ['pause', 'cancel'],
  sending: ['pause', 'cancel'],
  paused: ['resume', 'cancel'],
  failed: ['launch', 'cancel'],
}
const running = ['preparing', 'sending', 'scheduled', 'review', 'paused']
const live = { refresh: ['/api/v1/campaigns'] }

export default function CampaignDetailPage() {
  const id = useParam('id')
  const [busy, setBusy] = useState(false)
  const campaign = useRead('/api/v1/campaigns/{id}', { path: { id } }, { every: busy ? 2000 : undefined })
  useLooked('campaign', Boolean(campaign.data?.launched_at))
  return (
    <Loaded of={campaign}>
      {(c) => {
        if (running.includes(c.status) !== busy) setBusy(running.includes(c.status))
        return <View campaign={c} />
      }}
    </Loaded>
  )
}

function View({ campaign: c }: { campaign: Campaign }) {
  const t = useT()
  const go = useGo()
  const can = useCan()
  const mayApprove = useMayApprove()
  const clock = useClock()
  const { names } = useChoices()
  const name = (x: string | undefined) => (x ? (names[x] ?? x) : undefined)
  const [behind, setBehind] = useState<Behind | null>(null)
  // The pre-flight, to look at it or on the way to a launch.
  const [checking, setChecking] = useState<'look' | Going | null>(null)
  const report = useRead('/api/v1/campaigns/{id}/report', { path: { id: c.id } }, { every: running.includes(c.status) ? 2000 : undefined })
  const send: Record<Verb, { isPending: boolean; mutateAsync: (a: { path: { id: string } }) => Promise<unknown> }> = {
    launch: useSend('post', '/api/v1/campaigns/{id}/launch', live),
    approve: useSend('post', '/api/v1/campaigns/{id}/approve', live),
    pause: {
      isPending: false,
      mutateAsync: useAtOnce('post', '/api/v1/campaigns/{id}/pause', {
        ...live,
        shows: () => [becomes('/api/v1/campaigns', c.id, { status: 'paused' })],
      }),
    },
    resume: {
      isPending: false,
      mutateAsync: useAtOnce('post', '/api/v1/campaigns/{id}/resume', {
        ...live,
        // It goes on where it was: the server says so a moment later.
        shows: () => [becomes('/api/v1/campaigns', c.id, { status: c.progress.total > 0 ? 'sending' : 'scheduled' })],
      }),
    },
    withdraw: useSend('post', '/api/v1/campaigns/{id}/withdraw', live),
    cancel: useSend('post', '/api/v1/campaigns/{id}/cancel', live),
  }
  const copy = useSend('post', '/api/v1/campaigns/{id}/copy', live)
  const remove = useSend('delete', '/api/v1/campaigns/{id}', live)
  const resend = useSend('post', '/api/v1/campaigns/{id}/resend', live)
  const archive = useSend('post', '/api/v1/campaigns/{id}/archive', live)
  const restore = useSend('post', '/api/v1/campaigns/{id}/restore', live)
  const act = async (verb: Verb) => {
    if (
      verb === 'cancel' &&
      !(await confirm({
        title: t('campaigns.cancel_title', { name: c.name }),
        text: t('campaigns.cancel_text'),
        action: t('campaigns.cancel'),
        danger: true,
      }))
    )
      return
    try {
      await send[verb].mutateAsync({ path: { id: c.id } })
    } catch (err) {
      toastError(err)
    }
  }
  const path = { id: c.id }
  const destroy = async () => {
    if (await confirm({ title: t('series.delete_title', { name: c.name }), action: t('report.delete'), danger: true }))
      remove.mutate({ path }, { onSuccess: () => go('/campaigns'), onError: toastError })
  }
  const write = can('campaigns.write')
  const p = c.progress
  return (
    <DetailPage
      title={c.name}
      crumbs={[{ to: '/campaigns', label: t('nav.campaigns') }]}
      status={<Status value={c.archived_at ? 'archived' : c.status} />}
      meta={p.total ? <span>{t('campaigns.progress', { done: formatNumber(p.done), total: formatNumber(p.total) })}</span> : null}
      more={[
        can('people.read') && { label: t('why.ask'), to: `/people/why?campaign=${c.id}` },
        write && {
          label: t('campaigns.copy'),
          run: () =>
            copy.mutate(
              { path, body: { name: t('campaigns.copy_name', { name: c.name }) } },
              { onSuccess: (made) => go(`/campaigns/${made.id}`), onError: toastError },
            ),
        },
        write &&
          c.status === 'sent' && {
            label: t('campaigns.resend'),
            run: () =>
              resend.mutate(
                {
                  path,
                  body: { name: t('campaigns.resend_name', { name: c.name }), segment_name: t('campaigns.unopened', { name: c.name }) },
                },
                { onSuccess: (made) => go(`/campaigns/${made.id}`), onError: toastError },
              ),
          },
        write &&
          c.archived_at !== undefined && { label: t('action.restore'), run: () => restore.mutate({ path }, { onError: toastError }) },
        write &&
          !c.archived_at &&
          !running.includes(c.status) && {
            label: t('action.archive'),
            run: () =>
              archive.mutate(
                { path },
                {
                  onSuccess: () =>
                    toastUndo(t('campaigns.archived', { name: c.name }), () => restore.mutate({ path }, { onError: toastError })),
                  onError: toastError,
                },
              ),
          },
        write && !c.archived_at && c.status === 'draft' && { label: t('report.delete'), run: () => void destroy(), red: true },
      ]}
      actions={
        <>
          {write && editable(c) ? <LinkButton to={`/campaigns/${c.id}/edit`}>{t('campaigns.edit')}</LinkButton> : null}
          {can('campaigns.send') && !c.archived_at
            ? (verbs[c.status] ?? [])
                .filter((verb) => verb !== 'approve' || mayApprove(c))
                .map((verb) =>
                  verb === 'cancel' ? (
                    <DangerButton key={verb} onClick={() => void act(verb)}>
                      {t('campaigns.cancel')}
                    </DangerButton>
                  ) : (
                    <Button
                      key={verb}
                      variant={['launch', 'approve', 'resume'].includes(verb) ? 'filled' : 'default'}
                      onClick={() => (going(verb) ? setChecking(verb) : void act(verb))}
                    >
                      {t(`campaigns.${verb}`)}
                    </Button>
                  ),
                )
            : null}
        </>
      }
      rail={
        <Card title={t('campaigns.section_plan')}>
          <Definition
            items={[
              [t('campaigns.audience'), formatList((c.audience.include ?? []).map((x) => name(x) ?? x))],
              [t('campaigns.exclude'), formatList((c.audience.exclude ?? []).map((x) => name(x) ?? x))],
              [t('campaigns.topic'), name(c.topic)],
              [t('campaigns.template'), name(c.template)],
              [t('campaigns.goal'), goalOf(c.goal ?? {}, t)],
              [t('campaigns.when'), when(c, t, clock)],
              [t('campaigns.per_minute'), c.plan?.per_minute ? formatNumber(c.plan.per_minute) : ''],
              [t('campaigns.holdout'), c.plan?.holdout ? formatPercent(c.plan.holdout / 100) : ''],
              [t('campaigns.priority'), c.plan?.priority ? t(`campaigns.priority_${c.plan.priority}`) : ''],
            ]}
          />
        </Card>
      }
    >
      <Approval of={c} />
      {c.error?.code === 'campaign.audience.unsettled' ? (
        <Alert color="info">{troubleText(c.error)}</Alert>
      ) : c.error ? (
        <Alert color="danger" title={t(c.status === 'failed' ? 'campaigns.failed' : 'campaigns.tried_again')}>
          {troubleText(c.error)}
        </Alert>
      ) : null}
      {p.total && c.status === 'sending' ? (
        <Progress
          value={(p.done / p.total) * 100}
          aria-label={t('campaigns.progress', { done: formatNumber(p.done), total: formatNumber(p.total) })}
        />
      ) : null}
      {c.plan?.test ? (
        <TestCard campaign={c} report={report.data} name={(x) => name(x) ?? x} onOpen={can('people.read') ? setBehind : undefined} />
      ) : null}
      {['draft', 'review', 'scheduled'].includes(c.status) ? (
        <Card>
          <EmptyState
            icon={Megaphone}
            title={t('campaigns.nothing_sent')}
            text={t('campaigns.nothing_sent_help')}
            action={<Button onClick={() => setChecking('look')}>{t('campaigns.preflight')}</Button>}
          />
        </Card>
      ) : (
        <Loaded of={report}>
          {(r) => (
            <div>
              <Figures of={r} onOpen={setBehind} />
              {r.left_out?.length ? (
                <Note>
                  {t('campaigns.left_out', {
                    why: formatList(r.left_out.map((x) => `${word('reason', x.reason)} (${formatNumber(x.count)})`)),
                  })}
                </Note>
              ) : null}
            </div>
          )}
        </Loaded>
      )}
      {c.launched_at ? <EffectCard of="campaigns" id={c.id} /> : null}
      {c.launched_at ? <LinkHeat campaign={c.id} since={c.launched_at} /> : null}
      <NotePanel of="campaigns" id={c.id} />
      <PeopleBehind of="campaigns" id={c.id} behind={behind} onClose={() => setBehind(null)} />
      <Sheet wide title={t('campaigns.preflight')} opened={checking !== null} onClose={() => setChecking(null)}>
        <Preflight campaign={c}>
          {checking !== null && checking !== 'look' ? (
            <Button variant="filled" loading={send[checking].isPending} onClick={() => void act(checking).then(() => setChecking(null))}>
              {t(`campaigns.${checking}`)}
            </Button>
          ) : null}
        </Preflight>
      </Sheet>
    </DetailPage>
  )
}

// The plan's time in words.
function when(c: Campaign, t: (key: string, values?: Record<string, string>) => string, clock: ReturnType<typeof useClock>): string {
  if (c.plan?.local) return t('campaigns.when_local', { time: formatCivil(c.plan.local) })
  const at = c.scheduled_at ? clock(c.scheduled_at) : t('campaigns.when_now')
  return c.plan?.best_hour ? t('campaigns.when_best', { time: at }) : at
}

/** The variants of an A/B test side by side, and how it ended. */
function TestCard({
  campaign: c,
  report: r,
  name,
  onOpen,
}: {
  campaign: Campaign
  report: Schemas['CampaignReport'] | undefined
  name: (id: string) => string
  onOpen?: (behind: Behind) => void
}) {
  const t = useT()
  const x = c.plan?.test
  if (!x) return null
  const rows = [c.template ?? '', ...(x.variants ?? [])].map((template, i) => ({ template, letter: String.fromCharCode(65 + i) }))
  const figures = (letter: string) => r?.variants?.find((v) => v.variant === letter)
  return (
    <Card
      title={t('campaigns.test')}
      help={t('campaigns.test_rule', {
        share: formatPercent(x.share / 100),
        hours: formatNumber(x.hours),
        metric: t(`metric.${x.metric}`),
      })}
      flush
    >
      <DataTable
        bare
        plain
        name="campaign-test"
        label={t('campaigns.test')}
        rows={rows}
        rowId={(v) => v.letter}
        columns={[
          {
            id: 'variant',
            title: t('campaigns.variant'),
            cell: (v) => (
              <>
                {v.letter} {name(v.template)} {c.result?.winner === v.letter ? <Tag tone="success">{t('campaigns.winner')}</Tag> : null}
              </>
            ),
          },
          ...(['sent', 'delivered', 'opened', 'clicked', 'converted'] as const).map((m) => ({
            id: m,
            title: t(`metric.${m}`),
            num: true,
            cell: (v: { letter: string }) => {
              const n = figures(v.letter)?.[m] ?? 0
              if (!onOpen || n === 0) return <Num value={n} />
              return (
                <UnstyledButton
                  data-finger
                  className={figureCss.link}
                  onClick={() => onOpen({ title: `${v.letter} · ${t(`metric.${m}`)}`, metric: m, node: v.letter })}
                >
                  <Num value={n} />
                </UnstyledButton>
              )
            },
          })),
          {
            id: 'rate',
            title: `${t(`metric.${x.metric}`)} %`,
            cell: (v) => (
              <Note>
                <Share rate={(figures(v.letter)?.rates as Record<string, Schemas['Rate']> | undefined)?.[x.metric]} />
              </Note>
            ),
          },
        ]}
      />
      {c.result ? (
        <Alert mx="md" my="sm" color={c.result.certain ? 'success' : 'warning'}>
          {t(`campaigns.test_${verdict(c.result)}`, {
            winner: c.result.winner,
            chance: formatPercent(c.result.chance),
          })}
        </Alert>
      ) : null}
    </Card>
  )
}
