// Figures of many rounds, printed as a line each for console_test.go.
export const rounds = Number(process.env.KIZUNA_BENCH_ROUNDS) || 30

export function figure(name, values, limit = 0, unit = 'ms') {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
  console.log(JSON.stringify({ Name: name, N: sorted.length, P50: at(0.5), P95: at(0.95), Max: sorted.at(-1), Limit: limit, Unit: unit }))
}

/** Runs in the page: does something and resolves to the milliseconds until `holds` is true and the page can take the next key. */
export const watch = `
window.until = async (holds, since = performance.now()) => {
  while (!holds()) await new Promise(requestAnimationFrame)
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)))
  return performance.now() - since
}
// When the last key went down; typing is timed from there.
addEventListener('keydown', () => { window.lastKey = performance.now() }, true)
// Moments between frames while something goes on.
window.frames = (() => {
  let times, last, on
  const tick = (now) => { if (last) times.push(now - last); last = now; if (on) requestAnimationFrame(tick) }
  return {
    start() { times = []; last = 0; on = true; requestAnimationFrame(tick) },
    stop() { on = false; return times },
  }
})()
`

/** What the main thread of the page has worked, in milliseconds of processor time. */
export async function worker(page) {
  const device = await page.context().newCDPSession(page)
  await device.send('Performance.enable', { timeDomain: 'threadTicks' }) // processor time, not what the clock shows while others run
  return async () => {
    const { metrics } = await device.send('Performance.getMetrics')
    return (metrics.find((m) => m.name === 'TaskDuration')?.value ?? 0) * 1000
  }
}

/** Keeps a trace of what is done, if a folder for traces is named. */
export async function traced(browser, page, name, act) {
  const folder = process.env.KIZUNA_BENCH_TRACE
  if (folder) await browser.startTracing(page, { path: `${folder}/${name}.json`, screenshots: false })
  try {
    return await act()
  } finally {
    if (folder) await browser.stopTracing()
  }
}
