import { describe, expect, test } from 'vitest'
import { ago, count, duration, percent, rate, total, unknown, value, words } from '../src/format'

describe('figures', () => {
  test.each([[0, '0'], [999, '999'], [1_234_567, '1,234,567'], [12_345_678, '12.3 M'], [2_500_000_000, '2.5 G'], [null, unknown], [undefined, unknown]])(
    'count %s', (n, text) => expect(count(n)).toBe(text))

  test.each([[0, '0'], [0.3, '0.3'], [26.52, '26.5'], [1_234.5, '1,235']])('rate %s', (n, text) => expect(rate(n)).toBe(text))

  test.each([
    [0, '0 ms'], [0.04, '0 ms'], [0.42, '0.4 ms'], [9.94, '9.9 ms'], [9.96, '10 ms'], [999.4, '999 ms'], [999.6, '1.00 s'], [1_234, '1.23 s'], [9_960, '10.0 s'],
    [59_940, '59.9 s'], [59_960, '1 min'], [125_000, '2 min 5 s'], [12_000_000, '3 h 20 min'], [7_200_000, '2 h'], [352_800_000, '4 d 2 h'], [null, unknown],
  ])('duration %s', (ms, text) => expect(duration(ms)).toBe(text))

  test.each([[1, '100 %'], [0.99999, '99.9 %'], [0.5, '50.0 %'], [0, '0.0 %'], [undefined, unknown]])('percent %s', (n, text) => expect(percent(n)).toBe(text))

  test.each([
    [1_000_000, 'now'], [1_000_900, 'now'], [988_000, '12 s ago'], [940_000, '1 min ago'], [-2_600_000, '1 h ago'], [-172_000_000, '2 d ago'], [0, unknown], [null, unknown],
  ])('ago %s', (time, text) => expect(ago(time, 1_000_000)).toBe(text))

  test('a total says when a part of it is missing', () => {
    expect([total([1, 2]), total([1, null]), total([null]), total([])]).toEqual(['3', '≥ 1', unknown, unknown])
  })

  test('words', () => expect(words('metadata_only')).toBe('metadata only'))

  test.each([['a', 'a'], [1.5, '1.5'], [true, 'true'], [null, 'null'], [['a', 'b c'], 'a, b c'], [[1, 2], '1, 2'], [['a, b', 'c'], '["a, b","c"]'], [['', 'c'], '["","c"]'], [[], '[]'], [{ a: 1 }, '{"a":1}']])('value %j', (v, text) => expect(value(v)).toBe(text))
})
