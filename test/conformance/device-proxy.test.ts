/** Programs that know nothing of TLS, through `handfast agent proxy`, against a real hub and a real Mosquitto. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import type { MqttClient } from 'mqtt'
import type { BootstrapView } from '../../src/api-schema/views.ts'
import { OpensslAuthority } from '../device/est-authority.ts'
import { type ProxyProcess, startAgentProxy } from '../support/agent-proxy.ts'
import { type DeviceFiles, type HubProcess, repository, startHubProcess } from '../support/hub-process.ts'
import { startMosquittoBroker } from '../support/mosquitto-broker.ts'
import { clientOptions, connected, nextMessage } from '../support/mqtt-client.ts'
import { needs } from '../support/programs.ts'
import { type Finished, run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const hasPaho = existsSync('/usr/lib/python3/dist-packages/paho')
const topic = 'devices/pump-7/x'

test('Mosquitto clients on both doors, in both versions', needs('mosquitto_pub', 'mosquitto_sub'), async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })
  await hub.enrolled('pump-7', join(folder, 'pump-7'))
  const path = join(folder, 'mqtt.sock')
  const proxy = await startAgentProxy(t, join(folder, 'pump-7'), ['--listen', path])
  const doors = { tcp: ['-h', '127.0.0.1', '-p', `${proxy.port}`], unix: ['--unix', path] }

  for (const [door, place] of Object.entries(doors)) {
    for (const version of ['mqttv311', 'mqttv5']) {
      await t.test(`${version} over ${door}: a message of each QoS is acknowledged and kept`, async () => {
        for (const qos of ['0', '1', '2']) {
          const own = ['-V', version, '-q', qos, '-t', `${topic}/${door}/${version}/${qos}`, '-r', '-m', `m${qos}`]
          assertWorked(await run('mosquitto_pub', [...place, ...own]))
        }
        const filter = ['-V', version, '-t', `${topic}/${door}/${version}/+`, '-C', '3', '-W', '20', '-F', '%p']
        const { stdout } = await run('mosquitto_sub', [...place, ...filter])
        assert.deepEqual(stdout.trim().split('\n').toSorted(), ['m0', 'm1', 'm2'])
      })
    }
  }

  await t.test('the hub sees the device, and tells the client through the proxy why it is refused', async () => {
    await hub.json(['device', 'disable', 'pump-7'])
    const { status, stderr } = await publish(proxy, ['-V', 'mqttv5', '-t', topic, '-m', 'x'])
    assert.notEqual(status, 0)
    assert.match(stderr, /Not authorized/)
    const refused = await proxy.said(({ kind }) => kind === 'refused')
    assert.deepEqual([refused.packet, refused.code, refused.sentence], ['CONNACK', 135, 'disabled'])
    await hub.json(['device', 'enable', 'pump-7'])
    assertWorked(await publish(proxy, ['-t', topic, '-m', 'x']))
  })

  await t.test('while the hub is away clients hear that the server is not available', async () => {
    await hub.stop()
    const { status, stderr } = await publish(proxy, ['-V', 'mqttv311', '-t', topic, '-m', 'x'])
    assert.equal(status, 3, stderr)
    assert.match(stderr, /Connection Refused: broker unavailable/)
    const failed = await proxy.said(({ kind }) => kind === 'failed')
    assert.equal((failed.problem as { code: string }).code, 'hub-unreachable')
  })

  await t.test('SIGTERM ends it, and its socket is gone', async () => {
    assert.equal(await proxy.stop(), 0)
    assert.equal(existsSync(path), false)
  })
})

const readers = `
roles:
  reader:
    statements:
      - allow: [connect]
      - allow: [subscribe, receive]
        topics: ['devices/#']
bindings:
  - roles: [own-topics]
    to: everyone
  - roles: [reader]
    to: { group: readers }
`

test('a Python application loses no reading while its device gets new certificates and the old ones are revoked', {
  skip: hasPaho ? false : 'python3-paho-mqtt is not installed',
}, async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })
  const device = await hub.enrolled('pump-7', join(folder, 'pump-7'))
  const reader = await readerOf(t, hub, folder)
  const got: string[] = []
  reader.on('message', (_, payload) => got.push(String(payload)))
  await reader.subscribeAsync(topic, { qos: 1 })
  const proxy = await startAgentProxy(t, device.folder)
  const application = telemetry(t, proxy)
  for (let renewals = 0; renewals < 3; renewals++) {
    await application.acknowledged()
    const certificate = await replaced(hub, device)
    await Promise.race([
      proxy.said((line) => line.kind === 'opened' && line.certificate === certificate),
      application.failed,
    ])
  }
  await application.acknowledged()
  const readings = await application.end()
  assert.ok(readings.length > 3)
  const last = readings.at(-1) ?? ''
  while (!got.includes(last)) await new Promise<void>((resolve) => reader.once('message', () => resolve()))
  assert.deepEqual(
    readings.filter((each) => !got.includes(each)),
    [],
  )
})

test('the Python program of docs/device-attach.md works as it stands there', {
  skip: hasPaho ? false : 'python3-paho-mqtt is not installed',
}, async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })
  const device = await hub.enrolled('pump-7', join(folder, 'pump-7'))
  const reader = await connected(clientOptions(hub.mqtt.port, device, 5))
  t.after(() => reader.end(true))
  await reader.subscribeAsync('devices/pump-7/#', { qos: 1 })
  const arrives = nextMessage(reader)
  const proxy = await startAgentProxy(t, device.folder)
  const page = readFileSync(join(repository, 'docs/device-attach.md'), 'utf8')
  const program = /^```python\n(.*?)^```$/ms.exec(page)?.[1] ?? ''
  assert.match(program, /'127\.0\.0\.1', 1883/)
  const { status, stderr } = await run('/usr/bin/python3', ['-c', program.replace('1883', `${proxy.port}`)])
  assert.equal(status, 0, stderr)
  assert.equal((await arrives).payload, '{"temperature":21}')
})

async function readerOf(t: TestContext, hub: HubProcess, folder: string): Promise<MqttClient> {
  const policy = join(folder, 'policy.yaml')
  writeFileSync(policy, readers)
  await hub.json(['policy', 'add', policy, '--activate'])
  const files = await hub.enrolled('reader', join(folder, 'reader'))
  await hub.json(['device', 'set', 'reader', '--group', 'readers'])
  const reader = await connected(clientOptions(hub.mqtt.port, files, 5))
  t.after(() => reader.end(true))
  return reader
}

/** Another certificate takes the place of that in the folder, which is revoked: sessions that were opened with it end. */
async function replaced(hub: HubProcess, { id, folder, cert }: DeviceFiles): Promise<string> {
  const { serialNumber } = new X509Certificate(readFileSync(cert))
  const { bootstrap } = await hub.json<BootstrapView>(['device', 'token', id])
  const { status, stderr } = await hub.cli(['enrol', '-', '--dir', folder, '--force'], { input: bootstrap })
  assert.equal(status, 0, stderr)
  await hub.json(['revoke', '--serial', serialNumber.toLowerCase()])
  return new X509Certificate(readFileSync(cert)).fingerprint256.replaceAll(':', '').toLowerCase()
}

