import { createMemo, For, Show, type JSX } from 'solid-js'
import { count, words } from '../format'
import { status } from '../live/live'
import { deadLetters } from '../live/summary'

/** Why records were given up, since the gateway's start. */
export function DeadLetters(): JSX.Element {
  const reasons = createMemo(() => deadLetters(status()))
  const most = (): number => reasons()[0]?.[1] ?? 1
  const waiting = (): number => status()?.deadLetters.waiting ?? 0
  return (
    <section class="dead" aria-labelledby="dead-title">
      <header><h2 id="dead-title">Dead letters <small>by reason, since the gateway's start</small></h2></header>
      <Show
        when={reasons().length > 0}
        fallback={<p class="empty">{waiting() > 0 ? `None since. ${count(waiting())} from before wait in the dead-letter topic.` : 'None.'}</p>}
      >
        <ul data-testid="reasons">
          <For each={reasons()}>
            {([reason, n]) => (
              <li>
                <span>{words(reason)}</span>
                <span class="bar"><i style={{ width: `${(100 * n) / most()}%` }} /></span>
                <b>{count(n)}</b>
              </li>
            )}
          </For>
        </ul>
      </Show>
    </section>
  )
}
