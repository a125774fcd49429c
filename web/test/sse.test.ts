import { describe, expect, test } from 'vitest'
import { Parser, type ServerEvent } from '../src/live/sse'

const all = (...pieces: string[]): ServerEvent[] => {
  const p = new Parser()
  return pieces.flatMap((piece) => p.push(piece))
}

describe('the parser of server-sent events', () => {
  test('takes an event once its blank line is there', () => {
    const p = new Parser()
    expect(p.push('id: 1-7\nevent: tick\ndata: {"a":1}\n')).toEqual([])
    expect(p.push('\n')).toEqual([{ event: 'tick', data: '{"a":1}', id: '1-7' }])
    expect(p.lastId).toBe('1-7')
  })

  test('takes a stream cut anywhere as it takes it whole', () => {
    const stream = ': beat\r\n\r\nid: 1-1\revent: tick\rdata: {"ö":"€"}\r\rdata: a\ndata:  b\n\nretry: 1500\n\nid: 1-2\ndata:\n\n'
    const whole = all(stream)
    expect(whole).toEqual([
      { event: 'tick', data: '{"ö":"€"}', id: '1-1' },
      { event: 'message', data: 'a\n b', id: '1-1' },
      { event: 'message', data: '', id: '1-2' },
    ])
    expect(all(...stream)).toEqual(whole)
    for (let i = 1; i < stream.length; i++) expect(all(stream.slice(0, i), stream.slice(i)), `cut at ${i}`).toEqual(whole)
  })

  test('keeps the id of the last event that had one', () => {
    const p = new Parser('1-5')
    expect(p.lastId).toBe('1-5')
    expect(p.push('event: hello\ndata: {}\n\n')).toEqual([{ event: 'hello', data: '{}', id: '1-5' }])
    p.push('id: 1-6\ndata: {}\n\nid: 1\u00007\ndata: x\n\n')
    expect(p.lastId).toBe('1-6')
  })

  test('the id of an event that broke off is not the last', () => {
    const p = new Parser()
    p.push('id: 1-6\ndata: {}\n\nid: 1-7\ndata: {')
    expect(p.lastId).toBe('1-6')
  })

  test('leaves out comments, unknown fields and events without data', () => {
    expect(all(':\n\n', 'event: tick\n\n', 'colour: red\ndata: 1\n\n', 'data\n\n')).toEqual([
      { event: 'message', data: '1', id: '' },
      { event: 'message', data: '', id: '' },
    ])
  })

  test('does not carry the name of an event without data over to the next', () => {
    expect(all('event: tick\n\ndata: x\n\n')[0]?.event).toBe('message')
  })

  test('reads the reconnection time, digits only', () => {
    const p = new Parser()
    p.push('retry: 1500\n\n')
    expect(p.retry).toBe(1_500)
    p.push('retry: soon\n\nretry: -1\n\n')
    expect(p.retry).toBe(1_500)
  })

  test('passes over a byte order mark, at the start alone', () => {
    expect(all('\uFEFFdata: x\n\n')[0]?.data).toBe('x')
    expect(all('data: \uFEFFx\n\n')[0]?.data).toBe('\uFEFFx')
  })
})
