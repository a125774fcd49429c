import { createMemo, Show, type JSX } from 'solid-js'
import { ago } from '../format'
import { link, now, reconnect, stale, status, ticks, wall } from '../live/live'
import { message } from './banner'

/** Says in one sentence what is wrong, when something is. */
export function Banner(): JSX.Element {
  // What is read aloud has no countdown in it: the seconds are beside it.
  const says = createMemo(() => message(link(), status(), stale()), undefined, { equals: (a, b) => a?.title === b?.title && a?.text === b?.text })
  const age = (): string => {
    const last = ticks().at(-1)
    return last && now() - last.time >= 2_000 ? `The figures are from ${ago(last.time, now())}.` : ''
  }
  const wait = (): number => {
    const l = link()
    return l.kind === 'waiting' ? Math.max(0, Math.ceil((l.until - wall()) / 1_000)) : 0
  }
  return (
    <div class="banner-place">
      <div role="status" class="banner" classList={{ [says()?.kind ?? 'none']: true }} data-testid="banner">
        <Show when={says()}>
          {(s) => (
            <>
              <b>{s().title}</b> <span>{s().text}</span>
            </>
          )}
        </Show>
        <Show when={link().kind === 'waiting'}>
          <span aria-live="off">
            trying again {wait() === 0 ? 'now' : `in ${wait()} s`}. {age()}
          </span>
          <button type="button" onClick={reconnect}>Try now</button>
        </Show>
      </div>
    </div>
  )
}
