/** The whole way through the house with real processes: register, enrol, talk, revoke. */
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type {
  AttemptView,
  AuditEntryView,
  DeviceChangeView,
  DeviceDetailView,
  PageView,
} from '../../src/api-schema/views.ts'
import { type HubProcess, hubOfFile, startHubProcess } from '../support/hub-process.ts'
import { clientOptions, connected, nextEvent, nextMessage, refused } from '../support/mqtt-client.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

function attempts(hub: HubProcess, id: string): Promise<PageView<AttemptView>> {
  return hub.json(['attempts', '--device', id])
}

const hubHere = hubOfFile()

test('a device enrols, talks over mutual TLS, and is cut off when it is revoked', async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })
  const pump = await hub.enrolled('pump-7', join(folder, 'pump-7'))

  await t.test('its key is readable by its owner alone, and ca.pem holds roots only', () => {
    assert.equal(statSync(pump.key).mode & 0o777, 0o600)
    assert.equal(statSync(pump.folder).mode & 0o777, 0o700)
    assert.equal(readFileSync(pump.ca, 'utf8').match(/BEGIN CERTIFICATE/g)?.length, 1)
    assert.equal(readFileSync(pump.cert, 'utf8').match(/BEGIN CERTIFICATE/g)?.length, 2)
    assert.equal(readFileSync(pump.ca, 'utf8'), readFileSync(hub.ca, 'utf8'))
  })

  await t.test('before it has connected, its certificate is pending', async () => {
    const { credentials } = await hub.json<DeviceDetailView>(['device', 'show', 'pump-7'])
    assert.deepEqual(
      credentials.map((credential) => credential.state),
      ['pending'],
    )
  })

  const reader = await connected(clientOptions(hub.mqtt.port, pump, 4))
  const writer = await connected(clientOptions(hub.mqtt.port, pump, 5))

  await t.test('what it publishes with MQTT 5 arrives at its MQTT 3.1.1 connection', async () => {
    await reader.subscribeAsync('devices/pump-7/#', { qos: 1 })
    const arrives = nextMessage(reader)
    await writer.publishAsync('devices/pump-7/messages/events/', '{"temperature":21}', { qos: 1 })
    assert.deepEqual(await arrives, { topic: 'devices/pump-7/messages/events/', payload: '{"temperature":21}' })
  })

  await t.test('its first use made its certificate active', async () => {
    const { credentials } = await hub.json<DeviceDetailView>(['device', 'show', 'pump-7'])
    assert.deepEqual(
      credentials.map((credential) => credential.state),
      ['active'],
    )
  })

  await t.test('revoking it closes both connections, and MQTT 5 is told why', async () => {
    const ends = Promise.all([nextEvent(reader, 'close'), nextEvent(writer, 'close')])
    const told = nextEvent(writer, 'disconnect')
    const change = await hub.json<DeviceChangeView>(['revoke', 'pump-7', '--reason', 'keyCompromise'])
    assert.equal(change.device.state, 'disabled')
    assert.equal(change.revoked.length, 1)
    await ends
    const packet = (await told) as { reasonCode?: number; properties?: { reasonString?: string } }
    assert.equal(packet.reasonCode, 0x87)
    assert.equal(packet.properties?.reasonString, 'revoked')
  })

  await t.test('the next try is refused with that word, and the attempt says it in full', async () => {
    const refusal = await refused(clientOptions(hub.mqtt.port, pump, 5))
    assert.deepEqual({ ...refusal, message: '' }, { code: 0x87, reasonString: 'revoked', message: '' })
    assert.equal((await refused(clientOptions(hub.mqtt.port, pump, 4))).code, 5)
    const { items } = await attempts(hub, 'pump-7')
    for (const attempt of items.slice(0, 2)) {
      assert.equal(attempt.code, 'certificate-revoked')
      assert.match(attempt.sentence, /of pump-7 was revoked at .* \(keyCompromise\)/)
      assert.notEqual(attempt.cure, null)
    }
  })

  await t.test('the audit log tells the story in order, newest first', async () => {
    const { items } = await hub.json<PageView<AuditEntryView>>(['audit'])
    const acts = items.filter((entry) => entry.actor !== 'hub').map((entry) => entry.act)
    assert.deepEqual(acts, [
      'identity.state',
      'credential.revoke',
      'credential.activate',
      'credential.issue',
      'credential.sign',
      'token.create',
      'identity.register',
    ])
  })

  await t.test('SIGTERM ends the hub with status 0', async () => {
    assert.equal(await hub.stop(), 0)
  })
})

test('a device that is enabled again enrols with a new token, and its old certificate stays revoked', async (t) => {
  const folder = temporaryFolder(t)
  const hub = await hubHere()
  const first = await hub.enrolled('pump-8', join(folder, 'first'))
  await hub.json(['revoke', 'pump-8'])
  await hub.json(['device', 'enable', 'pump-8'])
  const { bootstrap } = await hub.json<{ bootstrap: string }>(['device', 'token', 'pump-8'])
  const again = join(folder, 'again')
  assert.equal((await hub.cli(['enrol', '-', '--dir', again], { input: bootstrap })).status, 0)

  const files = { ...first, folder: again, cert: join(again, 'client_cert.pem'), key: join(again, 'private_key.pem') }
  const client = await connected(clientOptions(hub.mqtt.port, files, 5))
  await client.endAsync()
  assert.equal((await refused(clientOptions(hub.mqtt.port, first, 5))).reasonString, 'revoked')
})

test('disabling closes the connection and enabling lets the same certificate in again', async (t) => {
  const folder = temporaryFolder(t)
  const hub = await hubHere()
  const pump = await hub.enrolled('pump-9', join(folder, 'pump-9'))
  const client = await connected(clientOptions(hub.mqtt.port, pump, 5))
  const ends = nextEvent(client, 'close')
  await hub.json(['device', 'disable', 'pump-9'])
  await ends
  assert.equal((await refused(clientOptions(hub.mqtt.port, pump, 5))).reasonString, 'disabled')
  await hub.json(['device', 'enable', 'pump-9'])
  await (await connected(clientOptions(hub.mqtt.port, pump, 5))).endAsync()
})
