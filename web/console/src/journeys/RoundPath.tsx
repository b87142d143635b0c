import type { ReactNode } from 'react'
import { type Schemas, useRead } from '@/api'
import { formatTime, formatTimes, hasText, useT, word } from '@/i18n'
import { eventName } from '@/people/happening'
import { Note, Status, Tag, Text, Time, Timeline } from '@/ui'
import { type Graph, readGraph, stepOf } from './graph'
import { journeyReason } from './reasons'
import { useNames } from './useThings'
import { outputText, stepTitle } from './words'

/** What brought somebody in: a kind of entrance, or an event. */
const cause = (name: string) => (hasText(`trigger.${name}`) ? word('trigger', name) : eventName({ type: '', name }))

/** A way through a journey, step by step with the reason of each. */
export function RoundPath({
  round,
  graph,
  more,
}: {
  round: Schemas['Round']
  graph?: Graph
  /** What stands below a step, by its place. */
  more?: (step: number) => ReactNode
}) {
  const t = useT()
  const names = useNames()
  const name = (node: string, kind: string) => stepTitle((graph && stepOf(graph, node)) ?? { id: node, kind })
  return (
    <Timeline bulletSize={14} lineWidth={2} active={99}>
      <Timeline.Item title={t('journeys.entered_by', { name: cause(round.trigger.name) })}>
        <Note>
          <Time at={round.entered_at} />
        </Note>
      </Timeline.Item>
      {(round.steps ?? []).map((s, i) => (
        // oxlint-disable-next-line react/no-array-index-key -- one may pass a node several times
        <Timeline.Item key={i} title={name(s.node, s.kind)}>
          {s.reason ? (
            <Text size="sm" c={s.refused ? 'var(--ui-danger-text)' : undefined}>
              {journeyReason(s.reason, names, graph && stepOf(graph, s.node), s.refused)}
            </Text>
          ) : null}
          {s.output && s.output !== 'next' ? <Tag>{outputText(s.output, graph && stepOf(graph, s.node))}</Tag> : null}
          <div>
            <Note>
              {s.left_at && formatTime(s.left_at) !== formatTime(s.arrived_at) ? (
                <time dateTime={s.arrived_at}>{formatTimes(s.arrived_at, s.left_at)}</time>
              ) : (
                <Time at={s.arrived_at} />
              )}
            </Note>
          </div>
          {more?.(i)}
        </Timeline.Item>
      ))}
      <Timeline.Item
        title={
          round.status === 'active' || round.status === 'parked' ? (
            t('journeys.stands_at', { name: name(round.node, round.node) })
          ) : (
            <Status value={round.status} />
          )
        }
      >
        {round.error || round.reason || round.why ? (
          <Text size="sm" c={round.error ? 'var(--ui-danger-text)' : undefined}>
            {journeyReason(round.error ?? round.reason, names, graph && stepOf(graph, round.node)) || word('status', round.why ?? '')}
          </Text>
        ) : null}
        {round.status === 'active' && round.waits ? (
          <Text size="sm">{journeyReason(round.waits, names, graph && stepOf(graph, round.node))}</Text>
        ) : null}
        {round.status === 'active' && round.due_at ? (
          <Note>
            {t('journeys.goes_on')} <Time at={round.due_at} />
          </Note>
        ) : round.ended_at ? (
          <Note>
            <Time at={round.ended_at} />
          </Note>
        ) : null}
      </Timeline.Item>
    </Timeline>
  )
}

/** The graph of a version, to name the steps of a way through it. */
export function useVersionGraph(journey: string, version: number | undefined): Graph | undefined {
  const versions = useRead('/api/v1/journeys/{id}/versions', { path: { id: journey } }, { enabled: journey !== '' })
  const found = versions.data?.items?.find((v) => v.version === version)
  return found ? readGraph(found.graph) : undefined
}
