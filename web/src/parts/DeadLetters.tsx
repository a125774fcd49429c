import { createMemo, Index, Show, type JSX } from 'solid-js'
import { count, words } from '../format'
import { status } from '../live/live'
import { deadLetters } from '../live/summary'

/** Why records were given up, since the gateway's start. */
export function DeadLetters(): JSX.Element {
  const reasons = createMemo(() => deadLetters(status()))
  const most = (): number => reasons()[0]?.[1] ?? 1
  const waiting = (): number => status()?.deadLetters.waiting ?? 0
  const none = (): string => {
    const s = status()
    if (!s) return 'Not known yet.'
    if (waiting() > 0) return `None since. ${count(waiting())} from before wait in the dead-letter topic.`
    return s.sources.events.error || 'None.'
  }
  return (
    <section class="dead" aria-labelledby="dead-title">
      <header><h2 id="dead-title">Dead letters <small>by reason, since the gateway's start</small></h2></header>
      <Show
        when={reasons().length > 0}
        fallback={<p class="empty">{none()}</p>}
      >
        <ul data-testid="reasons">
          <Index each={reasons()}>
            {(r) => (
              <li>
                <span>{words(r()[0])}</span>
                <span class="bar"><i style={{ width: `${(100 * r()[1]) / most()}%` }} /></span>
                <b>{count(r()[1])}</b>
              </li>
            )}
          </Index>
        </ul>
      </Show>
    </section>
  )
}
