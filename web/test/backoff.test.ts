import { expect, test } from 'vitest'
import { Backoff } from '../src/live/backoff'

test('waits double up to half a minute', () => {
  const b = new Backoff(() => 1)
  expect(Array.from({ length: 8 }, () => b.next())).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
})

test('the upper half of a wait is drawn at random', () => {
  expect(new Backoff(() => 0).next()).toBe(500)
  expect(new Backoff(() => 0.5).next()).toBe(750)
})

test('begins anew after a success, and where the server says', () => {
  const b = new Backoff(() => 1)
  b.next()
  b.next()
  b.reset()
  expect(b.next(250)).toBe(250)
})

test('waits as long as the server asks, two minutes at most', () => {
  const b = new Backoff(() => 1)
  expect(b.next(1_000, 7_000)).toBe(7_000)
  expect(b.next(1_000, 1_000)).toBe(2_000)
  expect(b.next(1_000, 3_600_000)).toBe(120_000)
})
