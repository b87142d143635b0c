// The six calls with @segment/analytics-node. Arguments: address of the intake, write key.
import { readFileSync } from 'node:fs'
import { Analytics } from '@segment/analytics-node'

const [host, writeKey] = process.argv.slice(2)
const calls = JSON.parse(readFileSync(new URL('calls.json', import.meta.url)))
const analytics = new Analytics({ writeKey, host, path: '/v1/batch', flushAt: 6, flushInterval: 100 })
analytics.on('error', (e) => console.error('error', e.code, e.reason))
for (const [name, args] of Object.entries(calls)) analytics[name](args)
await analytics.closeAndFlush({ timeout: 60_000 })
