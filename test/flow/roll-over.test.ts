/** Authorities change under a fleet that lives: nobody is disconnected, nobody is reconfigured. */
import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { MqttClient } from 'mqtt'
import type { AuthorityListView, RollOverView } from '../../src/api-schema/authority-views.ts'
import { decodePem, encodePem } from '../../src/core/x509/pem.ts'
import type { RootsResult } from '../../src/device/refresh-roots.ts'
import { type DeviceFiles, type HubProcess, startHubProcess } from '../support/hub-process.ts'
import { clientOptions, connected, nextMessage } from '../support/mqtt-client.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** A device whose connection stays open, and tells when it ends. */
async function session(hub: HubProcess, files: DeviceFiles): Promise<{ client: MqttClient; isOpen(): boolean }> {
  const client = await connected(clientOptions(hub.mqtt.port, files, 5))
  let isOpen = true
  client.once('close', () => {
    isOpen = false
  })
  await client.subscribeAsync(`devices/${files.id}/#`, { qos: 1 })
  return { client, isOpen: () => isOpen }
}

/** A message goes to the hub and comes back on a connection that was there before. */
async function talks({ id }: DeviceFiles, client: MqttClient): Promise<void> {
  const arrives = nextMessage(client)
  await client.publishAsync(`devices/${id}/messages/events/`, 'here', { qos: 1 })
  assert.equal((await arrives).payload, 'here')
}

async function connects(hub: HubProcess, files: DeviceFiles): Promise<void> {
  await (await connected(clientOptions(hub.mqtt.port, files, 5))).endAsync()
}

/** The same credential, with these roots alone. */
function knowing(files: DeviceFiles, folder: string, roots: readonly string[]): DeviceFiles {
  cpSync(files.folder, folder, { recursive: true, verbatimSymlinks: true })
  const ca = join(folder, 'ca.pem')
  writeFileSync(ca, roots.join(''))
  return { ...files, folder, ca, cert: join(folder, 'client_cert.pem'), key: join(folder, 'private_key.pem') }
}

function rootsIn(path: string): readonly string[] {
  return decodePem(readFileSync(path, 'utf8')).map(({ der }) => encodePem('CERTIFICATE', der))
}

/** OpenSSL connects as a device without our code would. */
async function openssl(hub: HubProcess, files: DeviceFiles): Promise<string> {
  const { stdout, stderr } = await run('openssl', [
    ...[
      's_client',
      '-connect',
      `localhost:${hub.mqtt.port}`,
      '-servername',
      'localhost',
      '-verify_hostname',
      'localhost',
    ],
    ...['-x509_strict', '-CAfile', files.ca, '-cert', files.cert, '-key', files.key, '-verify_return_error', '-brief'],
  ])
  return stdout + stderr
}

