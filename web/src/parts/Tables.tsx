import { Index, Show, type JSX } from 'solid-js'
import { ago, count, duration, percent } from '../format'
import { now, status } from '../live/live'
import { uncovered } from '../live/summary'
import type { TableStatus } from '../wire'

/** Every table: what the index holds of it, against what Postgres holds. */
export function Tables(): JSX.Element {
  return (
    <section class="tables" aria-labelledby="tables-title">
      <header><h2 id="tables-title">Tables</h2></header>
      <Show when={status()} fallback={<p class="empty">Not known yet.</p>}>
        <div class="scroll" role="region" aria-labelledby="tables-title" tabindex="0">
          <table>
            <thead>
              <tr>
                <th>Table</th><th>Coverage</th><th class="number">In the index</th><th class="number wide">In Postgres</th>
                <th class="number">Backlog</th><th class="number wide">p95</th><th class="number">Dead</th><th class="number wide">Last change</th>
              </tr>
            </thead>
            <tbody data-testid="tables"><Index each={status()?.tables}>{(t) => <Line table={t()} />}</Index></tbody>
          </table>
        </div>
        <Show when={uncovered(status())}>{(why) => <p class="hint">{why()}</p>}</Show>
        <Show when={status()?.sources.chroma.error}>{(e) => <p class="hint bad">{e()}</p>}</Show>
      </Show>
    </section>
  )
}

function Line(props: { table: TableStatus }): JSX.Element {
  const t = (): TableStatus => props.table
  const dead = (): number => Object.values(t().deadLetters ?? {}).reduce((a, b) => a + b, 0)
  return (
    <tr>
      <td>
        <b>{t().table}</b> <small class="dim" title="collection">{t().collection}</small>
      </td>
      <td class="coverage">
        <Show when={t().coverage !== null} fallback={<span class="dim">not known</span>}>
          <meter min="0" max="1" value={t().coverage ?? 0} aria-label={`coverage of ${t().table}`} /> {percent(t().coverage)}
        </Show>
      </td>
      <td class="number" title={`${count(t().records)} records`}>{count(t().rows ?? t().records)}{t().rows === null && t().records !== null ? ' rec.' : ''}</td>
      <td class="number wide">{count(t().sourceRows)}</td>
      <td class="number">{count(t().backlog)}</td>
      <td class="number wide">{duration(t().freshnessMs?.p95)}</td>
      <td class="number" classList={{ bad: dead() > 0 }}>{count(dead())}</td>
      <td class="number dim wide">{ago(t().lastChange, now())}</td>
    </tr>
  )
}
