// The inputs of each kind of condition, and what a new one begins with. A kind that this console does not know yet is shown as JSON.
import {
  BellRing,
  Cake,
  Dices,
  Filter,
  Flag,
  List,
  ListOrdered,
  Mail,
  MonitorSmartphone,
  ShoppingBag,
  Users,
  UserRound,
  Zap,
} from 'lucide-react'
import type { ComponentType } from 'react'
import { useT, word } from '@/i18n'
import { Textarea } from '@/ui'
import { useFields, useValues } from './data'
import { About, Choose, Comparison, Filters, type LeafProps, Num, Pick, Window } from './inputs'
import css from './RuleBuilder.module.css'
import { Anniversary, Occurrence, Sequence } from './timeLeaves'
import type { Body } from './tree'

export const kinds: { kind: string; icon: ComponentType<{ size?: number }>; begin: Body }[] = [
  { kind: 'trait', icon: UserRound, begin: { path: '', op: 'eq' } },
  { kind: 'event', icon: Zap, begin: { name: '', op: 'gte', value: 1, window: { within: { n: 30, unit: 'day' } } } },
  { kind: 'occurrence', icon: Flag, begin: { which: 'first', name: '', window: { within: { n: 30, unit: 'day' } } } },
  { kind: 'sequence', icon: ListOrdered, begin: { steps: [{ name: '' }, { name: '', within: { n: 7, unit: 'day' } }] } },
  { kind: 'order', icon: ShoppingBag, begin: { op: 'gte', value: 1, window: { within: { n: 90, unit: 'day' } } } },
  { kind: 'engagement', icon: Mail, begin: { action: 'opened', op: 'gte', value: 1, window: { within: { n: 30, unit: 'day' } } } },
  { kind: 'segment', icon: Filter, begin: { id: '' } },
  { kind: 'list', icon: List, begin: { id: '' } },
  { kind: 'channel', icon: BellRing, begin: { kind: 'email', reachable: true } },
  { kind: 'device', icon: MonitorSmartphone, begin: { path: 'os', op: 'eq' } },
  { kind: 'anniversary', icon: Cake, begin: { path: '', from: 0, to: 0, own_zone: true } },
  { kind: 'bucket', icon: Dices, begin: { salt: '', from: 0, to: 10 } },
  { kind: 'everyone', icon: Users, begin: {} },
]

/** Puts values in and leaves out what is undefined. */
const put = (b: Body, patch: Body): Body => Object.fromEntries(Object.entries({ ...b, ...patch }).filter(([, v]) => v !== undefined))
const texts = (prefix: string, codes: string[]) => codes.map((value) => ({ value, label: word(prefix, value) }))

function Trait({ body, onChange, fault }: LeafProps) {
  const t = useT()
  const fields = useFields()
  const path = String(body.path ?? '')
  const values = useValues(path)
  return (
    <>
      <Pick
        names
        label={t('builder.field.path')}
        value={path}
        data={fields.paths}
        error={fault?.startsWith('path')}
        onChange={(p) => onChange({ ...body, path: p }, 'path')}
      />
      <Comparison
        op={body.op}
        value={body.value}
        kinds={['text', 'number', 'boolean', 'moment', 'date', 'trait']}
        seen={fields.kind(path)}
        values={values}
        error={fault?.startsWith('value')}
        onChange={(op, value) => onChange(put(body, { op, value }), 'value')}
      />
    </>
  )
}

const aggs = ['count', 'sum', 'avg', 'min', 'max', 'distinct', 'first', 'last']

function Event({ body, onChange, data, fault }: LeafProps) {
  const t = useT()
  const name = String(body.name ?? '')
  const agg = String(body.agg ?? 'count')
  const fields = useFields(name, name !== '')
  const values = useValues(String(body.path ?? ''), name, name !== '' && (agg === 'first' || agg === 'last'))
  return (
    <>
      <About body={body} events={data.events} error={fault?.startsWith('name')} onChange={(b) => onChange(b, 'name')} />
      <Choose
        label={t('builder.field.agg')}
        value={agg}
        data={texts('rule.agg', aggs)}
        onChange={(a) =>
          onChange(
            put(body, {
              agg: a === 'count' ? undefined : a,
              path: a === 'count' ? undefined : (body.path ?? ''),
              op: a === 'first' || a === 'last' ? 'eq' : 'gte',
              value: a === 'count' ? 1 : undefined,
            }),
            'agg',
          )
        }
      />
      {agg === 'count' ? null : (
        <Pick
          names
          label={t('builder.field.property')}
          value={String(body.path ?? '')}
          data={fields.paths}
          error={fault?.startsWith('path')}
          onChange={(p) => onChange({ ...body, path: p }, 'path')}
        />
      )}
      <Comparison
        key={agg}
        op={body.op ?? 'gte'}
        value={body.op === undefined && body.value === undefined ? 1 : body.value}
        kinds={agg === 'first' || agg === 'last' ? ['text', 'number', 'boolean', 'trait'] : ['number', 'trait']}
        seen={fields.kind(String(body.path ?? ''))}
        values={values}
        error={fault?.startsWith('value')}
        onChange={(op, value) => onChange(put(body, { op, value }), 'value')}
      />
      <Window events={data.events} value={body.window} onChange={(window) => onChange(put(body, { window }), 'window')} />
      <Filters event={name} value={body.filter} fault={fault} onChange={(filter) => onChange(put(body, { filter }), 'filter')} />
    </>
  )
}

