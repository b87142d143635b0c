// Making or changing a segment: name, rule, and what it comes to while it is edited.
import { useState } from 'react'
import { describe, type Schemas, useRead } from '@/api'
import { Restored } from '@/app/Restored'
import { formatPercent, useT } from '@/i18n'
import { useUnsaved } from '@/lib/unsaved'
import { Alert, Card, FormBody, Note, Num, PersonLink, type Rule, RuleSentence, Stat, StatRow, Textarea, TextInput, useForm } from '@/ui'
import { useRuleData } from './data'
import { Limits } from './Limits'
import { type Fault, faultsOf, usePreview } from './preview'
import { RuleBuilder, useRuleTree } from './RuleBuilder'
import css from './SegmentForm.module.css'
import * as tree from './tree'

interface Props {
  /** The segment that is changed; absent for a new one. */
  segment?: Schemas['Segment']
  rule: Rule
  /** Names it in this browser while it is not saved. */
  keep?: string
  save: (v: { name: string; description: string; rule: Rule }) => Promise<unknown>
  onCancel: () => void
}

export function SegmentForm({ segment, rule, keep, save, onCancel }: Props) {
  const t = useT()
  const data = useRuleData()
  const edited = useRuleTree(() => tree.rootOf(rule))
  const { root } = edited
  const [first] = useState(root)
  const stats = useRead('/api/v1/stats', {})
  const preview = usePreview(root, segment?.id)
  const { ready, old } = preview
  const [refused, setRefused] = useState<{ root: tree.Group; faults: Fault[] } | null>(null)
  const form = useForm({
    initial: { name: segment?.name ?? '', description: segment?.description ?? '' },
    save: async (v) => {
      setRefused(null)
      try {
        await save({ ...v, rule: tree.toRule(root) })
        unsaved.end()
      } catch (err) {
        setRefused({ root, faults: faultsOf(root, err) })
        throw err
      }
    },
  })
  const unsaved = useUnsaved({
    name: keep,
    revision: 0,
    now: { values: form.values, rule: tree.toRule(root) },
    dirty: form.isDirty() || root !== first,
    take: (left) => {
      form.setValues(left.values)
      edited.edit(tree.rootOf(left.rule))
    },
  })
  const startAgain = () => {
    unsaved.drop()
    form.reset()
    edited.edit(first)
  }
  // Faults belong to the rule they were found in: they go as soon as it changes.
  const faults = [...(refused?.root === root ? refused.faults : []), ...(preview.error ? faultsOf(root, preview.error) : [])].filter(
    (f, i, all) => all.findIndex((g) => g.key === f.key && g.at === f.at) === i,
  )
  const p = preview.data
  return (
    <div className={css.page}>
      <div className={css.main}>
        <Card>
          {unsaved.found ? <Restored onDrop={startAgain} /> : null}
          <FormBody
            form={form}
            action={t('action.save')}
            onCancel={() => {
              unsaved.end()
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
              <RuleBuilder rule={edited} data={data} counts={p?.byKey ?? new Map()} old={old} faults={faults} />
            </section>
          </FormBody>
        </Card>
      </div>
      <aside className={css.side} aria-live="polite">
        <Card>
          <StatRow>
            <Stat
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
                      n: stats.data.people.toLocaleString(),
                    })
                  : undefined
              }
            />
          </StatRow>
          {segment && p ? (
            <StatRow>
              <Stat label={t('segments.would_enter')} value={<Num value={p.entering ?? 0} />} />
              <Stat label={t('segments.would_leave')} value={<Num value={p.leaving ?? 0} />} />
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
    </div>
  )
}
