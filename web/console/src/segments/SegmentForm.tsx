// Making or changing a segment: name, rule, and what it comes to while it is edited.
import { useEffect, useState } from 'react'
import { call, describe, type Schemas, useRead } from '@/api'
import { ClashNotice, type Difference } from '@/app/ClashNotice'
import { PastVersions } from '@/app/PastVersions'
import { useCan } from '@/app/session'
import { DraftNotice, draftState } from '@/app/Unsaved'
import { formatNumber, formatPercent, useT, word } from '@/i18n'
import { editedForm, useEditing } from '@/lib/editing'
import {
  HeadActions,
  Alert,
  Card,
  FormBody,
  Note,
  Num,
  PersonLink,
  type Rule,
  RuleSentence,
  Stat,
  StatRow,
  Textarea,
  TextInput,
  UnstyledButton,
  useForm,
} from '@/ui'
import { useRuleData } from './data'
import { Limits } from './Limits'
import { type Part, PreviewPeople } from './PreviewPeople'
import { type Fault, faultsOf, usePreview } from './preview'
import { RuleBuilder, useRuleTree } from './RuleBuilder'
import css from './SegmentForm.module.css'
import * as tree from './tree'

interface Props {
  /** The segment that is changed; absent for a new one. */
  segment?: Schemas['Segment']
  rule: Rule
  /** Whose draft what is not saved is: its id, or new. */
  keep?: string
  /** revision: what was seen of the segment; 0 of a new one. */
  save: (v: { name: string; description: string; rule: Rule; revision: number }) => Promise<Schemas['Segment']>
  /** more: the reader has written on meanwhile. */
  onSaved: (s: Schemas['Segment'], more: boolean) => void
  onCancel: () => void
}

