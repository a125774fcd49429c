import type { Page } from 'playwright-core'
import { afterEach, expect, test } from 'vitest'
import type { Status } from '../src/wire'
import { Browser, shot } from './browser'
import { Mock } from './mock'
import { fits, live, similar, search, until } from './steps'
import * as world from './world'

let mock: Mock
let browser: Browser | undefined
let allowed: RegExp | undefined // console errors that a test brings about itself

async function open(options: Parameters<Browser['page']>[0] & { quiet?: boolean; token?: string; status?: Status } = {}): Promise<Page> {
  allowed = undefined
  mock = new Mock(options.quiet)
  mock.token = options.token ?? ''
  if (options.status) mock.status = options.status
  await mock.start()
  browser = await Browser.launch(mock.url)
  const page = await browser.page(options)
  await page.goto(mock.url)
  return page
}

// Whatever a test looked at: nothing may be said on the console, nobody else asked, no rule of the policy broken.
afterEach(async () => {
  const faults = browser?.faults.filter((f) => !allowed?.test(f)) ?? []
  await browser?.close()
  browser = undefined
  await mock.stop()
  expect(faults).toEqual([])
})

test('a change shows within a second of the event, and the curve moves', async () => {
  const page = await open()
  await live(page)
  const before = await page.getByTestId('rate').locator('b').innerText()
  mock.next = { ...world.tick(10, Date.now()), outcomes: { indexed: 4_000 } }
  mock.change(world.change('new-row', { operation: 'insert', freshnessMs: 143 }))
  const row = page.getByTestId('changes').locator('tr').filter({ hasText: 'new-row' })
  await row.waitFor({ timeout: 1_000 })
  const text = await row.innerText()
  for (const part of ['insert', 'indexed', '3 records, 1 embedded', '143 ms', 'app.articles']) expect(text).toContain(part)
  await page.locator('.legend').first().getByText('4,000').waitFor({ timeout: 3_000 })
  expect(await page.getByTestId('rate').locator('b').innerText()).not.toBe(before)
  await shot(page, 'light')
})

test('the curves are drawn', async () => {
  const page = await open()
  await live(page)
  const drawn = (): Promise<number[]> => page.locator('canvas').evaluateAll((all) => all.map((c) => {
    const canvas = c as HTMLCanvasElement
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d')!
    copy.drawImage(canvas, 0, 0)
    const pixels = copy.getImageData(0, 0, canvas.width, canvas.height).data
    return pixels.filter((v, i) => i % 4 === 3 && v > 0).length / (canvas.width * canvas.height)
  }))
  await until(async () => (await drawn()).length === 4 && (await drawn()).every((share) => share > 0.01))
  await page.locator('.plot').first().hover({ position: { x: 200, y: 60 } })
  await until(async () => (await page.locator('.u-cursor-x').first().getAttribute('style'))?.includes('translate') ?? false)
})

test('a search finds rows, a filter goes along, and the walk goes on and back', async () => {
  const page = await open()
  await live(page)
  await page.keyboard.press('/')
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('q')
  await page.getByText('Filter').click()
  await page.getByLabel('Where, as JSON').fill('{"price": {"$lt": 50}}')
  await page.getByLabel('Least score').fill('0.7')
  await search(page, 'shoes for wet rock')
  expect(mock.questions).toEqual([{ table: 'app.articles', query: 'shoes for wet rock', topK: 10, where: { price: { $lt: 50 } }, minScore: 0.7 }])
  const hits = page.getByTestId('results').locator('li.hit')
  expect(await hits.count()).toBe(5)
  const first = await hits.first().innerText()
  for (const part of ['101', '0.912', 'Trail running shoe', 'chunk 1 of 2, bytes 0–480', 'price', '39.5', 'outdoor, shoes']) expect(first).toContain(part)
  expect(await page.getByTestId('took').innerText()).toBe('5 rows in 25 ms · embed 18 ms · index 6.4 ms')
  await hits.first().getByText('Whole text').click()
  expect(await hits.first().innerText()).toContain('without rubbing.')
  await similar(page, '214')
  await similar(page, '87')
  expect(await page.getByRole('navigation', { name: 'Way here' }).innerText()).toMatch(/shoes for wet rock.*similar to 214.*similar to 87/s)
  await shot(page, 'walk')
  await page.getByRole('button', { name: '“shoes for wet rock”' }).click()
  expect(await hits.first().innerText()).toContain('0.912')
})

test('what is wrong with a question is told at its field', async () => {
  const page = await open()
  await live(page)
  await page.getByText('Filter').click()
  await page.getByLabel('Where, as JSON').fill('{price: 1}')
  await page.fill('#q', 'x')
  await page.keyboard.press('Enter')
  await page.getByText('Expected a JSON object').waitFor()
  expect(mock.questions).toEqual([])
  allowed = /400|503/
  mock.refuse = { status: 400, body: { detail: 'price is a number', errors: [{ location: 'body.where.price', message: 'price is a number' }] } }
  await page.getByLabel('Where, as JSON').fill('{"price": "a"}')
  await page.getByRole('button', { name: 'Search' }).click()
  await page.locator('#filter-where-fault').getByText('price is a number').waitFor()
  mock.refuse = { status: 503, body: { title: 'Service Unavailable', detail: 'the embedding endpoint does not answer' } }
  await page.getByRole('button', { name: 'Search' }).click()
  await page.getByRole('alert').getByText('the embedding endpoint does not answer').waitFor()
})

