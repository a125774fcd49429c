import type { Quantiles, Status, TableStatus, Tick } from '../wire'

/** Changes that count as throughput: all outcomes. */
export function settled(tick: Tick): number {
  return Object.values(tick.outcomes).reduce((a, b) => a + b, 0)
}

/** The mean of something per second over the last n ticks. */
export function perSecond(ticks: Tick[], n: number, of: (tick: Tick) => number): number {
  const last = ticks.slice(-n)
  return last.length === 0 ? 0 : last.reduce((sum, t) => sum + of(t), 0) / last.length
}

/** The sum of figures; undefined where one of them is not known or there is none. */
export function sum(figures: (number | null | undefined)[]): number | undefined {
  let total = 0
  for (const f of figures) {
    if (f === null || f === undefined) return undefined
    total += f
  }
  return figures.length === 0 ? undefined : total
}

/** The worst of the tables' freshness, quantile by quantile: quantiles do not add up. */
export function worst(all: (Quantiles | null | undefined)[]): Quantiles | undefined {
  const known = all.filter((q): q is Quantiles => !!q && q.count > 0)
  if (known.length === 0) return undefined
  const max = (of: (q: Quantiles) => number): number => Math.max(...known.map(of))
  return { count: known.reduce((n, q) => n + q.count, 0), p50: max((q) => q.p50), p95: max((q) => q.p95), p99: max((q) => q.p99) }
}

/** The last quantiles of some ticks that were measured, the worst of each. */
export function recentQueries(ticks: Tick[], n: number): Quantiles | undefined {
  return worst(ticks.slice(-n).map((t) => t.queries))
}

export interface Covered {
  rows: number
  source: number
  share: number
}

/** The rows of the index against those of Postgres over all tables; undefined where either is not known of one. */
export function coverage(tables: TableStatus[]): Covered | undefined {
  const rows = sum(tables.map((t) => t.rows))
  const source = sum(tables.map((t) => t.sourceRows))
  if (rows === undefined || source === undefined) return undefined
  return { rows, source, share: source === 0 ? 1 : Math.min(1, rows / source) }
}

/** Dead letters by reason, the most first. */
export function deadLetters(status: Status | undefined): [string, number][] {
  const all = Object.entries(status?.deadLetters.byReason ?? {})
  return all.sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))
}

/** Why the index is not compared with Postgres, or not all of it; empty: it is. */
export function uncovered(s: Status | undefined): string {
  if (!s) return ''
  const { postgres } = s.sources
  if (postgres === null) return 'Set postgres.url in userConfig to compare the index with Postgres.'
  if (postgres.error) return postgres.error
  const known = (s.tables ?? []).every((t) => t.sourceRows !== null)
  return known ? '' : "What Postgres holds is being counted, or could not be: then the gateway's log says why."
}
