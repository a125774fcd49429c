import { Index, Show, type JSX } from 'solid-js'
import { ago, count } from '../format'
import { now, status } from '../live/live'
import type { Instance } from '../wire'

/** Every process of the function and how it fares. */
export function Instances(): JSX.Element {
  const none = (): string => status()?.sources.admin.error || 'No instance of the function runs. Changes wait in the topic until one does.'
  return (
    <section class="instances" aria-labelledby="instances-title">
      <header><h2 id="instances-title">Instances</h2></header>
      <Show when={(status()?.instances?.length ?? 0) > 0} fallback={<p class="empty">{status() ? none() : 'Not known yet.'}</p>}>
        <div class="scroll" role="region" aria-labelledby="instances-title" tabindex="0">
          <table>
            <thead>
              <tr><th>Instance</th><th>State</th><th class="number wide">Received</th><th class="number">Settled</th><th class="number">Dead</th><th class="number wide">Restarts</th><th class="number">Last record</th></tr>
            </thead>
            <tbody data-testid="instances"><Index each={status()?.instances}>{(i) => <Lines instance={i()} />}</Index></tbody>
          </table>
        </div>
      </Show>
    </section>
  )
}

function Lines(props: { instance: Instance }): JSX.Element {
  const i = (): Instance => props.instance
  return (
    <>
      <tr>
        <td>{i().id}</td>
        <td><span class={`pill ${i().state}`}>{i().state}</span></td>
        <td class="number wide">{count(i().received)}</td>
        <td class="number">{count(i().processed)}</td>
        <td class="number" classList={{ bad: (i().failed ?? 0) > 0 }}>{count(i().failed)}</td>
        <td class="number wide">{count(i().restarts)}</td>
        <td class="number dim">{ago(i().lastInvocation, now())}</td>
      </tr>
      <Show when={i().cause}>{(cause) => <tr class="more"><td /><td colspan="6">{cause()}</td></tr>}</Show>
      <Show when={i().lastError && i().lastError !== i().cause}>
        <tr class="more"><td /><td colspan="6"><span class="dim">Last error {ago(i().lastErrorTime, now())}:</span> {i().lastError}</td></tr>
      </Show>
    </>
  )
}
