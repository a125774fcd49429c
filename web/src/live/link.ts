import { problem } from '../api'
import { Backoff } from './backoff'
import { Parser, type ServerEvent } from './sse'

/** How the page stands with the gateway. */
export type LinkState =
  | { kind: 'connecting' }
  | { kind: 'open' }
  | { kind: 'waiting'; until: number; why: string } // until: Date.now() of the next attempt
  | { kind: 'token'; refused: boolean } // a token is wanted; refused: the one sent is not known

export interface LinkOptions {
  url: string
  token: () => string
  /** The events of one piece of the stream, in order. */
  onEvents: (events: ServerEvent[]) => void
  onState: (state: LinkState) => void
  fetch?: typeof fetch
  random?: () => number
}

/** The stream has a tick each second: this long without one, the connection is dead though nobody closed it. */
export const quietLimit = 10_000

/** Holds the event stream open: reads it, resumes it after the last event, and waits longer and longer while nobody answers. */
export class Link {
  #options: LinkOptions
  #backoff: Backoff
  #lastId = ''
  #retry: number | undefined
  #abort: AbortController | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(options: LinkOptions) {
    this.#options = options
    this.#backoff = new Backoff(options.random)
  }

  /** Connects now, whatever went on before: at the start, with another token, or because somebody does not want to wait. */
  start(): void {
    this.#options.onState({ kind: 'connecting' })
    this.#again()
  }

  /** Tries again. Whoever watches still sees why the last attempt failed, until this one has an end. */
  #again(): void {
    this.stop()
    void this.#run()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#abort?.abort()
    this.#abort = undefined
  }

  /** Forgets the place in the stream: another token sees other events. */
  forget(): void {
    this.#lastId = ''
  }

  async #run(): Promise<void> {
    const abort = new AbortController()
    this.#abort = abort
    let wait: Wait | undefined
    try {
      wait = await this.#attempt(abort)
    } catch {
      wait = { why: abort.signal.reason === quiet ? 'The gateway has gone quiet' : 'The gateway does not answer' }
    }
    if (this.#abort !== abort || !wait) return
    this.#abort = undefined
    const ms = this.#backoff.next(this.#retry, wait.atLeast)
    this.#options.onState({ kind: 'waiting', until: Date.now() + ms, why: wait.why })
    this.#timer = setTimeout(() => this.#again(), ms)
  }

  /** One connection. Returns why to try again, or undefined where that is for somebody else to say. */
  async #attempt(abort: AbortController): Promise<Wait | undefined> {
    const token = this.#options.token()
    const headers: Record<string, string> = { Accept: 'text/event-stream' }
    if (token) headers['Authorization'] = `Bearer ${token}`
    if (this.#lastId) headers['Last-Event-ID'] = this.#lastId
    const watch = new Watchdog(abort)
    try {
      const get = this.#options.fetch ?? fetch
      const response = await get(this.#options.url, { headers, signal: abort.signal, cache: 'no-store' })
      if (response.status === 401) {
        if (this.#abort === abort) this.#options.onState({ kind: 'token', refused: token !== '' })
        return undefined
      }
      if (!response.ok || !response.body) return await refusal(response)
      await this.#read(response.body, abort, watch)
      return { why: 'The gateway closed the stream' }
    } finally {
      watch.stop()
    }
  }

  async #read(body: ReadableStream<Uint8Array>, abort: AbortController, watch: Watchdog): Promise<void> {
    const parser = new Parser(this.#lastId)
    const decoder = new TextDecoder()
    const reader = body.getReader()
    for (let heard = false; ; ) {
      const { done, value } = await reader.read()
      if (done || this.#abort !== abort) return
      watch.feed()
      const events = parser.push(decoder.decode(value, { stream: true }))
      this.#lastId = parser.lastId
      this.#retry = parser.retry
      if (events.length === 0) continue
      if (!heard) {
        heard = true
        this.#backoff.reset()
        this.#options.onState({ kind: 'open' })
      }
      this.#options.onEvents(events)
    }
  }
}

interface Wait {
  why: string
  atLeast?: number
}

const quiet = 'quiet'

/** Ends a connection on which nothing came for quietLimit. */
class Watchdog {
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly abort: AbortController) {
    this.feed()
  }

  feed(): void {
    this.stop()
    this.#timer = setTimeout(() => this.abort.abort(quiet), quietLimit)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}

async function refusal(response: Response): Promise<Wait> {
  const seconds = Number(response.headers.get('Retry-After') ?? '0')
  return { why: await reason(response), atLeast: Number.isFinite(seconds) ? seconds * 1_000 : 0 }
}

/** Why there is no stream, in the gateway's own words where it has some: what stands before it has none. */
async function reason(response: Response): Promise<string> {
  if (response.status === 404) return 'This gateway has no event stream'
  const { detail } = await problem(response)
  if (typeof detail === 'string' && detail !== '') return `The gateway refused the stream: ${detail.replace(/\.$/, '')}`
  switch (response.status) {
    case 429:
      return 'This token has asked too often'
    case 502:
    case 503:
    case 504:
      return 'The gateway does not answer'
    default:
      return `The gateway refused the stream (${response.status})`
  }
}
