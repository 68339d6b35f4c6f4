/** The journal's disk is full: nothing is acknowledged, what was revoked is out all the same, and it goes on when there is room. */
// one database: the journal is a file, and holds back what either has written
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { BootstrapView, CredentialView, DeviceChangeView, DeviceDetailView } from '../../src/api-schema/views.ts'
import { type HubProcess, startHubProcess } from '../support/hub-process.ts'
import { clientOptions, connected } from '../support/mqtt-client.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** A disk of 256 KiB, or null where this user may not mount one. */
function smallDisk(t: TestContext): string | null {
  const path = mkdtempSync(join(tmpdir(), 'hf-disk-'))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', path])
  t.after(() => {
    if (status === 0) spawnSync('umount', ['-l', path])
    rmdirSync(path)
  })
  return status === 0 ? path : null
}

/** Fills what is left of it. */
function fillUp(disk: string): void {
  for (let size = 64 * 1024; size >= 1024; size /= 2) {
    for (let n = 0; n < 8; n++) {
      try {
        writeFileSync(join(disk, `filler-${size}-${n}`), Buffer.alloc(size))
      } catch {
        break
      }
    }
  }
}

/** Waits for a CRL that has the certificate. */
async function untilRevokedInCrl({ http }: HubProcess, credential: CredentialView | undefined): Promise<void> {
  const serial = Buffer.from(credential?.serialNumber ?? '', 'hex')
  for (let waited = 0; ; waited += 100) {
    const answer = await fetch(`http://127.0.0.1:${http.port}/crl/${credential?.authority}.crl`)
    if (Buffer.from(await answer.arrayBuffer()).includes(serial)) return
    assert.ok(waited < 10_000, 'no CRL has the certificate')
    await delay(100)
  }
}

test('a full disk of the journal holds back acknowledgements, not revocations', async (t) => {
  const disk = smallDisk(t)
  if (disk === null) return t.skip('only root may mount a small disk')
  const folder = temporaryFolder(t)
  const options = { data: join(folder, 'data'), args: ['--journal', join(disk, 'journal')] }
  let hub = await startHubProcess(t, options)
  const pump = await hub.enrolled('pump-7', join(folder, 'pump-7'))
  const session = await connected(clientOptions(hub.mqtt.port, pump, 5))
  t.after(() => session.end(true))
  const closed = new Promise<void>((resolve) => session.once('close', () => resolve()))
  const fan = await hub.enrolled('fan-1', join(folder, 'fan-1'))
  await (await connected(clientOptions(hub.mqtt.port, fan, 5))).endAsync()
  const { bootstrap } = await hub.json<BootstrapView>(['device', 'add', 'pump-8'])
  fillUp(disk)
  // The last page of the journal itself still has room.
  for (let n = 0; (await hub.cli(['device', 'add', `filler-${n}`])).status === 0; n++) assert.ok(n < 20)

  const revocation = await hub.cli(['revoke', 'pump-7', '--json'])
  assert.equal(JSON.parse(revocation.stderr).error.code, 'journal-unavailable')
  await closed
  const { device, credentials } = await hub.json<DeviceDetailView>(['device', 'show', 'pump-7'])
  assert.deepEqual([device.state, credentials[0]?.state], ['disabled', 'revoked'])
  await untilRevokedInCrl(hub, credentials[0])
  const enrolment = await hub.cli(['enrol', '-', '--dir', join(folder, 'pump-8')], { input: bootstrap })
  assert.notEqual(enrolment.status, 0)
  const ready = await fetch(`http://127.0.0.1:${hub.http.port}/readyz`)
  assert.equal(ready.status, 503)
  // A restart keeps nobody out who was in.
  const { mqtt, https, http } = hub
  const ports = ['--mqtt-port', `${mqtt.port}`, '--https-port', `${https.port}`, '--http-port', `${http.port}`]
  await hub.stop()
  hub = await startHubProcess(t, { ...options, args: [...options.args, ...ports] })
  await (await connected(clientOptions(hub.mqtt.port, fan, 5))).endAsync()
  // Asked for again, it is still not acknowledged, although nothing is left to do.
  assert.equal((await hub.cli(['revoke', 'pump-7'])).status, 6)

  for (let size = 64 * 1024; size >= 1024; size /= 2) {
    for (let n = 0; n < 8; n++) rmSync(join(disk, `filler-${size}-${n}`), { force: true })
  }
  assert.deepEqual((await hub.json<DeviceChangeView>(['revoke', 'pump-7'])).revoked, [])
  assert.equal((await hub.cli(['enrol', '-', '--dir', join(folder, 'pump-8')], { input: bootstrap })).status, 0)
  for (let waited = 0; (await fetch(`http://127.0.0.1:${hub.http.port}/readyz`)).status !== 200; waited += 100) {
    assert.ok(waited < 10_000, hub.output())
    await delay(100)
  }
  assert.equal((await hub.cli(['journal', '--journal', join(disk, 'journal')])).status, 0)
  assert.equal(await hub.stop(), 0)
})
