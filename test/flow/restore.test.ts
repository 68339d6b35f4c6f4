/** The restore drill: an old backup takes nobody's revocation back, and loses nobody who was let in since. */
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AdoptionView, AttemptView, BootstrapView, PageView } from '../../src/api-schema/views.ts'
import { readCrl } from '../../src/core/x509/crl-reader.ts'
import { openBeside } from '../support/hub-database.ts'
import { type DeviceFiles, deviceFiles, type HubProcess, startHubProcess } from '../support/hub-process.ts'
import { clientOptions, connected, refused } from '../support/mqtt-client.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

interface Adopted {
  readonly waiting: readonly AdoptionView[]
  readonly adopted: number
}

function portsOf({ mqtt, https, http }: HubProcess): string[] {
  return ['--mqtt-port', `${mqtt.port}`, '--https-port', `${https.port}`, '--http-port', `${http.port}`]
}

async function connect(hub: HubProcess, files: DeviceFiles): Promise<void> {
  await (await connected(clientOptions(hub.mqtt.port, files, 5))).endAsync()
}

/** What a refused device reads, and why, as the operator reads it. */
async function refusalOf(hub: HubProcess, files: DeviceFiles) {
  const { reasonString } = await refused(clientOptions(hub.mqtt.port, files, 5))
  const { items } = await hub.json<PageView<AttemptView>>(['attempts', '--limit', '1'])
  return { reasonString, code: items[0]?.code, cure: items[0]?.cure }
}

/** Enrols again into the same folder, with a new token, and connects once. */
async function enrolAgain(hub: HubProcess, files: DeviceFiles): Promise<void> {
  const { bootstrap } = await hub.json<BootstrapView>(['device', 'token', files.id])
  const { status, stderr } = await hub.cli(['enrol', '-', '--dir', files.folder], { input: bootstrap })
  assert.equal(status, 0, stderr)
  await connect(hub, files)
}

async function crlNumbers(hub: HubProcess): Promise<ReadonlyMap<string, bigint>> {
  const { store } = await openBeside(hub.data)
  const authorities = await store.authorities.all()
  await store.close()
  const crls = authorities.map(async ({ id }) => {
    const answer = await fetch(`http://127.0.0.1:${hub.http.port}/crl/${id}.crl`)
    assert.equal(answer.status, 200, id)
    return [id, readCrl(new Uint8Array(await answer.arrayBuffer())).number] as const
  })
  return new Map(await Promise.all(crls))
}

