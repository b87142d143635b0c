import { Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useAll, useRead } from '@/api'
import { useCan } from '@/app/session'
import { useT, word } from '@/i18n'
import { placeChoices, placeCode, placeName } from '@/personas/places'
import { Autocomplete, Button, Card, Group, IconButton, Note, Select, Sheet, Stack, TextInput } from '@/ui'
import css from './maps.module.css'
import { type Plan, putTouchpoint, removeTouchpoint, type Signal, type Touchpoint } from './plan'

type Kind = 'track' | 'page' | 'message'

const kindOf = (s: Signal): Kind => (s.type === 'message' ? 'message' : s.type === 'page' || s.path ? 'page' : 'track')
const letters = ['Message Sent', 'Message Opened', 'Message Clicked', 'Message Replied', 'Message Converted']

/** One touchpoint: where it is, who takes care of it, and which events show that somebody was there. */
export function TouchpointSheet({
  plan,
  stage,
  point,
  write,
  change,
  onClose,
}: {
  plan: Plan
  stage: string
  point: Touchpoint
  write: boolean
  change: (next: (p: Plan) => Plan, key?: string) => void
  onClose: () => void
}) {
  const t = useT()
  const [now, setNow] = useState(point)
  const known = plan.stages.find((s) => s.id === stage)?.touchpoints?.some((p) => p.id === point.id)
  const put = (patch: Partial<Touchpoint>) => setNow({ ...now, ...patch })
  const signals = now.signals ?? []
  const putSignal = (i: number, s: Signal) => put({ signals: signals.map((x, j) => (j === i ? s : x)) })
  const clean = signals.filter((s) => s.name || s.path || s.type === 'message')
  return (
    <Sheet title={known ? now.name || t('maps.touchpoint') : t('maps.add_touchpoint')} opened onClose={onClose}>
      <form
        onSubmit={(e) => {
          e.preventDefault()
          change((p) => putTouchpoint(p, stage, { ...now, signals: clean }))
          onClose()
        }}
      >
        <fieldset disabled={!write} className={css.fieldset}>
          <Stack gap="md">
            <TextInput
              label={t('field.name')}
              data-autofocus
              maxLength={200}
              value={now.name ?? ''}
              onChange={(e) => put({ name: e.currentTarget.value })}
            />
            <Autocomplete
              label={t('field.channel')}
              maxLength={200}
              data={placeChoices().map((c) => c.label)}
              value={placeName(now.channel ?? '')}
              onChange={(v) => put({ channel: placeCode(v) })}
            />
            <TextInput
              label={t('maps.owner')}
              description={t('maps.owner_help')}
              maxLength={200}
              value={now.owner ?? ''}
              onChange={(e) => put({ owner: e.currentTarget.value })}
            />
            <Card title={t('maps.signals')} help={t('maps.signals_help')}>
              <Stack gap="md">
                {signals.map((s, i) => (
                  // oxlint-disable-next-line react/no-array-index-key -- signals have no id of their own
                  <SignalInput
                    key={i}
                    signal={s}
                    onChange={(x) => putSignal(i, x)}
                    onRemove={() => put({ signals: signals.filter((_, j) => j !== i) })}
                  />
                ))}
                {signals.length === 0 ? <Note>{t('maps.no_signals')}</Note> : null}
                <Button
                  variant="subtle"
                  leftSection={<Plus size={14} />}
                  disabled={signals.length >= 8}
                  onClick={() => put({ signals: [...signals, { type: 'track' }] })}
                >
                  {t('maps.add_signal')}
                </Button>
              </Stack>
            </Card>
            <Group justify="flex-end" gap="xs">
              {known ? (
                <Button
                  variant="subtle"
                  onClick={() => {
                    change((p) => removeTouchpoint(p, stage, point.id))
                    onClose()
                  }}
                >
                  {t('action.remove')}
                </Button>
              ) : null}
              <Button onClick={onClose}>{t('action.cancel')}</Button>
              <Button type="submit" variant="filled">
                {t('maps.done')}
              </Button>
            </Group>
          </Stack>
        </fieldset>
      </form>
    </Sheet>
  )
}

function SignalInput({ signal, onChange, onRemove }: { signal: Signal; onChange: (s: Signal) => void; onRemove: () => void }) {
  const t = useT()
  const can = useCan()
  const kind = kindOf(signal)
  const names = useRead('/api/v1/event-names', { query: { limit: 500 } }, { enabled: can('people.read') })
  const campaigns = useAll('/api/v1/campaigns', { enabled: can('campaigns.read') && kind === 'message' })
  const journeys = useAll('/api/v1/journeys', { enabled: can('journeys.read') && kind === 'message' })
  const of = (type: string) => [...new Set((names.data?.items ?? []).filter((n) => n.type === type && n.name).map((n) => n.name))]
  return (
    <div className={css.signal}>
      <Select
        label={t('field.kind')}
        allowDeselect={false}
        value={kind}
        data={(['track', 'page', 'message'] as const).map((k) => ({ value: k, label: t(`maps.signal_${k}`) }))}
        onChange={(k) => onChange(k === 'message' ? { type: 'message', name: 'Message Clicked' } : { type: k as Kind })}
      />
      {kind === 'track' ? (
        <Autocomplete
          label={t('field.event')}
          data={of('track')}
          limit={50}
          maxLength={500}
          value={signal.name ?? ''}
          onChange={(name) => onChange({ type: 'track', name })}
        />
      ) : kind === 'page' ? (
        <>
          <TextInput
            label={t('maps.page_path')}
            description={t('maps.page_path_help')}
            placeholder="/products/*"
            maxLength={500}
            value={signal.path ?? ''}
            onChange={(e) => onChange({ ...signal, type: 'page', path: e.currentTarget.value || undefined })}
          />
          <Autocomplete
            label={t('maps.page_name')}
            data={of('page')}
            limit={50}
            maxLength={500}
            value={signal.name ?? ''}
            onChange={(name) => onChange({ ...signal, type: 'page', name: name || undefined })}
          />
        </>
      ) : (
        <>
          <Select
            label={t('maps.letter')}
            value={signal.name ?? null}
            data={letters.map((name) => ({ value: name, label: word('maps.letter', name.slice(8).toLowerCase()) }))}
            onChange={(name) => onChange({ ...signal, name: name ?? undefined })}
          />
          <Select
            label={t('maps.letter_of')}
            clearable
            searchable
            placeholder={t('maps.letter_any')}
            value={signal.source_id ?? null}
            data={[
              { group: t('nav.campaigns'), items: (campaigns.data?.items ?? []).map((c) => ({ value: c.id, label: c.name })) },
              { group: t('nav.journeys'), items: (journeys.data?.items ?? []).map((j) => ({ value: j.id, label: j.name })) },
            ]}
            onChange={(id) => onChange({ ...signal, source_id: id ?? undefined })}
          />
        </>
      )}
      <IconButton label={t('action.remove')} variant="subtle" onClick={onRemove}>
        <Trash2 size={15} />
      </IconButton>
    </div>
  )
}
