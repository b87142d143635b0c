import { useState } from 'react'
import { type Schemas, useList, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, formatPercent, useT } from '@/i18n'
import {
  Alert,
  Button,
  Card,
  Definition,
  EmptyState,
  FormBody,
  Group,
  Loaded,
  NumberInput,
  Select,
  Sheet,
  SimpleGrid,
  Stack,
  Tag,
  Text,
  Textarea,
  Time,
  useForm,
} from '@/ui'
import { Share } from './Figures'

type Note = Schemas['Note']
type Of = 'campaigns' | 'journeys' | 'saved-reports'

export const targets = [
  'conversion_rate',
  'click_rate',
  'open_rate',
  'click_to_open',
  'delivery_rate',
  'bounce_rate',
  'unsubscribe_rate',
  'complaint_rate',
]

const writes: Record<Of, string> = { campaigns: 'campaigns.write', journeys: 'journeys.write', 'saved-reports': 'reports.read' }
const tones = { reached: 'success', missed: 'danger', unclear: 'gray' } as const

/** The note beside a report: what was planned, what came of it, what we change; each revision is kept. */
export function NotePanel({ of, id }: { of: Of; id: string }) {
  const t = useT()
  const can = useCan()
  const note = useRead(`/api/v1/${of}/{id}/note`, { path: { id } })
  const [editing, setEditing] = useState(false)
  const [past, setPast] = useState(false)
  return (
    <Card
      title={t('note.title')}
      help={t('note.lead')}
      actions={
        <>
          {note.data?.revision ? <Button onClick={() => setPast(true)}>{t('note.history')}</Button> : null}
          {can(writes[of]) ? <Button onClick={() => setEditing(true)}>{t(note.data?.revision ? 'note.edit' : 'note.write')}</Button> : null}
        </>
      }
    >
      <Loaded of={note} rows={3}>
        {(n) => (
          <>
            {n.revision ? <Words note={n} /> : <Text c="dimmed">{t('note.empty')}</Text>}
            <Sheet title={t('note.title')} opened={editing} onClose={() => setEditing(false)}>
              <NoteForm of={of} id={id} note={n} onClose={() => setEditing(false)} />
            </Sheet>
            <Sheet title={t('note.history')} opened={past} onClose={() => setPast(false)}>
              <History of={of} id={id} />
            </Sheet>
          </>
        )}
      </Loaded>
    </Card>
  )
}

const pre = (text: string) => (text ? <span style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{text}</span> : '')

function targetText(t: (k: string, v?: Record<string, string>) => string, x: Schemas['NoteTarget']) {
  return t(x.at_most ? 'note.at_most' : 'note.at_least', { figure: t(`metric.${x.figure}`), value: formatPercent(x.value, 2) })
}

function Words({ note: n }: { note: Note }) {
  const t = useT()
  return (
    <Stack gap="sm">
      <Definition
        items={[
          [t('note.plan'), pre(n.plan)],
          [
            t('note.target'),
            n.target ? (
              <>
                {targetText(t, n.target)} {n.verdict ? <Tag tone={tones[n.verdict]}>{t(`note.verdict_${n.verdict}`)}</Tag> : null}
                {n.actual ? (
                  <Text size="xs" c="dimmed">
                    <Share rate={n.actual} />
                  </Text>
                ) : null}
              </>
            ) : null,
          ],
          [t('note.result'), pre(n.result)],
          [t('note.change'), pre(n.change)],
        ]}
      />
      {n.at ? (
        <Text size="xs" c="dimmed">
          {t('note.revision', { n: formatNumber(n.revision) })} · <Time at={n.at} />
        </Text>
      ) : null}
    </Stack>
  )
}

function NoteForm({ of, id, note, onClose }: { of: Of; id: string; note: Note; onClose: () => void }) {
  const t = useT()
  const save = useSend('put', `/api/v1/${of}/{id}/note`, { refresh: [`/api/v1/${of}/{id}/note`] })
  const form = useForm({
    initial: {
      plan: note.plan,
      result: note.result,
      change: note.change,
      figure: note.target?.figure ?? '',
      value: note.target ? Math.round(note.target.value * 1e4) / 100 : ('' as number | string),
      side: note.target?.at_most ? 'most' : 'least',
    },
    follow: true,
    revision: note.revision,
    names: { 'target.figure': 'figure', 'target.value': 'value' },
    save: (v, base) =>
      save.mutateAsync({
        path: { id },
        body: {
          base,
          plan: v.plan,
          result: v.result,
          change: v.change,
          target: v.figure && v.value !== '' ? { figure: v.figure, value: Number(v.value) / 100, at_most: v.side === 'most' } : undefined,
        },
      }),
    onDone: onClose,
  })
  return (
    <FormBody form={form} action={t('action.save')} onCancel={onClose}>
      <Textarea
        label={t('note.plan')}
        description={t('note.plan_help')}
        autosize
        minRows={3}
        maxRows={10}
        {...form.getInputProps('plan')}
      />
      <TargetInputs form={form} />
      <Textarea
        label={t('note.result')}
        description={t('note.result_help')}
        autosize
        minRows={3}
        maxRows={10}
        {...form.getInputProps('result')}
      />
      <Textarea
        label={t('note.change')}
        description={t('note.change_help')}
        autosize
        minRows={3}
        maxRows={10}
        {...form.getInputProps('change')}
      />
    </FormBody>
  )
}

/** The indicator chosen before the start: a figure, a side, a value. */
export function TargetInputs({ form }: { form: { getInputProps: (name: never) => object } }) {
  const t = useT()
  const props = (name: string) => form.getInputProps(name as never) as { value?: string }
  const figure = props('figure')
  return (
    <SimpleGrid cols={{ base: 1, xs: 3 }} style={{ alignItems: 'end' }}>
      <Select
        label={t('note.target')}
        clearable={Boolean(figure.value)}
        data={targets.map((x) => ({ value: x, label: t(`metric.${x}`) }))}
        {...figure}
      />
      <Select
        aria-label={t('note.side')}
        allowDeselect={false}
        data={['least', 'most'].map((x) => ({ value: x, label: t(`note.side_${x}`) }))}
        {...props('side')}
      />
      <NumberInput aria-label={t('note.value')} suffix="%" min={0} max={100} decimalScale={2} {...props('value')} />
    </SimpleGrid>
  )
}

function History({ of, id }: { of: Of; id: string }) {
  const t = useT()
  const notes = useList(`/api/v1/${of}/{id}/notes`, { path: { id } } as never)
  if (notes.error) return <Alert color="danger">{t('state.error')}</Alert>
  if (!notes.loading && notes.items.length === 0) return <EmptyState title={t('note.empty')} />
  return (
    <Stack gap="lg">
      {(notes.items as unknown as Note[]).map((n) => (
        <Words key={n.revision} note={n} />
      ))}
      {notes.more ? (
        <Group justify="center">
          <Button loading={notes.loadingMore} onClick={notes.loadMore}>
            {t('list.more')}
          </Button>
        </Group>
      ) : null}
    </Stack>
  )
}