test('a hub that is restored from an old backup un-revokes nobody, and adopts everybody else', async (t) => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  // On another disk, as it should be.
  const journal = join(folder, 'journal')
  const backup = join(folder, 'plant.backup')
  const first = await startHubProcess(t, { data, args: ['--journal', journal] })
  const hub = { data, args: ['--journal', journal, ...portsOf(first)] }
  const enrolled = (id: string): Promise<DeviceFiles> => first.enrolled(id, join(folder, id))

  const kept = await enrolled('kept')
  const again = [await enrolled('again-1'), await enrolled('again-2'), await enrolled('again-3')]
  const [revoked, disabled, retired] = [
    await enrolled('revoked'),
    await enrolled('disabled'),
    await enrolled('retired'),
  ]
  for (const files of [kept, ...again, revoked, disabled, retired]) await connect(first, files)
  const unused = await first.json<BootstrapView>(['device', 'add', 'late'])
  const oldAdminKey = readFileSync(join(data, 'admin.key'), 'utf8').trim()

  // The backup is made while others enrol and send.
  const load = first.cli(['simulate', '--devices', '12', '--count', '15'])
  const { rows } = await first.json<{ rows: Record<string, number> }>(['backup', backup])
  assert.equal((await load).status, 0)
  assert.ok((rows.identities ?? 0) >= 8)
  const verified = await first.cli(['backup', 'verify', backup])
  assert.equal(verified.status, 0, verified.stdout + verified.stderr)

  for (const files of again) await enrolAgain(first, files)
  for (const files of again.slice(1)) await enrolAgain(first, files)
  for (const files of again.slice(2)) await enrolAgain(first, files)
  await enrolAgain(first, disabled)
  await first.json(['revoke', 'revoked', '--reason', 'keyCompromise'])
  await first.json(['device', 'disable', 'disabled'])
  await first.json(['device', 'retire', 'retired'])
  const late = deviceFiles('late', join(folder, 'late'))
  assert.equal((await first.cli(['enrol', '-', '--dir', late.folder], { input: unused.bootstrap })).status, 0)
  const fresh = await enrolled('fresh')
  await connect(first, fresh)
  const crlsBefore = await crlNumbers(first)
  // Whoever reads the folder takes the key of the command line away and starts again: the old key ends.
  await first.stop()
  rmSync(join(data, 'admin.key'))
  const second = await startHubProcess(t, hub)
  await second.kill()

  const plan = await second.json<{ journal: { kind: string; since: Record<string, number> } }>(
    ['restore', '--check', backup],
    {
      env: { HANDFAST_JOURNAL: journal },
    },
  )
  assert.equal(plan.journal.kind, 'covers')
  assert.ok((plan.journal.since.certificatesRevoked ?? 0) >= 2, JSON.stringify(plan.journal))
  const restored = await second.cli(['restore', '--apply', '--replace', backup], { env: { HANDFAST_JOURNAL: journal } })
  assert.equal(restored.status, 0, restored.stderr)
  writeFileSync(join(data, 'admin.key'), `${oldAdminKey}\n`)

  const third = await startHubProcess(t, hub)
  assert.equal(await statusWith(third, oldAdminKey), 401)
  assert.equal(await statusWith(third, readFileSync(join(data, 'admin.key'), 'utf8').trim()), 200)
  await assertTakenAway(third, { revoked, disabled, retired })
  await assertOldSecretsRefused(third, unused.bootstrap, join(folder, 'thief'))
  const crlsAfter = await crlNumbers(third)
  for (const [id, number] of crlsBefore) assert.ok((crlsAfter.get(id) ?? 0n) > number, id)

  await connect(third, kept)
  const newcomers = [...again, fresh, late]
  for (const files of newcomers) {
    const { code, reasonString, cure } = await refusalOf(third, files)
    assert.equal(code, 'certificate-not-adopted', files.id)
    assert.match(reasonString ?? '', /^HF-9125 /)
    assert.match(cure ?? '', /handfast adopt/)
  }

  const shown = await third.cli(['adopt'])
  assert.match(shown.stdout, /^again-1 +active +1 /m)
  assert.match(shown.stdout, /^fresh +pending → active +1 /m)
  assert.match(shown.stdout, /Nothing was changed/)
  assert.match(shown.stdout, /handfast adopt --yes$/m)
  const one = await third.cli(['adopt', '--device', 'fresh'])
  assert.match(one.stdout, /handfast adopt --device fresh --yes$/m, 'what it says adopts no more than it showed')
  assert.equal((await refusalOf(third, fresh)).code, 'certificate-not-adopted')
  const { waiting, adopted } = await third.json<Adopted>(['adopt', '--yes'])
  assert.equal(adopted, waiting.length)
  assert.ok(waiting.some(({ device }) => device.id === 'late'))
  for (const files of newcomers) await connect(third, files)
  await assertTakenAway(third, { revoked, disabled, retired })
  assert.deepEqual((await third.json<Adopted>(['adopt'])).waiting, [])

  for (const command of [['check'], ['audit', 'verify'], ['journal', '--journal', journal]]) {
    const { status, stdout, stderr } = await third.cli(command)
    assert.equal(status, 0, stdout + stderr)
  }
})

/** The HTTP status of a request to the admin API with that key. */
function statusWith(hub: HubProcess, key: string): Promise<number | undefined> {
  const { socket } = JSON.parse(readFileSync(join(hub.data, 'run', 'api.json'), 'utf8')) as { readonly socket: string }
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${key}` }
    const asking = request({ socketPath: socket, path: '/api/v1/hub', headers, agent: false }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
    asking.on('error', reject)
    asking.end()
  })
}

async function assertTakenAway(
  hub: HubProcess,
  { revoked, disabled, retired }: Readonly<Record<'revoked' | 'disabled' | 'retired', DeviceFiles>>,
): Promise<void> {
  assert.deepEqual(await words(hub, revoked), ['revoked', 'certificate-revoked'])
  assert.deepEqual(await words(hub, disabled), ['disabled', 'identity-disabled'])
  // Retiring revokes.
  assert.deepEqual(await words(hub, retired), ['revoked', 'certificate-revoked'])
}

async function words(hub: HubProcess, files: DeviceFiles): Promise<readonly unknown[]> {
  const { reasonString, code } = await refusalOf(hub, files)
  return [reasonString, code]
}

async function assertOldSecretsRefused(hub: HubProcess, bootstrap: string, folder: string): Promise<void> {
  const enrolment = await hub.cli(['enrol', '-', '--dir', folder, '--json'], { input: bootstrap })
  assert.equal(JSON.parse(enrolment.stderr).error.code, 'token-used')
}
