import { expect, test } from 'vitest'
import { blank, maxChanges, maxTicks, reduce } from '../src/live/picture'
import { change, event, status, tick } from './world'

const hello = { version: 'v1', now: 5_000, function: 'public/default/f', tables: [{ table: 'app.articles' }], historySeconds: 300, authenticated: false }

test('a new stream gives the whole picture', () => {
  const p = reduce(blank, [
    event('hello', hello), event('history', { ticks: [tick(1_000), tick(2_000)] }), event('change', change('1')), event('change', change('2')),
    event('status', status()), event('tick', tick(6_000)),
  ], 4_000)
  expect(p.hello).toEqual(hello)
  expect(p.ticks.map((t) => t.time)).toEqual([1_000, 2_000, 6_000])
  expect(p.changes.map((c) => c.row)).toEqual(['2', '1'])
  expect(p.status?.state).toBe('running')
  expect(p.skew).toBe(2_000)
})

test('a picture is not changed in place', () => {
  const before = reduce(blank, [event('tick', tick(1_000)), event('change', change('1'))], 0)
  reduce(before, [event('tick', tick(2_000)), event('change', change('2')), event('history', { ticks: [] })], 0)
  expect(before.ticks).toHaveLength(1)
  expect(before.changes).toHaveLength(1)
  expect(blank.ticks).toHaveLength(0)
})

test('what is resumed goes on; what begins anew does not show changes twice', () => {
  const before = reduce(blank, [event('history', { ticks: [tick(1_000)] }), event('change', change('1'))], 0)
  const resumed = reduce(before, [event('hello', hello), event('status', status()), event('change', change('2'))], 0)
  expect(resumed.changes.map((c) => c.row)).toEqual(['2', '1'])
  const anew = reduce(resumed, [event('hello', hello), event('history', { ticks: [tick(9_000)] }), event('change', change('2'))], 0)
  expect(anew.changes.map((c) => c.row)).toEqual(['2'])
  expect(anew.ticks.map((t) => t.time)).toEqual([9_000])
})

test('is bounded', () => {
  let p = blank
  for (let i = 0; i < maxTicks + 50; i++) p = reduce(p, [event('tick', tick(i)), event('change', change(String(i)))], 0)
  expect(p.ticks).toHaveLength(maxTicks)
  expect(p.ticks.at(-1)?.time).toBe(maxTicks + 49)
  expect(p.changes).toHaveLength(maxChanges)
  expect(p.changes[0]?.row).toBe(String(maxTicks + 49))
})

test('what it does not know or cannot read changes nothing', () => {
  const p = reduce(blank, [event('weather', { rain: true }), { event: 'tick', data: '{', id: '' }, { event: 'tick', data: 'null', id: '' }, { event: 'tick', data: '7', id: '' }], 0)
  expect(p).toEqual(blank)
})

test('a change that stays keeps its identity, so that its line stays', () => {
  const p = reduce(blank, [event('change', change('1'))], 0)
  const q = reduce(p, [event('change', change('2'))], 0)
  expect(q.changes[1]).toBe(p.changes[0])
})
