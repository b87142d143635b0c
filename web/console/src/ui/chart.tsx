// Charts. The library is loaded when the first chart comes into view; until then and for whoever prefers it, the same data is a table.
import { ActionIcon, Menu, Skeleton, UnstyledButton } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { EllipsisVertical } from 'lucide-react'
import { type ReactNode, useEffect, useEffectEvent, useMemo, useRef, useState } from 'react'
import { formatNumber, formatZone, useT } from '@/i18n'
import { download, toCsv } from '@/lib/download'
import css from './chart.module.css'
import type { ChartData, ChartKind } from './echarts'
import { useShownScheme } from './theme'

interface Props {
  /** Names the chart for screen readers, and its files. */
  title: string
  kind: ChartKind
  data: ChartData
  height?: number
  /** How values are written; a plain number if absent. */
  format?: (n: number) => string
  /** How values are written on the axis, where they are no plain numbers: shares, money. */
  axis?: (n: number) => string
  /** Called with the places of the label and the series that were chosen, to look behind the figure; in a Sankey chart with that of the node or the link. In the table each figure is a button. */
  onPick?: (index: number, part?: 'node' | 'edge', series?: number) => void
  /** Name of the zone whose days or hours the labels are; it stands below the chart and in its file. */
  zone?: string
  /** Full ECharts options instead of kind and data; the table still shows `data`. For Sankey, heat map and the like. A function is asked with the width in pixels, a multiple of 8. */
  option?: object | ((width: number) => object)
  /** The least width in pixels at which it can be read; where there is less room it scrolls sideways, and says so. */
  least?: number
  /** Names of columns of equal width, above the drawing. */
  heads?: string[]
  /** What its colours mean, beside the menu; charts of `kind` and `data` have theirs. */
  legend?: ReactNode
}

