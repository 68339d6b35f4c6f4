/** Every way of not getting in that can be made here has a cause of its own in the attempts. */
// one database: the registry is only read; what a gate on PostgreSQL reads has tests of its own in test/gate/postgres
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { AttemptView, PageView } from '../../src/api-schema/views.ts'
import type { Examination } from '../../src/doctor/finding.ts'
import { signedBehindTheBack } from '../support/forged-certificates.ts'
import { type DeviceFiles, type HubProcess, startHubProcess } from '../support/hub-process.ts'
import { clientOptions, connected, nextEvent, refused, tlsOf } from '../support/mqtt-client.ts'
import { needs } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const general = 'not accepted by this hub; its operator can see why'
const daySec = 86_400

async function lastAttempt(hub: HubProcess): Promise<AttemptView> {
  const { items } = await hub.json<PageView<AttemptView>>(['attempts', '--limit', '1'])
  const [attempt] = items
  assert.ok(attempt !== undefined, 'there is no attempt')
  return attempt
}

/** Refused in MQTT 5 with this Reason String, in 3.1.1 with this code, and with this cause in the attempts. */
async function assertRefused(
  hub: HubProcess,
  files: DeviceFiles | null,
  code: string,
  told: string | RegExp,
  connack: { v3: number; v5: number } = { v3: 5, v5: 0x87 },
): Promise<AttemptView> {
  const v5 = await refused(clientOptions(hub.mqtt.port, files, 5))
  assert.equal(v5.code, connack.v5)
  if (typeof told === 'string') assert.equal(v5.reasonString, told)
  else assert.match(v5.reasonString ?? '', told)
  assert.equal((await refused(clientOptions(hub.mqtt.port, files, 4))).code, connack.v3)
  const attempt = await lastAttempt(hub)
  assert.equal(attempt.code, code)
  assert.equal(attempt.mqttVersion, '3.1.1')
  return attempt
}

