import { CircleCheck, CircleDashed, CircleX, Clock, SearchCheck } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { type Answer, troubleText, useAll, useList, useRead } from '@/api'
import { useCan } from '@/app/session'
import { formatList, formatTime, useT, word } from '@/i18n'
import { useNames } from '@/journeys/useThings'
import { useUrlState } from '@/lib/route'
import { reasonText } from '@/report/reason'
import {
  Ago,
  Alert,
  Button,
  Card,
  EmptyState,
  FilterBar,
  Group,
  Link,
  ListPage,
  Loaded,
  Note,
  personName,
  Select,
  Stack,
  Status,
} from '@/ui'
import { PersonSelect } from './PersonSelect'
import { type About, placeOf } from './places'
import css from './Why.module.css'

type Why = Answer<'/api/v1/people/{id}/why', 'get'>
type Message = NonNullable<Why['messages']>[number]
type Gate = Message['gate']

const looks = { passed: CircleCheck, failed: CircleX, waits: Clock, not_asked: CircleDashed }
const tones = {
  sent: 'success',
  bounced: 'danger',
  waits: 'accent',
  refused: 'warning',
  left_out: 'warning',
  ended: 'warning',
  not_yet: 'accent',
}

/** The kinds of things that may be asked about; each is a parameter of the address. */
const kinds = ['campaign', 'series', 'journey', 'template', 'key', 'message', 'confirmation'] as const
type Kind = (typeof kinds)[number]

/** One question for support and marketing alike: why did this person get that, or not? */
export default function WhyPage() {
  const t = useT()
  const can = useCan()
  const nothing = { campaign: '', series: '', journey: '', template: '', key: '', message: '', confirmation: '' }
  const [url, setUrl] = useUrlState({ person: '', ...nothing })
  const [typed, setTyped] = useState('')
  const campaigns = useAll('/api/v1/campaigns', { enabled: can('campaigns.read') })
  const series = useAll('/api/v1/series', { enabled: can('campaigns.read') })
  const journeys = useAll('/api/v1/journeys', { enabled: can('journeys.read') })
  const templates = useAll('/api/v1/templates', { enabled: can('content.read') })
  const messages = useList('/api/v1/people/{id}/messages', { path: { id: url.person } }, { size: 50, enabled: url.person !== '' })
  const group = (label: string, kind: Kind, items?: { id: string; name: string }[] | null) => ({
    group: label,
    items: (items ?? []).map((x) => ({ value: `${kind} ${x.id}`, label: x.name })),
  })
  const contents = new Map((templates.data?.items ?? []).map((x) => [x.id, x.name]))
  const kind = kinds.find((k) => url[k] !== '')
  const chosen = kind ? `${kind} ${url[kind]}` : null
  const own = (url.person ? messages.items : []).filter((m) => ['api', 'system'].includes(m.source.kind))
  const key = url.key || typed.trim()
  const things = [
    group(t('nav.campaigns'), 'campaign', campaigns.data?.items),
    group(t('series.title'), 'series', series.data?.items),
    group(t('nav.journeys'), 'journey', journeys.data?.items),
    group(t('why.group_messages'), 'message', [
      ...own.map((m) => ({
        id: m.id,
        name: t('why.one_message', {
          name: m.subject || contents.get(m.template) || t('why.message'),
          time: formatTime(m.sent_at ?? m.created_at),
        }),
      })),
      ...(url.message && !own.some((m) => m.id === url.message) ? [{ id: url.message, name: t('why.this_message') }] : []),
    ]),
    group(t('why.group_templates'), 'template', templates.data?.items),
    group(t('why.group_others'), 'confirmation', [{ id: 'true', name: t('why.confirmation') }]),
    group(t('why.group_key'), 'key', key ? [{ id: key, name: key }] : []),
  ].filter((g) => g.items.length > 0)
  const name = things.flatMap((g) => g.items).find((i) => i.value === chosen)?.label ?? ''
  return (
    <ListPage
      title={t('why.title')}
      lead={t('why.lead')}
      crumbs={[{ to: '/people', label: t('nav.people') }]}
      filters={
        <FilterBar>
          <PersonSelect label={t('why.person')} value={url.person} onChange={(person) => setUrl({ person })} />
          <Select
            aria-label={t('why.thing')}
            placeholder={t('why.thing')}
            searchable
            clearable
            data={things}
            value={chosen}
            w={360}
            maw="100%"
            nothingFoundMessage={t('state.nothing_found')}
            onSearchChange={(s) => setTyped(things.some((g) => g.items.some((i) => i.label === s)) ? '' : s)}
            onChange={(v) => {
              const [of, ...id] = (v ?? '').split(' ')
              setUrl({ ...nothing, ...(of ? { [of]: id.join(' ') } : {}) })
            }}
          />
        </FilterBar>
      }
    >
      {url.person && kind ? (
        <Told key={`${url.person} ${chosen}`} person={url.person} kind={kind} id={url[kind]} name={name} />
      ) : (
        <Card>
          <EmptyState icon={SearchCheck} title={t('why.empty_title')} text={t('why.empty')} />
        </Card>
      )}
    </ListPage>
  )
}

