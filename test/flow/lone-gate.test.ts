/** A hub and a gate on "another machine": a folder of its own, a database user that may read, and the gate link between them. */
// one database: it brings its own
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { globSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as elapse } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import type { CaseView } from '../../src/api-schema/cases.ts'
import type { IdentityDetailView } from '../../src/api-schema/identities.ts'
import type { AttemptView, BootstrapView, DeviceDetailView, HubView, PageView } from '../../src/api-schema/views.ts'
import { addGate, startGateProcess } from '../support/gate-process.ts'
import { databaseOf, usePostgres } from '../support/hub-database.ts'
import { deviceFiles, type HubProcess, startHubProcess } from '../support/hub-process.ts'
import { clientOptions, connected, nextEvent, nextMessage, refused } from '../support/mqtt-client.ts'
import { needsPostgres } from '../support/postgres.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

interface Bed {
  readonly folder: string
  readonly hub: HubProcess
  /** Of the database, for gates. */
  readonly gateUrl: string
  readonly link: number
}

const gateLink = (port: number): string[] => ['--gate-link', `127.0.0.1:${port}`]

/** A hub with a gate link, and the database user of its gates as an operator makes it. */
async function bed(t: TestContext): Promise<Bed> {
  const server = await usePostgres()
  const folder = temporaryFolder(t)
  const data = join(folder, 'hub')
  const hub = await startHubProcess(t, { data, args: gateLink(0) })
  const url = new URL((await databaseOf(data)) ?? '')
  const role = `gate_${randomBytes(4).toString('hex')}`
  const { status, stdout, stderr } = await hub.cli(['gate', 'sql', '--role', role])
  assert.equal(status, 0, stderr)
  await server.script(stdout, url.pathname.slice(1))
  await server.admin(`alter role ${role} password 'gate'`)
  const gateUrl = Object.assign(url, { username: role, password: 'gate' }).href
  return { folder, hub, gateUrl, link: hub.gateLink?.port ?? 0 }
}

async function until(isTrue: () => Promise<boolean> | boolean, { signal }: { signal: AbortSignal }): Promise<void> {
  while (!(await isTrue())) await elapse(50, undefined, { signal })
}