export function Chart({ title, kind, data, height = 260, format = formatNumber, axis, onPick, zone, option, least, heads, legend }: Props) {
  const t = useT()
  const box = useRef<HTMLDivElement>(null)
  const chart = useRef<{ dispose: () => void; png: () => string } | null>(null)
  const [view, setView] = useState<'chart' | 'table'>('chart')
  const [ready, setReady] = useState(false)
  const scheme = useShownScheme()
  const pick = useEffectEvent((index: number, part?: 'node' | 'edge', series?: number) => onPick?.(index, part, series))
  const write = useEffectEvent((n: number) => format(n))
  const writeAxis = useEffectEvent((n: number) => (axis ?? format)(n))
  const fractional = axis !== undefined
  const pickable = onPick !== undefined
  const { ref: room, width: measured } = useElementSize()
  const width = Math.floor(measured / 8) * 8
  const waits = typeof option === 'function' && width === 0
  const shape = useMemo(
    () => JSON.stringify([kind, data, typeof option === 'function' ? width > 0 && option(width) : option]),
    [kind, data, option, width],
  )

  useEffect(() => {
    if (view !== 'chart' || !box.current || waits) return
    let gone = false
    const [k, d, o] = JSON.parse(shape) as [ChartKind, ChartData, object | undefined]
    void import('./echarts').then(({ draw }) => {
      if (gone || !box.current) return
      chart.current = draw(box.current, {
        kind: k,
        data: d,
        option: o,
        title,
        format: (n) => write(n),
        axis: fractional ? (n) => writeAxis(n) : undefined,
        onPick: pickable ? (i, part, s) => pick(i, part, s) : undefined,
      })
      setReady(true)
    })
    return () => {
      gone = true
      chart.current?.dispose()
      chart.current = null
    }
  }, [shape, view, title, scheme, pickable, fractional, waits])

  const rows = (): unknown[][] => [
    [zone ?? '', ...data.series.map((s) => s.name)],
    ...data.labels.map((l, i) => [l, ...data.series.map((s) => s.values[i])]),
  ]
  return (
    <figure className={css.figure}>
      {legend ? <div className={css.legend}>{legend}</div> : null}
      <div className={css.tools}>
        <Menu>
          <Menu.Target>
            <ActionIcon aria-label={t('chart.menu', { title })}>
              <EllipsisVertical size={16} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => setView(view === 'chart' ? 'table' : 'chart')}>
              {t(view === 'chart' ? 'chart.as_table' : 'chart.as_chart')}
            </Menu.Item>
            <Menu.Item onClick={() => download(`${title}.csv`, toCsv(rows()), 'text/csv;charset=utf-8')}>{t('chart.csv')}</Menu.Item>
            <Menu.Item
              disabled={view !== 'chart' || !ready}
              onClick={async () => {
                if (chart.current) download(`${title}.png`, await (await fetch(chart.current.png())).blob())
              }}
            >
              {t('chart.png')}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </div>
      {view === 'chart' ? (
        <Plot label={title} least={least} heads={heads}>
          <div ref={room} style={{ height, position: 'relative' }}>
            {ready ? null : <Skeleton height={height} />}
            <div ref={box} role="img" aria-label={title} style={{ position: 'absolute', inset: 0 }} />
          </div>
        </Plot>
      ) : (
        <div data-sideways className={css.scroll} style={{ maxHeight: Math.max(height, 200) }}>
          <table className={css.table}>
            <caption className="visually-hidden">{title}</caption>
            <thead>
              <tr>
                <td />
                {data.series.map((s) => (
                  <th key={s.name} scope="col">
                    {s.name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {data.labels.map((l, i) => (
                <tr key={l}>
                  <th scope="row">{l}</th>
                  {data.series.map((s, n) => (
                    <td key={s.name}>
                      {s.values[i] === null || s.values[i] === undefined ? (
                        '–'
                      ) : onPick && !option && s.values[i] ? (
                        <UnstyledButton data-finger className={css.pick} onClick={() => onPick(i, undefined, n)}>
                          {format(s.values[i])}
                        </UnstyledButton>
                      ) : (
                        format(s.values[i])
                      )}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {zone ? <figcaption className={css.zone}>{t('chart.zone', { zone: formatZone(zone) })}</figcaption> : null}
    </figure>
  )
}

/** Where a chart is drawn: what needs more width than there is scrolls, and a line below says so. */
function Plot({ label, least, heads, children }: { label: string; least?: number; heads?: string[]; children: ReactNode }) {
  const t = useT()
  const { ref, width } = useElementSize()
  if (!least) return children
  return (
    <>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard */}
      <div ref={ref} data-sideways className={css.plot} tabIndex={0} role="group" aria-label={label}>
        <div style={{ minWidth: least }}>
          {heads ? (
            <div className={css.heads} aria-hidden>
              {heads.map((h) => (
                <span key={h}>{h}</span>
              ))}
            </div>
          ) : null}
          {children}
        </div>
      </div>
      {width > 0 && width < least ? <p className={css.hint}>{t('chart.sideways')}</p> : null}
    </>
  )
}

/** A line the height of text, for lists and canvas nodes; drawn without the chart library. */
export function Sparkline({
  values,
  label,
  width = 96,
  height = 24,
}: {
  values: number[]
  label: string
  width?: number
  height?: number
}): ReactNode {
  if (values.length < 2) return null
  const top = Math.max(...values)
  const low = Math.min(...values, 0)
  const at = (v: number, i: number) =>
    `${((i / (values.length - 1)) * (width - 2) + 1).toFixed(1)},${(height - 2 - ((v - low) / (top - low || 1)) * (height - 4)).toFixed(1)}`
  return (
    <svg width={width} height={height} role="img" aria-label={label} className={css.spark}>
      <polyline
        points={values.map(at).join(' ')}
        fill="none"
        stroke="var(--ui-chart-1)"
        strokeWidth="1.5"
        strokeLinejoin="round"
        strokeLinecap="round"
      />
    </svg>
  )
}
