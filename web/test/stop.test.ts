import { describe, expect, test } from 'vitest'
import { Api, Trouble } from '../src/api'
import { rowStop } from '../src/search/stop'

const row = { table: 'app.a', id: '7', text: 'wool', metadata: null, chunks: [] }
const near = { table: 'app.a', id: '7', partial: false, rows: [] }

/** An API whose row and neighbours are answered so. */
function api(ofRow: () => Response, ofNear: () => Response): Api {
  return new Api(() => '', ((url: string) => Promise.resolve(url.includes('/similar') ? ofNear() : ofRow())) as typeof fetch)
}

const good = (body: object) => () => new Response(JSON.stringify(body))
const bad = (status: number, detail: string) => () => new Response(JSON.stringify({ detail }), { status })
const stop = (a: Api) => rowStop(a, 'app.a', '7', new AbortController().signal)

describe('a row and what is similar to it', () => {
  test('come together', async () => {
    expect(await stop(api(good(row), good(near)))).toMatchObject({ kind: 'row', table: 'app.a', id: '7', row, near, trouble: undefined })
  })

  test('are shown one without the other', async () => {
    const other = await stop(api(good(row), bad(502, 'vectors were made with another model')))
    expect(other).toMatchObject({ row, near: undefined, trouble: { status: 502, message: 'vectors were made with another model' } })
    expect(await stop(api(bad(503, 'Chroma is away'), good(near)))).toMatchObject({ row: undefined, near, trouble: { status: 503 } })
  })

  test('are a fault where neither comes, told as the row tells it', async () => {
    await expect(stop(api(bad(404, 'no such row'), bad(502, 'no such vector')))).rejects.toMatchObject({ status: 404, message: 'no such row' })
  })

  test('want a token where one of them does', async () => {
    await expect(stop(api(good(row), bad(401, 'who is it?')))).rejects.toBeInstanceOf(Trouble)
  })

  test('are given up together', async () => {
    const given = new AbortController()
    given.abort()
    const a = new Api(() => '', (() => Promise.reject(given.signal.reason as Error)) as typeof fetch)
    await expect(rowStop(a, 'app.a', '7', given.signal)).rejects.toBe(given.signal.reason)
  })
})
