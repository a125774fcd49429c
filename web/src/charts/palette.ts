import type { Curve } from './series'
import { words } from '../format'

const byOutcome: Record<string, string> = {
  indexed: '--indexed',
  metadata_only: '--metadata',
  deleted: '--deleted',
  truncated: '--truncated',
  superseded: '--superseded',
  stale: '--stale',
  ignored: '--ignored',
  poison: '--poison',
}

/** The variable that holds an outcome's colour. */
export function outcomeColor(outcome: string): string {
  return byOutcome[outcome] ?? '--ignored'
}

export const outcomeCurve = (outcome: string): Curve => ({ name: words(outcome), color: outcomeColor(outcome) })

export const quantileCurves: Curve[] = [
  { name: 'p50', color: '--q50' },
  { name: 'p95', color: '--q95' },
  { name: 'p99', color: '--q99' },
]

const tableColors = ['--indexed', '--metadata', '--deleted', '--q99', '--truncated', '--superseded']

export const tableCurve = (table: string, i: number): Curve => ({ name: table, color: tableColors[i % tableColors.length] ?? '--indexed' })
