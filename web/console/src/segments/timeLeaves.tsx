// The inputs of the conditions about the course of things: first and last times, sequences, anniversaries.
import { Plus, X } from 'lucide-react'
import { useEffect } from 'react'
import { useT } from '@/i18n'
import { Button, IconButton, ZoneSelect } from '@/ui'
import { useFields } from './data'
import { About, Choose, Filters, type LeafProps, Limit, Num, Pick, Which, Window } from './inputs'
import css from './RuleBuilder.module.css'
import type { Body } from './tree'

/** Puts a value in, or takes the key out. */
const set = (b: Body, key: string, v: unknown): Body => {
  const next = { ...b, [key]: v }
  if (v === undefined) delete next[key]
  return next
}
const nameOf = (b: Body) => String(b.name ?? '')

export function Occurrence({ body, onChange, data, fault }: LeafProps) {
  const t = useT()
  return (
    <>
      <Which value={String(body.which ?? 'first')} onChange={(which) => onChange({ ...body, which }, 'which')} />
      <About body={body} events={data.events} error={fault?.startsWith('name')} onChange={(b) => onChange(b, 'name')} />
      <Window events={data.events} value={body.window} onChange={(w) => onChange(set(body, 'window', w), 'window')} />
      <Filters event={nameOf(body)} value={body.filter} fault={fault} onChange={(f) => onChange(set(body, 'filter', f), 'filter')} />
      <Filters
        event={nameOf(body)}
        value={body.has}
        fault={fault}
        member="has"
        word={t('builder.field.had')}
        add={t('builder.add_had')}
        onChange={(f) => onChange(set(body, 'has', f), 'has')}
      />
    </>
  )
}

export function Sequence({ body, onChange, data, fault }: LeafProps) {
  const t = useT()
  const steps = Array.isArray(body.steps) ? (body.steps as Body[]) : []
  const fields = useFields(nameOf(steps[0] ?? {}), nameOf(steps[0] ?? {}) !== '')
  const put = (next: Body[], about: string) => onChange({ ...body, steps: next }, about)
  return (
    <>
      {steps.map((s, i) => {
        const change = (b: Body) => put(steps.with(i, b), `step ${i}`)
        const last = i === steps.length - 1
        return (
          // Steps have no name of their own; their place is what they are.
          // oxlint-disable-next-line react/no-array-index-key
          <div key={i} className={css.filter} role="group" aria-label={t('builder.step_n', { n: i + 1 })}>
            <span className={css.word}>
              {i === 0 ? t('builder.step_first') : t(s.absent === true ? 'builder.step_absent' : 'builder.step_then')}
            </span>
            <About body={s} events={data.events} error={fault?.startsWith(`steps[${i}].name`)} onChange={change} />
            {i > 0 ? (
              <Limit
                value={s.within}
                label={t('builder.field.step_within')}
                open={t('builder.step_open')}
                some={t('builder.step_some')}
                onChange={(within) => change(set(s, 'within', within))}
              />
            ) : null}
            {i > 0 && last ? (
              <Choose
                label={t('builder.field.step_happened')}
                value={s.absent === true ? 'no' : 'yes'}
                data={[
                  { value: 'yes', label: t('builder.step_yes') },
                  { value: 'no', label: t('builder.step_no') },
                ]}
                onChange={(v) => {
                  const next = set(s, 'absent', v === 'no' ? true : undefined)
                  change(v === 'no' ? set(next, 'without', undefined) : next)
                }}
              />
            ) : null}
            {i > 0 && s.absent !== true ? (
              s.without === undefined ? (
                <Button size="compact-sm" variant="subtle" onClick={() => change({ ...s, without: { name: '' } })}>
                  {t('builder.add_without')}
                </Button>
              ) : (
                <>
                  <span className={css.word}>{t('builder.step_without')}</span>
                  <About
                    body={s.without as Body}
                    events={data.events}
                    label={t('builder.step_without')}
                    onChange={(w) => change({ ...s, without: w })}
                  />
                  <IconButton
                    label={t('builder.remove_without')}
                    variant="subtle"
                    color="gray"
                    onClick={() => change(set(s, 'without', undefined))}
                  >
                    <X size={16} />
                  </IconButton>
                </>
              )
            ) : null}
            {steps.length > 2 ? (
              <IconButton
                label={t('builder.remove_step', { n: i + 1 })}
                variant="subtle"
                color="gray"
                onClick={() => put(i === 0 ? [first(steps[1]!), ...steps.slice(2)] : steps.toSpliced(i, 1), 'steps')}
              >
                <X size={16} />
              </IconButton>
            ) : null}
            <Filters event={nameOf(s)} value={s.filter} onChange={(f) => change(set(s, 'filter', f))} />
          </div>
        )
      })}
      {steps.length < 5 ? (
        <Button
          size="compact-sm"
          variant="subtle"
          leftSection={<Plus size={14} />}
          onClick={() => put([...steps.map((s) => set(s, 'absent', undefined)), { name: '' }], 'steps')}
        >
          {t('builder.add_step')}
        </Button>
      ) : null}
      <Pick
        names
        label={t('builder.field.by')}
        value={String(body.by ?? '')}
        data={fields.paths}
        onChange={(by) => onChange(set(body, 'by', by || undefined), 'by')}
      />
      <Window events={data.events} value={body.window} onChange={(w) => onChange(set(body, 'window', w), 'window')} />
    </>
  )
}