test('issuing authority and root change under live devices', async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })
  const pump = await hub.enrolled('pump-7', join(folder, 'pump-7'))
  const valve = await hub.enrolled('valve-1', join(folder, 'valve-1'))
  const live = [await session(hub, pump), await session(hub, valve)]
  const devices = [pump, valve]
  const [oldRoot = ''] = rootsIn(hub.ca)
  const kept = devices.map(({ ca, cert, key }) => [ca, cert, key].map((path) => readFileSync(path, 'utf8')))

  const nobodyNoticed = async (): Promise<void> => {
    for (const [index, { client, isOpen }] of live.entries()) {
      const files = devices[index]
      assert.ok(files !== undefined && isOpen(), `${files?.id} was disconnected`)
      await talks(files, client)
    }
  }

  await t.test('the issuing authority: sessions stay, and new connections with unchanged files come in', async () => {
    const before = await hub.json<AuthorityListView>(['ca', 'list'])
    const rolled = await hub.json<RollOverView>(['ca', 'rotate', 'issuing'])
    assert.equal(rolled.state, 'switched')
    assert.equal(rolled.from, before.items.find(({ role }) => role === 'issuing')?.id)
    await nobodyNoticed()
    for (const files of devices) await connects(hub, files)
    const fresh = await hub.enrolled('pump-8', join(folder, 'pump-8'))
    await connects(hub, fresh)
    assert.match(await openssl(hub, pump), /Verification: OK/)
  })

  await t.test('it is not done before the last certificate of the old one has ended, and can be undone', async () => {
    assert.equal((await hub.json<RollOverView>(['ca', 'rotate', 'undo'])).state, 'undone')
    for (const files of [...devices]) await connects(hub, files)
    await connects(hub, { ...pump, id: 'pump-8', ...filesIn(join(folder, 'pump-8')) })
    await nobodyNoticed()
  })

  let newRoot = ''
  await t.test(
    'a new root is published: devices with the old one, with the new one and with both come in',
    async () => {
      const rolled = await hub.json<RollOverView>(['ca', 'rotate', 'root'])
      assert.deepEqual([rolled.state, rolled.acknowledged, rolled.devices], ['switched', 0, 3])
      const roots = rootsIn(hub.ca)
      assert.equal(roots.length, 2)
      newRoot = roots.find((each) => each !== oldRoot) ?? ''
      await nobodyNoticed()
      const onlyOld = knowing(pump, join(folder, 'only-old'), [oldRoot])
      const onlyNew = knowing(pump, join(folder, 'only-new'), [newRoot])
      const both = knowing(pump, join(folder, 'both'), roots)
      for (const files of [onlyOld, onlyNew, both]) {
        await connects(hub, files)
        assert.match(await openssl(hub, files), /Verification: OK/, files.folder)
      }
      const fresh = await hub.enrolled('pump-9', join(folder, 'pump-9'))
      assert.deepEqual(new Set(rootsIn(fresh.ca)), new Set(roots))
      await connects(hub, fresh)
      const anchors = await run('openssl', [
        'verify',
        '-x509_strict',
        '-CAfile',
        hub.ca,
        '-untrusted',
        fresh.cert,
        fresh.cert,
      ])
      assert.equal(anchors.status, 0, anchors.stderr)
    },
  )

  await t.test('the cut waits until the asked share of devices is known to trust the new root', async () => {
    const waiting = await hub.json<RollOverView>(['ca', 'rotate', 'cut', '--share', '1'])
    assert.deepEqual([waiting.state, waiting.unknown], ['cutting', ['pump-7', 'pump-8', 'pump-9', 'valve-1']])
    for (const id of ['pump-7', 'valve-1', 'pump-8', 'pump-9']) {
      const { status, stdout, stderr } = await hub.cli(['roots', '--dir', join(folder, id), '--json'])
      assert.equal(status, 0, stderr)
      const { added, roots } = JSON.parse(stdout) as RootsResult
      // Who enrolled after the publication has them already.
      assert.deepEqual([added.length, roots.length], [id === 'pump-9' ? 0 : 1, 2])
    }
    await nobodyNoticed()
    const cut = await hub.json<RollOverView>(['ca', 'rotate', 'cut', '--share', '1'])
    assert.deepEqual([cut.state, cut.acknowledged, cut.devices], ['done', 4, 4])
    assert.deepEqual(rootsIn(hub.ca), [newRoot])
  })

  await t.test(
    'after the cut, sessions of before live on, and every device that has fetched the root comes in',
    async () => {
      await nobodyNoticed()
      for (const files of devices) {
        await connects(hub, files)
        assert.match(await openssl(hub, files), /Verification: OK/)
      }
      const onlyOld = { ...pump, ...filesIn(join(folder, 'only-old')) }
      await assert.rejects(connects(hub, onlyOld))
      const { stdout } = await hub.cli(['roots', '--dir', pump.folder, '--json'])
      assert.equal((JSON.parse(stdout) as RootsResult).removed.length, 1)
      assert.deepEqual(rootsIn(pump.ca), [newRoot])
      for (const { client } of live) await client.endAsync()
    },
  )

  await t.test('certificates and keys of the devices are what they were', () => {
    for (const [index, { cert, key }] of devices.entries()) {
      assert.equal(readFileSync(cert, 'utf8'), kept[index]?.[1])
      assert.equal(readFileSync(key, 'utf8'), kept[index]?.[2])
    }
  })

  await t.test('the hub starts again, and finds itself consistent', async () => {
    await hub.stop()
    const again = await startHubProcess(t, { data: join(folder, 'data') })
    await connects(again, pump)
    assert.deepEqual(rootsIn(again.ca), [newRoot])
    const { status, stdout, stderr } = await again.cli(['check'])
    assert.equal(status, 0, stdout + stderr)
  })
})

function filesIn(folder: string): Omit<DeviceFiles, 'id'> {
  const [ca, cert, key] = ['ca.pem', 'client_cert.pem', 'private_key.pem'].map((name) => join(folder, name))
  return { folder, ca: ca ?? '', cert: cert ?? '', key: key ?? '' }
}