test('each refusal names its own cause', async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })
  const pump = await hub.enrolled('pump-7', join(folder, 'pump-7'))
  const nowSec = Math.floor(Date.now() / 1000)

  await t.test('no certificate', async () => {
    await assertRefused(hub, null, 'certificate-missing', general)
  })

  await t.test('expired three days ago, with the days in words', async () => {
    const validity = { notBeforeSec: nowSec - 13 * daySec, notAfterSec: nowSec - 3 * daySec }
    await hub.json(['device', 'add', 'old'])
    const files = await signedBehindTheBack(hub, folder, 'old', validity, true)
    const attempt = await assertRefused(hub, files, 'certificate-expired', /^HF-2106 .*expired 3 days ago/)
    assert.equal(attempt.deviceId, 'old')
  })

  await t.test('not yet valid, which passes by itself', async () => {
    const validity = { notBeforeSec: nowSec + daySec, notAfterSec: nowSec + 2 * daySec }
    await hub.json(['device', 'add', 'early'])
    const files = await signedBehindTheBack(hub, folder, 'early', validity, true)
    await assertRefused(hub, files, 'certificate-not-yet-valid', /^HF-2107 /, { v3: 3, v5: 0x88 })
  })

  await t.test('signed by our own key, but not in the registry', async () => {
    const validity = { notBeforeSec: nowSec - 60, notAfterSec: nowSec + daySec }
    const files = await signedBehindTheBack(hub, folder, 'ghost', validity, false)
    const attempt = await assertRefused(hub, files, 'certificate-unknown-serial', general)
    assert.match(attempt.sentence, /was signed by our issuing-\w+, but the registry does not hold it/)
  })

  await t.test('self-signed', needs('openssl'), async () => {
    const files = await selfSigned(folder, 'lonely', hub.ca)
    await assertRefused(hub, files, 'certificate-self-signed', general)
  })

  await t.test('issued by an authority that is not ours', needs('openssl'), async () => {
    const files = await fromOtherAuthority(folder, hub.ca)
    const attempt = await assertRefused(hub, files, 'certificate-foreign-authority', general)
    assert.match(attempt.sentence, /was issued by CN=Other CA/)
  })

  await t.test('disabled identity', async () => {
    const files = await hub.enrolled('tired', join(folder, 'tired'))
    await hub.json(['device', 'disable', 'tired'])
    await assertRefused(hub, files, 'identity-disabled', 'disabled')
  })

  await t.test('the doctor at the address of the hub finds the cause that stands in the attempts', async () => {
    const filesOf = (id: string, folderOf = folder) => ({
      cert: join(folderOf, `${id}.pem`),
      key: join(folderOf, `${id}.key`),
    })
    const tired = await hub.enrolled('tired-too', join(folder, 'tired-too'))
    await hub.json(['device', 'disable', 'tired-too'])
    const cases = [
      [pump, null],
      [null, 'certificate-missing'],
      [filesOf('old'), 'certificate-expired'],
      [tired, 'identity-disabled'],
    ] as const
    for (const [files, code] of cases) {
      const shown = files === null ? [] : ['--cert', files.cert, '--key', files.key]
      const args = ['doctor', `localhost:${hub.mqtt.port}`, '--cafile', hub.ca, ...shown, '--json']
      const { stdout, status } = await hub.cli(args)
      const [examination] = JSON.parse(stdout) as readonly Examination[]
      const faults = examination?.findings.filter(({ severity }) => severity === 'fault').map((each) => each.code)
      assert.deepEqual(faults, code === null ? [] : [code])
      assert.equal(status, code === null ? 0 : 1)
      if (code !== null) assert.equal((await lastAttempt(hub)).code, code)
    }
  })

  await t.test('plain MQTT on the TLS port', async () => {
    await talk(hub, Buffer.from('101000044d5154540402003c000464657631', 'hex'))
    assert.equal((await lastAttempt(hub)).code, 'plain-mqtt-on-tls-port')
  })

  await t.test('HTTP on the MQTT port', async () => {
    await talk(hub, Buffer.from('GET / HTTP/1.1\r\nHost: hub\r\n\r\n'))
    assert.equal((await lastAttempt(hub)).code, 'http-on-tls-port')
  })

  await t.test(
    'a client that does not accept the certificate of the hub and, as Node does, sends no alert',
    async () => {
      const socket = connectTls({ port: hub.mqtt.port, host: '127.0.0.1', servername: 'localhost', ca: [] })
      await new Promise<void>((resolve) => socket.once('error', () => resolve()))
      const { code } = await lastAttempt(hub)
      assert.ok(['tls-closed-early', 'closed-before-connect'].includes(code ?? ''), code ?? '')
    },
  )

  await t.test('a topic outside its own closes MQTT 3.1.1, and is answered in MQTT 5', async () => {
    const v5 = await connected(clientOptions(hub.mqtt.port, pump, 5))
    await assert.rejects(v5.publishAsync('devices/other/x', 'x', { qos: 1 }), /Not authorized/)
    await v5.endAsync()
    const v4 = await connected(clientOptions(hub.mqtt.port, pump, 4))
    const ends = nextEvent(v4, 'close')
    v4.publish('devices/other/x', 'x', { qos: 1 })
    await ends
    v4.end(true)
    const attempt = await lastAttempt(hub)
    assert.equal(attempt.code, 'publish-denied')
    assert.match(attempt.sentence, /devices\/other\/x/)
  })

  await t.test('a will outside its own', async () => {
    const options = clientOptions(hub.mqtt.port, pump, 5)
    const refusal = await refused({ ...options, will: { topic: 'devices/other/x', payload: Buffer.from('x') } })
    assert.equal(refusal.code, 0x87)
    assert.equal((await lastAttempt(hub)).code, 'will-denied')
  })

  await t.test('a filter outside its own is denied by itself, and what is allowed beside it is granted', async () => {
    const client = await connected(clientOptions(hub.mqtt.port, pump, 5))
    const grants = await client.subscribeAsync(['devices/pump-7/cmd'], { qos: 1 })
    assert.deepEqual(
      grants.map(({ qos }) => qos),
      [1],
    )
    await assert.rejects(client.subscribeAsync('#', { qos: 1 }))
    await client.endAsync()
  })
})

