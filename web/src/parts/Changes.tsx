import { createEffect, createSignal, For, on, Show, type JSX } from 'solid-js'
import { outcomeColor } from '../charts/palette'
import { ago, clock, count, duration, words } from '../format'
import { changes, now, status, ticks } from '../live/live'
import type { Change } from '../wire'
import { newer, rowless } from './changes'

const shownAtOnce = 60

/** The stream of recent changes. It stands still while a pointer or the focus is on it. */
export function Changes(props: { onRow: (table: string, row: string) => void }): JSX.Element {
  const [held, setHeld] = createSignal(false) // by the button
  const [over, setOver] = createSignal(false) // by the pointer or the focus
  const [shown, setShown] = createSignal<Change[]>([])
  const paused = (): boolean => held() || over()
  createEffect(on([changes, paused], ([all, still]) => {
    if (!still || all.length === 0) setShown(all.slice(0, shownAtOnce))
  }))
  const waiting = (): number => newer(changes(), shown()[0])
  const none = (): string => {
    const s = status()
    if (!s) return 'Not known yet.'
    return s.sources.events.error || 'No change yet. A row that is written in Postgres shows here when it is searchable.'
  }
  const dropped = (): number => ticks().reduce((n, t) => n + t.changesDropped, 0)
  return (
    <section class="changes" aria-labelledby="changes-title">
      <header>
        <h2 id="changes-title">
          Recent changes{' '}
          <small data-testid="paused">
            <Show when={paused()}>standing still{waiting() > 0 ? `, ${count(waiting())} more` : ''}</Show>
          </small>
        </h2>
        <Show when={dropped() > 0}>
          <small title="At more than 50 a second the gateway leaves changes out of this list. The curves count all.">{count(dropped())} not listed</small>
        </Show>
        <button type="button" aria-pressed={held()} onClick={() => setHeld(!held())}>{held() ? 'Go on' : 'Pause'}</button>
      </header>
      <Show when={changes().length > 0 && status()?.sources.events.error}>{(error) => <p class="empty" role="status">{error()}</p>}</Show>
      <Show when={changes().length > 0} fallback={<p class="empty">{none()}</p>}>
        <div
          class="scroll" role="region" aria-label="Recent changes" tabindex="0"
          onMouseEnter={() => setOver(true)} onMouseLeave={() => setOver(false)}
          onFocusIn={() => setOver(true)} onFocusOut={() => setOver(false)}
        >
          <table>
            <thead>
              <tr><th>When</th><th>Row</th><th class="wide">Table</th><th class="wide">Operation</th><th>Outcome</th><th class="number">Searchable after</th></tr>
            </thead>
            <tbody data-testid="changes">
              <For each={shown()}>{(c) => <Line change={c} onRow={props.onRow} />}</For>
            </tbody>
          </table>
        </div>
      </Show>
    </section>
  )
}

function Line(props: { change: Change; onRow: (table: string, row: string) => void }): JSX.Element {
  const c = props.change
  const made = (): string => {
    if (c.reason) return words(c.reason)
    if (c.outcome !== 'indexed') return ''
    return `${count(c.chunks ?? 0)} ${c.chunks === 1 ? 'record' : 'records'}, ${count(c.textsEmbedded ?? 0)} embedded`
  }
  return (
    <tr>
      <td class="dim" title={clock(c.time)}>{ago(c.time, now())}</td>
      <td>
        <Show when={c.row !== ''} fallback={<span class="dim">{rowless(c)}</span>}>
          <button type="button" class="row" title="Show what the index holds of it" onClick={() => props.onRow(c.table, c.row)}>{c.row}</button>
        </Show>
        <small class="narrow">{c.operation} {c.table}</small>
      </td>
      <td class="wide">{c.table}</td>
      <td class="wide">{c.operation ?? ''}</td>
      <td>
        <i class="swatch" style={{ background: `var(${outcomeColor(c.outcome)})` }} />
        {words(c.outcome)} <small class="dim">{made()}</small>
      </td>
      <td class="number">{c.freshnessMs === undefined ? '' : duration(c.freshnessMs)}</td>
    </tr>
  )
}
