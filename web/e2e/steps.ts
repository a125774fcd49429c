import { expect } from 'vitest'
import type { Page } from 'playwright-core'

// What is done with the page of any gateway, played or real.

/** The stream is open. */
export async function live(page: Page): Promise<void> {
  await page.getByTestId('link').getByText('live', { exact: true }).waitFor({ timeout: 15_000 })
}

/** Searches, and waits for the results. */
export async function search(page: Page, query: string): Promise<void> {
  await page.fill('#q', query)
  await page.keyboard.press('Enter')
  await page.getByRole('navigation', { name: 'Way here' }).getByText(`“${query}”`).waitFor()
  await page.getByTestId('results').locator('li.hit').first().waitFor()
}

/** Goes on to what is similar to a result. */
export async function similar(page: Page, id: string): Promise<void> {
  await page.getByRole('button', { name: `Similar to ${id}`, exact: true }).click()
  await page.getByRole('navigation', { name: 'Way here' }).locator('[aria-current]').getByText(`similar to ${id}`).waitFor()
  expect(await page.getByTestId('stored').innerText()).toContain(id)
}

/** Nothing makes the page wider than its window. */
export async function fits(page: Page, width: number): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
}

/** Waits until something holds. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  await expect.poll(holds, { timeout: 10_000, interval: 100 }).toBe(true)
}
