import { expect, test } from 'vitest'
import { coverage, deadLetters, perSecond, recentQueries, settled, sum, uncovered, worst } from '../src/live/summary'
import { newer, rowless } from '../src/parts/changes'
import type { Health, TableStatus } from '../src/wire'
import { change, status, tick } from './world'

const table = (rows: number | null, sourceRows: number | null): TableStatus => ({
  table: 't', collection: 'c', records: rows, rows, sourceRows, coverage: null, backlog: null, freshnessMs: null, lastChange: null, deadLetters: {},
})

test('throughput is the mean over the last seconds', () => {
  const ticks = [tick(0, { outcomes: { indexed: 100 } }), tick(1, { outcomes: { indexed: 2, poison: 1 } }), tick(2)]
  expect(perSecond(ticks, 2, settled)).toBe(1.5)
  expect(perSecond([], 10, settled)).toBe(0)
})

test('a sum with an unknown part is not known', () => {
  expect(sum([1, 2])).toBe(3)
  expect(sum([1, null])).toBeUndefined()
  expect(sum([])).toBeUndefined()
})

test('quantiles of several tables are the worst of each', () => {
  expect(worst([{ count: 2, p50: 1, p95: 9, p99: 10 }, null, { count: 3, p50: 2, p95: 3, p99: 20 }, { count: 0, p50: 99, p95: 99, p99: 99 }]))
    .toEqual({ count: 5, p50: 2, p95: 9, p99: 20 })
  expect(worst([null])).toBeUndefined()
  expect(recentQueries([tick(0)], 60)).toBeUndefined()
})

test('coverage is over all tables, and only where all are known', () => {
  expect(coverage([table(50, 100), table(100, 100)])).toEqual({ rows: 150, source: 200, share: 0.75 })
  expect(coverage([table(0, 0)])?.share).toBe(1)
  expect(coverage([table(12, 10)])?.share).toBe(1)
  expect(coverage([table(1, 1), table(null, 1)])).toBeUndefined()
  expect(coverage([])).toBeUndefined()
})

test('dead letters, the most first', () => {
  expect(deadLetters(status({ deadLetters: { waiting: null, byReason: { b: 1, a: 1, c: 5 } } }))).toEqual([['c', 5], ['a', 1], ['b', 1]])
  expect(deadLetters(undefined)).toEqual([])
})

test('a list that stands still counts what came since', () => {
  const [a, b, c] = [change('1'), change('2'), change('3')]
  expect(newer([c, b, a], a)).toBe(2)
  expect(newer([c, b, a], c)).toBe(0)
  expect(newer([c, b], a)).toBe(2)
  expect(newer([c], undefined)).toBe(1)
})

test('only a truncate is of all rows', () => {
  expect(rowless({ ...change(''), operation: 'truncate' })).toBe('all rows')
  expect(rowless({ ...change(''), operation: 'message' })).toBe('–')
  expect(rowless(change(''))).toBe('–')
})

test('why coverage is not known: a setting is to be made only where it is missing', () => {
  const counted = [table(1, 1)], not = [table(1, 1), table(1, null)]
  const of = (tables: TableStatus[], postgres: Health | null): string => uncovered(status({ tables, sources: { ...status().sources, postgres } }))
  expect(of(not, null)).toBe('Set postgres.url in userConfig to compare the index with Postgres.')
  expect(of(not, { ok: false, error: 'Postgres was not asked yet' })).toBe('Postgres was not asked yet')
  expect(of(not, { ok: true })).toContain('is being counted')
  expect(of(counted, { ok: true })).toBe('')
  expect(uncovered(undefined)).toBe('')
})
