// What is made up to happen to somebody during a trial: they open, click, buy, answer, do something else, or a trait changes.
import { Plus, Trash2 } from 'lucide-react'
import { useRef } from 'react'
import type { Schemas } from '@/api'
import { useT } from '@/i18n'
import { Autocomplete, Button, Group, IconButton, helpFirst, InputWrapper, Select, Stack } from '@/ui'
import { SpanInput } from './Fields'
import { TraitsInput } from './Pickers'

type Values = Record<string, unknown> | undefined

export interface Happening {
  key: number
  after: { n: number; unit: string }
  kind: string
  name: string
  values: Values
}

// The kinds that have an event of their own; 'event' names any, 'trait' is a change of traits.
const eventOf: Record<string, string> = {
  opened: 'Message Opened',
  clicked: 'Message Clicked',
  replied: 'Message Replied',
  bought: 'Order Completed',
}
const kinds = [...Object.keys(eventOf), 'event', 'trait']
const minutes: Record<string, number> = { minute: 1, hour: 60, day: 1440, week: 10080 }

/** As the server takes them; those that are not filled in yet are left out. */
export const made = (all: Happening[]): Schemas['TrialEvent'][] =>
  all.flatMap((h): Schemas['TrialEvent'][] => {
    const after = { after_minutes: Math.round((h.after.n ?? 0) * (minutes[h.after.unit] ?? 1)) }
    if (h.kind === 'trait') return h.values ? [{ ...after, traits: h.values }] : []
    const name = eventOf[h.kind] ?? h.name
    return name ? [{ ...after, name, ...(h.values ? { properties: h.values } : {}) }] : []
  })

export function Happenings({ all, events, set }: { all: Happening[]; events: string[]; set: (all: Happening[]) => void }) {
  const t = useT()
  const last = useRef(0)
  const put = (i: number, patch: Partial<Happening>) => set(all.map((h, j) => (i === j ? { ...h, ...patch } : h)))
  return (
    <InputWrapper label={t('journeys.later')} description={t('journeys.later_help')} labelElement="div" inputWrapperOrder={helpFirst}>
      <Stack gap="sm" mt="xs">
        {all.map((h, i) => (
          <fieldset key={h.key} aria-label={t('journeys.later_n', { n: i + 1 })} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
            <Group gap="xs" align="flex-end">
              <SpanInput label={t('journeys.later_after')} value={h.after} set={(v) => put(i, { after: v as Happening['after'] })} />
              <Select
                label={t('journeys.later_what')}
                allowDeselect={false}
                data={kinds.map((k) => ({ value: k, label: t(`journeys.later_${k}`) }))}
                value={h.kind}
                onChange={(kind) => kind && put(i, { kind, values: undefined })}
              />
              {h.kind === 'event' ? (
                <Autocomplete label={t('journeys.event')} data={events} limit={50} value={h.name} onChange={(name) => put(i, { name })} />
              ) : null}
              <IconButton label={t('action.remove')} variant="subtle" onClick={() => set(all.toSpliced(i, 1))}>
                <Trash2 size={16} />
              </IconButton>
            </Group>
            <TraitsInput
              label={h.kind === 'trait' ? t('journeys.trait_name') : t('journeys.trial_properties')}
              event={h.kind === 'trait' ? undefined : (eventOf[h.kind] ?? h.name)}
              value={h.values}
              set={(values) => put(i, { values })}
            />
          </fieldset>
        ))}
        <Button
          variant="light"
          leftSection={<Plus size={15} />}
          style={{ alignSelf: 'flex-start' }}
          onClick={() =>
            set([
              ...all,
              {
                key: ++last.current,
                after: all.at(-1)?.after ?? { n: 1, unit: 'hour' },
                kind: 'clicked',
                name: '',
                values: undefined,
              },
            ])
          }
        >
          {t('journeys.later_add')}
        </Button>
      </Stack>
    </InputWrapper>
  )
}
