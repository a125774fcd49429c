import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type BrowserContext, type Page } from 'playwright-core'

/** Where Debian puts it; CHROMIUM names another. */
const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

const args = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
]

/** A browser with an empty profile, that notes what the page must not do. */
export class Browser {
  /** Console errors, uncaught errors, violations of the policy, and requests to anyone but the gateway. */
  readonly faults: string[] = []

  private constructor(
    private readonly context: BrowserContext,
    private readonly profile: string,
    private readonly origin: string,
  ) {}

  static async launch(url: string): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'rowvec-page-'))
    const context = await chromium.launchPersistentContext(profile, { executablePath, args, headless: true, viewport: { width: 1440, height: 900 } })
    return new Browser(context, profile, new URL(url).origin)
  }

  async page(options: { width?: number; height?: number; dark?: boolean } = {}): Promise<Page> {
    const page = await this.context.newPage()
    await page.setViewportSize({ width: options.width ?? 1440, height: options.height ?? 900 })
    await page.emulateMedia({ colorScheme: options.dark ? 'dark' : 'light' })
    page.on('console', (m) => {
      if (m.type() === 'error' || m.type() === 'warning') this.faults.push(`console: ${m.text()}`)
    })
    page.on('pageerror', (e) => this.faults.push(`error: ${e.message}`))
    page.on('request', (r) => {
      if (new URL(r.url()).origin !== this.origin) this.faults.push(`asked ${r.url()}`)
    })
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`))
    })
    return page
  }

  async close(): Promise<void> {
    await this.context.close()
    rmSync(this.profile, { recursive: true, force: true })
  }
}

/** A picture of what the browser shows, for people: in OUT, or web/out. */
export async function shot(page: Page, name: string): Promise<void> {
  const out = process.env['OUT'] ?? 'out'
  mkdirSync(out, { recursive: true })
  await page.evaluate(() => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
    scrollTo(0, 0)
  })
  await page.screenshot({ path: join(out, `${name}.png`), fullPage: true })
}
