import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

// The server that `npm run dev` talks to; a running `bin/kizuna demo` or `serve`.
const server = process.env.KIZUNA_SERVER ?? 'http://127.0.0.1:8480'

// The text of the first moment would be drawn in another font and move when this one comes.
const preloadFont = (): Plugin => ({
  name: 'preload-font',
  transformIndexHtml: {
    order: 'post',
    handler: (_, { bundle }) =>
      Object.keys(bundle ?? {})
        .filter((name) => /inter-latin-wght-normal.*\.woff2$/.test(name))
        .map((name) => ({
          tag: 'link',
          attrs: { rel: 'preload', href: `/${name}`, as: 'font', type: 'font/woff2', crossorigin: '' },
          injectTo: 'head',
        })),
  },
})

export default defineConfig({
  plugins: [react(), preloadFont()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    target: 'es2023',
    outDir: 'dist',
    assetsInlineLimit: 0, // the content policy allows no data: scripts or fonts
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000, // scripts/pack.mjs holds the real budget
  },
  server: { proxy: { '/api': server, '/demo': server }, fs: { allow: ['.', '../../internal/domain/outbox'] } }, // a test reads the reasons out of the code
  test: {
    environment: 'jsdom',
    setupFiles: ['test/setup.ts'],
    include: ['src/**/*.test.{ts,tsx}'],
    css: false,
    testTimeout: 60_000,
    maxWorkers: '100%',
  },
})