test('a revoked device is refused also when it offers to resume its TLS session', async (t) => {
  const folder = temporaryFolder(t)
  for (const tickets of [[], ['--session-tickets']]) {
    const data = join(folder, `data${tickets.length}`)
    const hub = await startHubProcess(t, { data, args: tickets })
    const pump = await hub.enrolled('pump-7', join(folder, `pump${tickets.length}`))
    const session = await admittedSession(hub, pump)
    await hub.json(['revoke', 'pump-7'])
    const { resumed, answer } = await resumedConnect(hub, pump, session)
    assert.equal(resumed, tickets.length > 0)
    assert.match(answer.toString('latin1'), /revoked/)
    assert.equal((await lastAttempt(hub)).code, 'certificate-revoked')
    await hub.stop()
  }
})

/** Sends bytes to the MQTT port without TLS and waits until the hub has closed the connection. */
function talk(hub: HubProcess, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(hub.mqtt.port, '127.0.0.1', () => socket.write(bytes))
    socket.on('error', () => {})
    socket.resume()
    socket.on('close', () => resolve())
  })
}

/** CONNECT of MQTT 5 with client id "c". */
const connectPacket = Buffer.from('100e00044d5154540502003c00000163', 'hex')

function admittedSession(hub: HubProcess, files: DeviceFiles): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port: hub.mqtt.port, host: 'localhost', maxVersion: 'TLSv1.2', ...tlsOf(files) })
    socket.once('secureConnect', () => socket.write(connectPacket))
    socket.once('error', reject)
    socket.once('data', (answer: Buffer) => {
      assert.equal(answer[0], 0x20)
      assert.equal(answer[3], 0, 'the device was not let in')
      const session = socket.getSession()
      socket.end(Buffer.from('e000', 'hex'))
      if (session === undefined) reject(new Error('there is no TLS session'))
      else resolve(session)
    })
  })
}

function resumedConnect(
  hub: HubProcess,
  files: DeviceFiles,
  session: Buffer,
): Promise<{ resumed: boolean; answer: Buffer }> {
  return new Promise((resolve, reject) => {
    const options = { port: hub.mqtt.port, host: 'localhost', maxVersion: 'TLSv1.2', ...tlsOf(files), session } as const
    const socket = connectTls(options)
    socket.once('secureConnect', () => socket.write(connectPacket))
    socket.once('error', reject)
    socket.once('data', (answer: Buffer) => {
      resolve({ resumed: socket.isSessionReused(), answer })
      socket.destroy()
    })
  })
}

async function selfSigned(folder: string, id: string, ca: string): Promise<DeviceFiles> {
  const files = { id, folder, ca, cert: join(folder, `${id}.pem`), key: join(folder, `${id}.key`) }
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', files.key]
  const { status, stderr } = await run('openssl', ['req', '-x509', ...key, '-out', files.cert, '-subj', `/CN=${id}`])
  assert.equal(status, 0, stderr)
  return files
}

async function fromOtherAuthority(folder: string, ca: string): Promise<DeviceFiles> {
  const other = await selfSigned(folder, 'Other CA', ca)
  const files = { id: 'pump-7', folder, ca, cert: join(folder, 'foreign.pem'), key: join(folder, 'foreign.key') }
  const csr = join(folder, 'foreign.csr')
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', files.key]
  assert.equal((await run('openssl', ['req', ...key, '-out', csr, '-subj', '/CN=pump-7'])).status, 0)
  const sign = [
    'x509',
    '-req',
    '-in',
    csr,
    '-CA',
    other.cert,
    '-CAkey',
    other.key,
    '-CAcreateserial',
    '-out',
    files.cert,
  ]
  assert.equal((await run('openssl', sign)).status, 0)
  return files
}
