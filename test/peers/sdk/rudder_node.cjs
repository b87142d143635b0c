// The six calls with @rudderstack/rudder-sdk-node, gzip on. Arguments: address of the intake, write key.
const calls = require('./calls.json')
const Rudder = require('@rudderstack/rudder-sdk-node')

const [host, writeKey] = process.argv.slice(2)
const client = new Rudder(writeKey, { dataPlaneUrl: host, flushAt: 6, flushInterval: 100 })
for (const [name, args] of Object.entries(calls)) client[name](args)
client.flush().then(() => process.exit(0), (e) => { console.error('error', e.message); process.exit(1) })
