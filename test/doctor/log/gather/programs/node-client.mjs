// MQTT.js: host port ca cert key version name protocol
import { readFileSync } from 'node:fs'
import mqtt from 'mqtt'

const [host, port, ca, cert, key, version, name, protocol] = process.argv.slice(2)
const text = (file) => (file ? readFileSync(file) : undefined)
process.on('uncaughtException', (error) => {
  console.error(error)
  process.exit(1)
})
const client = mqtt.connect({
  protocol: ca ? 'mqtts' : 'mqtt',
  host,
  port: Number(port),
  ca: text(ca),
  cert: text(cert),
  key: text(key),
  passphrase: 'Wrong-one-1',
  servername: name,
  ...(version === '1.2' ? { maxVersion: 'TLSv1.2' } : {}),
  protocolVersion: protocol === '5' ? 5 : 4,
  clientId: 'device-001',
  reconnectPeriod: 0,
  connectTimeout: 4000,
})
client.on('connect', (connack) => {
  console.log('connected', connack.reasonCode ?? connack.returnCode)
  client.subscribe('plant/all', (error, granted) => console.log(error ?? granted))
  setTimeout(() => client.end(true), 800)
})
client.on('error', (error) => console.error(error))
client.on('disconnect', (packet) => console.error('disconnect', packet.reasonCode))
client.on('close', () => console.error('close'))
setTimeout(() => process.exit(), 5000).unref()
