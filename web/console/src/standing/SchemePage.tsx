import { ArrowDown, ArrowUp, Plus, Trash2 } from 'lucide-react'
import { useRead, useSend, type Schemas } from '@/api'
import { useCan } from '@/app/session'
import { useT } from '@/i18n'
import { useGo } from '@/lib/route'
import {
  Button,
  Card,
  FormBody,
  FormPage,
  IconButton,
  Loaded,
  MultiSelect,
  NumberInput,
  Select,
  SimpleGrid,
  TagsInput,
  TextInput,
  toast,
  useForm,
} from '@/ui'
import css from './standing.module.css'
import { labelName } from './words'

type Scheme = Schemas['StandingScheme']
type Label = Schemas['StandingLabel']

/** How people are judged: labels, stages, participation, service. */
export default function SchemePage() {
  const t = useT()
  const scheme = useRead('/api/v1/standing/scheme', {})
  return (
    <FormPage
      title={t('standing.scheme')}
      lead={t('standing.scheme_lead')}
      crumbs={[
        { to: '/segments', label: t('nav.segments') },
        { to: '/standing', label: t('standing.title') },
      ]}
    >
      <Loaded of={scheme}>{(s) => <SchemeForm scheme={s} />}</Loaded>
    </FormPage>
  )
}

const spans = [1, 2, 3, 4, 5].flatMap((from) => [1, 2, 3, 4, 5].filter((to) => to >= from).map((to) => ({ from, to })))
const spanText = (r: { from: number; to: number }) => (r.from === r.to ? String(r.from) : `${r.from}–${r.to}`)

function SchemeForm({ scheme }: { scheme: Scheme }) {
  const t = useT()
  const go = useGo()
  const write = useCan()('segments.write')
  const save = useSend('put', '/api/v1/standing/scheme', { refresh: ['/api/v1/standing'] })
  const { revision, ...values } = scheme
  const form = useForm({
    initial: values,
    follow: true,
    revision,
    save: (v, over) => save.mutateAsync({ body: { ...v, revision: over } }),
    onDone: () => {
      toast(t('standing.judging'))
      go('/standing')
    },
  })
  const labels = form.values.labels ?? []
  const put = (next: Label[]) => form.setFieldValue('labels', next)
  const change = (i: number, part: Partial<Label>) => put(labels.map((l, k) => (k === i ? { ...l, ...part } : l)))
  const move = (i: number, by: number) => {
    const next = [...labels]
    const [l] = next.splice(i, 1)
    next.splice(i + by, 0, l!)
    put(next)
  }
  const add = () => {
    let n = labels.length
    while (labels.some((l) => l.key === `label_${n}`)) n++
    const own: Label = {
      key: `label_${n}`,
      name: t('standing.new_label'),
      r: { from: 5, to: 5 },
      f: { from: 5, to: 5 },
      m: { from: 5, to: 5 },
    }
    put([own, ...labels])
  }
  const choices = labels.map((l) => ({ value: l.key, label: labelName(l) }))
  const last = labels.length - 1
  return (
    <FormBody form={form} action={t('action.save')} onCancel={() => go('/standing')}>
      <fieldset disabled={!write} style={{ border: 0, padding: 0, margin: 0, display: 'grid', gap: 16 }}>
        <Card
          title={t('standing.labels')}
          help={t('standing.labels_edit')}
          actions={
            <Button onClick={add} leftSection={<Plus size={16} />}>
              {t('standing.add_label')}
            </Button>
          }
        >
          <div className={css.labels}>
            {labels.map((l, i) => (
              <div className={css.label} key={l.key}>
                <TextInput
                  label={t('field.name')}
                  aria-label={t('text.pair', { label: t('field.name'), value: labelName(l) })}
                  placeholder={labelName({ key: l.key })}
                  value={l.name ?? labelName(l)}
                  onChange={({ currentTarget: { value } }) => change(i, { name: value === labelName({ key: l.key }) ? undefined : value })}
                  error={form.errors[`labels[${i}]`] ?? form.errors[`labels.${i}`]}
                />
                {(['r', 'f', 'm'] as const).map((d) => (
                  <Select
                    key={d}
                    label={t(`standing.score_${d}`)}
                    aria-label={t('text.pair', { label: labelName(l), value: t(`standing.score_${d}`) })}
                    value={spanText(l[d])}
                    disabled={i === last}
                    allowDeselect={false}
                    data={spans.map(spanText)}
                    onChange={(v) => change(i, { [d]: spans.find((r) => spanText(r) === v) ?? l[d] })}
                  />
                ))}
                <span style={{ display: 'flex' }}>
                  <IconButton label={t('action.up')} onClick={() => move(i, -1)} disabled={i === 0 || i === last}>
                    <ArrowUp size={16} />
                  </IconButton>
                  <IconButton label={t('action.down')} onClick={() => move(i, 1)} disabled={i >= last - 1}>
                    <ArrowDown size={16} />
                  </IconButton>
                  <IconButton label={t('action.remove')} onClick={() => put(labels.filter((_, k) => k !== i))} disabled={i === last}>
                    <Trash2 size={16} />
                  </IconButton>
                </span>
              </div>
            ))}
          </div>
        </Card>
        <Card title={t('standing.stages')} help={t('standing.stages_edit')}>
          <SimpleGrid cols={{ base: 1, xs: 2 }}>
            <NumberInput min={1} max={365} label={t('standing.new_days')} {...form.getInputProps('lifecycle.new_days')} />
            <NumberInput min={1} max={3650} label={t('standing.churned_days')} {...form.getInputProps('lifecycle.churned_days')} />
            <NumberInput
              min={1}
              step={0.1}
              decimalScale={2}
              label={t('standing.at_risk_factor')}
              {...form.getInputProps('lifecycle.at_risk')}
            />
            <NumberInput
              min={1}
              step={0.1}
              decimalScale={2}
              label={t('standing.dormant_factor')}
              {...form.getInputProps('lifecycle.dormant')}
            />
            <NumberInput
              min={1}
              step={0.1}
              decimalScale={2}
              label={t('standing.churned_factor')}
              {...form.getInputProps('lifecycle.churned')}
            />
            <NumberInput
              min={1}
              max={3650}
              label={t('standing.window')}
              description={t('standing.window_help')}
              {...form.getInputProps('window_days')}
            />
          </SimpleGrid>
        </Card>
        <Card title={t('standing.services')} help={t('standing.services_edit')}>
          <MultiSelect label={t('standing.service.high')} data={choices} {...form.getInputProps('high_touch')} />
          <MultiSelect label={t('standing.service.low')} data={choices} {...form.getInputProps('low_touch')} mt="sm" />
        </Card>
        <Card title={t('standing.taking_part')} help={t('standing.participation_edit')}>
          <TagsInput label={t('standing.write')} {...form.getInputProps('participation.write')} />
          <TagsInput label={t('standing.react')} {...form.getInputProps('participation.react')} mt="sm" />
          <SimpleGrid cols={{ base: 1, xs: 2 }} mt="sm">
            <NumberInput min={1} max={1000} label={t('standing.authors')} {...form.getInputProps('participation.authors')} />
            <NumberInput min={1} max={365} label={t('standing.part_days')} {...form.getInputProps('participation.days')} />
          </SimpleGrid>
        </Card>
      </fieldset>
    </FormBody>
  )
}
