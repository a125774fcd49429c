// What the gateway sends: the Go types of gateway/monitor/wire.go and gateway/answers.go. Times are milliseconds since 1970, durations
// milliseconds. The words of Outcome, Operation and State are an open set: what is not known here is shown as it is.

export type Outcome = string
export type State = 'running' | 'retrying' | 'halted' | 'away' | 'unknown'

export interface Hello {
  version: string
  now: number
  function: string
  tables: { table: string; entity?: string }[]
  historySeconds: number
  authenticated: boolean
}

export interface Quantiles {
  count: number
  p50: number
  p95: number
  p99: number
}

export interface Tick {
  time: number
  outcomes: Record<Outcome, number>
  deadLetters?: Record<string, number>
  freshnessMs: Quantiles | null
  backlog: Record<string, number | null>
  queries: Quantiles & { errors: number }
  changesDropped: number
  state: State
  clients: number
}

export interface Change {
  time: number
  table: string
  row: string
  operation?: string
  outcome: Outcome
  reason?: string
  freshnessMs?: number
  chunks?: number
  textsEmbedded?: number
  lsn?: string
  instance: number
}

export interface TableStatus {
  table: string
  collection: string
  entity?: string
  records: number | null
  rows: number | null
  sourceRows: number | null
  coverage: number | null
  backlog: number | null
  freshnessMs: Quantiles | null
  lastChange: number | null
  deadLetters: Record<string, number> | null
}

export interface Instance {
  id: number
  running: boolean
  state: State
  cause?: string
  received?: number // absent, as the next two, for a token that does not see all tables
  processed?: number
  failed?: number
  restarts: number
  lastError?: string
  lastErrorTime?: number
  lastInvocation?: number
}

export interface Health {
  ok: boolean
  error?: string
}

export interface Status {
  now: number
  version: string
  function: { tenant: string; namespace: string; name: string }
  state: State
  cause?: string
  tables: TableStatus[] | null
  instances: Instance[] | null
  deadLetters: { waiting: number | null; byReason: Record<string, number> | null }
  sources: { events: Health; admin: Health; chroma: Health; postgres: Health | null }
}

export interface KeyColumn {
  column?: string
  value: string | null
}

export interface Chunk {
  index: number
  count: number
  start: number
  end: number
}

export interface Found {
  id: string
  table: string
  key?: KeyColumn[]
  score: number
  distance: number
  text: string
  snippet: string
  chunk: Chunk
  metadata: Record<string, unknown> | null
}

export interface Answer {
  table?: string
  collection: string
  query: string
  tookMs: { embed: number; index: number; total: number; cached: boolean }
  partial: boolean
  rows: Found[]
}

export interface Neighbours {
  table: string
  id: string
  partial: boolean
  rows: Found[]
}

export interface Row {
  table: string
  id: string
  key?: KeyColumn[]
  text: string
  metadata: Record<string, unknown> | null
  version?: { lsn: string; commitTime?: string }
  chunks: Chunk[]
}

/** The body of POST /v1/search. */
export interface Question {
  table?: string
  collection?: string
  query: string
  topK?: number
  where?: Record<string, unknown>
  contains?: string
  minScore?: number
  groupByRow?: boolean
}
