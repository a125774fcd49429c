import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Change, Status, Tick } from '../src/wire'
import * as world from './world'

const page = fileURLToPath(new URL('../../gateway/page/', import.meta.url))
const types: Record<string, string> = { js: 'text/javascript', css: 'text/css', html: 'text/html; charset=utf-8', svg: 'image/svg+xml' }

/** A gateway that a test plays: it serves the built page under its real policy, and says what the test wants. */
export class Mock {
  status: Status = world.status()
  token = '' // what it asks for; empty: nothing
  rows = world.founds()
  next: Tick | undefined // the coming tick, instead of one like those before
  tickEvery = 1_000 // ms; 0: it says nothing any more
  questions: unknown[] = []
  refuse: { status: number; body: object } | undefined // of the next search
  refuseSimilar: { status: number; body: object } | undefined
  resumedAfter: string[] = []
  #server: Server | undefined
  #port = 0
  #listeners = new Set<ServerResponse>()
  #ticks: Tick[] = []
  #changes: Change[] = world.someChanges()
  #sequence = 0
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(quiet = false) {
    const now = Date.now()
    if (quiet) this.#changes = []
    else this.#ticks = Array.from({ length: 300 }, (_, i) => world.tick(i, now - (300 - i) * 1_000))
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`
  }

  /** Listens, on the same port as before. */
  async start(): Promise<void> {
    this.#server = createServer((q, a) => void this.#answer(q, a).catch(() => a.destroy()))
    await new Promise<void>((ok) => this.#server!.listen(this.#port, '127.0.0.1', ok))
    this.#port = (this.#server.address() as AddressInfo).port
    let last = Date.now()
    this.#timer = setInterval(() => {
      if (this.tickEvery === 0 || Date.now() - last < this.tickEvery) return
      last = Date.now()
      this.tick()
    }, 50)
  }

  /** Goes away: open connections break. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    const closed = new Promise((ok) => this.#server!.close(ok))
    this.#server!.closeAllConnections()
    await closed
  }

  tick(): void {
    const t = this.next ?? (this.#ticks.length > 0 ? world.tick(this.#ticks.length + this.#sequence, Date.now()) : undefined)
    const calm: Tick = {
      time: Date.now(), outcomes: {}, freshnessMs: null, backlog: {}, queries: { count: 0, errors: 0, p50: 0, p95: 0, p99: 0 },
      changesDropped: 0, state: this.status.state, clients: this.#listeners.size,
    }
    this.next = undefined
    this.send('tick', { ...calm, ...t, time: Date.now() })
  }

  change(c: Change): void {
    this.#changes.push(c)
    this.send('change', c)
  }

  tell(status: Status): void {
    this.status = status
    this.send('status', status)
  }

  send(event: string, body: object): void {
    this.#sequence++
    for (const l of this.#listeners) l.write(`id: 1-${this.#sequence}\n${frame(event, body)}`)
  }

  async #answer(q: IncomingMessage, a: ServerResponse): Promise<void> {
    const url = new URL(q.url ?? '/', this.url)
    if (!url.pathname.startsWith('/v1/')) return file(url.pathname, a)
    if (this.token && q.headers.authorization !== `Bearer ${this.token}`) return json(a, { title: 'Unauthorized', status: 401 }, 401)
    if (url.pathname === '/v1/events') return this.#stream(q, a)
    if (url.pathname === '/v1/search') return this.#search(q, a)
    const near = /^\/v1\/tables\/([^/]+)\/rows\/([^/]+)(\/similar)?$/.exec(url.pathname)
    if (!near) return json(a, { title: 'Not Found', status: 404, detail: 'there is no such path' }, 404)
    const [table, id] = [decodeURIComponent(near[1]!), decodeURIComponent(near[2]!)]
    const row = this.rows.find((r) => r.id === id)
    if (!row) return json(a, { title: 'Not Found', status: 404, detail: `the index holds no row ${id} of ${table}` }, 404)
    if (near[3] && this.refuseSimilar) return json(a, this.refuseSimilar.body, this.refuseSimilar.status)
    if (near[3]) return json(a, { table, id, partial: false, rows: this.rows.filter((r) => r.id !== id) })
    const chunks = Array.from({ length: row.chunk.count }, (_, i) => ({ index: i, count: row.chunk.count, start: i * 480, end: (i + 1) * 480 }))
    json(a, { table, id, key: row.key, text: row.text, metadata: row.metadata, version: { lsn: '24023128', commitTime: '2026-11-03T09:20:00Z' }, chunks })
  }

  #stream(q: IncomingMessage, a: ServerResponse): void {
    a.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    const last = q.headers['last-event-id']
    if (typeof last === 'string') this.resumedAfter.push(last)
    a.write('retry: 1000\n\n' + frame('hello', { ...world.hello(), authenticated: this.token !== '' }))
    if (typeof last !== 'string') {
      a.write(frame('history', { ticks: this.#ticks }))
      for (const c of this.#changes) a.write(frame('change', c))
    }
    a.write(frame('status', this.status))
    this.#listeners.add(a)
    q.on('close', () => this.#listeners.delete(a))
  }

  async #search(q: IncomingMessage, a: ServerResponse): Promise<void> {
    let body = ''
    for await (const piece of q) body += String(piece)
    const question = JSON.parse(body) as { query: string; table?: string; minScore?: number }
    this.questions.push(question)
    const refuse = this.refuse
    this.refuse = undefined
    if (refuse) return json(a, refuse.body, refuse.status)
    const rows = this.rows.filter((r) => r.score >= (question.minScore ?? 0))
    json(a, {
      table: question.table, collection: 'articles', query: question.query, tookMs: { embed: 18.2, index: 6.4, total: 25.1, cached: false }, partial: false, rows,
    })
  }
}

const frame = (event: string, body: object): string => `event: ${event}\ndata: ${JSON.stringify(body)}\n\n`

function json(a: ServerResponse, body: object, status = 200): void {
  a.writeHead(status, { 'Content-Type': status === 200 ? 'application/json' : 'application/problem+json' })
  a.end(JSON.stringify(body))
}

async function file(path: string, a: ServerResponse): Promise<void> {
  const name = path === '/' ? '/index.html' : path
  const policy = (await readFile(`${page}policy.txt`, 'utf8')).trim()
  try {
    const data = await readFile(`${page}dist${name}`)
    a.writeHead(200, { 'Content-Type': types[name.split('.').pop() ?? ''] ?? 'text/plain', 'Content-Security-Policy': policy })
    a.end(data)
  } catch {
    json(a, { title: 'Not Found', status: 404 }, 404)
  }
}
