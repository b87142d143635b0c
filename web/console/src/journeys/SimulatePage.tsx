// Rehearsals: with everybody's history, and with one person step by step. Nothing is stored or sent.
import { useState } from 'react'
import { describe, type Schemas, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, useT, word } from '@/i18n'
import { useParam } from '@/lib/route'
import { useFoundPeople } from '@/people/found'
import {
  Alert,
  Autocomplete,
  Button,
  Card,
  DataTable,
  DateTimeInput,
  DetailPage,
  Group,
  Loaded,
  Note,
  Num,
  NumberInput,
  Progress,
  Select,
  Sheet,
  Stack,
  Stat,
  StatRow,
} from '@/ui'
import { Preview } from '@/campaigns/Preview'
import { Answers, answersOf, type Reply, unreadable } from './Answers'
import { type Graph, readGraph } from './graph'
import { journeyReason } from './reasons'
import { TraitsInput } from './Pickers'
import { RoundPath } from './RoundPath'
import { type Happening, Happenings, made } from './Happenings'
import { type Things, useThings } from './useThings'
import { stepTitle } from './words'

export default function SimulatePage() {
  const t = useT()
  const id = useParam('id')
  const can = useCan()
  const journey = useRead('/api/v1/journeys/{id}', { path: { id } })
  const things = useThings()
  return (
    <Loaded of={journey}>
      {(j) => {
        const graph = readGraph(j.draft)
        return (
          <DetailPage
            title={t('journeys.simulate_title')}
            lead={t('journeys.simulate_lead')}
            crumbs={[
              { to: '/journeys', label: t('nav.journeys') },
              { to: `/journeys/${id}`, label: j.name },
            ]}
          >
            {can('journeys.write') ? <OnHistory id={id} /> : null}
            {can('people.read') ? <OnePerson id={id} graph={graph} things={things} /> : null}
          </DetailPage>
        )
      }}
    </Loaded>
  )
}

function OnHistory({ id }: { id: string }) {
  const t = useT()
  const [days, setDays] = useState(30)
  const [begun, setBegun] = useState('')
  const begin = useSend('post', '/api/v1/journeys/{id}/simulations')
  const cancel = useSend('post', '/api/v1/journey-simulations/{id}/cancel', { refresh: ['/api/v1/journey-simulations'] })
  const [running, setRunning] = useState(false)
  const sim = useRead(
    '/api/v1/journey-simulations/{id}',
    { path: { id: begun } },
    { enabled: begun !== '', every: running ? 800 : undefined, keep: true },
  )
  if (running && sim.data?.id === begun && sim.data.status !== 'running') setRunning(false)
  const s = begun ? sim.data : undefined
  return (
    <Card title={t('journeys.on_history')} help={t('journeys.on_history_help')}>
      <Stack gap="md">
        <Group align="flex-end">
          <NumberInput label={t('journeys.days_back')} min={1} max={365} w={160} value={days} onChange={(v) => setDays(Number(v) || 1)} />
          <Button
            variant="filled"
            loading={begin.isPending || running}
            onClick={() =>
              begin.mutate(
                { path: { id }, body: { days } },
                {
                  onSuccess: (made) => {
                    setBegun(made.id)
                    setRunning(true)
                  },
                },
              )
            }
          >
            {t('journeys.run')}
          </Button>
          {running ? <Button onClick={() => cancel.mutate({ path: { id: begun } })}>{t('action.cancel')}</Button> : null}
        </Group>
        {begin.error ? <Alert color="danger">{describe(begin.error)}</Alert> : null}
        {s?.status === 'failed' ? <Alert color="danger">{journeyReason(s.error)}</Alert> : null}
        {s ? <Result sim={s} /> : null}
      </Stack>
    </Card>
  )
}

