/** What fails before, around and above TLS: rows 41 to 60. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { FailureName } from '../../../../src/core/failure/catalogue.ts'
import { runClient } from '../../../doctor/log/gather/clients.ts'
import type { Bed } from '../bed.ts'
import type { Row } from '../row.ts'
import { openWire } from '../wire.ts'

/** openssl s_client against the hub. @returns what it printed */
function sClient(bed: Bed, ...options: readonly string[]): Promise<string> {
  const { ca, own, hub } = { ...bed, ca: bed.hub.ca }
  const at = ['-connect', `localhost:${hub.mqtt.port}`, '-CAfile', ca, '-cert', own.cert, '-key', own.key]
  return runClient(['openssl', 's_client', ...at, ...options], null)
}

async function atHub(bed: Bed, code: FailureName): Promise<void> {
  const attempt = await bed.attempt()
  assert.equal(attempt.code, code, attempt.sentence)
}

/** Sends bytes without TLS. */
async function plain(bed: Bed, bytes: Uint8Array | string): Promise<void> {
  const socket = connectTcp(bed.hub.mqtt.port, '127.0.0.1')
  await once(socket, 'connect')
  socket.on('error', () => {})
  socket.write(bytes)
  await once(socket.resume(), 'close')
}

const connect3 = Buffer.from('101600044d5154540402003c000a6465766963652d303031', 'hex')

export const rows: readonly Row[] = [
  {
    number: 41,
    title: 'the device offers only TLS 1.1',
    async run(bed) {
      const said = await sClient(bed, '-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0')
      await atHub(bed, 'tls-version-unsupported')
      bed.says(said, 'tls-version-unsupported')
    },
  },
  {
    number: 15,
    title: 'the key of the device is on a curve that the hub does not take',
    async run(bed) {
      const files = { cert: bed.at('device-secp256k1.pem'), key: bed.at('device-secp256k1.key') }
      const said = await bed.dial('openssl', { ...files, version: '1.2' })
      await atHub(bed, 'client-curve-unsupported')
      bed.says(said, 'client-curve-unsupported')
    },
  },
  {
    number: 42,
    title: 'device and hub have no cipher suite in common',
    async run(bed) {
      const said = await sClient(bed, '-tls1_2', '-cipher', 'DHE-RSA-AES128-SHA256:PSK-AES128-CBC-SHA')
      await atHub(bed, 'tls-no-shared-cipher')
      bed.says(said, 'tls-no-shared-cipher')
    },
  },
  {
    number: 43,
    title: 'device and hub have no curve in common',
    async run(bed) {
      const said = await sClient(bed, '-tls1_2', '-curves', 'brainpoolP256r1')
      await atHub(bed, 'tls-no-shared-group')
      bed.says(said, 'tls-no-shared-group')
    },
  },
  {
    number: 46,
    title: 'the device speaks MQTT without TLS on the port of TLS',
    async run(bed) {
      await plain(bed, connect3)
      await atHub(bed, 'plain-mqtt-on-tls-port')
    },
  },
  {
    number: 47,
    title: 'somebody speaks HTTP on the port of MQTT',
    async run(bed) {
      const said = await runClient(['curl', '-s', '--max-time', '3', `http://localhost:${bed.hub.mqtt.port}/`], null)
      assert.equal(said, '')
      await atHub(bed, 'http-on-tls-port')
    },
  },
  {
    number: 49,
    title: 'a health check opens the connection and closes it',
    async run(bed) {
      const socket = connectTcp(bed.hub.mqtt.port, '127.0.0.1')
      await once(socket, 'connect')
      socket.end()
      await once(socket.resume(), 'close')
      await atHub(bed, 'closed-unused')
    },
  },
  {
    number: 44,
    title: 'device and hub have no application protocol in common',
    async run(bed) {
      const said = await sClient(bed, '-connect', `localhost:${bed.listener('alpn')}`, '-alpn', 'http/1.1')
      await atHub(bed, 'tls-no-application-protocol')
      bed.says(said, 'tls-no-application-protocol')
    },
  },
  {
    number: 54,
    title: 'what is sent is changed on its way',
    async run(bed) {
      const port = await openWire(bed, { change: spoilAfterHandshake })
      // Curl asks for a page; what the hub answers to that, if only that it closes, is damaged on its way.
      const said = await bed.dial('curl', { port, version: '1.2' })
      bed.says(said, 'tls-record-damaged')
      await bed.attempt()
    },
  },
  {
    number: 58,
    title: 'the listener waits for the header of a proxy, and the device comes without one',
    async run(bed) {
      const said = await bed.dial('mosquitto', { port: bed.listener('proxied') })
      await atHub(bed, 'proxy-header-invalid')
      bed.says(said, 'broker-refused-unexplained')
    },
  },
]

function spoilAfterHandshake(chunk: Buffer): void {
  if (chunk[0] === 0x17 || chunk[0] === 0x15) chunk[chunk.length - 1] = (chunk.at(-1) ?? 0) ^ 1
}
