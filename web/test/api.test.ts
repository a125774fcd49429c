import { expect, test, vi } from 'vitest'
import { Api, Trouble } from '../src/api'

function rig(answer: Response | Error, token = '') {
  const get = vi.fn((_url: RequestInfo | URL, _init?: RequestInit) => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)))
  return { get, api: new Api(() => token, get as typeof fetch), headers: () => new Headers(get.mock.calls[0]?.[1]?.headers) }
}

const json = (body: unknown, init?: ResponseInit): Response => new Response(JSON.stringify(body), init)

test('a search is a POST with the token', async () => {
  const r = rig(json({ rows: [] }), 'secret')
  await expect(r.api.search({ query: 'shoes' })).resolves.toEqual({ rows: [] })
  expect(r.get.mock.calls[0]?.[0]).toBe('/v1/search')
  expect(r.get.mock.calls[0]?.[1]).toMatchObject({ method: 'POST', body: '{"query":"shoes"}' })
  expect(r.headers().get('Authorization')).toBe('Bearer secret')
  expect(r.headers().get('Content-Type')).toBe('application/json')
})

test('tables and ids are one segment of the path each', async () => {
  const r = rig(json({}))
  await r.api.similar('app.articles', 'a/b?c#ö', 10)
  expect(r.get.mock.calls[0]?.[0]).toBe('/v1/tables/app.articles/rows/a%2Fb%3Fc%23%C3%B6/similar?topK=10')
  expect(r.headers().get('Authorization')).toBeNull()
})

test('a key of dots is no folder', async () => {
  const r = rig(json({}))
  await r.api.similar('app.articles', '..', 1)
  expect(r.get.mock.calls[0]?.[0]).toBe('/v1/tables/app.articles/rows/%252E%252E/similar?topK=1')
})

test('a problem document becomes words', async () => {
  const faults = [{ location: 'body.where', message: 'price is a number' }]
  const r = rig(json({ title: 'Bad Request', status: 400, detail: 'price is a number', errors: faults }, { status: 400 }))
  await expect(r.api.search({ query: 'x' })).rejects.toMatchObject({ name: 'Trouble', status: 400, message: 'price is a number', faults })
})

test('the time to wait is told', async () => {
  const r = rig(json({ title: 'Too Many Requests' }, { status: 429, headers: { 'Retry-After': '4' } }))
  await expect(r.api.row('t', '1')).rejects.toMatchObject({ status: 429, message: 'Too Many Requests', retryAfter: 4 })
})

test("a proxy's page is not shown", async () => {
  const r = rig(new Response('<html>', { status: 502, statusText: 'Bad Gateway' }))
  await expect(r.api.row('t', '1')).rejects.toMatchObject({ status: 502, message: 'Bad Gateway', faults: [] })
})

test('nobody answers', async () => {
  const r = rig(new TypeError('Failed to fetch'))
  await expect(r.api.row('t', '1')).rejects.toBeInstanceOf(Trouble)
  await expect(r.api.row('t', '1')).rejects.toMatchObject({ status: 0, message: 'The gateway does not answer.' })
})

test('a request that was given up is no trouble', async () => {
  const gone = new AbortController()
  gone.abort()
  const r = rig(gone.signal.reason as Error)
  await expect(r.api.row('t', '1', gone.signal)).rejects.not.toBeInstanceOf(Trouble)
})
