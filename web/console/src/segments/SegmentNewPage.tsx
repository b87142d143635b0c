import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { call, describe, useSend } from '@/api'
import { useT } from '@/i18n'
import { useGo } from '@/lib/route'
import {
  Alert,
  Card,
  DataTable,
  EmptyState,
  FormBody,
  FormPage,
  Num,
  PersonLink,
  type Rule,
  RuleSentence,
  Stat,
  StatRow,
  Textarea,
  TextInput,
  useDebouncedValue,
  useForm,
} from '@/ui'
import { useSegmentNames } from './names'

const example = {
  all: [
    { event: { name: 'Order Completed', agg: 'count', op: 'gte', value: 2, window: { within: { n: 90, unit: 'day' } } } },
    { any: [{ trait: { path: 'country', op: 'eq', value: 'JP' } }, { device: { path: 'os', op: 'eq', value: 'iOS' } }] },
  ],
}

const parsed = (text: string): Rule | null => {
  try {
    return JSON.parse(text) as Rule
  } catch {
    return null
  }
}

/** A new segment; the count follows the rule as it is edited. */
export default function SegmentNewPage() {
  const t = useT()
  const go = useGo()
  const names = useSegmentNames()
  const [text, setText] = useState(() => JSON.stringify(example, null, 2))
  const [settled] = useDebouncedValue(text, 300)
  const rule = useMemo(() => parsed(settled), [settled])
  const preview = useQuery({
    queryKey: ['/api/v1/segments/preview', settled],
    enabled: rule !== null,
    retry: false,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => call('post', '/api/v1/segments/preview', { body: { rule: rule as never } }, { signal }),
  })
  const create = useSend('post', '/api/v1/segments', { refresh: ['/api/v1/segments'] })
  const form = useForm({
    initial: { name: '', description: '' },
    save: async (v) => {
      const made = await create.mutateAsync({ body: { ...v, rule: (parsed(text) ?? {}) as never } })
      go(`/segments/${made.id}`)
    },
  })
  return (
    <FormPage title={t('segments.new')} lead={t('segments.new_lead')} crumbs={[{ to: '/segments', label: t('nav.segments') }]}>
      <Card>
        <FormBody form={form} action={t('action.save')} onCancel={() => go('/segments')}>
          <TextInput label={t('field.name')} required maxLength={120} {...form.getInputProps('name')} />
          <TextInput label={t('field.description')} maxLength={500} {...form.getInputProps('description')} />
          <Textarea
            label={t('segments.rule')}
            autosize
            minRows={8}
            maxRows={22}
            spellCheck={false}
            styles={{ input: { fontFamily: 'var(--ui-mono)', fontSize: 13 } }}
            value={text}
            onChange={(e) => setText(e.currentTarget.value)}
            error={parsed(text) ? null : t('segments.not_json')}
          />
          {rule ? <RuleSentence rule={rule} names={names} /> : null}
        </FormBody>
      </Card>
      {preview.error && rule ? <Alert color="danger">{describe(preview.error)}</Alert> : null}
      {preview.data ? (
        <>
          <StatRow>
            <Stat label={t('field.people')} value={<Num value={preview.data.count} />} />
          </StatRow>
          <Card title={t('segments.by_condition')} flush>
            <DataTable
              bare
              plain
              name="segment-conditions"
              label={t('segments.by_condition')}
              rows={preview.data.conditions ?? []}
              rowId={(c) => c.path}
              columns={[
                { id: 'path', title: t('segments.condition'), cell: (c) => <code>{c.path || t('segments.whole')}</code> },
                { id: 'count', title: t('field.people'), num: true, cell: (c) => <Num value={c.count} /> },
              ]}
            />
          </Card>
          <Card title={t('segments.sample')} flush>
            <DataTable
              bare
              plain
              name="segment-sample"
              label={t('segments.sample')}
              rows={preview.data.sample ?? []}
              rowId={(p) => p.id}
              columns={[
                { id: 'person', title: t('field.person'), cell: (p) => <PersonLink person={p} /> },
                { id: 'email', title: t('field.email'), cell: (p) => p.email ?? '' },
              ]}
              empty={<EmptyState title={t('list.nobody')} />}
            />
          </Card>
        </>
      ) : null}
    </FormPage>
  )
}
