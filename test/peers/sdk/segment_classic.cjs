// The six calls with analytics-node, the client before @segment/analytics-node. Arguments: address of the intake, write key.
const calls = require('./calls.json')
const Analytics = require('analytics-node')

const [host, writeKey] = process.argv.slice(2)
const analytics = new Analytics(writeKey, { host, flushAt: 6, errorHandler: (e) => console.error('error', e.message) })
for (const [name, args] of Object.entries(calls)) analytics[name](args)
analytics.flush()
