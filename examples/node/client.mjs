// Connects as this device and sends one reading: `npm install`, then `node client.mjs`.
import { existsSync, readFileSync } from 'node:fs'
import mqtt from 'mqtt'

const file = (name) => new URL(name, import.meta.url)
const passphrase = file('private_key_pass.txt')

const client = await mqtt.connectAsync('mqtts://@URI_HOST@:@PORT@', {
  protocolVersion: 5,
  clientId: '@ID@',
  ca: readFileSync(file('ca.pem')),
  cert: readFileSync(file('client_cert.pem')),
  key: readFileSync(file('private_key.pem')),
  ...(existsSync(passphrase) ? { passphrase: readFileSync(passphrase, 'utf8') } : {}),
})
await client.publishAsync('devices/@ID@/messages/events/', '{"temperature":21}', { qos: 1 })
console.log('sent')
await client.endAsync()
