/** What must not be restored, or started, is refused by name, and says what to do. */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { databaseEnvironment, onSqliteOnly } from '../support/hub-database.ts'
import { deviceFiles, type HubProcess, startHubProcess } from '../support/hub-process.ts'
import { clientOptions, refused } from '../support/mqtt-client.ts'
import type { Finished } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** The code of the failure that a command ended with. */
function codeOf({ status, stderr }: Finished): string {
  assert.notEqual(status, 0, 'the command went well')
  const line = stderr.split('\n').find((each) => each.startsWith('{"error"')) ?? '{}'
  return JSON.parse(line).error?.code ?? stderr
}

describe('restoring and starting', () => {
  let folder: string
  let data: string
  let backup: string
  let hub: HubProcess
  const ends: (() => unknown)[] = []
  const suite = { after: (step: () => unknown) => ends.push(step) }

  before(async () => {
    folder = temporaryFolder(suite)
    data = join(folder, 'data')
    backup = join(folder, 'plant.backup')
    hub = await startHubProcess(suite as never, { data })
    await hub.enrolled('pump-7', join(folder, 'pump-7'))
    await hub.json(['backup', backup])
    await hub.json(['revoke', 'pump-7'])
  })

  test('is refused while a hub runs', async () => {
    assert.equal(codeOf(await hub.cli(['restore', '--apply', '--replace', backup, '--json'])), 'data-directory-locked')
    assert.equal(codeOf(await hub.cli(['journal', 'new', '--json'])), 'data-directory-locked')
    await hub.stop()
  })

  test('is refused where a registry is, unless it may be replaced', async () => {
    assert.equal(codeOf(await hub.cli(['restore', '--apply', backup, '--json'])), 'restore-target-taken')
  })

  test('wants to know whether to look or to act', async () => {
    assert.equal(codeOf(await hub.cli(['restore', backup, '--json'])), 'usage')
    assert.equal(codeOf(await hub.cli(['restore', '--check', '--apply', backup, '--json'])), 'usage')
  })

  test('is refused for a file that is cut, changed, missing or something else', async () => {
    const whole = readFileSync(backup)
    const files = {
      cut: whole.subarray(0, whole.length - 100),
      changed: Buffer.from(whole.map((byte, at) => (at === 2_000 ? byte ^ 1 : byte))),
      else: Buffer.from('a photograph of a pump'),
    }
    for (const [name, bytes] of Object.entries(files)) {
      writeFileSync(join(folder, name), bytes)
      for (const act of ['--check', '--apply']) {
        const refusal = await hub.cli(['restore', act, '--replace', join(folder, name), '--json'])
        assert.equal(codeOf(refusal), 'backup-damaged', `${act} ${name}`)
      }
    }
    assert.equal(codeOf(await hub.cli(['restore', '--check', join(folder, 'none'), '--json'])), 'backup-damaged')
    assert.equal(codeOf(await hub.cli(['backup', 'verify', join(folder, 'cut'), '--json'])), 'backup-damaged')
  })

  test('is refused with a passphrase that does not open the keys', async () => {
    const wrong = join(folder, 'wrong')
    writeFileSync(wrong, 'not the passphrase\n')
    const args = ['restore', '--apply', '--replace', '--passphrase-file', wrong, backup, '--json']
    assert.equal(codeOf(await hub.cli(args)), 'key-passphrase-wrong')
    assert.deepEqual(
      readdirSync(data).filter((name) => name.startsWith('restore') || name.startsWith('replaced')),
      [],
      'nothing of it is left',
    )
  })

  test('is refused where no journal tells what was revoked since, and its override is said to be one', async () => {
    const elsewhere = { HANDFAST_JOURNAL: join(folder, 'elsewhere') }
    const refusal = await hub.cli(['restore', '--apply', '--replace', backup, '--json'], { env: elsewhere })
    assert.equal(codeOf(refusal), 'restore-unsafe')
    assert.match(refusal.stderr, /--accept-unknown/)
    const shown = await hub.cli(['restore', '--check', backup], { env: elsewhere })
    assert.match(shown.stderr, /nobody knows what was revoked/)
  })

  test('is refused where the journal is that of another hub', async () => {
    const otherData = join(folder, 'other')
    const other = await startHubProcess(suite as never, { data: otherData })
    await other.stop()
    const foreign = { HANDFAST_JOURNAL: join(otherData, 'journal') }
    assert.equal(codeOf(await hub.cli(['restore', '--check', backup, '--json'], { env: foreign })), 'journal-foreign')
    assert.equal(await startCode({ HANDFAST_JOURNAL: join(otherData, 'journal') }), 'journal-foreign')
  })

  test('a hub whose journal is gone does not start, until a new one is begun', async () => {
    const lost = join(folder, 'lost')
    renameSync(join(data, 'journal'), lost)
    assert.equal(await startCode({}), 'journal-missing')
    // The refused start has claimed the folder, as it would one on a disk that is not mounted.
    rmSync(join(data, 'journal'), { recursive: true })
    renameSync(lost, join(data, 'journal'))
    assert.equal(
      codeOf(await hub.cli(['journal', 'new', '--json'])),
      'journal-foreign',
      'one that is there is left alone',
    )
  })

  test('a registry that is gone is not begun anew where its journal lies', onSqliteOnly, async () => {
    const aside = join(folder, 'aside.db')
    renameSync(join(data, 'handfast.db'), aside)
    assert.equal(await startCode({}), 'journal-foreign')
    rmSync(join(data, 'handfast.db'))
    renameSync(aside, join(data, 'handfast.db'))
  })

  test('a journal that was damaged is refused', async () => {
    const path = join(data, 'journal', '00000001.journal')
    const whole = readFileSync(path)
    writeFileSync(path, Buffer.from(whole.map((byte, at) => (at === 700 ? byte ^ 1 : byte))))
    assert.equal(await startCode({}), 'journal-damaged')
    assert.equal(codeOf(await hub.cli(['journal', '--json'])), 'journal-damaged')
    writeFileSync(path, whole)
  })

  test('an operator who accepts what nobody knows gets a hub that says so in its audit log', async () => {
    const spare = join(folder, 'spare')
    mkdirSync(spare)
    cpSync(backup, join(spare, 'plant.backup'))
    const args = ['restore', '--apply', '--accept-unknown', join(spare, 'plant.backup')]
    const place = {
      HANDFAST_DATA: join(spare, 'data'),
      HANDFAST_JOURNAL: join(spare, 'data', 'journal'),
      ...(await databaseEnvironment(join(spare, 'data'))),
    }
    const restored = await hub.cli(args, { env: place })
    assert.equal(restored.status, 0, restored.stderr)
    const again = await startHubProcess(suite as never, { data: join(spare, 'data') })
    const { items } = await again.json<{ items: { act: string; after: { incomplete?: boolean } }[] }>(['audit'])
    assert.equal(items.find(({ act }) => act === 'registry.restore')?.after.incomplete, true)
    assert.equal((await again.cli(['check'])).status, 0)
    await again.stop()
  })

  test('a backup that was taken from the hub restores over it, and the revocation holds', async () => {
    const restored = await hub.cli(['restore', '--apply', '--replace', backup])
    assert.equal(restored.status, 0, restored.stderr)
    const again = await startHubProcess(suite as never, { data })
    const files = deviceFiles('pump-7', join(folder, 'pump-7'))
    const { reasonString } = await refused(clientOptions(again.mqtt.port, files, 5))
    assert.equal(reasonString, 'revoked')
    await again.stop()
    for (const end of ends.reverse()) await end()
  })

  /** The code of the failure that a start of the hub ends with. */
  async function startCode(env: Readonly<Record<string, string>>): Promise<string> {
    const ports = ['--mqtt-port', '0', '--https-port', '0', '--http-port', '0']
    return codeOf(await hub.cli(['up', '--host', '127.0.0.1', ...ports, '--json'], { env, timeoutMs: 20_000 }))
  }
})
