import { createSignal } from 'solid-js'
import { Api, Trouble } from '../api'
import { useToken, wantToken } from '../live/live'
import { token } from '../token'
import type { Found, Question } from '../wire'
import { rowStop, type Stop } from './stop'

const api = new Api(token)
const [stops, setStops] = createSignal<Stop[]>([])
const [busy, setBusy] = createSignal(false)
const [trouble, setTrouble] = createSignal<Trouble>()

/** The walk so far, whether the next stop is under way, and what went wrong with it. */
export { stops, busy, trouble }

let asking: AbortController | undefined

/** Goes one stop on. A new step gives up the one before. */
async function go(from: Stop[], step: (signal: AbortSignal) => Promise<Stop>): Promise<void> {
  asking?.abort()
  const mine = (asking = new AbortController())
  setBusy(true)
  setTrouble(undefined)
  try {
    const stop = await step(mine.signal)
    if (asking === mine) setStops([...from, stop])
  } catch (e) {
    if (asking !== mine) return
    if (!(e instanceof Trouble)) throw e
    if (e.status === 401) wantToken()
    setTrouble(e)
  } finally {
    if (asking === mine) setBusy(false)
  }
}

/** Begins a walk with a search. */
export function search(question: Question): Promise<void> {
  return go([], async (signal) => ({ kind: 'search', question, answer: await api.search(question, signal) }))
}

/** Begins a walk with a row. */
export function openRow(table: string, id: string): void {
  void go([], (signal) => rowStop(api, table, id, signal))
}

/** Goes on from a result to what is similar to it. */
export function similarTo(found: Found): void {
  void go(stops(), (signal) => rowStop(api, found.table, found.id, signal))
}

/** Goes back to a stop of the walk. */
export function backTo(index: number): void {
  asking?.abort()
  asking = undefined
  setBusy(false)
  setTrouble(undefined)
  setStops(stops().slice(0, index + 1))
}

/** Ends the walk: results go away. */
export function clearWalk(): void {
  backTo(-1)
}

/** Goes on with another token. What the last one found may not be for this one. */
export function changeToken(token: string): void {
  clearWalk()
  useToken(token)
}