test('a hub and a gate on a machine of its own', { ...needsPostgres, timeout: 300_000 }, async (whole) => {
  const made = await bed(whole)
  const { folder, gateUrl, link } = made
  let { hub } = made
  const bootstrapFile = await addGate(hub, 'gate-2', folder)
  const options = { data: join(folder, 'gate-2'), link, databaseUrl: gateUrl }
  let gate = await startGateProcess(whole, { ...options, bootstrapFile, args: ['--log-level', 'debug'] })

  const enrolled = (id: string) => hub.enrolled(id, join(folder, id))
  const linkedGates = async () => (await hub.json<HubView>(['status'])).gates
  const isLinked = async () => (await linkedGates()).length === 1
  const attemptsOf = async (id: string) =>
    (await hub.json<PageView<AttemptView>>(['attempts', '--device', id, '--limit', '100'])).items

  await whole.test('the gate shows nobody what it is enrolled with', () => {
    const token = readFileSync(bootstrapFile, 'utf8').trim().split('/').at(-1) ?? ''
    assert.ok(token.length > 20)
    const [argv, env] = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${gate.process.pid}/${name}`, 'utf8'))
    for (const text of [gate.output(), argv ?? '', env ?? '']) {
      assert.equal(text.includes(token), false)
      assert.equal(text.includes(gateUrl), false)
    }
    assert.equal(statSync(join(gate.data, 'credential', 'private_key.pem')).mode & 0o777, 0o600)
  })

  await whole.test('clients of both gates share the broker, and the hub knows of all', async (t) => {
    const pump = await enrolled('pump-1')
    const here = await connected(clientOptions(hub.mqtt.port, pump, 4))
    const there = await connected(clientOptions(gate.mqtt.port, pump, 5))
    await here.subscribeAsync('devices/pump-1/#', { qos: 1 })
    const message = nextMessage(here)
    await there.publishAsync('devices/pump-1/messages/events/', 'from afar', { qos: 1 })
    assert.deepEqual(await message, { topic: 'devices/pump-1/messages/events/', payload: 'from afar' })

    await until(async () => (await hub.json<HubView>(['status'])).sessions === 2, t)
    assert.deepEqual(await linkedGates(), [{ id: 'gate-2', address: '127.0.0.1', sessions: 1 }])
    const { stdout } = await hub.cli(['status'])
    assert.match(stdout, /^gate gate-2 +linked from 127\.0\.0\.1, 1 session$/m)
    const told = (await attemptsOf('pump-1')).map(({ listener, outcome }) => `${listener} ${outcome}`)
    assert.deepEqual(told.sort(), ['mqtt admitted', 'mqtt@gate-2 admitted'])
    // So was the certificate of the gate used, which the hub has written.
    const { credentials } = await hub.json<IdentityDetailView>(['service', 'show', 'gate-2'])
    assert.deepEqual(
      credentials.map(({ state, profile }) => [state, profile]),
      [['active', 'gate']],
    )
    await Promise.all([here.endAsync(), there.endAsync()])
  })

  await whole.test(
    'the first use of a device is written by the hub, with a profile of the operator as well',
    async () => {
      const { stdout } = await hub.cli(['profile', 'show', 'device', '--json'])
      const press = JSON.stringify({ ...(JSON.parse(stdout) as object), name: 'press' })
      await hub.json(['profile', 'add', '-'], { input: press })
      const { bootstrap } = await hub.json<BootstrapView>(['device', 'add', 'press-4', '--profile', 'press'])
      const { status, stderr } = await hub.cli(['enrol', '-', '--dir', join(folder, 'press-4')], { input: bootstrap })
      assert.equal(status, 0, stderr)
      const files = deviceFiles('press-4', join(folder, 'press-4'))
      await (await connected(clientOptions(gate.mqtt.port, files, 5))).endAsync()
      const { credentials } = await hub.json<DeviceDetailView>(['device', 'show', 'press-4'])
      assert.deepEqual(
        credentials.map(({ state, profile }) => [state, profile]),
        [['active', 'press']],
      )
    },
  )

  await whole.test('a revocation and a changed policy reach the sessions of the gate', async () => {
    const [pump, other] = [await enrolled('pump-2'), await enrolled('pump-3')]
    const client = await connected(clientOptions(gate.mqtt.port, pump, 5))
    const bystander = await connected(clientOptions(gate.mqtt.port, other, 5))
    const closed = nextEvent(client, 'close')
    await hub.json(['revoke', 'pump-2', '--reason', 'keyCompromise'])
    await closed
    assert.equal((await refused(clientOptions(gate.mqtt.port, pump, 5))).code, 0x87)
    await bystander.publishAsync('devices/pump-3/messages/events/', 'still here', { qos: 1 })

    const file = join(folder, 'policy.yaml')
    writeFileSync(file, 'bindings: []\nexpect:\n  - pump-3 connect => deny\n')
    const over = nextEvent(bystander, 'close')
    await hub.json(['policy', 'add', file])
    await hub.json(['policy', 'activate', '1'])
    await over
    await hub.json(['policy', 'rollback'])
  })

  await whole.test('a gate that is disabled is cut off with its sessions, and comes back by itself', async (t) => {
    const pump = await enrolled('pump-4')
    const client = await connected(clientOptions(gate.mqtt.port, pump, 5))
    const closed = nextEvent(client, 'close')
    await hub.json(['service', 'disable', 'gate-2'])
    await closed
    assert.deepEqual(await linkedGates(), [])
    // Who comes to it is told to come later, and never that it is not authorised.
    assert.equal((await refused(clientOptions(gate.mqtt.port, pump, 5))).code, 0x88)
    assert.equal((await refused(clientOptions(gate.mqtt.port, pump, 4))).code, 3)
    // It comes again meanwhile, and is refused.
    await until(async () => {
      const { items } = await hub.json<PageView<AttemptView>>(['attempts', '--failed', '--limit', '100'])
      return items.some(({ listener, code }) => listener === 'gate-link' && code === 'identity-disabled')
    }, t)
    await hub.json(['service', 'enable', 'gate-2'])
    await until(isLinked, t)
    await (await connected(clientOptions(gate.mqtt.port, pump, 5))).endAsync()
    // What it has refused meanwhile is known now.
    // The end of the session, and two who were refused.
    const known = async () => {
      const { items } = await hub.json<PageView<CaseView>>(['attempts', '--cases', '--device', 'pump-4'])
      return items.some(({ count, admittedAt }) => count === 3 && admittedAt !== null)
    }
    await until(known, t)
    const codes = (await attemptsOf('pump-4')).flatMap(({ listener, code }) => (code === null ? [] : [listener, code]))
    assert.deepEqual(codes, Array(3).fill(['mqtt@gate-2', 'upstream-unavailable']).flat())
    const { items: cases } = await hub.json<PageView<CaseView>>(['attempts', '--cases', '--device', 'pump-4'])
    assert.deepEqual(
      cases.map(({ listener, code, count, admittedAt }) => [listener, code, count, admittedAt !== null]),
      [['mqtt@gate-2', 'upstream-unavailable', 3, true]],
    )
  })

  await whole.test('a gate outlives its hub, and serves again when that is back', async (t) => {
    const pump = await enrolled('pump-5')
    const client = await connected(clientOptions(gate.mqtt.port, pump, 5))
    const closed = nextEvent(client, 'close')
    await hub.kill()
    await closed
    assert.equal((await refused(clientOptions(gate.mqtt.port, pump, 5))).code, 0x88)
    hub = await startHubProcess(whole, { data: hub.data, args: gateLink(link) })
    await until(isLinked, t)
    await (await connected(clientOptions(gate.mqtt.port, pump, 5))).endAsync()
  })

  await whole.test('a gate that was killed starts again with what it has, and needs no bootstrap string', async (t) => {
    await gate.kill()
    rmSync(bootstrapFile)
    gate = await startGateProcess(whole, { ...options, bootstrapFile })
    await until(isLinked, t)
    assert.match(gate.output(), /The gate gate-2 is ready/)
  })

  await whole.test('a gate without a certificate, or with the database of another hub, does not start', async () => {
    await assert.rejects(startGateProcess(whole, { ...options, data: join(folder, 'gate-3') }), /gate-not-enrolled/)
    const other = await bed(whole)
    const ofOther = await addGate(hub, 'gate-4', folder)
    const mixed = { ...options, data: join(folder, 'gate-4'), databaseUrl: other.gateUrl, bootstrapFile: ofOther }
    await assert.rejects(startGateProcess(whole, mixed), /gate-registry-foreign/)
  })

  await whole.test('a gate says goodbye when it is stopped, and a revoked one does not start again', async (t) => {
    const pump = await enrolled('pump-6')
    const client = await connected(clientOptions(gate.mqtt.port, pump, 5))
    const goodbye = nextEvent(client, 'disconnect')
    assert.equal(await gate.stop(), 0)
    await goodbye
    await until(async () => !(await isLinked()), t)
    await hub.json(['service', 'revoke', 'gate-2', '--reason', 'keyCompromise'])
    await assert.rejects(startGateProcess(whole, options), /gate-link-refused/)
    assert.equal(await hub.stop(), 0)
  })
})

/** libfaketime in front of a program, with the clock that a file says, while timers go on as they do. */
const fakeTime = globSync('/usr/lib/*/faketime/libfaketime.so.1')[0]

test('a gate renews its certificate by itself, and no session ends by it', {
  skip: needsPostgres.skip || (fakeTime === undefined && 'faketime is not installed'),
  timeout: 300_000,
}, async (whole) => {
  const { folder, hub, gateUrl, link } = await bed(whole)
  const clockFile = join(folder, 'clock')
  writeFileSync(clockFile, '+0')
  const gate = await startGateProcess(whole, {
    ...{
      data: join(folder, 'gate-2'),
      link,
      databaseUrl: gateUrl,
      bootstrapFile: await addGate(hub, 'gate-2', folder),
    },
    wrapper: [
      ...['env', `LD_PRELOAD=${fakeTime}`, `FAKETIME_TIMESTAMP_FILE=${clockFile}`],
      ...['FAKETIME_NO_CACHE=1', 'FAKETIME_DONT_FAKE_MONOTONIC=1'],
    ],
  })
  const { stdout } = await hub.cli(['profile', 'show', 'device', '--json'])
  const long = { ...(JSON.parse(stdout) as object), name: 'long', lifetimeSec: 90 * 86_400 }
  await hub.json(['profile', 'add', '-'], { input: JSON.stringify(long) })
  const { bootstrap } = await hub.json<BootstrapView>(['device', 'add', 'pump-7', '--profile', 'long'])
  const enrolled = await hub.cli(['enrol', '-', '--dir', join(folder, 'pump-7')], { input: bootstrap })
  assert.equal(enrolled.status, 0, enrolled.stderr)
  const options = clientOptions(gate.mqtt.port, deviceFiles('pump-7', join(folder, 'pump-7')), 5)
  const client = await connected(options)
  let closed = false
  client.once('close', () => {
    closed = true
  })
  const before = await shownBy(gate.mqtt.port)

  // 30 days are its life, and at 25 its renewal is overdue.
  writeFileSync(clockFile, '+25d')
  const credentials = async () => (await hub.json<IdentityDetailView>(['service', 'show', 'gate-2'])).credentials
  await until(async () => (await credentials()).length === 2, whole)
  await until(() => gate.output().includes('the certificate of the gate was renewed'), whole)
  await until(async () => (await shownBy(gate.mqtt.port)) !== before, whole)
  const [now, old] = await credentials()
  assert.equal(await shownBy(gate.mqtt.port), now?.fingerprint)
  assert.deepEqual([now?.state, old?.state], ['active', 'superseded'])

  // The old one ends in good order: the link stands by the new one.
  await hub.json(['cert', 'revoke', old?.serialNumber ?? '', '--reason', 'superseded'])
  await client.publishAsync('devices/pump-7/messages/events/', 'still here', { qos: 1 })
  assert.equal((await hub.json<HubView>(['status'])).gates.length, 1)
  assert.equal(closed, false)
  // And with the new one it does not.
  await hub.json(['cert', 'revoke', now?.serialNumber ?? '', '--reason', 'keyCompromise'])
  await until(() => closed, whole)
})

/** SHA-256 of the certificate that a listener shows. */
async function shownBy(port: number): Promise<string> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  const fingerprint = socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase() ?? ''
  socket.destroy()
  return fingerprint
}
