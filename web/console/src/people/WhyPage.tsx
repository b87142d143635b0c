import { CircleCheck, CircleDashed, CircleX, Clock, SearchCheck } from 'lucide-react'
import { type Answer, useAll, useRead } from '@/api'
import { useCan } from '@/app/session'
import { formatList, formatTime, useT, word } from '@/i18n'
import { useUrlState } from '@/lib/route'
import { reasonText } from '@/report/reason'
import { Ago, Alert, Card, EmptyState, FilterBar, Group, Link, ListPage, Loaded, Note, personName, Select, Stack, Status } from '@/ui'
import { PersonSelect } from './PersonSelect'
import css from './Why.module.css'

type Why = Answer<'/api/v1/people/{id}/why', 'get'>
type Gate = NonNullable<Why['messages']>[number]['gate']

const looks = { passed: CircleCheck, failed: CircleX, waits: Clock, not_asked: CircleDashed }
const tones = { sent: 'success', bounced: 'danger', waits: 'accent', refused: 'warning', left_out: 'warning', not_yet: 'accent' }

/** Where what a question of the gate rests on can be seen and changed. */
const places: Record<string, (person: string) => string> = {
  person: (id) => `/people/${id}?tab=topics`,
  address: (id) => `/people/${id}?tab=topics`,
  consent: (id) => `/people/${id}?tab=topics`,
  control: () => '/settings/sending',
  caps: () => '/settings/sending',
  quiet: () => '/settings/sending',
  content: () => '/content',
  sending: (id) => `/people/${id}?tab=messages`,
}

/** One question for support and marketing alike: why did this person get that, or not? */
export default function WhyPage() {
  const t = useT()
  const can = useCan()
  const [url, setUrl] = useUrlState({ person: '', campaign: '', journey: '' })
  const campaigns = useAll('/api/v1/campaigns', { enabled: can('campaigns.read') })
  const journeys = useAll('/api/v1/journeys', { enabled: can('journeys.read') })
  const group = (label: string, kind: string, items?: { id: string; name: string }[] | null) => ({
    group: label,
    items: (items ?? []).map((x) => ({ value: `${kind} ${x.id}`, label: x.name })),
  })
  const things = [
    group(t('nav.campaigns'), 'campaign', campaigns.data?.items),
    group(t('nav.journeys'), 'journey', journeys.data?.items),
  ].filter((g) => g.items.length > 0)
  const chosen = url.campaign ? `campaign ${url.campaign}` : url.journey ? `journey ${url.journey}` : null
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
            w={280}
            maw="100%"
            nothingFoundMessage={t('state.nothing_found')}
            onChange={(v) => {
              const [kind, id] = (v ?? '').split(' ')
              setUrl({ campaign: kind === 'campaign' ? id! : '', journey: kind === 'journey' ? id! : '' })
            }}
          />
        </FilterBar>
      }
    >
      {url.person && chosen ? (
        <Told person={url.person} campaign={url.campaign} journey={url.journey} name={name} />
      ) : (
        <Card>
          <EmptyState icon={SearchCheck} title={t('why.empty_title')} text={t('why.empty')} />
        </Card>
      )}
    </ListPage>
  )
}

function Told({ person, campaign, journey, name }: { person: string; campaign: string; journey: string; name: string }) {
  const t = useT()
  const query = campaign ? { campaign } : { journey }
  const why = useRead('/api/v1/people/{id}/why', { path: { id: person }, query })
  const who = useRead('/api/v1/people/{id}', { path: { id: person } })
  return (
    <Loaded of={why}>
      {(w) => (
        <Stack gap="md">
          <Alert color={tones[w.outcome]} title={t(`why.${w.outcome}`, { name: who.data ? personName(who.data) : '…', thing: name })}>
            {t(`why.${w.outcome}_text`)}
          </Alert>
          {(w.messages ?? []).map((m) => (
            <Card
              key={m.id}
              title={m.subject || t('why.message')}
              actions={
                <Group gap="xs">
                  <Status value={m.state} />
                  <Ago at={m.sent_at ?? m.created_at} />
                </Group>
              }
            >
              <Course gate={m.gate} reason={m.reason} data={m.data} person={person} />
            </Card>
          ))}
          {w.standing ? <Standing of={w.standing} person={person} outcome={w.outcome} /> : null}
          {journey ? (
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
        </Stack>
      )}
    </Loaded>
  )
}

/** How the person stands to a campaign now: what was true when it went out may have changed since. */
function Standing({ of, person, outcome }: { of: NonNullable<Why['standing']>; person: string; outcome: string }) {
  const t = useT()
  const segments = useAll('/api/v1/segments')
  const lists = useAll('/api/v1/lists')
  const names = (ids: string[] | null) =>
    formatList(
      (ids ?? []).map((id) => [...(segments.data?.items ?? []), ...(lists.data?.items ?? [])].find((s) => s.id === id)?.name ?? id),
    )
  return (
    <Card title={t(['left_out', 'not_yet'].includes(outcome) ? 'why.would' : 'why.now')} help={t('why.now_help')}>
      <ul className={css.list}>
        <li data-outcome={of.included?.length ? 'passed' : 'failed'}>
          {of.included?.length ? <CircleCheck size={18} aria-hidden /> : <CircleX size={18} aria-hidden />}
          <span>{of.included?.length ? t('why.included', { names: names(of.included) }) : t('why.not_included')}</span>
        </li>
        {of.excluded?.length ? (
          <li data-outcome="failed">
            <CircleX size={18} aria-hidden />
            <span>{t('why.excluded', { names: names(of.excluded) })}</span>
          </li>
        ) : null}
      </ul>
      {of.gate?.length && outcome !== 'sent' ? <Course gate={of.gate} reason={of.reason} data={of.data} person={person} /> : null}
    </Card>
  )
}

/** The questions of the gate in their order; the one that settled it says why and leads to what it rests on. */
function Course({ gate, reason, data, person }: { gate: Gate; reason?: string; data?: Record<string, unknown>; person: string }) {
  const t = useT()
  return (
    <ol className={css.list}>
      {(gate ?? []).map((s) => {
        const Look = looks[s.outcome]
        const settled = s.outcome === 'failed' || s.outcome === 'waits'
        return (
          <li key={s.step} data-outcome={s.outcome}>
            <Look size={18} aria-hidden />
            <span>
              {t(`why.step.${s.step}`)}
              <Note>{settled && reason ? reasonText(reason, data) : word('why_outcome', s.outcome)}</Note>
            </span>
            {settled ? <Link to={places[s.step]!(person)}>{t('why.look')}</Link> : null}
          </li>
        )
      })}
    </ol>
  )
}
