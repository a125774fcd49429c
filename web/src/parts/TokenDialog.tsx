import { createEffect, createSignal, type JSX } from 'solid-js'
import { link } from '../live/live'
import { changeToken } from '../search/walk'

/** Asks for a token while the gateway wants one. */
export function TokenDialog(): JSX.Element {
  const [value, setValue] = createSignal('')
  let dialog!: HTMLDialogElement
  const wanted = (): boolean => link().kind === 'token'
  const refused = (): boolean => {
    const l = link()
    return l.kind === 'token' && l.refused
  }
  createEffect(() => {
    if (wanted() && !dialog.open) dialog.showModal()
    if (!wanted() && dialog.open) dialog.close()
  })
  const submit = (e: SubmitEvent): void => {
    e.preventDefault()
    const token = value().trim()
    setValue('')
    if (token) changeToken(token)
  }
  return (
    <dialog ref={dialog} aria-labelledby="token-title" onCancel={(e) => e.preventDefault()}>
      <form onSubmit={submit}>
        <h2 id="token-title">This gateway wants a token</h2>
        <p>It is one of <code>gateway.tokens</code> in the function's configuration. This tab keeps it until it is closed.</p>
        <label for="token">Token</label>
        <input id="token" type="password" autocomplete="off" spellcheck={false} required value={value()} onInput={(e) => setValue(e.currentTarget.value)} />
        <p role="alert" class="bad">{refused() ? 'The gateway does not know that token.' : ''}</p>
        <button type="submit" class="main">Open</button>
      </form>
    </dialog>
  )
}
