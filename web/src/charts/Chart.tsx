import uPlot from 'uplot'
import { createEffect, createSignal, For, onCleanup, onMount, Show, type JSX } from 'solid-js'
import { dark } from '../theme'
import { at, hasData, lone, type Curve, type Table } from './series'

export interface ChartProps {
  title: string
  note?: string
  curves: Curve[]
  data: Table
  stacked?: boolean
  stepped?: boolean
  format: (value: number | null) => string
  empty: JSX.Element
  now: number // seconds
}

const span = 300 // seconds shown

/** A chart of the last five minutes. Its legend is text and shows the values under the pointer, or the last ones. */
export function Chart(props: ChartProps): JSX.Element {
  const [index, setIndex] = createSignal<number | null>(null)
  let host!: HTMLDivElement
  let plot: uPlot | undefined

  const build = (): void => {
    plot?.destroy()
    plot = new uPlot(options(props, host, setIndex), drawn(props), host)
  }
  onMount(() => {
    // Curves or colours that change make another chart; figures alone do not.
    createEffect(() => {
      dark()
      props.curves.map((c) => c.name).join()
      build()
    })
    createEffect(() => {
      const data = drawn(props)
      if (data.length === props.curves.length + 1) plot?.setData(data, false)
      plot?.setScale('x', { min: props.now - span, max: props.now })
    })
    const sizes = new ResizeObserver(() => plot?.setSize({ width: host.clientWidth, height: host.clientHeight }))
    sizes.observe(host)
    onCleanup(() => {
      sizes.disconnect()
      plot?.destroy()
    })
  })

  const shown = (i: number): number | null => {
    const v = at(props.data[i + 1], index())
    if (!props.stacked || i === 0 || v === null) return v
    return v - (at(props.data[i], index()) ?? 0)
  }
  return (
    <section class="chart" aria-label={props.title}>
      <header>
        <h2>
          {props.title} <Show when={props.note}><small>{props.note}</small></Show>
        </h2>
        <ul class="legend">
          <For each={props.curves}>
            {(curve, i) => (
              <li>
                <i class="swatch" style={{ background: `var(${curve.color})` }} />
                {curve.name} <b>{props.format(shown(i()))}</b>
              </li>
            )}
          </For>
        </ul>
      </header>
      <div class="plot" aria-hidden="true" ref={host} />
      <Show when={!hasData(props.data)}>
        <p class="empty">{props.empty}</p>
      </Show>
    </section>
  )
}

/** What uPlot draws: of stacked curves the highest first, so that each hides the foot of the one behind. */
function drawn(props: ChartProps): uPlot.AlignedData {
  const [x, ...columns] = props.data
  return [x, ...(props.stacked ? columns.toReversed() : columns)] as uPlot.AlignedData
}

function options(props: ChartProps, host: HTMLElement, onIndex: (i: number | null) => void): uPlot.Options {
  const style = getComputedStyle(host)
  const color = (name: string): string => style.getPropertyValue(name).trim()
  const font = `11px ${style.fontFamily}`
  const axis: uPlot.Axis = { stroke: color('--faint'), font, ticks: { show: false }, grid: { stroke: color('--grid'), width: 1 } }
  const curves = props.stacked ? props.curves.toReversed() : props.curves
  return {
    width: Math.max(host.clientWidth, 1),
    height: Math.max(host.clientHeight, 1),
    padding: [6, 18, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: !props.stacked, size: 5 }, drag: { x: false, y: false }, sync: { key: 'rowvec' } },
    hooks: { setCursor: [(u: uPlot) => onIndex(u.cursor.idx ?? null)] },
    scales: { x: { time: true, auto: false, range: () => [props.now - span, props.now] }, y: { range: (_u, _min, max) => [0, Math.max((max ?? 0) * 1.08, floor(props))] } },
    axes: [
      { ...axis, size: 22, gap: 5, grid: { show: false }, splits: minutes, values: (u, times) => times.map((t) => before(t, u.scales['x']?.max ?? t)) },
      { ...axis, size: 52, gap: 5, space: 28, values: (_u, values) => values.map((v) => props.format(v)) },
    ],
    series: [{}, ...curves.map((c) => series(props, color(c.color)))],
  }
}

/** An empty chart has a scale, too. */
const floor = (props: ChartProps): number => (props.stacked || props.stepped ? 4 : 10)

function series(props: ChartProps, color: string): uPlot.Series {
  if (props.stacked) return { stroke: color, fill: color, width: 0, points: { show: false }, paths: uPlot.paths.stepped!({ align: -1 }) }
  const s: uPlot.Series = { stroke: color, width: 1.5, points: { show: true, filter: (u, i) => lone(u.data[i] ?? []), size: 4, fill: color, stroke: color } }
  if (props.stepped) s.paths = uPlot.paths.stepped!({ align: -1 })
  return s
}

/** A mark for each whole minute before the end: the window moves, and its marks stand still. */
function minutes(_u: uPlot, _axis: number, min: number, max: number): number[] {
  const whole = Math.min(Math.floor((max - min) / 60), span / 60)
  return Array.from({ length: whole }, (_, i) => max - i * 60).reverse()
}

const before = (time: number, end: number): string => (time >= end ? 'now' : `−${Math.round((end - time) / 60)} min`)
