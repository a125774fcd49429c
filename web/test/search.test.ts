import { describe, expect, test } from 'vitest'
import { beginning, parts } from '../src/search/mark'
import { ask, emptyForm, fieldOf } from '../src/search/question'
import { targets } from '../src/search/targets'
import type { TableStatus } from '../src/wire'
import { status } from './world'

describe('the form', () => {
  const form = { ...emptyForm, target: 'table:app.articles', query: ' shoes ' }

  test('is a question', () => {
    expect(ask(form).question).toEqual({ table: 'app.articles', query: 'shoes', topK: 10 })
    expect(ask({ ...form, target: 'collection:a:b', where: ' {"price": {"$lt": 50}} ', contains: 'Wet', minScore: '0.7', topK: '50', chunks: true }).question)
      .toEqual({ collection: 'a:b', query: 'shoes', topK: 50, where: { price: { $lt: 50 } }, contains: 'Wet', minScore: 0.7, groupByRow: false })
  })

  test.each([['{', 'where'], ['[1]', 'where'], ['7', 'where'], ['null', 'where']])('refuses the filter %s', (where) => {
    const asked = ask({ ...form, where })
    expect(asked.question).toBeUndefined()
    expect(asked.faults.where).toContain('JSON object')
  })

  test('refuses an empty question and a score that is no number, together', () => {
    expect(Object.keys(ask({ ...form, query: '  ', minScore: 'high' }).faults)).toEqual(['query', 'minScore'])
  })

  test.each([['body.where.price', 'where'], ['body.where[0]', 'where'], ['body.minScore', 'minScore'], ['body.table', 'target'], ['body', undefined], [undefined, undefined], ['query.q', undefined]])(
    'the fault at %s belongs to %s', (location, field) => expect(fieldOf(location)).toBe(field))
})

describe('a text', () => {
  test('is marked letter by letter', () => {
    expect(parts('wet rock, Wet wet', 'wet')).toEqual([
      { text: 'wet', marked: true }, { text: ' rock, Wet ', marked: false }, { text: 'wet', marked: true },
    ])
    expect(parts('aaa', 'aa')).toEqual([{ text: 'aa', marked: true }, { text: 'a', marked: false }])
    expect(parts('a.c', '.')).toEqual([{ text: 'a', marked: false }, { text: '.', marked: true }, { text: 'c', marked: false }])
    expect(parts('', 'x')).toEqual([{ text: '', marked: false }])
    expect(parts('x', '')).toEqual([{ text: 'x', marked: false }])
  })

  test('is cut between characters', () => {
    expect(beginning('a'.repeat(400))).toHaveLength(400)
    expect(beginning('a'.repeat(399) + '👟👟')).toBe('a'.repeat(399) + '…')
  })
})

test('what can be searched: tables, and collections that several share', () => {
  const hello = { version: '', now: 0, function: '', tables: [{ table: 'a.x' }, { table: 'a.y' }, { table: 'a.z' }], historySeconds: 0, authenticated: false }
  const of = (table: string, collection: string) => ({ table, collection }) as TableStatus
  expect(targets(hello, undefined).map((t) => t.value)).toEqual(['table:a.x', 'table:a.y', 'table:a.z'])
  expect(targets(hello, status({ tables: [of('a.x', 'one'), of('a.y', 'one'), of('a.z', 'z')] })).at(-1)).toEqual({ value: 'collection:one', name: 'one (2 tables)' })
  expect(targets(undefined, undefined)).toEqual([])
})
