// Publishing: what is different from the version that runs, what becomes of the people inside, and what still hinders it.
import { useState } from 'react'
import { call, describe, Problem, refresh, type Schemas, useRead } from '@/api'
import { formatList, formatNumber, t, useT, word } from '@/i18n'
import { Alert, Button, Checkbox, Group, Loaded, Note, Radio, type Rule, ruleText, Select, Sheet, Stack, Text, toast } from '@/ui'
import { entrance, readGraph, stepOf } from './graph'
import { circleOf, warningsOf } from './warnings'
import css from './JourneyDetailPage.module.css'
import { told } from './faults'
import { eventText, matchText, type Names, outputText, spanText, stepTitle, triggerText } from './words'
import { useThings } from './useThings'

type Change = Schemas['JourneyChange']

const plain = (v: unknown, names: Names): string => {
  if (v === undefined || v === null) return '–'
  if (Array.isArray(v)) return v.length ? formatList(v.map((x) => plain(x, names))) : '–'
  if (typeof v === 'boolean') return t(v ? 'rule.true' : 'rule.false')
  if (typeof v === 'number') return formatNumber(v)
  if (typeof v === 'string') return names[v] ?? v
  const o = v as Record<string, unknown>
  if ('unit' in o) return spanText(o)
  if (typeof o.name === 'string') return eventText(o)
  const kind = Object.keys(o)[0]
  if (kind && ['all', 'any', 'not'].includes(kind)) return ruleText(o as Rule, names)
  if (kind === 'rule') return ruleText(o.rule as Rule, names)
  return (
    matchText(o, names) ??
    formatList(Object.entries(o).map(([k, x]) => t('journeys.named_value', { name: word('step_field', k), value: plain(x, names) })))
  )
}

/** The differences between two versions in words; 0 is the draft. */
export function Changes({ id, from, to }: { id: string; from: number; to: number }) {
  const t = useT()
  const things = useThings()
  const journey = useRead('/api/v1/journeys/{id}', { path: { id } })
  const titles = journey.data ? readGraph(journey.data.draft).nodes.map((n) => [n.id, stepTitle(n)] as const) : []
  const diff = useRead('/api/v1/journeys/{id}/diff', { path: { id }, query: { from, to } })
  // Those that are gone are known from the differences alone.
  const gone = (diff.data?.items ?? []).flatMap((c) =>
    c.node ? [[c.node, stepTitle({ id: c.node, kind: c.kind, title: c.title })] as const] : [],
  )
  const names = { ...Object.fromEntries([...gone, ...titles]), ...things.names }
  return (
    <Loaded of={diff}>
      {(d) =>
        d.items?.length ? (
          <ul className={css.changes}>
            {d.items.map((c, i) => (
              // oxlint-disable-next-line react/no-array-index-key -- changes have no name of their own
              <li key={i} data-what={c.what}>
                <Line change={c} names={names} />
              </li>
            ))}
          </ul>
        ) : (
          <Text c="var(--ui-text-secondary)">{t('journeys.no_changes')}</Text>
        )
      }
    </Loaded>
  )
}

