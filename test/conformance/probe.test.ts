/** What a probe says of the real Mosquitto, with certificates of all kinds; one of ours is probed in `flow/refusals.test.ts`. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { parseTopicName, type TopicName } from '../../src/core/mqtt/topic.ts'
import { Secret } from '../../src/core/secret.ts'
import type { ProbeOptions } from '../../src/doctor/probe/options.ts'
import { probe } from '../../src/doctor/probe/probe.ts'
import type { DeviceFiles } from '../support/hub-process.ts'
import { Maker } from '../support/maker.ts'
import { startConfiguredMosquitto } from '../support/mosquitto-broker.ts'
import { needs } from '../support/programs.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const needed = needs('mosquitto', 'openssl')

let folder: string
let acme: Maker
let other: Maker

before((context) => {
  folder = temporaryFolder(context as { after(step: () => void): unknown })
})

before(async () => {
  if (needed.skip !== false) return
  acme = await Maker.start(folder, 'acme')
  other = await Maker.start(folder, 'other')
})

const forClients = 'extendedKeyUsage=clientAuth'

function pairOf({ cert, key }: DeviceFiles): NonNullable<ProbeOptions['pair']> {
  return { key: new Secret(readFileSync(key, 'utf8')), chain: readFileSync(cert, 'utf8') }
}

async function probed(port: number, options: Partial<ProbeOptions> = {}) {
  const examination = await probe(`localhost:${port}`, {
    ...{ authorities: [acme.pem], systemAuthorities: [], pair: null, username: null, password: null, topic: null },
    ...{
      clientId: null,
      alpn: [],
      serverName: null,
      stepMs: 5_000,
      nowSec: Math.floor(Date.now() / 1000),
      nonce: '00',
    },
    ...options,
  })
  return examination.findings.map(({ code }) => code)
}

test('each certificate that Mosquitto refuses is refused for its own cause', needed, async (t) => {
  const ca = acme.path('ca.pem')
  const server = await acme.issue(
    'server',
    'localhost',
    ca,
    'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth',
  )
  const pump = await acme.issue('pump', 'pump', ca, forClients)
  const lost = await acme.issue('lost', 'lost', ca, forClients)
  const expired = await acme.issue('old', 'old', ca, forClients, -1)
  const stranger = await other.issue('stranger', 'stranger', ca, forClients)
  await acme.revoke(lost.cert)
  const crl = await acme.crl()
  const { port } = await startConfiguredMosquitto(t, folder, (free) =>
    [
      ...[`listener ${free}`, `certfile ${server.cert}`, `keyfile ${server.key}`, `cafile ${ca}`, `crlfile ${crl}`],
      ...['require_certificate true', 'use_identity_as_username true', ''],
    ].join('\n'),
  )
  const topic = parseTopicName('plant/probe') as TopicName
  assert.deepEqual(await probed(port, { pair: pairOf(pump), topic }), [])
  assert.deepEqual(await probed(port), ['certificate-missing'])
  assert.deepEqual(await probed(port, { pair: pairOf(lost) }), ['certificate-revoked'])
  assert.deepEqual(await probed(port, { pair: pairOf(expired) }), ['certificate-expired'])
  assert.deepEqual(await probed(port, { pair: pairOf(server) }), ['certificate-wrong-usage'])
  assert.deepEqual(await probed(port, { pair: pairOf(stranger) }), ['certificate-foreign-authority'])
  assert.ok((await probed(port, { authorities: [other.pem], pair: pairOf(pump) })).includes('hub-untrusted'))
})

test('logins and topics of Mosquitto', needed, async (t) => {
  const own = temporaryFolder(t)
  const { port } = await startConfiguredMosquitto(t, own, (free) => `listener ${free}\nallow_anonymous false\n`)
  const { findings } = await probe(`mqtt://localhost:${port}`, {
    ...{ authorities: null, systemAuthorities: [], pair: null, username: null, password: null, topic: null },
    ...{ clientId: null, alpn: [], serverName: null, stepMs: 5_000, nowSec: 0, nonce: '00' },
  })
  assert.deepEqual(
    findings.map(({ code }) => code),
    ['broker-refused-unexplained'],
  )
  assert.deepEqual(await probed(port), ['port-speaks-plain-mqtt'])
})
