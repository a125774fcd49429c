import { expect, test } from 'vitest'
import { at, backlogs, bridge, hasData, lone, outcomesOf, quantiles, stacked, tablesOf } from '../src/charts/series'
import { tick } from './world'

const q = (n: number) => ({ count: 1, p50: n, p95: 2 * n, p99: 3 * n })

test('outcomes stand in the order of the stack, unknown ones on top, absent ones left out', () => {
  const ticks = [tick(0, { outcomes: { poison: 1, melted: 2, ignored: 0 } }), tick(1, { outcomes: { deleted: 1, indexed: 3 } })]
  expect(outcomesOf(ticks)).toEqual(['indexed', 'deleted', 'poison', 'melted'])
  expect(outcomesOf([])).toEqual([])
})

test('stacks one outcome upon the other', () => {
  const ticks = [tick(1_000, { outcomes: { indexed: 3, deleted: 1 } }), tick(2_000, { outcomes: { poison: 2 } })]
  expect(stacked(ticks, ['indexed', 'deleted', 'poison'])).toEqual([[1, 2], [3, 0], [4, 0], [4, 2]])
  expect(stacked([], [])).toEqual([[]])
})

test('joins measured seconds that are near, and leaves a gap between those that are not', () => {
  const far = Array.from({ length: bridge + 6 }, (_, i) => tick(i * 1_000, i === 2 || i === 4 || i === 4 + bridge + 1 ? { freshnessMs: q(i) } : {}))
  const [times, p50, p95, p99] = quantiles(far, (t) => t.freshnessMs)
  expect(times[4]).toBe(4)
  expect(p50?.slice(0, 6)).toEqual([null, null, 2, undefined, 4, null])
  expect(p50?.slice(5, -1).every((v) => v === null)).toBe(true)
  expect([p95?.[4], p99?.[4]]).toEqual([8, 12])
  const near = Array.from({ length: bridge + 1 }, (_, i) => tick(i * 1_000, i % bridge === 0 ? { freshnessMs: q(1) } : {}))
  expect(quantiles(near, (t) => t.freshnessMs)[1]?.slice(1, -1).every((v) => v === undefined)).toBe(true)
})

test('a second without a measurement is not a 0', () => {
  expect(quantiles([tick(0)], (t) => t.queries)[1]).toEqual([null])
})

test('backlogs have a column per table, with gaps where it was not known', () => {
  const ticks = [tick(0, { backlog: { b: 2, a: null } }), tick(1_000, { backlog: { a: 5 } })]
  expect(tablesOf(ticks)).toEqual(['a', 'b'])
  expect(backlogs(ticks, ['a', 'b'])).toEqual([[0, 1], [null, 5], [2, null]])
})

test('a legend shows the value under the pointer, or the last', () => {
  expect(at([1, 2, 3], 0)).toBe(1)
  expect(at([1, 2, 3], null)).toBe(3)
  expect(at([1, undefined], null)).toBeNull()
  expect(at(undefined, 0)).toBeNull()
  expect(at([1], 9)).toBeNull()
})

test('nothing but zeros and gaps is nothing to draw', () => {
  expect(hasData([[0, 1], [0, null], [undefined, 0]])).toBe(false)
  expect(hasData([[0, 1], [0, 1]])).toBe(true)
  expect(hasData([[]])).toBe(false)
})

test('a measurement without a neighbour is a point', () => {
  expect(lone([1, null, null, 2, undefined, 3, null, 4])).toEqual([0, 7])
  expect(lone([1, 2])).toEqual([])
  expect(lone([])).toEqual([])
})
