/** Encrypted backups are files of the age format: Debian's `age` opens them, and nobody else does. */
// needs: age
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { writeBackupFile } from '../../src/backup/backup-file.ts'
import { backupText, type Manifest } from '../../src/backup/lines.ts'
import { readBackupSummary } from '../../src/backup/restore-backup.ts'
import { identitiesIn, type Keyring, type Seal } from '../../src/backup/sealing.ts'
import { Secret } from '../../src/core/secret.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const manifest: Manifest = {
  handfast: 'backup',
  version: 1,
  createdAt: '2026-11-21T12:00:00.000Z',
  createdBy: '0.0.0',
  registryVersion: 3,
  root: 'ab'.repeat(32),
  realm: 'plant.example',
  publicName: 'hub.plant.example',
  lastEvent: null,
  auditHead: { number: 0, hash: '0'.repeat(64) },
  holdsPassphrase: false,
}
const noKeys: Keyring = { passphrase: null, identities: [] }

async function write(path: string, seal: Seal): Promise<void> {
  // Longer than one of the 64 KiB pieces that age encrypts by themselves.
  const rows = Array.from({ length: 5_000 }, (_, n) => [`pump-${n}`, Buffer.from(`key ${n}`.repeat(5))])
  const section = {
    name: 'devices',
    columns: [
      { name: 'id', kind: 'text' as const },
      { name: 'key', kind: 'bytes' as const },
    ],
  }
  const groups = async function* () {
    yield rows
  }
  await writeBackupFile(path, backupText(manifest, [{ section, rows: groups() }]), seal)
}

function age(args: readonly string[], input = ''): Buffer {
  const { status, stdout, stderr } = spawnSync('age', args, { input })
  assert.equal(status, 0, String(stderr))
  return stdout
}

/** A key pair as `age-keygen` writes it. */
function keygen(
  folder: string,
  name: string,
): { readonly file: string; readonly recipient: string; readonly text: Secret } {
  const file = join(folder, name)
  const { status, stderr } = spawnSync('age-keygen', ['-o', file], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  const text = readFileSync(file, 'utf8')
  return { file, text: new Secret(text), recipient: /age1[0-9a-z]+/.exec(text)?.[0] ?? '' }
}

test('a backup to public keys is opened by age with the identity of each, and by nobody else', async (t) => {
  const folder = temporaryFolder(t)
  const [mine, yours, other] = ['mine', 'yours', 'other'].map((name) => keygen(folder, name))
  assert.ok(mine && yours && other)
  const path = join(folder, 'b')
  await write(path, { recipients: [mine.recipient, yours.recipient] })
  for (const { file, text } of [mine, yours]) {
    const plain = gunzipSync(age(['-d', '-i', file, path])).toString('utf8')
    assert.ok(plain.includes('"pump-4999"'))
    assert.equal(plain.split('\n')[0], JSON.stringify(manifest))
    assert.equal(
      (await readBackupSummary(path, { ...noKeys, identities: identitiesIn(text) })).rows.get('devices'),
      5_000,
    )
  }
  const sealed = { code: 'backup-sealed' }
  await assert.rejects(readBackupSummary(path, noKeys), sealed)
  await assert.rejects(readBackupSummary(path, { ...noKeys, identities: identitiesIn(other.text) }), sealed)
  assert.equal(spawnSync('age', ['-d', '-i', other.file, path]).status, 1)
  assert.equal(readFileSync(path, 'latin1').match(/-> X25519/g)?.length, 2, 'nobody else was let in')
})

test('a backup that age itself has encrypted is read', async (t) => {
  const folder = temporaryFolder(t)
  const mine = keygen(folder, 'mine')
  await write(join(folder, 'plain'), null)
  age(['-r', mine.recipient, '-o', join(folder, 'b'), join(folder, 'plain')])
  const { rows } = await readBackupSummary(join(folder, 'b'), { ...noKeys, identities: identitiesIn(mine.text) })
  assert.equal(rows.get('devices'), 5_000)
})

test('a backup to a passphrase is opened by it and by no other', async (t) => {
  const path = join(temporaryFolder(t), 'b')
  await write(path, { passphrase: new Secret('four words of sense') })
  assert.match(readFileSync(path, 'latin1'), /^age-encryption\.org\/v1\n-> scrypt /)
  const { rows } = await readBackupSummary(path, { ...noKeys, passphrase: new Secret('four words of sense') })
  assert.equal(rows.get('devices'), 5_000)
  await assert.rejects(readBackupSummary(path, { ...noKeys, passphrase: new Secret('no sense') }), {
    code: 'backup-sealed',
  })
  await assert.rejects(readBackupSummary(path, noKeys), { code: 'backup-sealed' })
})

test('an encrypted backup that was cut or changed is damaged, not sealed', async (t) => {
  const folder = temporaryFolder(t)
  const mine = keygen(folder, 'mine')
  const path = join(folder, 'b')
  await write(path, { recipients: [mine.recipient] })
  const whole = readFileSync(path)
  const keyring = { ...noKeys, identities: identitiesIn(mine.text) }
  for (const at of [150, 300, 1_000, whole.length - 20]) {
    const changed = Buffer.from(whole)
    changed[at] = (changed[at] ?? 0) ^ 1
    writeFileSync(join(folder, 'changed'), changed)
    const error = await readBackupSummary(join(folder, 'changed'), keyring).then(
      () => null,
      (reason) => reason,
    )
    // In the wrapped key a change is a key that does not fit.
    assert.ok(['backup-damaged', 'backup-sealed'].includes(error?.code), `${at}: ${error}`)
    writeFileSync(join(folder, 'cut'), whole.subarray(0, at))
    await assert.rejects(readBackupSummary(join(folder, 'cut'), keyring), { code: 'backup-damaged' })
  }
})
