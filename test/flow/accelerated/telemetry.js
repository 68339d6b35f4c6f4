// An application as somebody writes it who knows nothing of certificates: it publishes a number a second, with QoS 1, and hears them
// again. It ends when it reads a line on standard input and all has come, and prints how much that was.
import mqtt from 'mqtt'

const [url, id] = process.argv.slice(2)
const topic = `devices/${id}/messages/events/`
const client = mqtt.connect(url, { clientId: 'telemetry', clean: false, reconnectPeriod: 1_000 })
const acknowledged = new Set()
const heard = new Set()
let connections = 0
let next = 0
let publishing

client.on('error', () => {})
client.on('message', (_topic, payload) => heard.add(Number(payload.toString())))
client.on('connect', () => {
  connections++
  client.subscribe(topic, { qos: 1 }, () => {
    publishing ??= setInterval(publish, 1_000)
  })
})

function publish() {
  const number = next++
  client.publish(topic, String(number), { qos: 1 }, (error) => {
    if (!error) acknowledged.add(number)
  })
}

process.stdin.once('data', () => {
  clearInterval(publishing)
  setInterval(() => {
    if (acknowledged.size < next || heard.size < next) return
    const counted = { published: next, acknowledged: acknowledged.size, heard: heard.size, connections }
    process.stdout.write(`${JSON.stringify(counted)}\n`)
    process.exit()
  }, 500)
})
