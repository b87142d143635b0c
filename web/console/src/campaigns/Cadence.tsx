import { useState } from 'react'
import { type Schemas, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatDays, formatNumber, useT } from '@/i18n'
import { daysBefore } from '@/report/compare'
import { Button, Card, DataTable, FormBody, NumberInput, Sheet, SimpleGrid, Tag, toast, useForm } from '@/ui'

type Plan = Schemas['Plan']

/** How a week stands to the target; null where there is none. */
export function verdict(sends: number, c: Schemas['Cadence']): 'quiet' | 'kept' | 'busy' | null {
  if (c.least === 0 && c.most === 0) return null
  if (sends < c.least) return 'quiet'
  return c.most > 0 && sends > c.most ? 'busy' : 'kept'
}

const tones = { quiet: 'warning', kept: 'success', busy: 'danger' } as const

/** Campaigns a week beside the rhythm that the team aims at. */
export function Cadence({ plan: p }: { plan: Plan }) {
  const t = useT()
  const write = useCan()('campaigns.write')
  const [open, setOpen] = useState(false)
  const weeks: string[] = []
  for (let d = p.from; d <= p.to; d = daysBefore(d, -7)) weeks.push(d)
  const { least, most } = p.cadence
  const target = least && most ? 'between' : least ? 'least_only' : most ? 'most_only' : 'no_target'
  return (
    <Card
      title={t('plan.cadence')}
      help={t(`plan.${target}`, { least: formatNumber(least), most: formatNumber(most) })}
      actions={
        write ? <Button onClick={() => setOpen(true)}>{t(target === 'no_target' ? 'plan.set_target' : 'plan.edit_target')}</Button> : null
      }
      flush
    >
      <DataTable
        bare
        plain
        name="plan-cadence"
        label={t('plan.cadence')}
        rows={weeks.map((w) => ({ week: w, sends: (p.entries ?? []).filter((e) => e.date >= w && e.date <= daysBefore(w, -6)).length }))}
        rowId={(w) => w.week}
        columns={[
          { id: 'week', title: t('plan.week'), cell: (w) => formatDays(w.week, daysBefore(w.week, -6)) },
          { id: 'sends', title: t('plan.sends'), num: true, cell: (w) => formatNumber(w.sends) },
          {
            id: 'verdict',
            title: t('field.status'),
            cell: (w) => {
              const v = daysBefore(w.week, -6) < p.since ? null : verdict(w.sends, p.cadence)
              return v ? <Tag tone={tones[v]}>{t(`plan.${v}`)}</Tag> : '–'
            },
          },
        ]}
      />
      <Sheet title={t('plan.target')} opened={open} onClose={() => setOpen(false)}>
        <TargetForm cadence={p.cadence} onDone={() => setOpen(false)} />
      </Sheet>
    </Card>
  )
}

function TargetForm({ cadence, onDone }: { cadence: Schemas['Cadence']; onDone: () => void }) {
  const t = useT()
  const save = useSend('put', '/api/v1/plan/cadence', { refresh: ['/api/v1/plan'] })
  const form = useForm({
    initial: { least: cadence.least, most: cadence.most, person: cadence.person },
    follow: true,
    // An emptied input is no number: no target.
    save: (v) => save.mutateAsync({ body: { least: Number(v.least) || 0, most: Number(v.most) || 0, person: Number(v.person) || 0 } }),
    onDone: () => {
      toast(t('settings.saved'))
      onDone()
    },
  })
  return (
    <FormBody form={form} action={t('action.save')} onCancel={onDone}>
      <p>{t('plan.target_help')}</p>
      <SimpleGrid cols={2}>
        <NumberInput min={0} max={1000} label={t('plan.least')} {...form.getInputProps('least')} />
        <NumberInput min={0} max={1000} label={t('plan.most')} {...form.getInputProps('most')} />
      </SimpleGrid>
      <NumberInput min={0} max={1000} label={t('plan.person')} description={t('plan.person_help')} {...form.getInputProps('person')} />
    </FormBody>
  )
}
