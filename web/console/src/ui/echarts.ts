// The only module that knows ECharts; chart.tsx loads it when a chart is shown.
import { BarChart, CustomChart, FunnelChart, HeatmapChart, LineChart, PieChart, SankeyChart } from 'echarts/charts'
import {
  AriaComponent,
  DataZoomComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TooltipComponent,
  VisualMapComponent,
} from 'echarts/components'
import * as echarts from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'
import { formatCompact } from '@/i18n'

echarts.use([
  LineChart,
  BarChart,
  FunnelChart,
  HeatmapChart,
  PieChart,
  SankeyChart,
  CustomChart,
  GridComponent,
  LegendComponent,
  TooltipComponent,
  AriaComponent,
  DataZoomComponent,
  MarkLineComponent,
  VisualMapComponent,
  CanvasRenderer,
])

export interface Series {
  name: string
  values: (number | null)[]
}

export interface ChartData {
  /** Names below the axis, one for each value. */
  labels: string[]
  series: Series[]
}

export type ChartKind = 'line' | 'area' | 'bar' | 'stacked' | 'horizontal' | 'funnel'

interface Draw {
  kind: ChartKind
  data: ChartData
  option?: object
  title: string
  format: (n: number) => string
  axis?: (n: number) => string
  onPick?: (index: number, part?: 'node' | 'edge', series?: number) => void
}

function theme() {
  const style = getComputedStyle(document.documentElement)
  const v = (name: string) => style.getPropertyValue(`--ui-${name}`).trim()
  const axis = {
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: v('text-muted'), fontSize: 12 },
    splitLine: { lineStyle: { color: v('border-subtle') } },
  }
  return {
    color: Array.from({ length: 8 }, (_, i) => v(`chart-${i + 1}`)),
    backgroundColor: 'transparent',
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: v('text-primary') },
    categoryAxis: { ...axis, splitLine: { show: false } },
    valueAxis: axis,
    timeAxis: axis,
    legend: { textStyle: { color: v('text-secondary') }, icon: 'roundRect', itemWidth: 10, itemHeight: 10, itemGap: 16 },
    tooltip: {
      backgroundColor: v('bg-surface'),
      borderColor: v('border-subtle'),
      textStyle: { color: v('text-primary'), fontSize: 13 },
      axisPointer: { lineStyle: { color: v('border-control') } },
    },
    line: { symbol: 'circle', symbolSize: 5, showSymbol: false, lineStyle: { width: 2 }, smooth: 0.15 },
    bar: { barMaxWidth: 36, itemStyle: { borderRadius: [3, 3, 0, 0] } },
    label: { color: v('text-primary') },
  }
}

/** Lines that the names of the series take in a legend so wide. */
function legendLines(series: { name: string }[], width: number): number {
  const pen = document.createElement('canvas').getContext('2d')
  if (!pen) return 1
  pen.font = `12px ${getComputedStyle(document.body).fontFamily}`
  let lines = 1
  let at = 0
  for (const s of series) {
    const wide = 10 + 5 + pen.measureText(s.name).width + 16 // mark, gap, name, gap to the next
    if (at > 0 && at + wide - 16 > width) {
      lines++
      at = 0
    }
    at += wide
  }
  return lines
}

export function optionOf({ kind, data, title, format, axis }: Draw): object {
  const several = data.series.length > 1
  const common = {
    aria: { enabled: true, label: { description: title }, decal: { show: several && (kind === 'stacked' || kind === 'funnel') } },
  }
  if (kind === 'funnel')
    return {
      ...common,
      tooltip: { trigger: 'item', valueFormatter: format },
      series: [
        {
          type: 'funnel',
          sort: 'none',
          gap: 3,
          left: 8,
          right: 8,
          top: 8,
          bottom: 8,
          label: { position: 'inside' },
          data: data.labels.map((name, i) => ({ name, value: data.series[0]?.values[i] ?? 0 })),
        },
      ],
    }
  const flat = kind === 'horizontal'
  const names = {
    type: 'category',
    data: data.labels,
    boundaryGap: (kind !== 'line' && kind !== 'area') || data.labels.length === 1,
    inverse: flat,
    axisLabel: flat ? { width: 160, overflow: 'truncate' } : { hideOverlap: true, showMaxLabel: true },
  }
  const values = {
    type: 'value',
    axisLabel: { formatter: axis ?? formatCompact, hideOverlap: true },
    minInterval: axis ? undefined : 1,
    splitNumber: 4,
  }
  return {
    ...common,
    // The last name of a line stands half beside it.
    grid: { left: 4, right: names.boundaryGap ? 12 : 28, top: 40, bottom: 4, containLabel: true },
    // Also one series is named; there is nothing to choose among then.
    legend: { top: 0, left: 0, selectedMode: several },
    tooltip: { trigger: 'axis', valueFormatter: (n: unknown) => (typeof n === 'number' ? format(n) : '–'), confine: true },
    xAxis: flat ? values : names,
    yAxis: flat ? names : values,
    series: data.series.map((s) => ({
      name: s.name,
      type: kind === 'line' || kind === 'area' ? 'line' : 'bar',
      stack: kind === 'stacked' ? 'all' : undefined,
      // A line through one point is none: the point is shown.
      showSymbol: s.values.filter((v) => v !== null).length < 2,
      areaStyle: kind === 'area' ? { opacity: several ? 0.08 : 0.12 } : undefined,
      itemStyle: flat ? { borderRadius: [0, 3, 3, 0] } : undefined,
      data: s.values,
    })),
  }
}

const menu = 44 // pixels beside the legend where the menu of the chart stands

/** Draws into the box and follows its size. */
export function draw(box: HTMLDivElement, d: Draw) {
  const chart = echarts.init(box, theme())
  const option = {
    // Off rather than short: a Sankey chart takes its second whatever the duration says.
    animation: !matchMedia('(prefers-reduced-motion: reduce)').matches,
    animationDuration: 250,
    ...(d.option ?? optionOf(d)),
  } as echarts.EChartsCoreOption
  chart.setOption(option)
  const fit = () => {
    if (!option.legend) return
    const width = box.clientWidth - menu
    chart.setOption({ legend: { width }, ...(d.option ? {} : { grid: { top: 16 + 24 * legendLines(d.data.series, width) } }) })
  }
  fit()
  if (d.onPick && !d.option && (d.kind === 'line' || d.kind === 'area'))
    // Lines are thin: what is meant is the figure nearest to the pointer.
    chart.getZr().on('click', (e) => {
      const at = [e.offsetX, e.offsetY]
      if (!chart.containPixel({ gridIndex: 0 }, at)) return
      const [index, value] = chart.convertFromPixel({ gridIndex: 0 }, at) as [number, number]
      const far = d.data.series.map((s) => Math.abs((s.values[index] ?? Number.POSITIVE_INFINITY) - value))
      if (d.data.labels[index] !== undefined) d.onPick?.(index, undefined, far.indexOf(Math.min(...far)))
    })
  else if (d.onPick) chart.on('click', (e) => d.onPick?.(e.dataIndex, e.dataType as 'node' | 'edge' | undefined, e.seriesIndex))
  const sized = new ResizeObserver(() => {
    fit()
    chart.resize()
    chart.getZr().flush() // resizing wipes it; waiting for the next frame would show it empty in this one
  })
  sized.observe(box)
  return {
    dispose: () => {
      sized.disconnect()
      chart.dispose()
    },
    png: () =>
      chart.getDataURL({
        type: 'png',
        pixelRatio: 2,
        backgroundColor: getComputedStyle(document.documentElement).getPropertyValue('--ui-bg-surface').trim(),
      }),
  }
}
