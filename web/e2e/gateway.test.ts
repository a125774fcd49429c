import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Browser, shot } from './browser'
import { fits, live, search, similar } from './steps'

// The page of a real gateway. The environment says what it stands before:
//   GATEWAY_URL    its address
//   GATEWAY_TOKEN  a token, where it wants one
//   INSERT         a shell command that writes a row to Postgres and prints the row's id as the index has it
//   QUERY          words that find that row among the first ten
//   STOP           a shell command that stops the function; left out, the function is not stopped
//   OUT            the folder for pictures: light.png, similar.png, dark.png, narrow.png, away.png
const env = process.env
const url = env['GATEWAY_URL'] ?? ''

const run = async (command: string): Promise<string> => (await promisify(execFile)('/bin/sh', ['-c', command])).stdout.trim()

function given(name: string): string {
  const value = env[name]
  if (!value) throw new Error(`${name} is not set: see the head of e2e/gateway.test.ts`)
  return value
}

let browser: Browser
let page: Page
let row = ''

async function open(options: Parameters<Browser['page']>[0] = {}): Promise<Page> {
  const p = await browser.page(options)
  const token = env['GATEWAY_TOKEN']
  if (token) await p.addInitScript((t) => sessionStorage.setItem('rowvec.token', t), token)
  await p.goto(url)
  await live(p)
  return p
}

beforeAll(async () => {
  browser = await Browser.launch(url)
  page = await open()
})

afterAll(async () => {
  const faults = browser.faults
  await browser.close()
  expect(faults).toEqual([])
})

/** How many changes of the last five minutes the page tells of. */
const told = async (): Promise<number> => Number((await page.getByTestId('rate').locator('small').innerText()).replace(/\D/g, ''))

/** How many points of the first chart have the colour of what was indexed. */
const drawn = (): Promise<number> => page.locator('canvas').first().evaluate((c) => {
  const canvas = c as HTMLCanvasElement
  const colour = getComputedStyle(document.documentElement).getPropertyValue('--indexed').trim()
  const want = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16))
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d')!
  copy.drawImage(canvas, 0, 0)
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height)
  let n = 0
  for (let i = 0; i < data.length; i += 4) if (want.every((v, j) => Math.abs(v - data[i + j]!) < 3)) n++
  return n
})

test('a row that is written shows within two seconds, and the throughput moves', async () => {
  const changes = page.getByTestId('changes').locator('tr')
  const [before, drawnBefore] = [await told(), await drawn()]
  row = await run(given('INSERT'))
  const begun = Date.now()
  await changes.filter({ has: page.getByRole('button', { name: row, exact: true }) }).first().waitFor({ timeout: 2_000 })
  console.log(`row ${row}: on the page ${Date.now() - begun} ms after psql had ended`)
  await expect.poll(told, { timeout: 3_000 }).not.toBe(before)
  await expect.poll(drawn, { timeout: 3_000 }).toBeGreaterThan(before === 0 ? drawnBefore : 0)
  expect(await page.getByTestId('rate').locator('b').innerText()).not.toBe('0 /s')
  expect(await page.getByTestId('state').innerText()).toBe('running')
})

test('a search finds it, and similar rows are near', async () => {
  await search(page, given('QUERY'))
  const hit = page.getByTestId('results').getByRole('button', { name: `Similar to ${row}`, exact: true })
  await hit.waitFor()
  await shot(page, 'light')
  await similar(page, row)
  await page.getByTestId('results').locator('li.hit').first().waitFor()
  expect(await page.getByTestId('results').getByRole('button', { name: `Similar to ${row}`, exact: true }).count()).toBe(0)
  await shot(page, 'similar')
})

test('dark', async () => {
  const dark = await open({ dark: true })
  await search(dark, given('QUERY'))
  expect(await dark.evaluate(() => document.documentElement.dataset['theme'])).toBe('dark')
  await shot(dark, 'dark')
})

test('360 pixels wide', async () => {
  const narrow = await open({ width: 360, height: 780 })
  await fits(narrow, 360)
  await shot(narrow, 'narrow')
})

if (env['STOP']) {
  test('a function that is stopped is told as away', async () => {
    await run(given('STOP'))
    await page.getByTestId('banner').getByText('The function is away.').waitFor({ timeout: 30_000 })
    await shot(page, 'away')
  })
}