function Order({ body, onChange, data, fault }: LeafProps) {
  const t = useT()
  const agg = String(body.agg ?? 'count')
  return (
    <>
      <Choose
        label={t('builder.field.agg')}
        value={agg}
        data={texts('rule.order_agg', ['count', 'sum', 'aov', 'days_since_last'])}
        onChange={(a) =>
          onChange(put(body, { agg: a === 'count' ? undefined : a, op: 'gte', value: a === 'count' ? 1 : undefined }), 'agg')
        }
      />
      <Comparison
        key={agg}
        op={body.op ?? 'gte'}
        value={body.op === undefined && body.value === undefined ? 1 : body.value}
        kinds={['number', 'trait']}
        error={fault?.startsWith('value')}
        onChange={(op, value) => onChange(put(body, { op, value }), 'value')}
      />
      <Choose
        label={t('builder.field.status')}
        value={String(body.status ?? 'completed')}
        data={texts('rule.order', ['completed', 'refunded', 'any'])}
        onChange={(s) => onChange(put(body, { status: s === 'completed' ? undefined : s }), 'status')}
      />
      <Window events={data.events} value={body.window} onChange={(window) => onChange(put(body, { window }), 'window')} />
      <Filters event="Order Completed" value={body.filter} fault={fault} onChange={(filter) => onChange(put(body, { filter }), 'filter')} />
    </>
  )
}

const actions = ['sent', 'delivered', 'opened', 'clicked', 'replied', 'converted', 'bounced', 'unsubscribed', 'complained']

/** What proxies, scanners and automatic answers do as well as people. */
const byHand = (action: unknown) => ['opened', 'clicked', 'replied'].includes(String(action))

function Engagement({ body, onChange, data, fault }: LeafProps) {
  const t = useT()
  const source = (body.source ?? {}) as Body
  const setSource = (patch: Body) => {
    const next = put(source, patch)
    onChange(put(body, { source: Object.keys(next).length ? next : undefined }), 'source')
  }
  const from = source.kind === 'journey' ? data.journeys : data.campaigns
  return (
    <>
      <Choose
        wide
        label={t('builder.field.action')}
        value={String(body.action ?? '') || null}
        data={texts('rule.action', actions)}
        onChange={(action) => onChange(put({ ...body, action }, byHand(action) ? {} : { machine: undefined }), 'action')}
      />
      {byHand(body.action) ? (
        <Choose
          label={t('builder.field.machine')}
          value={body.machine === true ? 'all' : 'people'}
          data={texts('builder.machine', ['people', 'all'])}
          onChange={(v) => onChange(put(body, { machine: v === 'all' ? true : undefined }), 'machine')}
        />
      ) : null}
      <Choose
        label={t('builder.field.source_kind')}
        value={source.kind ? String(source.kind) : null}
        data={texts('rule.source', ['campaign', 'journey'])}
        onClear={() => setSource({ kind: undefined, id: undefined, node: undefined })}
        onChange={(kind) => setSource({ kind, id: undefined, node: undefined })}
      />
      {source.kind ? (
        <Choose
          wide
          label={t('builder.field.source')}
          value={source.id ? String(source.id) : null}
          data={from}
          onClear={() => setSource({ id: undefined })}
          onChange={(id) => setSource({ id })}
        />
      ) : null}
      <Choose
        label={t('builder.field.topic')}
        value={body.topic ? String(body.topic) : null}
        data={data.topics}
        onClear={() => onChange(put(body, { topic: undefined }), 'topic')}
        onChange={(topic) => onChange({ ...body, topic }, 'topic')}
      />
      <Choose
        label={t('builder.field.channel')}
        value={body.channel ? String(body.channel) : null}
        data={data.channels}
        onClear={() => onChange(put(body, { channel: undefined }), 'channel')}
        onChange={(channel) => onChange({ ...body, channel }, 'channel')}
      />
      <Comparison
        op={body.op ?? 'gte'}
        value={body.op === undefined && body.value === undefined ? 1 : body.value}
        kinds={['number', 'trait']}
        error={fault?.startsWith('value')}
        onChange={(op, value) => onChange(put(body, { op, value }), 'value')}
      />
      <Window events={data.events} value={body.window} onChange={(window) => onChange(put(body, { window }), 'window')} />
    </>
  )
}

const SetLeaf =
  (of: 'segments' | 'lists') =>
  ({ body, onChange, data, fault }: LeafProps) => {
    const t = useT()
    return (
      <>
        <Choose
          label={t('builder.field.membership')}
          value={body.in === false ? 'out' : 'in'}
          data={[
            { value: 'in', label: t('builder.is_in') },
            { value: 'out', label: t('builder.is_not_in') },
          ]}
          onChange={(v) => onChange(put(body, { in: v === 'out' ? false : undefined }), 'in')}
        />
        <Choose
          wide
          label={t('builder.field.set')}
          value={body.id ? String(body.id) : null}
          data={data[of]}
          error={fault?.startsWith('id')}
          onChange={(id) => onChange({ ...body, id }, 'id')}
        />
      </>
    )
  }