function telemetry(t: TestContext, proxy: ProxyProcess) {
  const script = join(import.meta.dirname, 'paho-telemetry.py')
  const child = spawn('/usr/bin/python3', [script, `${proxy.port}`, topic], { stdio: ['pipe', 'pipe', 'pipe'] })
  t.after(() => child.kill('SIGKILL'))
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8')
  })
  const ended = once(child, 'exit')
  const failed = ended.then(([status]) => assert.equal(status, 0, errors))
  failed.catch(() => {})
  const readings: string[] = []
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (line) => readings.push(line))
  const read = once(lines, 'close')
  return {
    /** Rejected when it ends otherwise than it should. */
    failed,
    /** Waits until one more reading was acknowledged. */
    async acknowledged(): Promise<void> {
      await Promise.race([once(lines, 'line', { signal: t.signal }), failed])
    },
    /** Tells it to end, and answers with all that were acknowledged. */
    async end(): Promise<readonly string[]> {
      child.stdin.end()
      await failed
      await read
      return readings
    },
  }
}

test(
  'a Mosquitto that wants another certificate ends the connection in TLS, and the proxy says so',
  needs('mosquitto', 'mosquitto_pub'),
  async (t) => {
    const folder = temporaryFolder(t)
    const hub = await startHubProcess(t, { data: join(folder, 'data') })
    await hub.enrolled('pump-7', join(folder, 'pump-7'))
    const foreign = new OpensslAuthority()
    t.after(() => foreign.remove())
    const chain = join(folder, 'chain.pem')
    writeFileSync(chain, foreign.endEntity('localhost', 'DNS:localhost').certificate)
    const broker = await startMosquittoBroker(t, folder, [
      ...['allow_anonymous true', `certfile ${chain}`, `keyfile ${foreign.path('localhost.key')}`],
      ...[`cafile ${foreign.path('root.pem')}`, 'require_certificate true'],
    ])
    const to = ['--to', `localhost:${broker.port}`, '--ca', foreign.path('root.pem')]
    const proxy = await startAgentProxy(t, join(folder, 'pump-7'), to)
    const { status } = await publish(proxy, ['-t', topic, '-m', 'x'])
    assert.notEqual(status, 0)
    const closed = await proxy.said(({ kind }) => kind === 'closed')
    const cause = closed.cause as { readonly code: string; readonly message: string }
    assert.equal(cause.code, 'proxy-certificate-refused', cause.message)
    assert.match(cause.message, /TLS alert: unknown ca/)
  },
)

function publish({ port }: ProxyProcess, args: readonly string[]): Promise<Finished> {
  return run('mosquitto_pub', ['-h', '127.0.0.1', '-p', `${port}`, '-q', '1', ...args])
}

function assertWorked({ status, stderr }: Finished): void {
  assert.equal(status, 0, stderr)
}