function Line({ change: c, names }: { change: Change; names: Names }) {
  const t = useT()
  const title = stepTitle({ id: c.node ?? '', kind: c.kind, title: c.title })
  const field = (c.field ?? '').replace(/^config\./, '')
  const label = word('step_field', c.field === 'title' ? 'name' : (field.split('.')[0] ?? '')) // what a step is called; tasks have a title of their own
  const values = t('journeys.from_to', { from: plain(c.from, names), to: plain(c.to, names) })
  switch (c.what) {
    case 'node_added':
    case 'node_removed':
      return <>{t(`journeys.change_${c.what}`, { name: title })}</>
    case 'connection_changed':
      return (
        <>
          {t(field === 'next' ? 'journeys.change_next' : 'journeys.change_connection', {
            name: title,
            output: outputText(field),
            to: c.to ? plain(c.to, names) : t('journeys.leaves'),
          })}
        </>
      )
    case 'node_changed':
      return (
        <>
          {t('journeys.change_field', { name: title, field: label })}
          <div>
            <Note>{values}</Note>
          </div>
        </>
      )
    default:
      return (
        <>
          {t('journeys.change_field', {
            name: c.what === 'trigger_changed' ? t('journeys.entrance') : t('journeys.settings'),
            field: word('journey_field', field.split(/[.[]/)[0] ?? ''),
          })}
          <div>
            <Note>{values}</Note>
          </div>
        </>
      )
  }
}

export function PublishSheet({ journey: j, onClose }: { journey: Schemas['Journey']; onClose: () => void }) {
  const t = useT()
  const id = j.id
  const [fate, setFate] = useState<'finish' | 'move' | 'exit'>('finish')
  const [to, setTo] = useState<Record<string, string>>({})
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<unknown>()
  const first = j.published_version === 0
  const diff = useRead('/api/v1/journeys/{id}/diff', { path: { id }, query: { from: j.published_version, to: 0 } }, { enabled: !first })
  const graph = readGraph(j.draft)
  const circle = useRead('/api/v1/journeys/{id}/circle', { path: { id } })
  const others = circle.data?.items ?? []
  const warnings = [...warningsOf(graph), ...(others.length ? [circleOf(others.map((o) => o.name))] : [])]
  const [known, setKnown] = useState(false)
  const gone = (diff.data?.items ?? []).filter((c) => c.what === 'node_removed')
  const publish = async () => {
    setBusy(true)
    setFailure(undefined)
    try {
      await call('post', '/api/v1/journeys/{id}/publish', { path: { id } })
      if (!first && fate !== 'finish') {
        const nodes = Object.fromEntries(gone.map((c) => [c.node ?? '', to[c.node ?? ''] ?? '']))
        const body = { fate, ...(fate === 'move' ? { nodes } : {}) }
        await call('post', '/api/v1/journeys/{id}/migrations', { path: { id }, body: body as never })
      }
      toast(t('journeys.published', { name: j.name }))
      onClose()
    } catch (err) {
      setFailure(err)
    } finally {
      setBusy(false)
      void refresh(['/api/v1/journeys'])
    }
  }
  const faults = told(failure).map(({ node, text }) => ({
    name: node ? stepTitle(stepOf(graph, node) ?? { id: node, kind: '' }) : t('journeys.whole'),
    text,
  }))
  return (
    <Sheet opened title={t('journeys.publish_title', { name: j.name })} onClose={onClose}>
      <Stack gap="lg">
        {first ? (
          <Text>{t('journeys.publish_first', { trigger: triggerText(graph.trigger) })}</Text>
        ) : (
          <Stack gap="sm">
            <Text fw={600}>{t('journeys.changes', { n: j.published_version })}</Text>
            <Changes id={id} from={j.published_version} to={0} />
          </Stack>
        )}
        {!first && j.active > 0 ? (
          <Radio.Group
            label={t('journeys.fate_title', { count: j.active, n: formatNumber(j.active) })}
            value={fate}
            onChange={(v) => setFate(v as 'finish' | 'move' | 'exit')}
          >
            <Stack gap="sm" mt="xs">
              {(['finish', 'move', 'exit'] as const).map((f) => (
                <Radio key={f} value={f} label={t(`journeys.fate_${f}`)} description={t(`journeys.fate_${f}_help`)} />
              ))}
            </Stack>
          </Radio.Group>
        ) : null}
        {fate === 'move'
          ? gone.map((c) => (
              <Select
                key={c.node}
                label={t('journeys.who_waits_at', { name: stepTitle({ id: c.node ?? '', kind: c.kind, title: c.title }) })}
                clearable
                searchable
                placeholder={t('journeys.leaves')}
                data={graph.nodes.map((n) => ({ value: n.id, label: stepTitle(n) }))}
                value={to[c.node ?? ''] ?? null}
                onChange={(v) => setTo((m) => ({ ...m, [c.node ?? '']: v ?? '' }))}
              />
            ))
          : null}
        {warnings.length > 0 ? (
          <Alert color="warning" title={t('journeys.warnings', { count: warnings.length })}>
            <Stack gap="xs">
              {warnings.map((w) => (
                <div key={w.node + w.code}>
                  <b>{w.node === entrance ? t('journeys.entrance') : w.node ? stepTitle(stepOf(graph, w.node)!) : t('journeys.whole')}</b>{' '}
                  {w.text}
                </div>
              ))}
              <Checkbox label={t('journeys.warnings_known')} checked={known} onChange={(e) => setKnown(e.currentTarget.checked)} />
            </Stack>
          </Alert>
        ) : null}
        {failure ? (
          <Alert color="danger" role="alert">
            {faults.length && failure instanceof Problem && failure.faults.length
              ? faults.map((f) => (
                  <div key={f.name + f.text}>
                    <b>{f.name}</b> {f.text}
                  </div>
                ))
              : describe(failure)}
          </Alert>
        ) : null}
        <Group justify="flex-end" gap="xs">
          <Button onClick={onClose}>{t('action.cancel')}</Button>
          <Button
            variant="filled"
            loading={busy}
            disabled={circle.isLoading || (warnings.length > 0 && !known)}
            onClick={() => void publish()}
          >
            {t('journeys.publish')}
          </Button>
        </Group>
      </Stack>
    </Sheet>
  )
}
