// How people come in: what brings them, whether they may come again, and how many at most.
import { useT } from '@/i18n'
import { Alert, Checkbox, NumberInput, SegmentedControl, Select, Stack, TagsInput, Text, TextInput, ZoneSelect } from '@/ui'
import { EventInput, SpanInput, WeekdaysInput } from './Fields'
import type { Graph } from './graph'
import { PathInput } from './Pickers'
import type { Things } from './useThings'
import { triggerKind, triggerKinds } from './words'

type Obj = Record<string, unknown>
const obj = (v: unknown): Obj => (typeof v === 'object' && v !== null ? (v as Obj) : {})
const clean = (o: Obj): Obj => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined && v !== '' && v !== false))

const fresh: Record<string, unknown> = {
  event: { name: '' },
  segment_entered: { id: '' },
  segment_left: { id: '' },
  date: { trait: '' },
  inactive: { for: { n: 30, unit: 'day' } },
  schedule: { set: '', weekly: { days: [1], time: '09:00' } },
  form: { name: '' },
  api: {},
  manual: {},
}

interface Props {
  graph: Graph
  things: Things
  faults: Record<string, string>
  put: (patch: Partial<Graph>, tag?: string) => void
  readOnly?: boolean
}

export function EntrancePanel({ graph, things, faults, put, readOnly }: Props) {
  const t = useT()
  const kind = triggerKind(graph.trigger)
  const body = obj(graph.trigger?.[kind])
  const set = (next: unknown) => put({ trigger: { [kind]: next } }, 'trigger')
  const patch = (p: Obj) => set(clean({ ...body, ...p }))
  const error = (name: string) => faults[`trigger.${kind}.${name}`]
  const loose = Object.entries(faults).filter(([k]) => k === 'trigger' || k === 'trigger.')
  const re = obj(graph.re_entry)
  const caps = obj(graph.caps)
  const putCaps = (p: Obj) => {
    const next = clean({ ...caps, ...p })
    put({ caps: next.inside || next.daily ? next : undefined }, 'caps')
  }
  return (
    <fieldset disabled={readOnly} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
      <Stack gap="md">
        {loose.length ? (
          <Alert color="danger">
            {loose.map(([k, v]) => (
              <div key={k}>{v}</div>
            ))}
          </Alert>
        ) : null}
        <Select
          label={t('journeys.comes_in')}
          allowDeselect={false}
          data={triggerKinds.map((k) => ({ value: k, label: t(`trigger.${k}`) }))}
          value={kind || null}
          onChange={(k) => k && put({ trigger: { [k]: fresh[k] } })}
        />
        {kind ? (
          <Text size="sm" c="var(--ui-text-secondary)">
            {t(`trigger_about.${kind}`)}
          </Text>
        ) : null}
        {kind === 'event' ? (
          <EventInput label={t('journeys.event')} required value={body} set={set} events={things.events} error={error('name')} />
        ) : null}
        {kind === 'segment_entered' || kind === 'segment_left' ? (
          <>
            <Select
              label={t('journeys.segment')}
              required
              searchable
              data={things.segments}
              value={String(body.id ?? '') || null}
              error={error('id')}
              onChange={(id) => patch({ id: id ?? '' })}
            />
            <Checkbox
              label={t('journeys.existing')}
              description={t('journeys.existing_help')}
              checked={body.existing === true}
              onChange={(e) => patch({ existing: e.currentTarget.checked })}
            />
          </>
        ) : null}
        {kind === 'form' ? (
          <TextInput
            label={t('journeys.form')}
            required
            value={String(body.name ?? '')}
            error={error('name')}
            onChange={(e) => set({ name: e.currentTarget.value })}
          />
        ) : null}
        {kind === 'date' ? (
          <>
            <PathInput
              label={t('journeys.date_trait')}
              placeholder="birthday"
              required
              value={String(body.trait ?? '')}
              error={error('trait')}
              set={(trait) => set({ ...body, trait })}
            />
            <NumberInput
              label={t('journeys.date_days')}
              description={t('journeys.date_days_help')}
              min={-366}
              max={366}
              value={Number(body.days ?? 0)}
              error={error('days')}
              onChange={(d) => patch({ days: Number(d) || undefined })}
            />
            <TextInput
              label={t('journeys.time_of_day')}
              type="time"
              value={String(body.time ?? '')}
              error={error('time')}
              onChange={(e) => patch({ time: e.currentTarget.value })}
            />
            <Checkbox
              label={t('journeys.yearly')}
              checked={body.yearly === true}
              onChange={(e) => patch({ yearly: e.currentTarget.checked })}
            />
            {body.yearly ? (
              <Select
                label={t('journeys.leap')}
                allowDeselect={false}
                data={['february', 'march'].map((v) => ({ value: v, label: t(`journeys.leap_${v}`) }))}
                value={String(body.leap ?? 'february')}
                onChange={(v) => patch({ leap: v ?? undefined })}
              />
            ) : null}
          </>
        ) : null}
        {kind === 'inactive' ? (
          <>
            <SpanInput label={t('journeys.inactive_for')} required value={body.for} error={error('for.n')} set={(v) => patch({ for: v })} />
            <TagsInput
              label={t('journeys.inactive_events')}
              description={t('journeys.inactive_events_help')}
              data={things.events}
              value={(body.events as string[] | undefined) ?? []}
              onChange={(events) => patch({ events: events.length ? events : undefined })}
            />
          </>
        ) : null}
        {kind === 'schedule' ? <Schedule body={body} set={set} things={things} error={error} /> : null}
        {kind === 'api' ? (
          <TagsInput
            label={t('journeys.api_required')}
            value={(body.required as string[] | undefined) ?? []}
            error={error('required')}
            onChange={(required) => set(required.length ? { required } : {})}
          />
        ) : null}

        <Select
          label={t('journeys.again')}
          allowDeselect={false}
          data={['once', 'always', 'after'].map((m) => ({ value: m, label: t(`journeys.again_${m}`) }))}
          value={String(re.mode || 'once')}
          error={faults['re_entry.mode']}
          onChange={(mode) =>
            put({ re_entry: clean({ ...re, mode, after: mode === 'after' ? (re.after ?? { n: 30, unit: 'day' }) : undefined }) })
          }
        />
        {re.mode === 'after' ? (
          <SpanInput
            label={t('journeys.again_span')}
            value={re.after}
            error={faults['re_entry.after'] ?? faults['re_entry.after.n']}
            set={(after) => put({ re_entry: { ...re, after } }, 're_entry')}
          />
        ) : null}
        {kind === 'event' || kind === 'api' ? (
          <PathInput
            label={t('journeys.again_key')}
            description={t('journeys.again_key_help')}
            placeholder="cart_id"
            event={String(body.name ?? '')}
            value={String(re.key ?? '')}
            error={faults['re_entry.key']}
            set={(key) => put({ re_entry: clean({ ...re, key }) }, 're_entry')}
          />
        ) : null}
        <NumberInput
          label={t('journeys.cap_inside')}
          placeholder={t('journeys.no_bound')}
          min={0}
          value={Number(caps.inside ?? 0) || ''}
          error={faults['caps.inside']}
          onChange={(v) => putCaps({ inside: Number(v) || undefined })}
        />
        <NumberInput
          label={t('journeys.cap_daily')}
          placeholder={t('journeys.no_bound')}
          min={0}
          value={Number(caps.daily ?? 0) || ''}
          error={faults['caps.daily']}
          onChange={(v) => putCaps({ daily: Number(v) || undefined })}
        />
        {graph.caps ? (
          <Select
            label={t('journeys.surplus')}
            allowDeselect={false}
            data={['wait', 'refuse'].map((v) => ({ value: v, label: t(`journeys.surplus_${v}`) }))}
            value={String(caps.surplus || 'wait')}
            onChange={(v) => putCaps({ surplus: v ?? undefined })}
          />
        ) : null}
      </Stack>
    </fieldset>
  )
}

