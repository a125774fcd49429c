import { createMemo, Show, type JSX } from 'solid-js'
import { count, duration, percent, rate, total, unknown } from '../format'
import { status, ticks } from '../live/live'
import { coverage, deadLetters, perSecond, recentQueries, settled, worst } from '../live/summary'
import type { TableStatus } from '../wire'

interface FigureProps {
  name: string
  value: string
  children: JSX.Element
  bad?: boolean
  id: string
}

function Figure(props: FigureProps): JSX.Element {
  return (
    <div class="figure" classList={{ bad: props.bad ?? false }} data-testid={props.id}>
      <dt>{props.name}</dt>
      <dd>
        <b>{props.value}</b>
        <small>{props.children}</small>
      </dd>
    </div>
  )
}

/** The state of the index in six figures. */
export function Figures(): JSX.Element {
  const tables = (): TableStatus[] => status()?.tables ?? []
  const fresh = createMemo(() => worst(tables().map((t) => t.freshnessMs)))
  const covered = createMemo(() => coverage(tables()))
  const indexed = createMemo(() => total(tables().map((t) => t.rows)))
  const settledAll = createMemo(() => ticks().reduce((n, t) => n + settled(t), 0))
  const backlog = createMemo(() => total(Object.values(ticks().at(-1)?.backlog ?? {})))
  const queries = createMemo(() => recentQueries(ticks(), 60))
  const seen = createMemo(() => deadLetters(status()).reduce((n, [, m]) => n + m, 0))
  // Without the function's events nothing is known of what it does, rather than that it does nothing.
  const watched = (): boolean => (status()?.sources.events.ok ?? false) || settledAll() > 0
  return (
    <dl class="figures">
      <Figure id="rate" name="Changes" value={watched() ? `${rate(perSecond(ticks(), 10, settled))} /s` : unknown}>
        {count(watched() ? settledAll() : undefined)} in 5 min
      </Figure>
      <Figure id="freshness" name="Searchable after, p95" value={duration(fresh()?.p95)}>
        <Show when={fresh()} fallback="nothing in the last minute">
          p50 {duration(fresh()?.p50)} · p99 {duration(fresh()?.p99)}
        </Show>
      </Figure>
      <Figure id="backlog" name="Backlog" value={backlog()}>messages waiting</Figure>
      <Figure id="coverage" name="Coverage" value={percent(covered()?.share)}>
        <Show when={covered()} fallback={status()?.sources.postgres === null ? 'postgres.url is not set' : `${indexed()} rows in the index`}>
          {(c) => <>{count(c().rows)} of {count(c().source)} rows</>}
        </Show>
      </Figure>
      <Figure id="dead" name="Dead letters" value={count(status()?.deadLetters.waiting)} bad={(status()?.deadLetters.waiting ?? 0) > 0}>
        waiting · {count(watched() ? seen() : undefined)} seen live
      </Figure>
      <Figure id="searches" name="Searches" value={`${rate(perSecond(ticks(), 10, (t) => t.queries.count))} /s`}>
        <Show when={queries()} fallback="none in the last minute">p95 {duration(queries()?.p95)}</Show>
      </Figure>
    </dl>
  )
}
