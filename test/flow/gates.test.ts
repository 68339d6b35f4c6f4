/** Several gate processes of one hub: they share its port, its registry and its broker. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { MqttClient } from 'mqtt'
import type { CaseView } from '../../src/api-schema/cases.ts'
import type { PolicyVersionView, ShadowDifferencesView } from '../../src/api-schema/policies.ts'
import type { AttemptView, DeviceDetailView, HubView, PageView } from '../../src/api-schema/views.ts'
import { gatePids, socketsOf } from '../support/gate-processes.ts'
import { type DeviceFiles, type HubProcess, hubOfFile, startHubProcess } from '../support/hub-process.ts'
import { clientOptions, connected, nextEvent, refused } from '../support/mqtt-client.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** Waits until an answer is right: what a gate process tells of itself comes a moment later. */
async function eventually(isRight: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isRight()); tries++) {
    if (tries > 100) assert.fail('it did not come about')
    await delay(50)
  }
}

async function fleet(hub: HubProcess, files: DeviceFiles, count: number): Promise<readonly MqttClient[]> {
  const clients: MqttClient[] = []
  for (let each = 0; each < count; each++) {
    clients.push(await connected(clientOptions(hub.mqtt.port, files, each % 2 === 0 ? 4 : 5)))
  }
  return clients
}

/** Connects until every gate has sessions: the kernel deals connections out by lot. */
async function fleetOnAll(hub: HubProcess, files: DeviceFiles): Promise<readonly MqttClient[]> {
  const clients = [...(await fleet(hub, files, 4))]
  while (gatePids(hub).some((pid) => socketsOf(pid, hub.mqtt.port) === 0)) clients.push(...(await fleet(hub, files, 1)))
  return clients
}

test('gates of one port share broker and registry; a revocation closes the sessions of all of them', async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data'), args: ['--gates', '2'] })
  assert.equal(gatePids(hub).length, 2)
  const pump = await hub.enrolled('pump-7', join(folder, 'pump-7'))
  const other = await hub.enrolled('pump-8', join(folder, 'pump-8'))

  const clients = await fleetOnAll(hub, pump)
  const bystander = await connected(clientOptions(hub.mqtt.port, other, 5))
  const got = clients.map(
    (client) => new Promise((resolve) => client.once('message', (_topic, body) => resolve(`${body}`))),
  )
  for (const client of clients) await client.subscribeAsync('devices/pump-7/#', { qos: 1 })
  await clients[3]?.publishAsync('devices/pump-7/messages/events/', 'to all', { qos: 1 })
  assert.deepEqual(
    await Promise.all(got),
    clients.map(() => 'to all'),
  )

  // The first use was written by the hub, and so were the attempts.
  const { credentials } = await hub.json<DeviceDetailView>(['device', 'show', 'pump-7'])
  assert.deepEqual(
    credentials.map(({ state }) => state),
    ['active'],
  )
  await eventually(async () => (await hub.json<HubView>(['status'])).sessions === clients.length + 1)
  const { items } = await hub.json<PageView<AttemptView>>(['attempts', '--device', 'pump-7'])
  assert.deepEqual(
    items.map(({ outcome }) => outcome),
    clients.map(() => 'admitted'),
  )

  // A policy that is tried is asked by the gates, and the hub hears what it would decide otherwise.
  const tried = join(folder, 'tried.yaml')
  writeFileSync(tried, 'bindings:\n  - roles: [own-topics]\n    to: { identity: pump-7 }\n')
  const { number } = await hub.json<PolicyVersionView>(['policy', 'add', tried])
  await hub.json(['policy', 'shadow', String(number)])
  await eventually(async () => {
    await bystander.publishAsync('devices/pump-8/messages/events/', 'as before', { qos: 1 })
    const { items } = await hub.json<ShadowDifferencesView>(['policy', 'shadow', '--differences'])
    return items.some(
      ({ identity, action, would }) => identity === 'pump-8' && action === 'publish' && would === 'deny',
    )
  })

  const closed = Promise.all(clients.map((client) => nextEvent(client, 'close')))
  assert.equal((await hub.cli(['revoke', 'pump-7', '--reason', 'keyCompromise'])).status, 0)
  await closed
  for (let each = 0; each < 2; each++) {
    assert.equal((await refused(clientOptions(hub.mqtt.port, pump, 5))).code, 0x87)
  }
  // Sessions that both gates closed and connections that they refused are one case of the hub.
  await eventually(async () => {
    const { items } = await hub.json<PageView<CaseView>>(['attempts', '--cases', '--device', 'pump-7'])
    const [only, ...others] = items
    return others.length === 0 && only?.code === 'certificate-revoked' && only.count === clients.length + 2
  })
  assert.equal(bystander.connected, true)
  await bystander.publishAsync('devices/pump-8/messages/events/', 'still here', { qos: 1 })

  const over = nextEvent(bystander, 'close')
  assert.equal(await hub.stop(), 0)
  await over
  for (const pid of gatePids(hub)) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})

