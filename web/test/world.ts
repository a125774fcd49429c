import type { Change, Status, Tick } from '../src/wire'
import type { ServerEvent } from '../src/live/sse'

export const event = (name: string, body: unknown, id = ''): ServerEvent => ({ event: name, data: JSON.stringify(body), id })

export const tick = (time: number, over: Partial<Tick> = {}): Tick => ({
  time, outcomes: {}, freshnessMs: null, backlog: {}, queries: { count: 0, errors: 0, p50: 0, p95: 0, p99: 0 }, changesDropped: 0,
  state: 'running', clients: 1, ...over,
})

export const change = (row: string): Change => ({ time: 1, table: 'app.articles', row, outcome: 'indexed', instance: 0 })

export const status = (over: Partial<Status> = {}): Status => ({
  now: 1, version: 'v1', function: { tenant: 'public', namespace: 'default', name: 'f' }, state: 'running', tables: [], instances: [],
  deadLetters: { waiting: 0, byReason: {} }, sources: { events: { ok: true }, admin: { ok: true }, chroma: { ok: true }, postgres: null }, ...over,
})
