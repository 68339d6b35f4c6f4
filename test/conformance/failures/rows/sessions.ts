/** TLS is done, and MQTT or the policy refuses: rows 14, 20, 22 to 25, 55 to 57 and 60. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import type { FailureName } from '../../../../src/core/failure/catalogue.ts'
import { runClient } from '../../../doctor/log/gather/clients.ts'
import { clientOptions, connected, refused } from '../../../support/mqtt-client.ts'
import type { Bed } from '../bed.ts'
import type { Row } from '../row.ts'

async function atHub(bed: Bed, code: FailureName): Promise<void> {
  const attempt = await bed.attempt()
  assert.equal(attempt.code, code, attempt.sentence)
}

/** Says something to the hub over mutual TLS and waits until it closes. @returns what the hub said */
async function over(bed: Bed, bytes: Uint8Array): Promise<Buffer> {
  const { ca, cert, key } = bed.own
  const files = { ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key) }
  const socket = connectTls({ port: bed.hub.mqtt.port, host: 'localhost', ...files })
  socket.on('error', () => {})
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.write(bytes)
  await once(socket, 'close')
  return Buffer.concat(chunks)
}

/** A Mosquitto client as the hub's own device. @returns what it printed */
function mosquitto(bed: Bed, program: string, args: readonly string[], topic = 'devices/pump-1/x'): Promise<string> {
  const { ca, cert, key } = bed.own
  const files = ['--cafile', ca, '--cert', cert, '--key', key]
  return runClient([program, '-h', 'localhost', '-p', `${bed.hub.mqtt.port}`, ...files, '-t', topic, ...args], null)
}

/** A broker that answers whatever it is sent with these bytes. @returns its port */
async function brokerSaying(bed: Bed, bytes: Uint8Array): Promise<number> {
  const server = createServer((socket) => socket.once('data', () => socket.end(bytes))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  bed.context.after(() => server.close())
  return (server.address() as AddressInfo).port
}

export const rows: readonly Row[] = [
  {
    number: 14,
    title: 'the device shows no certificate',
    async run(bed) {
      const said = await bed.dial('mosquitto', { cert: '', key: '' })
      await atHub(bed, 'certificate-missing')
      bed.says(said, 'certificate-missing')
    },
  },
  {
    number: 20,
    title: 'the device signs with another key than that of its certificate (mbedTLS)',
    needs: 'mbedtls',
    async run(bed) {
      const said = await bed.dial('mbedtls', { key: bed.at('stranger.key') })
      await atHub(bed, 'client-key-unproved')
      bed.says(said, 'client-key-unproved')
    },
  },
  {
    number: 23,
    title: 'the client id is not the one that the policy asks for',
    async run(bed) {
      await bed.hub.json(['device', 'set', 'pump-1', '--group', 'fixed'])
      const said = await mosquitto(bed, 'mosquitto_pub', ['-V', 'mqttv311', '-i', 'somebody', '-m', 'x'])
      await bed.hub.json(['device', 'set', 'pump-1', '--no-group'])
      await atHub(bed, 'client-id-denied')
      bed.says(said, 'client-id-denied')
    },
  },
  {
    number: 24,
    title: 'the identity is disabled',
    async run(bed) {
      const out = await bed.hub.enrolled('pump-24', join(bed.own.folder, '../pump-24'))
      await bed.hub.json(['device', 'disable', 'pump-24'])
      const { reasonString } = await refused(clientOptions(bed.hub.mqtt.port, out, 5))
      await atHub(bed, 'identity-disabled')
      assert.equal(reasonString, 'disabled')
    },
  },
  {
    number: 25,
    title: 'a session of TLS is resumed with a certificate that was revoked since',
    async run(bed) {
      const { hub } = bed
      const pump = await hub.enrolled('pump-25', join(bed.own.folder, '../pump-25'))
      const session = join(pump.folder, 'session')
      const at = ['-connect', `localhost:${hub.mqtt.port}`, '-CAfile', pump.ca, '-cert', pump.cert, '-key', pump.key]
      await runClient(['openssl', 's_client', ...at, '-sess_out', session], null)
      await bed.attempt().catch(() => null)
      await hub.json(['revoke', 'pump-25'])
      await runClient(['openssl', 's_client', ...at, '-sess_in', session], null)
      await atHub(bed, 'certificate-revoked')
    },
  },
  {
    number: 55,
    title: 'the device speaks a version of MQTT that the hub does not',
    async run(bed) {
      const answer = await over(bed, Buffer.from('101600044d5154540602003c000a6465766963652d303031', 'hex'))
      await atHub(bed, 'protocol-version-unsupported')
      // Nobody knows how version 6 would be answered; version 5 is the latest.
      assert.deepEqual([answer[0], answer[3]], [0x20, 0x84])
      const old = await brokerSaying(bed, Buffer.from([0x20, 2, 0, 1]))
      const said = await runClient(['mosquitto_pub', '-h', '127.0.0.1', '-p', `${old}`, '-t', 'x', '-m', 'x'], null)
      bed.says(said, 'protocol-version-unsupported')
    },
  },
  {
    number: 56,
    title: 'two devices use one client id',
    async run(bed) {
      const first = mosquitto(bed, 'mosquitto_sub', ['-V', 'mqttv5', '-i', 'pump-1', '-d', '-W', '5'])
      assert.equal((await bed.attempt()).code, null)
      const second = await connected({ ...clientOptions(bed.hub.mqtt.port, bed.own, 5), clientId: 'pump-1' })
      bed.says(await first, 'session-taken-over')
      await second.endAsync()
      await bed.attempt()
    },
  },
  {
    number: 57,
    title: 'the policy does not let the device publish there',
    async run(bed) {
      const said = await mosquitto(bed, 'mosquitto_pub', ['-V', 'mqttv5', '-q', '1', '-m', 'x', '-d'], 'plant/all')
      await atHub(bed, 'publish-denied')
      bed.says(said, 'publish-denied')
    },
  },
  {
    number: 57,
    title: 'the policy does not let the device subscribe there',
    async run(bed) {
      const said = await mosquitto(bed, 'mosquitto_sub', ['-V', 'mqttv5', '-d', '-W', '2'], 'plant/all')
      await atHub(bed, 'subscribe-denied')
      bed.says(said, 'subscribe-denied')
    },
  },
  {
    number: 60,
    title: 'nothing is heard of the device for longer than it said',
    async run(bed) {
      await over(bed, Buffer.from('101600044d5154540402000100' + '0a6465766963652d303031', 'hex'))
      await atHub(bed, 'keep-alive-timeout')
    },
  },
]