test('a row of the list opens, and one that the index does not hold is said so', async () => {
  const page = await open()
  await live(page)
  allowed = /404/
  mock.change(world.change('655'))
  mock.change(world.change('gone', { operation: 'delete', outcome: 'deleted' }))
  await page.getByRole('button', { name: '655', exact: true }).click()
  await page.getByTestId('stored').getByText('Wool sock: Merino').waitFor()
  await page.getByRole('button', { name: 'gone', exact: true }).click()
  await page.getByText('the index holds no row gone').waitFor()
})

test('a row shows without its neighbours, and what has no row is none', async () => {
  const page = await open()
  await live(page)
  allowed = /502/
  mock.refuseSimilar = { status: 502, body: { detail: 'the vectors were made with the model "m-1", and questions with "m-2"' } }
  mock.change(world.change('', { operation: 'truncate', outcome: 'truncated' }))
  mock.change(world.change('', { operation: undefined, outcome: 'poison', reason: 'bad_payload' }))
  mock.change(world.change('655'))
  await page.getByRole('button', { name: '655', exact: true }).click()
  await page.getByTestId('stored').getByText('Wool sock: Merino').waitFor()
  await page.getByRole('alert').getByText('the vectors were made with the model "m-1"').waitFor()
  expect(await page.getByTestId('took').innerText()).toMatch(/^The row alone, in /)
  const rows = page.getByTestId('changes').locator('tr')
  expect(await rows.filter({ hasText: 'truncated' }).locator('td').nth(1).innerText()).toContain('all rows')
  expect(await rows.filter({ hasText: 'bad payload' }).locator('td').nth(1).innerText()).toMatch(/^–/)
})

test('Postgres is configured before it has counted', async () => {
  const sources = { ...world.status().sources, postgres: { ok: false, error: 'Postgres was not asked yet' } }
  const tables = [world.table(world.articles, { sourceRows: null, coverage: null })]
  const page = await open({ status: world.status({ tables, sources }) })
  await live(page)
  await page.getByText('Postgres was not asked yet').waitFor()
  mock.tell(world.status({ tables, sources: { ...sources, postgres: { ok: true } } }))
  await page.getByText('is being counted').waitFor()
  expect(await page.locator('body').innerText()).not.toContain('postgres.url')
})

test('HTML in a row is text', async () => {
  const page = await open()
  await live(page)
  mock.change(world.change(world.hostile, { reason: world.hostile, outcome: 'poison' }))
  mock.tell(world.status({ state: 'retrying', cause: world.hostile, instances: [world.instance(0, { lastError: world.hostile, cause: world.hostile })] }))
  await page.getByTestId('changes').getByRole('button', { name: world.hostile }).waitFor()
  await search(page, 'html')
  await similar(page, 'html')
  expect(await page.getByTestId('stored').innerText()).toContain(world.hostile)
  expect(await page.evaluate(() => 'harmed' in window)).toBe(false)
  expect(await page.locator('main img, main script, .banner img').count()).toBe(0)
})

test('the list stands still under the pointer and by its button', async () => {
  const page = await open()
  await live(page)
  const list = page.getByTestId('changes')
  await list.locator('tr').first().hover()
  mock.change(world.change('while-over'))
  await page.getByTestId('paused').getByText('standing still, 1 more').waitFor()
  expect(await list.innerText()).not.toContain('while-over')
  await page.mouse.move(5, 5)
  await list.getByText('while-over').waitFor()
  await page.getByRole('button', { name: 'Pause' }).click()
  mock.change(world.change('while-paused'))
  await page.getByTestId('paused').getByText('1 more').waitFor()
  await page.getByRole('button', { name: 'Go on' }).click()
  await list.getByText('while-paused').waitFor()
})

test('the gateway goes away and comes back: it is said, figures are grey, and the stream goes on where it was', async () => {
  const page = await open()
  await live(page)
  mock.change(world.change('before'))
  await page.getByTestId('changes').getByText('before').waitFor()
  allowed = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY/
  await mock.stop()
  const banner = page.getByTestId('banner')
  await banner.getByText('The gateway does not answer;').waitFor({ timeout: 5_000 })
  await banner.getByText(/trying again in \d+ s/).waitFor()
  expect(await page.locator('main.stale').count()).toBe(1)
  await shot(page, 'gateway-away')
  await mock.start()
  await banner.getByRole('button', { name: 'Try now' }).click()
  await live(page)
  expect(mock.resumedAfter.length).toBeGreaterThan(0)
  expect(mock.resumedAfter.at(-1)).toMatch(/^1-\d+$/)
  expect(await page.getByTestId('changes').getByText('before').count()).toBe(1)
  expect(await page.locator('main.stale').count()).toBe(0)
  expect(await banner.innerText()).toBe('')
})