function Schedule({
  body,
  set,
  things,
  error,
}: {
  body: Obj
  set: (v: unknown) => void
  things: Things
  error: (name: string) => string | undefined
}) {
  const t = useT()
  const mode = body.once !== undefined ? 'once' : body.cron !== undefined ? 'cron' : 'weekly'
  const weekly = obj(body.weekly)
  const at = (next: Obj) => set({ set: body.set ?? '', ...(body.zone ? { zone: body.zone } : {}), ...next })
  const times: Record<string, Obj> = {
    weekly: { weekly: { days: [1], time: '09:00' } },
    once: { once: '' },
    cron: { cron: '0 9 1 * *' },
  }
  return (
    <>
      <Select
        label={t('journeys.schedule_set')}
        required
        searchable
        data={[...things.segments, ...things.lists]}
        value={String(body.set ?? '') || null}
        error={error('set')}
        onChange={(v) => set({ ...body, set: v ?? '' })}
      />
      <SegmentedControl
        fullWidth
        aria-label={t('journeys.schedule_when')}
        data={['weekly', 'once', 'cron'].map((m) => ({ value: m, label: t(`journeys.schedule_${m}`) }))}
        value={mode}
        onChange={(m) => at(times[m]!)}
      />
      {mode === 'weekly' ? (
        <>
          <WeekdaysInput
            label={t('journeys.weekdays')}
            value={weekly.days}
            error={error('weekly.days')}
            set={(days) => at({ weekly: { ...weekly, days: days ?? [] } })}
          />
          <TextInput
            label={t('journeys.time_of_day')}
            type="time"
            value={String(weekly.time ?? '')}
            error={error('weekly.time')}
            onChange={(e) => at({ weekly: { ...weekly, time: e.currentTarget.value } })}
          />
        </>
      ) : null}
      {mode === 'once' ? (
        <TextInput
          label={t('journeys.schedule_once')}
          type="datetime-local"
          value={String(body.once ?? '')}
          error={error('once')}
          onChange={(e) => at({ once: e.currentTarget.value })}
        />
      ) : null}
      {mode === 'cron' ? (
        <TextInput
          label={t('journeys.schedule_cron_field')}
          description={t('journeys.schedule_cron_help')}
          value={String(body.cron ?? '')}
          error={error('cron')}
          onChange={(e) => at({ cron: e.currentTarget.value })}
        />
      ) : null}
      <ZoneSelect
        label={t('journeys.zone')}
        also={[
          { value: '', label: t('journeys.zone_workspace') },
          { value: 'person', label: t('journeys.zone_person') },
        ]}
        value={String(body.zone ?? '')}
        error={error('zone')}
        onChange={(zone) => set(clean({ ...body, zone: zone ?? '' }))}
      />
    </>
  )
}
