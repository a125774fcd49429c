import { Show, type JSX } from 'solid-js'
import { hello, link, stale, status } from '../live/live'
import { changeToken } from '../search/walk'
import { choice, dark, nextTheme } from '../theme'
import { token } from '../token'

export function Header(): JSX.Element {
  const state = (): string => (stale() ? 'unknown' : (status()?.state ?? 'unknown'))
  const connected = (): string => {
    const kind = link().kind
    if (kind === 'open') return stale() ? 'stale' : 'live'
    return kind === 'connecting' ? 'connecting' : 'not connected'
  }
  return (
    <header class="top">
      <a class="skip" href="#q">To the search</a>
      <h1>rowvec</h1>
      <span class="function">{hello()?.function ?? ''}</span>
      <span class={`pill ${state()}`} data-testid="state">{stale() ? 'state not known' : state()}</span>
      <span class="space" />
      <span class="link" classList={{ on: !stale() && link().kind === 'open' }} data-testid="link">{connected()}</span>
      <Show when={hello()}>{(h) => <span class="version" title="version of the gateway">{h().version}</span>}</Show>
      <Show when={token() !== ''}>
        <button type="button" class="quiet" onClick={() => changeToken('')}>Forget token</button>
      </Show>
      <button type="button" class="quiet" aria-label={`Theme: ${dark() ? 'dark' : 'light'}${choice() === 'auto' ? ', as the system' : ''}`} onClick={nextTheme}>
        {dark() ? 'Light' : 'Dark'}
      </button>
    </header>
  )
}