test('a gateway that says nothing more is told as such', async () => {
  const page = await open()
  await live(page)
  mock.tickEvery = 0
  await page.getByTestId('banner').getByText('The gateway is slow').waitFor({ timeout: 10_000 })
  await page.getByTestId('banner').getByText('The gateway has gone quiet').waitFor({ timeout: 15_000 })
})

test.each([
  ['halted', 'The function has halted.', 'embedding.model is "b", the collection was filled with "a"'],
  ['away', 'The function is away.', 'no instance of the function runs'],
  ['retrying', 'The function is retrying.', 'Chroma does not answer'],
] as const)('the function is %s, and why', async (state, title, cause) => {
  const page = await open()
  await live(page)
  const instances = state === 'away' ? null : [world.instance(0, { state, cause })]
  mock.tell(world.status({ state, cause, instances }))
  await page.getByTestId('banner').getByText(title).waitFor({ timeout: 2_000 })
  expect((await page.getByTestId('banner').innerText()).toLowerCase()).toContain(cause.toLowerCase())
  expect(await page.getByTestId('state').innerText()).toBe(state)
  await shot(page, state)
})

test('a token is asked for, a wrong one refused, and kept for the tab alone', async () => {
  const page = await open({ token: 'secret' })
  allowed = /401/
  await page.getByLabel('Token', { exact: true }).fill('wrong')
  await page.getByRole('button', { name: 'Open' }).click()
  await page.getByText('The gateway does not know that token.').waitFor()
  await shot(page, 'token')
  await page.getByLabel('Token', { exact: true }).fill('secret')
  await page.keyboard.press('Enter')
  await live(page)
  await search(page, 'shoes')
  expect(await page.evaluate(() => [sessionStorage.length, localStorage.length, document.cookie])).toEqual([1, 0, ''])
  await page.reload()
  await live(page)
  await search(page, 'shoes')
  await page.getByRole('button', { name: 'Forget token' }).click()
  await page.getByLabel('Token', { exact: true }).waitFor()
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0)
  expect(await page.getByTestId('results').count()).toBe(0)
  expect(await page.getByTestId('changes').count()).toBe(0)
})

test('nothing is configured: every part says what to set', async () => {
  const not = (what: string) => ({ ok: false, error: what })
  const sources = {
    events: not('outcome events are not configured (output, userConfig.pulsar.serviceURL)'), chroma: { ok: true }, postgres: null,
    admin: not("Pulsar's admin interface is not configured (userConfig.pulsar.adminURL)"),
  }
  const tables = [world.table(world.articles, { sourceRows: null, coverage: null, backlog: null, freshnessMs: null, lastChange: null, deadLetters: {} })]
  const deadLetters = { waiting: null, byReason: {} }
  const page = await open({ quiet: true, status: world.status({ state: 'unknown', cause: sources.admin.error, instances: [], tables, deadLetters, sources }) })
  await live(page)
  const text = await page.locator('body').innerText()
  for (const part of ['outcome events are not configured (output,', 'userConfig.pulsar.adminURL', 'Set postgres.url', 'Nobody searched']) expect(text).toContain(part)
  await shot(page, 'bare')
})

test('dark as the system is, light by the button, and it stays', async () => {
  const page = await open({ dark: true })
  await live(page)
  const ground = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  expect(await ground()).toBe('rgb(18, 20, 22)')
  await shot(page, 'dark')
  await page.getByRole('button', { name: /^Theme/ }).click()
  expect(await ground()).toBe('rgb(246, 246, 243)')
  await page.reload()
  expect(await ground()).toBe('rgb(246, 246, 243)')
})

test.each([360, 700, 1_080, 1_920])('fits %i pixels', async (width) => {
  const page = await open({ width, height: 780 })
  await live(page)
  await search(page, 'shoes')
  await fits(page, width)
  expect(await page.locator('.tables .scroll, .instances .scroll').evaluateAll((all) => all.map((e) => e.scrollWidth - e.clientWidth))).toEqual([0, 0])
  if (width === 360) await shot(page, 'narrow')
  await page.getByText('Filter', { exact: true }).click()
  await page.getByLabel('Where, as JSON').fill('{}') // visible
  await fits(page, width)
})

test('the keyboard reaches everything, and the focus is seen', async () => {
  const page = await open()
  await live(page)
  const reached = new Set<string>()
  for (let i = 0; i < 24; i++) {
    await page.keyboard.press('Tab')
    reached.add(await page.evaluate(() => {
      const e = document.activeElement as HTMLElement
      return `${e.id || e.getAttribute('aria-label') || e.innerText} ${getComputedStyle(e).outlineStyle}`
    }))
  }
  for (const name of ['Theme: light, as the system', 'where-to', 'q', 'Search', 'Filter', 'Pause', 'Recent changes']) {
    expect([...reached].some((r) => r === `${name} solid`), `${name} in ${[...reached].join(', ')}`).toBe(true)
  }
})
