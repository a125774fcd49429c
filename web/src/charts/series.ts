import type { Quantiles, Tick } from '../wire'

/** Columns for uPlot: times in seconds, then one column per curve. null is a gap; undefined is bridged. */
export type Column = (number | null | undefined)[]
export type Table = [number[], ...Column[]]

/** A curve's name and its colour, one of the page's variables. */
export interface Curve {
  name: string
  color: string
}

/** Outcomes in the order in which they are stacked from the ground up. Others, of a later version, come on top. */
export const outcomeOrder = ['indexed', 'metadata_only', 'deleted', 'truncated', 'superseded', 'stale', 'ignored', 'poison']

export function outcomesOf(ticks: Tick[]): string[] {
  const seen = new Set<string>()
  for (const t of ticks) for (const [outcome, n] of Object.entries(t.outcomes)) if (n > 0) seen.add(outcome)
  const rank = (o: string): number => {
    const i = outcomeOrder.indexOf(o)
    return i < 0 ? outcomeOrder.length : i
  }
  return [...seen].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
}

const seconds = (ticks: Tick[]): number[] => ticks.map((t) => Math.round(t.time / 1_000))

/** Outcomes one upon the other: column i is the sum of the first i outcomes. */
export function stacked(ticks: Tick[], outcomes: string[]): Table {
  const columns: number[][] = []
  outcomes.forEach((outcome, i) => {
    columns.push(ticks.map((t, at) => (t.outcomes[outcome] ?? 0) + (columns[i - 1]?.[at] ?? 0)))
  })
  return [seconds(ticks), ...columns]
}

/** Measured seconds no further apart than this are joined by a line. */
export const bridge = 15

/** P50, p95 and p99, of the seconds in which something was measured. */
export function quantiles(ticks: Tick[], of: (tick: Tick) => Quantiles | null): Table {
  const measured = ticks.map((t) => {
    const q = of(t)
    return q && q.count > 0 ? q : null
  })
  const column = (pick: (q: Quantiles) => number): Column => bridged(measured.map((q) => (q ? pick(q) : null)))
  return [seconds(ticks), column((q) => q.p50), column((q) => q.p95), column((q) => q.p99)]
}

function bridged(values: (number | null)[]): Column {
  const out: Column = [...values]
  let last = -1
  values.forEach((v, i) => {
    if (v === null) return
    if (last >= 0 && i - last <= bridge) out.fill(undefined, last + 1, i)
    last = i
  })
  return out
}

export function tablesOf(ticks: Tick[]): string[] {
  return [...new Set(ticks.flatMap((t) => Object.keys(t.backlog)))].sort()
}

/** Messages waiting, a column per table. */
export function backlogs(ticks: Tick[], tables: string[]): Table {
  return [seconds(ticks), ...tables.map((table) => ticks.map((t) => t.backlog[table] ?? null))]
}

/** The last known value of a column, or the one at an index. */
export function at(column: Column | undefined, index: number | null): number | null {
  if (!column) return null
  if (index !== null) return column[index] ?? null
  return column.at(-1) ?? null
}

/** Whether a table has anything to draw. */
export function hasData(table: Table): boolean {
  return table.slice(1).some((column) => column.some((v) => v !== null && v !== undefined && v !== 0))
}

/** Where a measurement has no neighbour: it is drawn as a point, for a line needs two. */
export function lone(column: ArrayLike<number | null | undefined>): number[] {
  const gap = (i: number): boolean => i < 0 || i >= column.length || column[i] === null
  const out: number[] = []
  for (let i = 0; i < column.length; i++) {
    if (typeof column[i] === 'number' && gap(i - 1) && gap(i + 1)) out.push(i)
  }
  return out
}
