import type { Change, Found, Hello, Instance, Status, TableStatus, Tick } from '../src/wire'

// What the played gateway tells: a shop's index, as it could be.

export const articles = 'app.articles'
export const reviews = 'app.reviews'

export const hello = (): Hello => ({
  version: 'v0.5.0', now: Date.now(), function: 'public/default/rowvec-articles',
  tables: [{ table: articles, entity: 'article' }, { table: reviews }], historySeconds: 300, authenticated: false,
})

/** A wave that looks like work, between 0 and 1, the same in every run. */
function wave(i: number, period: number): number {
  return 0.5 + 0.35 * Math.sin((i * 2 * Math.PI) / period) + 0.15 * Math.sin(i * 12.9898)
}

/** The tick of a second; i counts up to the last second of the history. */
export function tick(i: number, time: number): Tick {
  const load = wave(i, 110)
  const burst = i > 170 && i < 200 ? 4 : 1
  const p50 = 140 + 90 * load * burst
  return {
    time,
    outcomes: {
      indexed: Math.round(60 * load * burst), metadata_only: Math.round(22 * wave(i, 47)), deleted: Math.round(7 * wave(i, 31)),
      superseded: burst > 1 ? 12 : 0, ignored: i % 9 === 0 ? 2 : 0, poison: i % 83 === 0 ? 1 : 0,
    },
    freshnessMs: { count: 60, p50, p95: p50 * 2.1, p99: p50 * (2.8 + wave(i, 13)) },
    backlog: { [articles]: Math.round(burst > 1 ? (i - 168) * 40 : Math.max(0, (i > 199 ? 230 - i : 0) * 40)), [reviews]: Math.round(6 * wave(i, 70)) },
    queries: { count: 4, errors: 0, p50: 14 + 3 * load, p95: 24 + 8 * load, p99: 31 + 14 * wave(i, 17) },
    changesDropped: 0, state: 'running', clients: 1,
  }
}

export function change(row: string, over: Partial<Change> = {}): Change {
  return {
    time: Date.now(), table: articles, row, operation: 'update', outcome: 'indexed', freshnessMs: 212, chunks: 3, textsEmbedded: 1,
    lsn: '24023128', instance: 0, ...over,
  }
}

export function someChanges(): Change[] {
  const kinds: Partial<Change>[] = [
    {}, { operation: 'insert', chunks: 1, freshnessMs: 187 }, { outcome: 'metadata_only', freshnessMs: 96, textsEmbedded: 0 },
    { operation: 'delete', outcome: 'deleted', freshnessMs: 74, chunks: 0 }, { table: reviews, operation: 'insert', chunks: 1, freshnessMs: 301 },
    { outcome: 'poison', reason: 'text_too_long', freshnessMs: undefined, textsEmbedded: 0 }, { outcome: 'superseded', freshnessMs: undefined },
  ]
  return Array.from({ length: 40 }, (_, i) => change(String(48_210 + i), { ...kinds[i % kinds.length], time: Date.now() - (40 - i) * 1_400 }))
}

export function table(name: string, over: Partial<TableStatus> = {}): TableStatus {
  return {
    table: name, collection: name.split('.')[1] ?? name, records: 151_340, rows: 48_112, sourceRows: 48_120, coverage: 48_112 / 48_120, backlog: 0,
    freshnessMs: { count: 3_000, p50: 184, p95: 402, p99: 611 }, lastChange: Date.now() - 800, deadLetters: { text_too_long: 3, unknown_column: 1 }, ...over,
  }
}

export const instance = (id: number, over: Partial<Instance> = {}): Instance => ({
  id, running: true, state: 'running', received: 1_204_551 + id, processed: 1_204_547 + id, failed: id === 0 ? 4 : 0, restarts: id,
  lastInvocation: Date.now() - 700, ...over,
})

export function status(over: Partial<Status> = {}): Status {
  const few = { count: 40, p50: 120, p95: 260, p99: 300 }
  return {
    now: Date.now(), version: 'v0.5.0', function: { tenant: 'public', namespace: 'default', name: 'rowvec-articles' }, state: 'running',
    tables: [
      table(articles),
      table(reviews, { records: 9_400, rows: 9_400, sourceRows: 9_400, coverage: 1, backlog: 4, freshnessMs: few, deadLetters: {}, lastChange: Date.now() - 9_000 }),
    ],
    instances: [
      instance(0),
      instance(1, { lastError: 'embed 64 texts: the endpoint answered 429, waiting 2 s as it asked', lastErrorTime: Date.now() - 190_000 }),
    ],
    deadLetters: { waiting: 4, byReason: { text_too_long: 3, unknown_column: 1 } },
    sources: { events: { ok: true }, admin: { ok: true }, chroma: { ok: true }, postgres: { ok: true } },
    ...over,
  }
}

const texts: [id: string, title: string, text: string][] = [
  ['101', 'Trail running shoe', 'Light trail running shoe with a grippy sole for wet rock and mud. The upper drains quickly; the heel cup is firm without rubbing.'],
  ['214', 'Waterproof hiking boot', 'Waterproof leather boot for long days in the hills. Resoleable, with a wide toe box and a sole that holds on wet roots.'],
  ['87', 'Approach shoe', 'Between climbing shoe and hiking shoe: sticky rubber at the toe, stiff enough for scrambling, light enough for the walk in.'],
  ['1290', 'Gaiters', 'Short gaiters keep grit and snow out of low shoes. They hook to the laces and fold away into their own pocket.'],
  ['655', 'Wool sock', 'Merino sock, mid weight, with a flat toe seam. Warm when wet and slow to smell, for trail and town.'],
]

/** Rows that answer a search. One of them holds HTML, which has to stay text. */
export function founds(best = 0.912): Found[] {
  const rows = texts.map(([id, title, text], i): Found => ({
    id, table: articles, key: [{ column: 'id', value: id }], score: best - i * 0.047, distance: 1 - best + i * 0.047, text: `${title}: ${text}`,
    snippet: `${title}: ${text}`.slice(0, 118) + '…', chunk: { index: i % 2, count: 2, start: (i % 2) * 480, end: 480 + (i % 2) * 430 },
    metadata: { title, price: 39.5 + i * 20, tags: ['outdoor', 'shoes'], in_stock: i !== 2, created_at: '2026-11-03T09:20:00Z' },
  }))
  return [...rows, { ...rows[0]!, id: 'html', score: best - 0.3, text: hostile, snippet: hostile, metadata: { title: hostile } }]
}

export const hostile = '<img src=x onerror="window.harmed=1"><script>window.harmed=1</script><b>bold</b>'
