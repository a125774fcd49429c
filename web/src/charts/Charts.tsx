import { createMemo, type JSX } from 'solid-js'
import { count, duration } from '../format'
import { now, status, ticks } from '../live/live'
import { Chart } from './Chart'
import { outcomeCurve, quantileCurves, tableCurve } from './palette'
import { backlogs, outcomesOf, quantiles, stacked, tablesOf } from './series'

/** The four curves of the last five minutes. */
export function Charts(): JSX.Element {
  const end = createMemo(() => Math.round((ticks().at(-1)?.time ?? now()) / 1_000))
  const outcomes = createMemo(() => outcomesOf(ticks()), [], { equals: (a, b) => a.join() === b.join() })
  const tables = createMemo(() => tablesOf(ticks()), [], { equals: (a, b) => a.join() === b.join() })
  const known = (otherwise: string): string => (status() ? otherwise : '')
  const events = (otherwise: string): string => status()?.sources.events.error || known(otherwise)
  return (
    <div class="charts">
      <Chart
        title="Changes" note="per second, by outcome" stacked now={end()} format={count}
        curves={outcomes().map(outcomeCurve)} data={stacked(ticks(), outcomes())}
        empty={events('No change in the last five minutes.')}
      />
      <Chart
        title="Commit to searchable" now={end()} format={duration}
        curves={quantileCurves} data={quantiles(ticks(), (t) => t.freshnessMs)}
        empty={events('Nothing became searchable in the last five minutes.')}
      />
      <Chart
        title="Backlog" note="messages" stepped now={end()} format={count}
        curves={tables().map(tableCurve)} data={backlogs(ticks(), tables())}
        empty={status()?.sources.admin.error || known('Nothing waits.')}
      />
      <Chart
        title="Searches" note="time to answer" now={end()} format={duration}
        curves={quantileCurves} data={quantiles(ticks(), (t) => t.queries)}
        empty={known('Nobody searched in the last five minutes.')}
      />
    </div>
  )
}