export function SegmentForm({ segment, rule, keep, save, onSaved, onCancel }: Props) {
  const t = useT()
  const data = useRuleData()
  const edited = useRuleTree(() => tree.rootOf(rule))
  const { root } = edited
  const [first, setFirst] = useState(root)
  const stats = useRead('/api/v1/stats', {})
  const preview = usePreview(root, segment?.id)
  const { ready, old } = preview
  const [refused, setRefused] = useState<{ root: tree.Group; faults: Fault[] } | null>(null)
  const form = useForm({
    initial: { name: segment?.name ?? '', description: segment?.description ?? '' },
    save: async (v) => {
      setRefused(null)
      try {
        const { saved, more } = await edit.save((revision) => save({ ...v, rule: tree.toRule(root), revision }))
        onSaved(saved, more)
      } catch (err) {
        setRefused({ root, faults: faultsOf(root, err) })
        throw err
      }
    },
  })
  const { forgive } = form
  useEffect(forgive, [forgive, root])
  const plain = editedForm(form)
  const edit = useEditing({
    now: { values: plain.now, rule: tree.toRule(root) },
    current: () => ({ values: plain.current(), rule: tree.toRule(edited.current()) }),
    dirty: plain.dirty || root !== first,
    show: ({ values, rule }) => {
      plain.show(values)
      edited.edit(tree.rootOf(rule))
    },
    settle: ({ values, rule }) => {
      const next = tree.rootOf(rule)
      plain.settle(values)
      edited.edit(next)
      setFirst(next)
    },
    saved: ({ values }) => {
      plain.saved(values)
      setFirst(root)
    },
    reset: () => {
      plain.reset()
      edited.edit(first)
    },
    submit: plain.submit,
    kind: 'segment',
    id: keep,
    revision: segment?.revision ?? 0,
    stale: 'segment.changed',
    read: () => call('get', '/api/v1/segments/{id}', { path: { id: segment?.id ?? '' } }),
    from: (saved: Schemas['Segment']) => ({
      values: { name: saved.name, description: saved.description ?? '' },
      rule: saved.rule as Rule,
    }),
  })
  const differencesTo = (other: Schemas['Segment']): Difference[] => [
    ...[
      { label: t('field.name'), theirs: other.name, mine: form.values.name },
      { label: t('field.description'), theirs: other.description ?? '', mine: form.values.description },
    ].filter((d) => d.theirs !== d.mine),
    ...(JSON.stringify(other.rule) === JSON.stringify(tree.toRule(root))
      ? []
      : [
          {
            label: t('segments.rule'),
            theirs: <RuleSentence rule={other.rule as Rule} names={data.names} />,
            mine: <RuleSentence rule={tree.toRule(root)} names={data.names} />,
          },
        ]),
  ]
  // Faults belong to the rule they were found in: they go as soon as it changes.
  const faults = [...(refused?.root === root ? refused.faults : []), ...(preview.error ? faultsOf(root, preview.error) : [])].filter(
    (f, i, all) => all.findIndex((g) => g.key === f.key && g.at === f.at) === i,
  )
  const p = preview.data
  const may = useCan()('people.read')
  const [part, setPart] = useState<Part | null>(null)
  // Figures of a former rule lead nowhere: their people are those of the rule that is asked now.
  const open = (n: number | undefined, whom: Part) => (may && !old && preview.asked && n ? () => setPart({ ...whom, count: n }) : undefined)
  return (
    <div className={css.page}>
      <div className={css.main}>
        <Card>
          <DraftNotice of={edit.unsaved} />
          {segment ? (
            <HeadActions>
              <PastVersions<Schemas['Segment']>
                path="/api/v1/segments/{id}/versions"
                id={segment.id}
                now={segment.revision}
                differences={differencesTo}
                onTake={(then) => {
                  form.setValues({ name: then.name, description: then.description ?? '' })
                  edited.edit(tree.rootOf(then.rule as Rule))
                }}
              />
            </HeadActions>
          ) : null}
          {edit.clash ? (
            <div className={css.above}>
              <ClashNotice
                of={edit.clash}
                differences={differencesTo(edit.clash.theirs)}
                onTheirs={edit.takeTheirs}
                onMine={edit.saveOver}
              />
            </div>
          ) : null}
          <FormBody
            form={form}
            action={t('action.save')}
            note={draftState(edit.unsaved)}
            onCancel={() => {
              edit.unsaved.end()
              onCancel()
            }}
          >
            <TextInput label={t('field.name')} required maxLength={200} {...form.getInputProps('name')} />
            <Textarea
              label={t('field.description')}
              autosize
              minRows={1}
              maxRows={4}
              maxLength={2000}
              {...form.getInputProps('description')}
            />
            <section aria-label={t('builder.label')} className={css.rule}>
              <h2>{t('segments.rule')}</h2>
              <RuleBuilder
                rule={edited}
                data={data}
                counts={preview.counts}
                old={old}
                faults={faults}
                onPeople={
                  may && !old && preview.asked
                    ? (key) =>
                        setPart({
                          title: t('builder.people'),
                          count: preview.counts.get(key),
                          condition: tree.countedAt(root).get(key),
                        })
                    : undefined
                }
              />
            </section>
          </FormBody>
        </Card>
      </div>
      <aside className={css.side} aria-live="polite">
        <Card>
          <StatRow>
            <Stat
              onClick={open(p?.count, { title: t('field.people') })}
              label={t('field.people')}
              value={
                <span data-old={old || undefined} className={css.figure}>
                  {p ? <Num value={p.count} /> : '–'}
                </span>
              }
              note={
                p && stats.data?.people
                  ? t('segments.share_of_all', {
                      share: formatPercent(Math.min(1, p.count / stats.data.people)),
                      n: formatNumber(stats.data.people),
                    })
                  : undefined
              }
            />
          </StatRow>
          {p && p.count > 0 && p.reach.length > 0 ? (
            <dl className={css.reach} aria-label={t('segments.reach')} data-old={old || undefined}>
              {p.reach.map((c) => {
                const title = t('segments.reach_on', { channel: word('channel', c.channel) })
                const look = open(c.count, { title, channel: c.channel })
                return (
                  <div key={c.channel}>
                    <dt>{title}</dt>
                    <dd>
                      {look ? (
                        <UnstyledButton data-finger className={css.open} onClick={look}>
                          <Num value={c.count} />
                        </UnstyledButton>
                      ) : (
                        <Num value={c.count} />
                      )}
                      <Note>{formatPercent(c.count / p.count)}</Note>
                    </dd>
                  </div>
                )
              })}
            </dl>
          ) : null}
          {segment && p ? (
            <StatRow>
              <Stat
                onClick={open(p.entering, { title: t('segments.would_enter'), segment_id: segment.id, change: 'entering' })}
                label={t('segments.would_enter')}
                value={<Num value={p.entering ?? 0} />}
              />
              <Stat
                onClick={open(p.leaving, { title: t('segments.would_leave'), segment_id: segment.id, change: 'leaving' })}
                label={t('segments.would_leave')}
                value={<Num value={p.leaving ?? 0} />}
              />
            </StatRow>
          ) : null}
          {!ready ? <Note>{t('segments.incomplete')}</Note> : old ? <Note>{t('segments.counting')}</Note> : null}
          {preview.error && faults.length === 0 ? (
            <Alert color="danger" mt="sm">
              {describe(preview.error)}
            </Alert>
          ) : null}
        </Card>
        <Card title={t('segments.reads')}>
          <RuleSentence rule={tree.toRule(root)} names={data.names} />
          {preview.asked ? <Limits rule={preview.asked} /> : null}
        </Card>
        {p && (p.sample ?? []).length > 0 ? (
          <Card title={t('segments.sample')}>
            <ul className={css.sample}>
              {(p.sample ?? []).map((person) => (
                <li key={person.id}>
                  <PersonLink person={person} />
                  {person.email && person.email !== person.name ? <Note>{person.email}</Note> : null}
                </li>
              ))}
            </ul>
          </Card>
        ) : null}
      </aside>
      <PreviewPeople rule={preview.asked} part={part} onClose={() => setPart(null)} />
    </div>
  )
}
