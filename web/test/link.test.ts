import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Link, quietLimit, type LinkState } from '../src/live/link'

/** An answer of the gateway: a stream that the test writes. */
class Answer {
  #control!: ReadableStreamDefaultController<Uint8Array>
  readonly body = new ReadableStream<Uint8Array>({ start: (c) => void (this.#control = c) })
  constructor(readonly headers: Headers, signal: AbortSignal) {
    signal.addEventListener('abort', () => this.#control.error(signal.reason))
  }
  say(text: string): Promise<void> {
    return this.bytes(new TextEncoder().encode(text))
  }
  async bytes(data: Uint8Array): Promise<void> {
    this.#control.enqueue(data)
    await settle()
  }
  async end(): Promise<void> {
    this.#control.close()
    await settle()
  }
}

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)

const tick = (n: number): string => `id: 1-${n}\nevent: tick\ndata: {"n":${n}}\n\n`

/** A gateway that answers as told, and a link to it. */
function rig(token = '') {
  const states: LinkState[] = []
  const events: string[] = []
  const answers: Answer[] = []
  const refusals: (Response | Error)[] = []
  const get = vi.fn((_url: RequestInfo | URL, init?: RequestInit) => {
    const refusal = refusals.shift()
    if (refusal instanceof Error) return Promise.reject(refusal)
    if (refusal) return Promise.resolve(refusal)
    const answer = new Answer(new Headers(init?.headers), init!.signal!)
    answers.push(answer)
    return Promise.resolve(new Response(answer.body))
  })
  const link = new Link({
    url: '/v1/events', token: () => token, random: () => 1, fetch: get as typeof fetch,
    onEvents: (es) => events.push(...es.map((e) => e.data)), onState: (s) => states.push(s),
  })
  return { link, states, events, answers, refusals, get, kinds: () => states.map((s) => s.kind), setToken: (t: string) => (token = t) }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('the link to the gateway', () => {
  test('is open with the first event, and hands events on', async () => {
    const r = rig()
    r.link.start()
    await settle()
    expect(r.kinds()).toEqual(['connecting'])
    await r.answers[0]!.say('retry: 1000\n\n')
    expect(r.kinds()).toEqual(['connecting'])
    await r.answers[0]!.say(tick(1) + tick(2))
    expect(r.kinds()).toEqual(['connecting', 'open'])
    expect(r.events).toEqual(['{"n":1}', '{"n":2}'])
    expect(r.answers[0]!.headers.get('Authorization')).toBeNull()
    r.link.stop()
  })

  test('reads characters that are cut in two', async () => {
    const r = rig()
    r.link.start()
    await settle()
    for (const byte of new TextEncoder().encode('data: €\n\n')) await r.answers[0]!.bytes(Uint8Array.of(byte))
    expect(r.events).toEqual(['€'])
    r.link.stop()
  })

  test('resumes after the last event, waiting longer each time', async () => {
    const r = rig()
    r.link.start()
    await settle()
    await r.answers[0]!.say(tick(41))
    r.refusals.push(new TypeError('refused'), new TypeError('refused'))
    await r.answers[0]!.end()
    expect(r.states.at(-1)).toEqual({ kind: 'waiting', until: Date.now() + 1_000, why: 'The gateway closed the stream' })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(r.states.at(-1)).toEqual({ kind: 'waiting', until: Date.now() + 2_000, why: 'The gateway does not answer' })
    await vi.advanceTimersByTimeAsync(1_999)
    expect(r.get).toHaveBeenCalledTimes(2)
    await vi.advanceTimersByTimeAsync(1)
    await vi.advanceTimersByTimeAsync(4_000)
    expect(r.answers[1]!.headers.get('Last-Event-ID')).toBe('1-41')
    await r.answers[1]!.say(tick(42))
    expect(r.kinds().at(-1)).toBe('open')
    await r.answers[1]!.end()
    expect(r.states.at(-1)).toMatchObject({ until: Date.now() + 1_000 }) // from the beginning again
    r.link.stop()
  })

  test('gives up a connection on which nothing comes', async () => {
    const r = rig()
    r.link.start()
    await settle()
    await r.answers[0]!.say(tick(1))
    await vi.advanceTimersByTimeAsync(quietLimit - 1)
    await r.answers[0]!.say(':\n\n')
    await vi.advanceTimersByTimeAsync(quietLimit - 1)
    expect(r.kinds().at(-1)).toBe('open')
    await vi.advanceTimersByTimeAsync(1)
    expect(r.states.at(-1)).toMatchObject({ kind: 'waiting', why: 'The gateway has gone quiet' })
    r.link.stop()
  })

  test('asks for a token and tells when the one sent is not known', async () => {
    const r = rig()
    r.refusals.push(new Response('', { status: 401 }), new Response('', { status: 401 }))
    r.link.start()
    await settle()
    expect(r.states.at(-1)).toEqual({ kind: 'token', refused: false })
    await vi.advanceTimersByTimeAsync(120_000)
    expect(r.get).toHaveBeenCalledTimes(1)
    r.setToken('wrong')
    r.link.start()
    await settle()
    expect(r.states.at(-1)).toEqual({ kind: 'token', refused: true })
    r.setToken('right')
    r.link.start()
    await settle()
    expect(r.answers[0]!.headers.get('Authorization')).toBe('Bearer right')
    r.link.stop()
  })

  test('waits as long as the gateway asks', async () => {
    const r = rig()
    r.refusals.push(new Response('', { status: 429, headers: { 'Retry-After': '7' } }))
    r.link.start()
    await settle()
    expect(r.states.at(-1)).toEqual({ kind: 'waiting', until: Date.now() + 7_000, why: 'This token has asked too often' })
    r.link.stop()
  })

  test.each([[404, 'This gateway has no event stream'], [429, 'This token has asked too often'], [503, 'The gateway does not answer'], [500, 'The gateway refused the stream (500)']])(
    'says what %i means', async (status, why) => {
      const r = rig()
      r.refusals.push(new Response('', { status, headers: { 'Retry-After': 'soon' } }))
      r.link.start()
      await settle()
      expect(r.states.at(-1)).toEqual({ kind: 'waiting', until: Date.now() + 1_000, why })
      r.link.stop()
    })

  test.each([
    [429, '{"detail":"this token has as many event streams as it may"}', 'The gateway refused the stream: this token has as many event streams as it may'],
    [503, '{"detail":"as many event streams are open as may be."}', 'The gateway refused the stream: as many event streams are open as may be'],
    [503, '{"title":"Service Unavailable"}', 'The gateway does not answer'], [503, '{"detail":{}}', 'The gateway does not answer'],
    [502, '<html>Bad Gateway</html>', 'The gateway does not answer'], [502, 'null', 'The gateway does not answer'],
    [404, '{"detail":"there is no such path"}', 'This gateway has no event stream'],
  ])('of %i and %s it tells what the gateway said', async (status, body, why) => {
    const r = rig()
    r.refusals.push(new Response(body, { status, headers: { 'Retry-After': '3' } }))
    r.link.start()
    await settle()
    expect(r.states.at(-1)).toEqual({ kind: 'waiting', until: Date.now() + 3_000, why })
    r.link.stop()
  })

  test('connects at once when told, and listens to one stream only', async () => {
    const r = rig()
    r.refusals.push(new TypeError('refused'))
    r.link.start()
    await settle()
    r.link.start()
    await settle()
    await r.answers[0]!.say(tick(1))
    r.link.forget()
    r.link.start()
    await settle()
    expect(r.answers[1]!.headers.get('Last-Event-ID')).toBeNull()
    await r.answers[1]!.say(tick(2))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(r.get).toHaveBeenCalledTimes(3)
    expect(r.events).toEqual(['{"n":1}', '{"n":2}'])
    r.link.stop()
  })

  test('is silent once stopped', async () => {
    const r = rig()
    r.link.start()
    await settle()
    await r.answers[0]!.say(tick(1))
    r.link.stop()
    await vi.advanceTimersByTimeAsync(120_000)
    expect(r.kinds()).toEqual(['connecting', 'open'])
    expect(vi.getTimerCount()).toBe(0)
  })
})
