import { createSignal, For, Show, type JSX } from 'solid-js'
import { told } from '../api'
import { count, duration, value } from '../format'
import type { Chunk, Found, Row } from '../wire'
import { beginning, parts } from './mark'
import type { Stop } from './stop'
import { backTo, similarTo, stops } from './walk'

const title = (stop: Stop): string => (stop.kind === 'search' ? `“${stop.question.query}”` : `similar to ${stop.id}`)

const rowsOf = (stop: Stop): Found[] => (stop.kind === 'search' ? stop.answer.rows : (stop.near?.rows ?? []))

export function Results(props: { stop: Stop }): JSX.Element {
  const rows = rowsOf(props.stop)
  const contains = props.stop.kind === 'search' ? (props.stop.question.contains ?? '') : ''
  const top = Math.max(...rows.map((r) => r.score), Number.MIN_VALUE)
  const partial = props.stop.kind === 'search' ? props.stop.answer.partial : props.stop.near?.partial
  return (
    <>
      <Path />
      <p class="took" role="status" data-testid="took">{took(props.stop)}</p>
      <Show when={props.stop.kind === 'row' && props.stop.row}>{(row) => <Stored row={row()} />}</Show>
      <Show when={props.stop.kind === 'row' && props.stop.trouble}>{(t) => <p class="trouble" role="alert">{told(t())}</p>}</Show>
      <ol class="results" data-testid="results">
        <For each={rows}>{(f) => <Hit found={f} share={f.score / top} contains={contains} />}</For>
      </ol>
      <Show when={partial}><p class="hint">There may be more: so few records match the filter that the search gave up.</p></Show>
    </>
  )
}

/** How this place was come to; every earlier stop is a way back. */
function Path(): JSX.Element {
  return (
    <nav class="path" aria-label="Way here">
      <For each={stops()}>
        {(stop, i) => (
          <Show when={i() < stops().length - 1} fallback={<span aria-current="page">{title(stop)}</span>}>
            <button type="button" class="quiet" onClick={() => backTo(i())}>{title(stop)}</button> <i aria-hidden="true">›</i>
          </Show>
        )}
      </For>
    </nav>
  )
}

function took(stop: Stop): string {
  if (stop.kind === 'row' && !stop.near) return `The row alone, in ${duration(stop.took)}`
  const n = rowsOf(stop).length
  const rows = n === 0 ? 'Nothing found' : `${count(n)} ${n === 1 ? 'row' : 'rows'}`
  if (stop.kind === 'row') return `${rows} in ${duration(stop.took)}`
  const t = stop.answer.tookMs
  const embed = t.cached ? 'question known' : `embed ${duration(t.embed)}`
  return `${rows} in ${duration(t.total)} · ${embed} · index ${duration(t.index)}`
}

function Hit(props: { found: Found; share: number; contains: string }): JSX.Element {
  const f = props.found
  const [whole, setWhole] = createSignal(false)
  const cut = f.snippet !== f.text
  const text = (): string => (whole() ? f.text : f.snippet)
  return (
    <li class="hit">
      <div class="head">
        <Id of={f} />
        <Show when={f.chunk.count > 1}><small class="dim">{place(f.chunk)}</small></Show>
        <span class="score" title={`distance ${f.distance}`}>
          <span class="bar"><i style={{ width: `${Math.max(0, Math.min(1, props.share)) * 100}%` }} /></span>
          {f.score.toFixed(3)}
        </span>
      </div>
      <p class="text" classList={{ whole: whole() }}>
        <For each={parts(text(), props.contains)}>{(p) => <Show when={p.marked} fallback={p.text}><mark>{p.text}</mark></Show>}</For>
      </p>
      <Metadata of={f.metadata} />
      <div class="acts">
        <button type="button" class="quiet" onClick={() => similarTo(f)} aria-label={`Similar to ${f.id}`}>Similar to this</button>
        <Show when={cut}>
          <button type="button" class="quiet" aria-expanded={whole()} onClick={() => setWhole(!whole())}>{whole() ? 'Less' : 'Whole text'}</button>
        </Show>
      </div>
    </li>
  )
}

function Id(props: { of: Found | Row }): JSX.Element {
  const key = (): string => (props.of.key ?? []).map((k) => `${k.column ? `${k.column} = ` : ''}${k.value ?? 'null'}`).join(', ')
  return (
    <span class="id" title={key()}>
      {props.of.id} <small class="dim">{props.of.table}</small>
    </span>
  )
}

const place = (c: Chunk): string => `chunk ${c.index + 1} of ${c.count}, bytes ${count(c.start)}–${count(c.end)}`

function Metadata(props: { of: Record<string, unknown> | null }): JSX.Element {
  const entries = (): [string, unknown][] => Object.entries(props.of ?? {})
  return (
    <Show when={entries().length > 0}>
      <dl class="metadata">
        <For each={entries()}>
          {([k, v]) => (
            <div>
              <dt>{k}</dt>
              <dd>{value(v)}</dd>
            </div>
          )}
        </For>
      </dl>
    </Show>
  )
}

/** The row that the walk stands at. */
function Stored(props: { row: Row }): JSX.Element {
  const r = props.row
  const [whole, setWhole] = createSignal(false)
  return (
    <article class="stored" data-testid="stored">
      <div class="head">
        <Id of={r} />
        <Show when={r.chunks.length > 1}><small class="dim">{r.chunks.length} chunks</small></Show>
        <Show when={r.version?.commitTime}>
          {(t) => <small class="dim" title={`position ${r.version?.lsn ?? ''} in the write-ahead log`}>committed {new Date(t()).toLocaleString('en-GB')}</small>}
        </Show>
      </div>
      <p class="text" classList={{ whole: whole() }}>{whole() ? r.text : beginning(r.text)}</p>
      <Metadata of={r.metadata} />
      <Show when={beginning(r.text) !== r.text}>
        <div class="acts">
          <button type="button" class="quiet" aria-expanded={whole()} onClick={() => setWhole(!whole())}>{whole() ? 'Less' : 'Whole text'}</button>
        </div>
      </Show>
    </article>
  )
}
