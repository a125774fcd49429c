import { defineConfig } from 'vitest/config'

// GATEWAY_URL set: the page of that gateway is tested; otherwise the built page before a gateway that the tests play themselves.
export default defineConfig({
  test: {
    include: [process.env['GATEWAY_URL'] ? 'e2e/gateway.test.ts' : 'e2e/page.test.ts'],
    environment: 'node',
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