function Channel({ body, onChange, data, fault }: LeafProps) {
  const t = useT()
  const asked =
    body.subscribed === undefined
      ? body.reachable === false
        ? 'unreachable'
        : 'reachable'
      : body.value === false
        ? 'not_subscribed'
        : 'subscribed'
  return (
    <>
      <Choose
        label={t('builder.field.channel')}
        value={body.kind ? String(body.kind) : null}
        data={data.channels}
        error={fault?.startsWith('kind')}
        onChange={(kind) => onChange({ ...body, kind }, 'kind')}
      />
      <Choose
        label={t('builder.field.reach')}
        value={asked}
        data={['reachable', 'unreachable', 'subscribed', 'not_subscribed'].map((value) => ({ value, label: t(`builder.${value}`) }))}
        onChange={(v) =>
          onChange(
            v.endsWith('reachable')
              ? { kind: body.kind, reachable: v === 'reachable' }
              : { kind: body.kind, subscribed: body.subscribed ?? '', ...(v === 'subscribed' ? {} : { value: false }) },
            'reach',
          )
        }
      />
      {body.subscribed === undefined ? null : (
        <Choose
          label={t('builder.field.topic')}
          value={body.subscribed ? String(body.subscribed) : null}
          data={data.topics}
          error={fault?.startsWith('subscribed')}
          onChange={(subscribed) => onChange({ ...body, subscribed }, 'subscribed')}
        />
      )}
    </>
  )
}

const devicePaths = ['os', 'os_version', 'type', 'model', 'platform', 'app_version', 'locale', 'timezone', 'country', 'last_seen']
const known: Record<string, string[]> = {
  os: ['iOS', 'Android', 'Windows', 'macOS', 'Linux', 'HarmonyOS'],
  type: ['mobile', 'tablet', 'desktop', 'tv'],
  platform: ['web', 'ios', 'android', 'server'],
}

function Device({ body, onChange, data, fault }: LeafProps) {
  const t = useT()
  const path = String(body.path ?? 'os')
  const seen = path === 'last_seen'
  return (
    <>
      <Choose
        label={t('builder.field.device')}
        value={path}
        data={texts('rule.device', devicePaths)}
        onChange={(p) =>
          onChange(
            p === 'last_seen'
              ? { path: p, op: 'gte', value: { ago: { n: 30, unit: 'day' } } }
              : seen
                ? { path: p, op: 'eq' }
                : { ...body, path: p },
            'path',
          )
        }
      />
      <Comparison
        key={path}
        op={body.op}
        value={body.value}
        kinds={seen ? ['moment', 'date'] : [path.endsWith('_version') ? 'version' : 'text']}
        values={known[path]}
        error={fault?.startsWith('value')}
        onChange={(op, value) => onChange(put(body, { op, value }), 'value')}
      />
      {seen ? null : <Window events={data.events} value={body.window} onChange={(window) => onChange(put(body, { window }), 'window')} />}
    </>
  )
}

function Bucket({ body, onChange, fault }: LeafProps) {
  const t = useT()
  return (
    <>
      <Pick
        wide
        label={t('builder.field.salt')}
        value={String(body.salt ?? '')}
        data={[]}
        error={fault?.startsWith('salt')}
        onChange={(salt) => onChange({ ...body, salt }, 'salt')}
      />
      <Num label={t('builder.field.from')} value={body.from} min={0} max={100} onChange={(from) => onChange({ ...body, from }, 'from')} />
      <span className={css.word}>–</span>
      <Num label={t('builder.field.to')} value={body.to} min={0} max={100} onChange={(to) => onChange({ ...body, to }, 'to')} />
      <span className={css.word}>%</span>
    </>
  )
}

function Other({ body, onChange }: LeafProps) {
  const t = useT()
  return (
    <Textarea
      className={css.wide}
      aria-label={t('builder.json')}
      autosize
      defaultValue={JSON.stringify(body, null, 1)}
      onBlur={(e) => {
        try {
          onChange(JSON.parse(e.currentTarget.value) as Body, 'json')
        } catch {
          e.currentTarget.value = JSON.stringify(body, null, 1)
        }
      }}
    />
  )
}

const inputs: Record<string, ComponentType<LeafProps>> = {
  trait: Trait,
  event: Event,
  occurrence: Occurrence,
  sequence: Sequence,
  anniversary: Anniversary,
  order: Order,
  engagement: Engagement,
  segment: SetLeaf('segments'),
  list: SetLeaf('lists'),
  channel: Channel,
  device: Device,
  bucket: Bucket,
  everyone: () => null,
}

export function LeafInputs({ kind, ...p }: LeafProps & { kind: string }) {
  const Inputs = inputs[kind] ?? Other
  return <Inputs {...p} />
}
