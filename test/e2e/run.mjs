// The stories of the console, told in a browser.
//   node test/e2e/run.mjs URL EMAIL PASSWORD [story ...]
import { browser, telling, wanted } from './lib.mjs'
import { stories as atonce } from './atonce.mjs'
import { stories as canvas } from './canvas.mjs'
import { last, stories as data } from './data.mjs'
import { stories as entering } from './entering.mjs'
import { stories as faults } from './faults.mjs'
import { stories as keys } from './keys.mjs'
import { stories as looks } from './looks.mjs'
import { stories as loop } from './loop.mjs'
import { stories as many } from './many.mjs'
import { stories as maps } from './maps.mjs'
import { stories as states } from './states.mjs'
import { stories as pages } from './stories.mjs'
import { stories as people } from './people.mjs'
import { stories as steady } from './steady.mjs'
import { stories as whys } from './why.mjs'

const stories = { ...pages, ...keys, ...canvas, ...atonce, ...entering, ...faults, ...many, ...maps, ...states, ...looks, ...steady, ...people, ...loop, ...whys, ...data }

const failed = []
const began = Date.now()
const queue = Object.entries(stories).filter(([name]) => wanted.length === 0 || wanted.some((w) => name.includes(w)))
async function next() {
  const story = queue.shift()
  if (!story) return
  const [name, tell] = story
  const start = Date.now()
  try {
    const note = await telling(tell)
    console.log(`ok    ${name} ${((Date.now() - start) / 1000).toFixed(1)} s${note ? ` (${note})` : ''}`)
  } catch (err) {
    failed.push(`FAIL  ${name}\n${err.stack}`)
    console.log(`FAIL  ${name}`)
  }
  return next()
}
// Two at a time: while one waits for the server the other draws. Each has a browser context of its own.
await Promise.all([next(), next()])
// Those that empty the server are told only when asked for, one after the other: they need one of their own.
queue.push(...Object.entries(last).filter(([name]) => wanted.some((w) => name.includes(w))))
await next()
await browser.close()
console.log(`${failed.length} failed, ${((Date.now() - began) / 1000).toFixed(0)} s`)
if (failed.length > 0) {
  console.error(failed.join('\n'))
  process.exitCode = 1
}
