import { createMemo, createRoot, createSignal } from 'solid-js'
import { setToken, token } from '../token'
import { Link, type LinkState } from './link'
import { blank, reduce } from './picture'

/** A tick older than this is told as stale, in milliseconds. */
export const staleAfter = 5_000

const [picture, setPicture] = createSignal(blank)
const [link, setLink] = createSignal<LinkState>({ kind: 'connecting' })
const [wall, setWall] = createSignal(Date.now())

export { picture, link, wall }

/** The gateway's time, as well as it is known here. */
export const now = (): number => wall() + picture().skew

/** Parts of the picture, each of which changes only with its own events. */
export const { hello, status, ticks, changes, stale } = createRoot(() => ({
  hello: createMemo(() => picture().hello),
  status: createMemo(() => picture().status),
  ticks: createMemo(() => picture().ticks, [], { equals: (a, b) => a.at(-1) === b.at(-1) && a.length === b.length }),
  changes: createMemo(() => picture().changes, [], { equals: (a, b) => a[0] === b[0] && a.length === b.length }),
  stale: createMemo(() => {
    const last = picture().ticks.at(-1)
    return link().kind !== 'open' || (last !== undefined && now() - last.time > staleAfter)
  }),
}))

const connection = new Link({
  url: '/v1/events',
  token,
  onEvents: (events) => setPicture((p) => reduce(p, events, Date.now())),
  onState: setLink,
})

/** Connects at once. */
export function reconnect(): void {
  connection.start()
}

/** Goes on with another token, from the beginning: what the last one showed may not be for this one. */
export function useToken(value: string): void {
  setToken(value)
  connection.forget()
  setPicture(blank)
  connection.start()
}

/** Another request than the stream's was refused for want of a token. */
export function wantToken(): void {
  connection.stop()
  setLink({ kind: 'token', refused: token() !== '' })
}

/** Starts the stream and the page's clock. */
export function startLive(): void {
  setInterval(() => setWall(Date.now()), 1_000)
  const impatient = (): void => {
    if (link().kind === 'waiting') reconnect()
  }
  addEventListener('online', impatient)
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') impatient()
  })
  connection.start()
}