function Result({ sim: s }: { sim: Schemas['JourneySimulation'] }) {
  const t = useT()
  return (
    <>
      {s.status === 'running' ? <Progress value={s.people ? (100 * s.looked) / s.people : 0} aria-label={t('journeys.run')} /> : null}
      <StatRow>
        {(['persons', 'entered', 'messages', 'receivers', 'goals', 'inside'] as const).map((k) => (
          <Stat key={k} label={t(`journeys.sim_${k}`)} value={<Num value={s[k]} />} />
        ))}
      </StatRow>
      <DataTable
        name="journey-simulation"
        label={t('journeys.nodes')}
        rows={s.nodes ?? []}
        rowId={(n) => n.node}
        columns={[
          {
            id: 'node',
            title: t('journeys.step'),
            cell: (n) => stepTitle({ id: n.node, kind: n.kind, title: n.title }),
            text: (n) => n.node,
          },
          { id: 'in', title: t('journeys.entered'), num: true, cell: (n) => <Num value={n.in} />, text: (n) => n.in },
          {
            id: 'messages',
            title: t('journeys.sim_messages'),
            num: true,
            cell: (n) => <Num value={n.messages} />,
            text: (n) => n.messages,
          },
          {
            id: 'refused',
            title: t('journeys.fact_refused'),
            num: true,
            cell: (n) => <Num value={Object.values(n.refused ?? {}).reduce((a, b) => a + b, 0)} />,
            text: (n) => Object.values(n.refused ?? {}).reduce((a, b) => a + b, 0),
          },
          {
            id: 'ended',
            title: t('journeys.sim_ended'),
            cell: (n) =>
              Object.entries(n.ended ?? {})
                .map(([why, count]) => `${word('status', why)} ${formatNumber(count)}`)
                .join(' · '),
            text: (n) => JSON.stringify(n.ended),
          },
        ]}
      />
      {s.approximations?.length ? (
        <div>
          <Note>{t('journeys.approximations')}</Note>
          <ul>
            {s.approximations.map((a) => (
              <li key={a}>
                <Note>{word('approximation', a)}</Note>
              </li>
            ))}
          </ul>
        </div>
      ) : null}
    </>
  )
}

function OnePerson({ id, graph, things }: { id: string; graph: Graph; things: Things }) {
  const t = useT()
  const can = useCan()
  const trigger = graph.trigger?.event as { name?: string } | undefined
  const [q, setQ] = useState('')
  const found = useFoundPeople(q)
  const [person, setPerson] = useState<string | null>(null)
  const [name, setName] = useState(trigger?.name ?? '')
  const [properties, setProperties] = useState<Record<string, unknown> | undefined>()
  const [traits, setTraits] = useState<Record<string, unknown> | undefined>()
  const [later, setLater] = useState<Happening[]>([])
  const [at, setAt] = useState('')
  const [said, setSaid] = useState<Record<string, Reply>>({})
  const [letter, setLetter] = useState<Schemas['TrialLetter'] | null>(null)
  const trial = useSend('post', '/api/v1/journeys/{id}/trial')
  const run = (events: Happening[]) =>
    trial.mutate({
      path: { id },
      body: {
        person_id: person ?? undefined,
        traits,
        at: at ? new Date(at).toISOString() : undefined,
        trigger: { name, properties },
        events: made(events),
        answers: answersOf(graph, said),
      },
    })
  return (
    <Card title={t('journeys.one_person')} help={t('journeys.one_person_help')}>
      <Stack gap="md">
        <Select
          label={t('field.person')}
          placeholder={t('journeys.made_up')}
          searchable
          clearable
          {...found}
          filter={({ options }) => options}
          value={person}
          onChange={setPerson}
          onSearchChange={setQ}
        />
        <TraitsInput label={t('journeys.trial_traits')} value={traits} set={setTraits} />
        <DateTimeInput label={t('journeys.trial_at')} description={t('journeys.trial_at_help')} value={at} onChange={setAt} />
        <Autocomplete label={t('journeys.trial_event')} data={things.events} value={name} onChange={setName} />
        <TraitsInput label={t('journeys.trial_properties')} event={name} value={properties} set={setProperties} />
        <Happenings
          all={later}
          events={things.events}
          set={(next) => {
            setLater(next)
            if (trial.data) run(next)
          }}
        />
        <Answers graph={graph} said={said} set={setSaid} />
        <Group>
          <Button variant="filled" loading={trial.isPending} disabled={unreadable(graph, said)} onClick={() => run(later)}>
            {t('journeys.run')}
          </Button>
        </Group>
        {trial.error ? <Alert color="danger">{describe(trial.error)}</Alert> : null}
        {trial.data ? (
          <>
            {trial.data.trigger_matches ? null : <Alert color="warning">{t('journeys.trial_no_match')}</Alert>}
            {trial.data.endless ? <Alert color="warning">{t('journeys.trial_endless')}</Alert> : null}
            <RoundPath
              round={trial.data.round}
              graph={graph}
              more={(step) =>
                can('content.read')
                  ? (trial.data.letters ?? [])
                      .filter((l) => l.step === step)
                      .map((l) => (
                        <Button key={l.template_id} size="xs" variant="light" mt="xs" onClick={() => setLetter(l)}>
                          {t('journeys.trial_letter')}
                        </Button>
                      ))
                  : null
              }
            />
            <Sheet
              opened={letter !== null}
              wide
              title={t('journeys.trial_letter_title', { name: things.names[letter?.template_id ?? ''] ?? '' })}
              onClose={() => setLetter(null)}
            >
              {letter ? <Preview template={letter.template_id} person={trial.variables?.body.person_id} vars={letter.vars} /> : null}
            </Sheet>
          </>
        ) : null}
      </Stack>
    </Card>
  )
}
