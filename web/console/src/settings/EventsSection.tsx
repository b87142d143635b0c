import { Download, Pause, Play, RotateCcw } from 'lucide-react'
import { useState } from 'react'
import { type Schemas, useList, useRead } from '@/api'
import { useCan } from '@/app/session'
import { useT, word } from '@/i18n'
import { eventName } from '@/people/happening'
import { useExport } from '@/jobs/useExport'
import { useUrlState } from '@/lib/route'
import {
  Ago,
  Button,
  Definition,
  EmptyState,
  FilterBar,
  FilterChip,
  Json,
  Link,
  LinkButton,
  SavedViews,
  ListTable,
  Loaded,
  Sheet,
  Stack,
  Text,
  Time,
} from '@/ui'
import { Replay } from './Replay'
import { SettingsSection } from './SettingsSection'

type Arrival = Schemas['Arrival']

const types = [
  'track',
  'page',
  'screen',
  'identify',
  'group',
  'alias',
  'message',
  'segment',
  'journey',
  'consent',
  'invoice',
  'standing',
  'identity',
]

const none = { source: '', type: '', name: '' }

/** Events as they come in, for whoever connects a source: whether they arrive, whose they became, and what they say. */
export default function EventsSection() {
  const t = useT()
  const can = useCan()
  const [filter, setFilter] = useUrlState(none)
  const [paused, setPaused] = useState(false)
  const [open, setOpen] = useState('')
  const [again, setAgain] = useState(false)
  const sources = useList('/api/v1/sources', {}, { enabled: can('keys.write'), size: 500 })
  const names = useRead('/api/v1/event-names', {})
  const query = { source: filter.source || undefined, type: filter.type || undefined, name: filter.name || undefined }
  const exporting = useExport()
  const events = useList('/api/v1/events', { query }, { enabled: !paused, size: 30 })
  const sourceName = (id?: string) => sources.items.find((s) => s.id === id)?.name ?? (id ? id : t('events.own'))
  const filtered = Object.values(filter).some(Boolean)
  const clear = () => setFilter(none)
  return (
    <SettingsSection
      id="events"
      more={[
        can('settings.write') && { label: t('replay.action'), icon: <RotateCcw size={16} />, run: () => setAgain(true) },
        can('export') && {
          label: t('export.events'),
          icon: <Download size={16} />,
          busy: exporting.busy,
          run: () => exporting.events(query, filter.name),
        },
      ]}
      actions={
        <Button leftSection={paused ? <Play size={16} /> : <Pause size={16} />} aria-pressed={paused} onClick={() => setPaused(!paused)}>
          {t(paused ? 'events.go_on' : 'events.pause')}
        </Button>
      }
    >
      <SavedViews list="events" state={filter} defaults={none} onApply={setFilter} />
      <FilterBar active={filtered} onClear={clear}>
        {sources.loading || sources.items.length > 0 ? (
          <FilterChip
            label={t('field.source')}
            value={filter.source}
            choices={sources.items.map((s) => ({ value: s.id, label: s.name }))}
            onChange={(source) => setFilter({ source })}
          />
        ) : null}
        <FilterChip
          label={t('field.kind')}
          value={filter.type}
          choices={types.map((value) => ({ value, label: word('event_type', value) }))}
          onChange={(type) => setFilter({ type })}
        />
        <FilterChip
          label={t('field.event')}
          value={filter.name}
          choices={(names.data?.items ?? []).map((n) => ({ value: n.name, label: n.name }))}
          onChange={(name) => setFilter({ name })}
        />
      </FilterBar>
      <ListTable
        name="events"
        label={t('settings.section.events')}
        of={events}
        rowId={(e) => e.message_id}
        filtered={filtered}
        onClearFilters={clear}
        onOpen={(e) => setOpen(e.message_id)}
        columns={[
          {
            id: 'event',
            opens: true,
            title: t('field.event'),
            cell: (e) => eventName(e),
            text: (e) => e.name || e.type,
          },
          { id: 'type', title: t('field.kind'), cell: (e) => word('event_type', e.type), text: (e) => e.type },
          { id: 'person', title: t('field.person'), cell: (e) => <PersonOf event={e} />, text: (e) => e.person },
          { id: 'source', title: t('field.source'), cell: (e) => sourceName(e.source), text: (e) => sourceName(e.source) },
          { id: 'received', title: t('events.received'), num: true, cell: (e) => <Ago at={e.received_at} />, text: (e) => e.received_at },
          { id: 'time', title: t('events.happened'), num: true, optional: true, cell: (e) => <Time at={e.time} />, text: (e) => e.time },
        ]}
        empty={
          <EmptyState
            title={t('events.none')}
            text={t('events.none_text')}
            action={can('keys.write') ? <LinkButton to="/settings/sources">{t('settings.section.sources')}</LinkButton> : undefined}
          />
        }
      />
      <Sheet title={t('replay.title')} opened={again} onClose={() => setAgain(false)}>
        {again ? <Replay onClose={() => setAgain(false)} /> : null}
      </Sheet>
      <Sheet title={t('field.event')} opened={open !== ''} onClose={() => setOpen('')} wide>
        {open ? <Whole id={open} sourceName={sourceName} /> : null}
      </Sheet>
    </SettingsSection>
  )
}

/** Names are not in the list, so that looking at it is not a look at each person. */
function PersonOf({ event: e }: { event: Arrival }) {
  return e.person ? (
    <Link to={`/people/${e.person}`}>
      <code>…{e.person.slice(-6)}</code>
    </Link>
  ) : null
}

/** All that one event says. Opening it is noted as a look at the person. */
function Whole({ id, sourceName }: { id: string; sourceName: (id?: string) => string }) {
  const t = useT()
  const event = useRead('/api/v1/events/{id}', { path: { id } })
  return (
    <Loaded of={event}>
      {(e) => (
        <Stack gap="md">
          <Definition
            items={[
              [t('field.event'), eventName(e)],
              [t('field.kind'), word('event_type', e.type)],
              [t('field.person'), <PersonOf key="person" event={e} />],
              [
                t('events.found_by'),
                <Stack key="ids" gap={2}>
                  {(e.identifiers ?? []).map((i) => (
                    <code key={i.kind + i.value}>
                      {i.kind}: {i.value}
                    </code>
                  ))}
                </Stack>,
              ],
              [t('field.source'), sourceName(e.source)],
              [t('events.happened'), <Time key="time" at={e.time} />],
              [t('events.received'), <Time key="received" at={e.received_at} />],
              ['messageId', <code key="id">{e.message_id}</code>],
            ]}
          />
          <Text size="sm" fw={600}>
            properties
          </Text>
          <Json value={e.properties} />
          <Text size="sm" fw={600}>
            context
          </Text>
          <Json value={e.context} />
        </Stack>
      )}
    </Loaded>
  )
}