function Told({ person, kind, id, name }: { person: string; kind: Kind; id: string; name: string }) {
  const t = useT()
  const [cursor, setCursor] = useState('')
  const query = { ...(kind === 'confirmation' ? { confirmation: true } : { [kind]: id }), limit: 20, ...(cursor ? { cursor } : {}) }
  const why = useRead('/api/v1/people/{id}/why', { path: { id: person }, query })
  const who = useRead('/api/v1/people/{id}', { path: { id: person } })
  const heard = kind === 'campaign' || kind === 'series' || kind === 'journey' ? '' : '_message'
  return (
    <Loaded of={why}>
      {(w) => (
        <Stack gap="md">
          <Alert color={tones[w.outcome]} title={t(`why.${w.outcome}`, { name: who.data ? personName(who.data) : '…', thing: name })}>
            {t(w.outcome === 'not_yet' ? `why.not_yet_text${heard}` : `why.${w.outcome}_text`)}
          </Alert>
          {(w.messages ?? []).map((m) => (
            <Answered key={m.id} of={m} person={person} />
          ))}
          {w.recorded ? <Recorded of={w.recorded} /> : null}
          {w.standing ? <Standing of={w.standing} person={person} source={{ kind, id }} outcome={w.outcome} /> : null}
          {w.series ? <Runs of={w} id={id} person={person} /> : null}
          {kind === 'journey' ? (
            <Card title={t('why.rounds')}>
              {(w.rounds ?? []).length === 0 ? <Note>{t('why.no_rounds')}</Note> : null}
              <ul className={css.list}>
                {(w.rounds ?? []).map((r) => (
                  <li key={r.id}>
                    <Link to={`/journeys/rounds/${r.id}`}>{formatTime(r.entered_at)}</Link>
                    <Status value={r.status} />
                  </li>
                ))}
              </ul>
            </Card>
          ) : null}
          {w.next || cursor ? (
            <Group gap="xs">
              {cursor ? <Button onClick={() => setCursor('')}>{t('why.newest')}</Button> : null}
              {w.next ? <Button onClick={() => setCursor(w.next ?? '')}>{t('why.older')}</Button> : null}
            </Group>
          ) : null}
        </Stack>
      )}
    </Loaded>
  )
}

function Answered({ of: m, person }: { of: Message; person: string }) {
  const t = useT()
  return (
    <Card
      title={m.subject || t('why.message')}
      actions={
        <Group gap="xs">
          <Status value={m.state} />
          <Ago at={m.sent_at ?? m.created_at} />
        </Group>
      }
    >
      <Course gate={m.gate} about={{ person, template: m.template, source: m.source }} detail={m.detail} />
    </Card>
  )
}

/** What was written down when the audience was fixed, which is what counted. */
function Recorded({ of }: { of: NonNullable<Why['recorded']> }) {
  const t = useT()
  const names = useNames()
  return (
    <Card title={t('why.then', { time: formatTime(of.at) })}>
      <ul className={css.list}>
        <Line outcome={of.in ? 'passed' : 'failed'}>
          {t(of.in ? 'why.was_in' : 'why.was_out')}
          {of.due_at ? <Note>{t('why.turn_at', { time: formatTime(of.due_at) })}</Note> : null}
        </Line>
        {(of.sets ?? []).map((s) => (
          <Line key={s.set} outcome={s.in === s.excludes ? 'failed' : 'passed'}>
            {t(s.in ? 'why.set_in' : 'why.set_out', { name: names[s.set] ?? s.set })}
            {s.since ? <Note>{t('why.set_since', { time: formatTime(s.since) })}</Note> : null}
            {s.changed ? <Note>{t(s.in ? 'why.set_left' : 'why.set_joined', { time: formatTime(s.changed) })}</Note> : null}
          </Line>
        ))}
      </ul>
    </Card>
  )
}

