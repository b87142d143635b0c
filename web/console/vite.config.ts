import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

// The server that `npm run dev` talks to; a running `bin/kizuna demo` or `serve`.
const server = process.env.KIZUNA_SERVER ?? 'http://127.0.0.1:8480'

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    target: 'es2023',
    outDir: 'dist',
    assetsInlineLimit: 0, // the content policy allows no data: scripts or fonts
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000, // scripts/pack.mjs holds the real budget
  },
  server: { proxy: { '/api': server, '/demo': server } },
  test: { environment: 'jsdom', setupFiles: ['test/setup.ts'], include: ['src/**/*.test.{ts,tsx}'], css: false },
})
