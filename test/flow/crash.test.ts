/** What was acknowledged survives `kill -9`, and a device finishes what it had begun. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { BootstrapView, DeviceDetailView } from '../../src/api-schema/views.ts'
import { certificateFingerprint } from '../../src/core/x509/certificate.ts'
import { decodePem } from '../../src/core/x509/pem.ts'
import { deviceFiles, type HubProcess, startHubProcess } from '../support/hub-process.ts'
import { clientOptions, connected } from '../support/mqtt-client.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const devices = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

/** The ports of a hub, so that bootstrap strings made before a crash still lead to it. */
function samePorts(hub: HubProcess): string[] {
  const { mqtt, https, http } = hub
  return ['--mqtt-port', `${mqtt.port}`, '--https-port', `${https.port}`, '--http-port', `${http.port}`]
}

test('killing the hub during enrolments loses no acknowledged certificate and strands no device', async (t) => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  const first = await startHubProcess(t, { data })
  const bootstraps = new Map<string, string>()
  for (const id of devices) {
    bootstraps.set(id, (await first.json<BootstrapView>(['device', 'add', id])).bootstrap)
  }
  const enrol = (hub: HubProcess, id: string) =>
    hub.cli(['enrol', '-', '--dir', join(folder, id)], { input: bootstraps.get(id) ?? '' })

  // The hub dies as soon as the first device has its certificate: the others are anywhere in between.
  const running = devices.map((id) => enrol(first, id))
  await Promise.race(running)
  await first.kill()
  const before = await Promise.all(running)
  const acknowledged = devices.filter((_, index) => before[index]?.status === 0)
  assert.ok(acknowledged.length > 0)
  for (const failed of before.filter(({ status }) => status !== 0)) {
    assert.match(failed.stderr, /hint: /)
  }

  const second = await startHubProcess(t, { data, args: samePorts(first) })
  for (const id of acknowledged) {
    const [leaf] = decodePem(readFileSync(deviceFiles(id, join(folder, id)).cert, 'utf8'))
    assert.ok(leaf !== undefined)
    const { credentials } = await second.json<DeviceDetailView>(['device', 'show', id])
    assert.deepEqual(
      credentials.map(({ fingerprint }) => fingerprint),
      [certificateFingerprint(leaf.der)],
    )
  }
  for (const id of devices.filter((name) => !acknowledged.includes(name))) {
    const again = await enrol(second, id)
    assert.equal(again.status, 0, again.stderr)
  }
  for (const id of devices) {
    const files = deviceFiles(id, join(folder, id))
    await (await connected(clientOptions(second.mqtt.port, files, 5))).endAsync()
    const { credentials } = await second.json<DeviceDetailView>(['device', 'show', id])
    // What the hub was about to sign when it died is known as that, and was handed out to nobody.
    const issued = credentials.filter(({ state }) => state !== 'intended')
    assert.equal(issued.length, 1, `${id} has ${issued.length} certificates`)
  }
})

test('a revocation that was acknowledged holds after kill -9', async (t) => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  const first = await startHubProcess(t, { data })
  await first.enrolled('pump-7', join(folder, 'pump-7'))
  await first.json(['revoke', 'pump-7'])
  await first.kill()
  const second = await startHubProcess(t, { data })
  const { device, credentials } = await second.json<DeviceDetailView>(['device', 'show', 'pump-7'])
  assert.equal(device.state, 'disabled')
  assert.deepEqual(
    credentials.map(({ state }) => state),
    ['revoked'],
  )
})