const hubHere = hubOfFile(['--gates', '2'])

test('a client id that comes back through another gate takes its session over', async (t) => {
  const folder = temporaryFolder(t)
  const hub = await hubHere()
  const pump = await hub.enrolled('pump-1', join(folder, 'pump-1'))
  const options = { ...clientOptions(hub.mqtt.port, pump, 5), clientId: 'the-one' }
  let last = await connected(options)
  for (let each = 0; each < 3; each++) {
    const closed = nextEvent(last, 'close')
    last = await connected(options)
    await closed
  }
  await last.publishAsync('devices/pump-1/messages/events/', 'here', { qos: 1 })
  await last.endAsync()
})

test('a policy that is activated reaches live sessions of every gate', async (t) => {
  const folder = temporaryFolder(t)
  const hub = await hubHere()
  const pump = await hub.enrolled('pump-3', join(folder, 'pump-3'))
  const clients = await fleetOnAll(hub, pump)
  const file = join(folder, 'policy.yaml')
  writeFileSync(file, 'bindings: []\nexpect:\n  - pump-3 connect => deny\n')
  const closed = Promise.all(clients.map((client) => nextEvent(client, 'close')))
  const added = await hub.cli(['policy', 'add', file])
  assert.equal(added.status, 0, added.stderr)
  const activated = await hub.cli(['policy', 'activate', '1'])
  assert.equal(activated.status, 0, activated.stderr)
  await closed
  assert.equal((await hub.cli(['policy', 'rollback'])).status, 0)
})

test('a gate that is killed takes its own sessions along and nobody else, and another takes its place', async (t) => {
  const folder = temporaryFolder(t)
  const hub = await hubHere()
  const pump = await hub.enrolled('pump-2', join(folder, 'pump-2'))
  const clients = await fleetOnAll(hub, pump)
  let closed = 0
  for (const client of clients) client.on('close', () => closed++)
  const [first = 0] = gatePids(hub)
  const dying = socketsOf(first, hub.mqtt.port)
  process.kill(first, 'SIGKILL')
  await eventually(async () => closed === dying)
  const living = clients.filter(({ connected: lives }) => lives)
  assert.equal(living.length, clients.length - dying)
  await living[0]?.publishAsync('devices/pump-2/messages/events/', 'still here', { qos: 1 })
  await eventually(async () => hub.output().includes('a gate process serves again'))
  const more = await fleet(hub, pump, 4)
  await eventually(async () => (await hub.json<HubView>(['status'])).sessions === living.length + 4)
  await Promise.all([...living, ...more].map((client) => client.endAsync()))
  assert.equal(await hub.stop(), 0)
})

test('a hub that is killed takes its gates along, and the next one serves on the same port', async (t) => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  const first = await startHubProcess(t, { data, args: ['--gates', '2'] })
  const pump = await first.enrolled('pump-7', join(folder, 'pump-7'))
  const pids = gatePids(first)
  await first.kill()
  await eventually(async () => pids.every((pid) => !lives(pid)))
  const again = await startHubProcess(t, { data, args: ['--gates', '3', '--mqtt-port', `${first.mqtt.port}`] })
  assert.equal(again.mqtt.port, first.mqtt.port)
  await (await connected(clientOptions(again.mqtt.port, pump, 4))).endAsync()
  assert.equal(await again.stop(), 0)
})

test('a number of gates that cannot be is refused by name', async () => {
  const launcher = join(import.meta.dirname, '../../bin/handfast.js')
  for (const count of ['0', '65', 'two', '1.5']) {
    const { status, stderr } = await run(process.execPath, [launcher, 'up', '--gates', count])
    assert.equal(status, 2, stderr)
    assert.match(stderr, /--gates: .* is not a number of processes from 1 to 64/)
  }
})

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
