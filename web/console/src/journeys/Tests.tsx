// The A/B tests of a journey: how each way does, and what was decided.
import { type Schemas, useRead } from '@/api'
import { formatNumber, useT } from '@/i18n'
import { verdict } from '@/lib/verdict'
import { Card, DataTable, Num, Pending, Text } from '@/ui'
import { readGraph } from './graph'
import { outputText, stepTitle } from './words'

const percent = (x: number) => formatNumber(x, { style: 'percent', maximumFractionDigits: 1 })

/** Nothing for a journey without tests. */
export function Tests({ id, graph: raw }: { id: string; graph: unknown }) {
  const t = useT()
  const tests = useRead('/api/v1/journeys/{id}/tests', { path: { id } }, { every: 30_000 })
  if (!tests.data?.items?.length) return tests.isLoading ? <Pending /> : null
  const { nodes } = readGraph(raw)
  return (
    <Card title={t('journeys.tests')}>
      {tests.data.items.map((x) => (
        <Test key={x.node} of={x} step={nodes.find((n) => n.id === x.node) ?? { id: x.node, kind: 'ab_test' }} />
      ))}
    </Card>
  )
}

function Test({ of: x, step }: { of: Schemas['JourneyTest']; step: Parameters<typeof stepTitle>[0] }) {
  const t = useT()
  const way = (output: string) => outputText(output, step as Parameters<typeof outputText>[1])
  const d = x.decision
  return (
    <>
      <Text fw={600}>
        {stepTitle(step)} · {x.name}
      </Text>
      <Text size="sm">
        {d
          ? t(`journeys.test_${verdict(d)}`, { way: way(d.winner), chance: percent(d.chance) })
          : t('journeys.test_open', {
              people: formatNumber(x.people),
              points: formatNumber(x.detectable * 100, { maximumFractionDigits: 1 }),
            })}
      </Text>
      <DataTable
        name="journey-test"
        label={x.name}
        rows={d?.ways ?? x.ways ?? []}
        rowId={(w) => w.output}
        columns={[
          { id: 'way', title: t('journeys.test_way'), cell: (w) => way(w.output), text: (w) => w.output },
          { id: 'people', title: t('nav.people'), num: true, cell: (w) => <Num value={w.people} />, text: (w) => w.people },
          {
            id: 'hits',
            title: t(`journeys.test_${x.metric}`),
            num: true,
            cell: (w) => <Num value={w.hits} />,
            text: (w) => w.hits,
          },
          {
            id: 'share',
            title: '%',
            num: true,
            cell: (w) => (w.people ? percent(w.hits / w.people) : '–'),
            text: (w) => (w.people ? w.hits / w.people : ''),
          },
        ]}
        empty={null}
      />
    </>
  )
}
