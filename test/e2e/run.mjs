// The stories of the console, told in a browser.
//   node test/e2e/run.mjs URL EMAIL PASSWORD [story ...]
import { browser, telling, wanted } from './lib.mjs'
import { stories as atonce } from './atonce.mjs'
import { stories as canvas } from './canvas.mjs'
import { last, stories as data } from './data.mjs'
import { stories as entering } from './entering.mjs'
import { stories as faults } from './faults.mjs'
import { stories as keys } from './keys.mjs'
import { stories as loop } from './loop.mjs'
import { stories as many } from './many.mjs'
import { stories as maps } from './maps.mjs'
import { stories as states } from './states.mjs'
import { stories as pages } from './stories.mjs'
import { stories as people } from './people.mjs'
import { stories as steady } from './steady.mjs'
import { stories as whys } from './why.mjs'

const stories = { ...pages, ...keys, ...canvas, ...atonce, ...entering, ...faults, ...many, ...maps, ...states, ...steady, ...people, ...loop, ...whys, ...data }

const failed = []
const began = Date.now()
const chosen = (all, most) => Object.entries(all).filter(([name]) => wanted.some((w) => name.includes(w)) || (most && wanted.length === 0))
const queue = chosen(stories, true)
async function next() {
  const story = queue.shift()
  if (!story) return
  const [name, tell] = story
  const start = Date.now()
  try {
    const note = await telling(tell)
    console.log(`ok    ${name} ${((Date.now() - start) / 1000).toFixed(1)} s${note ? ` (${note})` : ''}`)
  } catch (err) {
    failed.push({ story, why: `${name}\n${err.stack}` })
    console.log(`FAIL  ${name}`)
  }
  return next()
}
// Two at a time: while one waits for the server the other draws. Each has a browser context of its own.
await Promise.all([next(), next()])
// Those that empty the server are told only when asked for, one after the other: they need one of their own.
queue.push(...chosen(last, false))
await next()
// What failed is told once more, alone. What goes well then is a flaw all the same, of the product or of the story: it is reported, and ends nothing.
const first = failed.splice(0)
queue.push(...first.map((f) => f.story))
await next()
await browser.close()
for (const { story, why } of first) if (!failed.some((f) => f.story === story)) console.log(`flaky: ${why.replaceAll('\n', '\nflaky: ')}`)
console.log(`${failed.length} failed, ${((Date.now() - began) / 1000).toFixed(0)} s`)
if (failed.length > 0) {
  console.error(failed.map((f) => `FAIL  ${f.why}`).join('\n'))
  process.exitCode = 1
}
