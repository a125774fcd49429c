import { defineConfig } from 'vite'
import solid from 'vite-plugin-solid'

// The built page is embedded in the gateway's binary and served from its root. What is built depends on the sources and the lock file
// alone, so that CI can compare it with what is committed. `PAGE_OUT` builds it elsewhere, `GATEWAY_URL` is where `npm run dev` finds a
// running gateway.
export default defineConfig({
  plugins: [solid()],
  build: {
    outDir: process.env['PAGE_OUT'] ?? '../gateway/page/dist',
    emptyOutDir: true,
    target: 'es2022',
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
  },
  server: {
    proxy: { '/v1': process.env['GATEWAY_URL'] ?? 'http://127.0.0.1:8090' },
  },
})
