// Packs dist/ for the binary: compresses what compresses, refuses a first load above the budget, and moves the result to
// where Go embeds it. Files keep only their packed forms; the server unpacks for the rare client that takes neither.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const from = 'dist'
const to = '../../internal/console/dist'
const budget = { js: 230_000, css: 45_000 } // bytes, gzip: what a browser loads before the first screen is drawn
const packed = /\.(js|css|json|svg|html)$/

const files = readdirSync(from, { recursive: true, withFileTypes: true }).filter((f) => f.isFile()).map((f) => relative(from, join(f.parentPath, f.name)))

rmSync(join(to, 'app'), { recursive: true, force: true })
const gz = {}
for (const file of files) {
  const raw = readFileSync(join(from, file))
  const out = join(to, 'app', file)
  mkdirSync(dirname(out), { recursive: true })
  if (!packed.test(file) || file === 'index.html') {
    writeFileSync(out, raw) // fonts and images are packed already; the page gets a nonce each time it is served
    gz[file] = gzipSync(raw).length
    continue
  }
  const small = gzipSync(raw, { level: 9 })
  gz[file] = small.length
  writeFileSync(out + '.gz', small)
  writeFileSync(out + '.br', brotliCompressSync(raw, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: raw.length } }))
}

const page = readFileSync(join(from, 'index.html'), 'utf8')
const first = [...page.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((m) => m[1])
const sum = (ending) => first.filter((f) => f.endsWith(ending)).reduce((n, f) => n + gz[f], 0)
const load = { js: sum('.js'), css: sum('.css') }
const total = readdirSync(join(to, 'app'), { recursive: true, withFileTypes: true }).filter((f) => f.isFile() && !f.name.endsWith('.gz')).reduce((n, f) => n + statSync(join(f.parentPath, f.name)).size, 0)
const kb = (n) => `${(n / 1000).toFixed(1)} KB`
console.log(`first load: ${kb(load.js)} of ${kb(budget.js)} JS, ${kb(load.css)} of ${kb(budget.css)} CSS (gzip); all of it ${kb(total)} (brotli)`)
if (load.js === 0 || load.js > budget.js || load.css > budget.css) {
  console.error('the first load is over its budget: load what the first screen does not need lazily')
  process.exit(1)
}