function Line({ outcome, children }: { outcome: 'passed' | 'failed'; children: ReactNode }) {
  const Look = looks[outcome]
  return (
    <li data-outcome={outcome}>
      <Look size={18} aria-hidden />
      <span>{children}</span>
    </li>
  )
}

/** The runs of a series, each with what came of it. */
function Runs({ of: w, id, person }: { of: Why; id: string; person: string }) {
  const t = useT()
  return (
    <>
      <Card title={t('series.title')} actions={<Link to={`/campaigns/series/${id}`}>{t('why.look')}</Link>}>
        <Group gap="xs">
          <Status value={w.series!.status} />
          {w.series!.next_at ? <Note>{t('why.next_run', { time: formatTime(w.series!.next_at) })}</Note> : null}
        </Group>
      </Card>
      {(w.runs ?? []).map((r) => (
        <Card
          key={r.planned_at}
          title={t('why.run', { time: formatTime(r.planned_at) })}
          actions={
            r.campaign ? (
              <Link to={`/people/why?person=${person}&campaign=${r.campaign}`}>{t('why.run_more')}</Link>
            ) : (
              <Status value={r.state} />
            )
          }
        >
          {r.message ? (
            <Course
              gate={r.message.gate}
              about={{ person, template: r.message.template, source: r.message.source }}
              detail={r.message.detail}
            />
          ) : (
            <Note>
              {r.outcome === 'no_run'
                ? [word('series.reason', r.reason ?? ''), r.detail ? troubleText(r.detail) : ''].filter(Boolean).join(' ')
                : t(`why.run_${r.outcome}`)}
            </Note>
          )}
        </Card>
      ))}
    </>
  )
}

/** How the person stands to a campaign now: what was true when it went out may have changed since. */
function Standing({
  of,
  person,
  source,
  outcome,
}: {
  of: NonNullable<Why['standing']>
  person: string
  source: { kind: string; id: string }
  outcome: string
}) {
  const t = useT()
  const all = useNames()
  const names = (ids: string[] | null) => formatList((ids ?? []).map((id) => all[id] ?? id))
  const open = !['sent', 'cancelled', 'failed'].includes(of.status)
  return (
    <Card
      title={t(['left_out', 'not_yet'].includes(outcome) ? 'why.would' : 'why.now')}
      help={t('why.now_help')}
      actions={<Link to={`/campaigns/${source.id}`}>{t('why.to_campaign')}</Link>}
    >
      {outcome === 'not_yet' && open ? (
        <Group gap="xs">
          <Status value={of.status} />
          <Note>
            {of.status === 'scheduled' && of.scheduled_at
              ? t('why.campaign_at', { time: formatTime(of.scheduled_at) })
              : t(`why.campaign_${of.status}`)}
          </Note>
        </Group>
      ) : null}
      <ul className={css.list}>
        <Line outcome={of.included?.length ? 'passed' : 'failed'}>
          {of.included?.length ? t('why.included', { names: names(of.included) }) : t('why.not_included')}
        </Line>
        {of.excluded?.length ? <Line outcome="failed">{t('why.excluded', { names: names(of.excluded) })}</Line> : null}
      </ul>
      {of.gate?.length && outcome !== 'sent' ? <Course gate={of.gate} about={{ person, source }} /> : null}
    </Card>
  )
}

/** The questions of the gate in their order; the one that settled it says why, until when, and leads to what it rests on. */
export function Course({ gate, about, detail }: { gate: Gate; about: About; detail?: string }) {
  const t = useT()
  const can = useCan()
  return (
    <ol className={css.list}>
      {(gate ?? []).map((s) => {
        const Look = looks[s.outcome]
        const to = s.reason ? placeOf(s.reason, { ...about, data: s.data }) : undefined
        const until = typeof s.data?.until === 'string' // the reason says it then
        return (
          <li key={s.step} data-outcome={s.outcome}>
            <Look size={18} aria-hidden />
            <span>
              {t(`why.step.${s.step}`)}
              <Note>{s.reason ? reasonText(s.reason, s.data) : word('why_outcome', s.outcome)}</Note>
              {s.at && !until ? <Note>{t('why.earliest', { time: formatTime(s.at) })}</Note> : null}
              {s.outcome === 'failed' && detail ? <Note>{detail}</Note> : null}
            </span>
            {to && (!to.startsWith('/settings') || can('settings.read')) ? <Link to={to}>{t('why.look')}</Link> : null}
          </li>
        )
      })}
    </ol>
  )
}