/** A step that nothing comes before. */
const first = ({ within: _w, without: _o, absent: _a, ...s }: Body): Body => s

export function Anniversary({ body, onChange, data, fault }: LeafProps) {
  const t = useT()
  const fields = useFields()
  const of = body.event as Body | undefined
  const from = Number(body.from ?? 0)
  const to = Number(body.to ?? 0)
  const asked = from === 0 && to === 0 ? 'today' : from === to ? (from > 0 ? 'ahead' : 'past') : 'range'
  const zone = String(body.zone ?? '')
  const home = data.zone
  // A new condition begins in the zone of the workspace, as soon as that is known.
  useEffect(() => {
    if (!zone && home) onChange({ ...body, zone: home }, 'zone')
  }, [zone, home, body, onChange])
  const days = (a: number, b: number) => onChange({ ...body, from: a, to: b }, 'days')
  return (
    <>
      <Choose
        label={t('builder.field.day_of')}
        value={of ? 'event' : 'trait'}
        data={[
          { value: 'trait', label: t('builder.day_of.trait') },
          { value: 'event', label: t('builder.day_of.event') },
        ]}
        onChange={(v) => {
          const { path: _p, event: _e, ...rest } = body
          onChange(v === 'event' ? { event: { name: '', which: 'first' }, ...rest } : { path: '', ...rest }, 'of')
        }}
      />
      {of ? (
        <>
          <Which value={String(of.which ?? 'first')} onChange={(which) => onChange({ ...body, event: { ...of, which } }, 'which')} />
          <About
            body={of}
            events={data.events}
            error={fault?.startsWith('event')}
            onChange={(event) => onChange({ ...body, event }, 'event')}
          />
        </>
      ) : (
        <Pick
          names
          label={t('builder.field.path')}
          value={String(body.path ?? '')}
          data={fields.paths}
          error={fault?.startsWith('path')}
          onChange={(path) => onChange({ ...body, path }, 'path')}
        />
      )}
      <Choose
        label={t('builder.field.day')}
        value={asked}
        data={['today', 'ahead', 'past', 'range'].map((v) => ({ value: v, label: t(`builder.day.${v}`) }))}
        onChange={(v) => (v === 'today' ? days(0, 0) : v === 'ahead' ? days(7, 7) : v === 'past' ? days(-1, -1) : days(0, 7))}
      />
      {asked === 'ahead' ? (
        <Num label={t('builder.field.days')} value={from} min={1} max={364} onChange={(n) => days(n ?? 1, n ?? 1)} />
      ) : null}
      {asked === 'past' ? (
        <Num label={t('builder.field.days')} value={-from} min={1} max={364} onChange={(n) => days(-(n ?? 1), -(n ?? 1))} />
      ) : null}
      {asked === 'range' ? (
        <>
          <Num label={t('builder.field.from')} value={from} min={-364} max={364} onChange={(n) => days(n ?? 0, to)} />
          <span className={css.word}>–</span>
          <Num label={t('builder.field.to')} value={to} min={-364} max={364} onChange={(n) => days(from, n ?? 0)} />
        </>
      ) : null}
      <Choose
        label={t('builder.field.own_zone')}
        value={body.own_zone === true ? 'own' : 'fixed'}
        data={[
          { value: 'own', label: t('builder.zone.own') },
          { value: 'fixed', label: t('builder.zone.fixed') },
        ]}
        onChange={(v) => onChange(set(body, 'own_zone', v === 'own' ? true : undefined), 'own')}
      />
      <ZoneSelect
        size="sm"
        className={css.wide}
        aria-label={t('builder.field.zone')}
        placeholder={t('builder.field.zone')}
        value={zone || null}
        error={fault?.startsWith('zone')}
        onChange={(z) => z && onChange({ ...body, zone: z }, 'zone')}
        comboboxProps={{ width: 'max-content', position: 'bottom-start' }}
      />
      <Choose
        wide
        label={t('builder.field.leap_day')}
        value={String(body.leap_day ?? 'february')}
        data={['february', 'march'].map((v) => ({ value: v, label: t(`builder.leap.${v}`) }))}
        onChange={(v) => onChange(set(body, 'leap_day', v === 'march' ? v : undefined), 'leap')}
      />
    </>
  )
}
