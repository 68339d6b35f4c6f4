/**
 * A device loses power at every sync and every renaming of its credential store in turn: afterwards it holds a
 * whole pair, the applications' files are that pair, and what was acknowledged is there.
 */
// needs: strace, openssl
// one database: what a device does asks no database
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { broughtIn } from '../../src/device/import/brought-files.ts'
import { importCredential } from '../../src/device/import/import-credential.ts'
import type { CredentialStore } from '../../src/device/store/credential.ts'
import { openCredentialStore } from '../../src/device/store/open.ts'
import { OpensslAuthority } from '../device/est-authority.ts'
import { credential, fingerprintOf, id } from '../device/store/credentials.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const authority = new OpensslAuthority()
after(() => authority.remove())
const credentials = [credential(authority), credential(authority), credential(authority)]
const credentialsFile = authority.path('credentials.json')
writeFileSync(
  credentialsFile,
  JSON.stringify(
    credentials.map(({ keyPem, chain, roots, hub }) => ({
      ...{ key: keyPem.reveal(), hub },
      ...{ chain: chain.map(String), roots: roots.map(String) },
    })),
  ),
)
const program = join(import.meta.dirname, '../device/store/writer-process.ts')
const lives = { enrol: empty, renew: filled, 'take-over': flat } as const

for (const [life, prepare] of Object.entries(lives)) {
  for (const call of ['fsync', 'rename']) {
    test(`${life}, killed at each ${call} in turn`, (t) => {
      let kills = 0
      for (let when = 1; ; when++) {
        const folder = prepare(t)
        const { said, wasKilled } = live(folder, life, `${call}:signal=SIGKILL:when=${when}`)
        assertWhole(folder, said, `at ${call} ${when}, after ${JSON.stringify(said.at(-1) ?? 'nothing')}`)
        assertGoesOn(folder, `at ${call} ${when}, gone on`)
        if (!wasKilled) break
        kills += 1
      }
      assert.ok(kills > 2, `it was killed ${kills} times`)
    })
  }

  test(`${life}, where the disk is full at each fsync in turn`, (t) => {
    let failures = 0
    for (let when = 1; ; when += 2) {
      const folder = prepare(t)
      const { said, status } = live(folder, life, `fsync:error=ENOSPC:when=${when}`)
      assertWhole(folder, said, `at ${when}, after ${JSON.stringify(said.at(-1) ?? 'nothing')}`)
      if (status === 0) break
      failures += 1
    }
    assert.ok(failures > 2, `it failed ${failures} times`)
  })
}

for (const call of ['fsync', 'rename', 'unlink']) {
  test(`import, killed at each ${call} in turn: the pair is in the store or still where it was brought`, (t) => {
    let kills = 0
    for (let when = 1; ; when++) {
      const folder = filled(t)
      const brought = bring(folder)
      const { wasKilled } = live(folder, 'import', `${call}:signal=SIGKILL:when=${when}`)
      assertPair(folder, `at ${call} ${when}`)
      const isInStore = number(openCredentialStore(folder)) === 1
      if (!isInStore) assertPair(brought, `at ${call} ${when}, as brought`)
      const left = broughtIn(brought)
      if (left !== null) importCredential(openCredentialStore(folder), left, { nowMs: Date.now() + 60_000 })
      assert.equal(number(openCredentialStore(folder)), 1, `at ${call} ${when}, gone on`)
      assert.deepEqual(readdirSync(brought), [], `at ${call} ${when}, gone on`)
      if (!wasKilled) break
      kills += 1
    }
    assert.ok(kills >= 2, `it was killed ${kills} times`)
  })
}

for (const call of ['fsync', 'rename', 'unlink']) {
  test(`encrypting the keys, killed at each ${call} in turn: none is lost, and none is left in the clear`, (t) => {
    let kills = 0
    for (let when = 1; ; when++) {
      const folder = filled(t)
      const passphraseFile = join(folder, '../pass')
      writeFileSync(passphraseFile, 'correct horse', { mode: 0o600 })
      const { wasKilled } = live(folder, 'protect', `${call}:signal=SIGKILL:when=${when}`)
      const store = openCredentialStore(folder, { passphraseFile })
      assert.equal(number(store), 0, `at ${call} ${when}`)
      assert.equal(store.tlsIdentity()?.key.reveal(), credentials[0]?.keyPem.reveal(), `at ${call} ${when}`)
      const plain = readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .map((name) => join(folder, name))
        .filter((path) => statSync(path).isFile() && readFileSync(path, 'latin1').includes('BEGIN PRIVATE KEY'))
      assert.deepEqual(plain, [], `at ${call} ${when}`)
      if (!wasKilled) break
      kills += 1
    }
    assert.ok(kills >= 2, `it was killed ${kills} times`)
  })
}

/** Runs a device's life under strace. @param injection as strace's -e inject= takes it, or null */
function live(folder: string, life: string, injection: string | null) {
  const tracing = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync,rename,unlink']
  const { stdout, signal, status } = spawnSync(
    'strace',
    [
      ...tracing,
      ...(injection === null ? [] : ['-e', `inject=${injection}`]),
      ...[process.execPath, program, folder, credentialsFile, life],
    ],
    { encoding: 'utf8', timeout: 30_000, stdio: ['ignore', 'pipe', 'ignore'] },
  )
  return { said: stdout.split('\n').filter((line) => line !== ''), wasKilled: signal === 'SIGKILL', status }
}

function empty(t: TestContext): string {
  return join(temporaryFolder(t), 'pump-7')
}

function filled(t: TestContext): string {
  const folder = empty(t)
  const [first] = credentials
  assert.ok(first !== undefined)
  openCredentialStore(folder).install(first)
  return folder
}

/** Puts the second credential beside a store, as its owner brings it. */
function bring(folder: string): string {
  const [, second] = credentials
  assert.ok(second !== undefined)
  const brought = join(folder, '../brought')
  mkdirSync(brought)
  writeFileSync(join(brought, 'private_key.pem'), second.keyPem.reveal())
  writeFileSync(join(brought, 'client_cert.pem'), second.chain.map(String).join(''))
  return brought
}

/** As an earlier version has left it. */
function flat(t: TestContext): string {
  const folder = empty(t)
  const store = openCredentialStore(filled(t))
  const [slot = ''] = readdirSync(join(store.path, 'slots'))
  cpSync(join(store.path, 'slots', slot), folder, { recursive: true })
  return folder
}

function assertWhole(folder: string, said: readonly string[], where: string): void {
  const wasFull = existsSync(join(folder, 'client_cert.pem'))
  if (wasFull) assertPair(folder, `${where}, before it is opened`)
  const store = openCredentialStore(folder)
  const known = credentials.map(({ hub }) => hub.fingerprint)
  const current = store.current()
  if (wasFull) assert.notEqual(current, null, `${where}: nothing is held`)
  if (current !== null) {
    assert.ok(known.includes(fingerprintOf(current.certificate)), where)
    assert.deepEqual(current.hub?.fingerprint, fingerprintOf(current.certificate), `${where}: the hub is known`)
    assert.deepEqual(store.roots().map(fingerprintOf), [authority.rootFingerprint], where)
    assertPair(folder, where)
  }
  assertAcknowledged(folder, said, where)
  const slots = existsSync(join(folder, 'slots')) ? readdirSync(join(folder, 'slots')) : []
  assert.ok(slots.length <= 3, `${where}: ${slots.length} slots`)
}

/** The power is back, and the device renews. */
function assertGoesOn(folder: string, where: string): void {
  const [, , third] = credentials
  assert.ok(third !== undefined)
  const store = openCredentialStore(folder)
  store.prepareNext(third)
  store.promote()
  assertWhole(folder, [], where)
  assert.equal(store.current()?.hub?.fingerprint, third.hub.fingerprint, where)
}

/** What applications read is a certificate and its key. */
function assertPair(folder: string, where: string): void {
  const [key, certificate] = ['private_key.pem', 'client_cert.pem'].map((name) => readFileSync(join(folder, name)))
  assert.ok(key !== undefined && certificate !== undefined)
  assert.ok(new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)), where)
}

/** Which of the credentials a slot holds; -1 for none. */
function number(store: CredentialStore, slot: 'current' | 'next' = 'current'): number {
  return credentials.findIndex(({ hub }) => hub.fingerprint === store[slot]()?.hub?.fingerprint)
}

/** The last thing that was said holds, or what comes after it does. */
function assertAcknowledged(folder: string, said: readonly string[], where: string): void {
  const store = openCredentialStore(folder)
  const [what, which] = (said.at(-1) ?? '').split(' ')
  const [current, next] = [number(store), number(store, 'next')]
  const waiting = store.waitingKey(id)?.reveal()
  if (what === 'waits') {
    const key = credentials[Number(which)]?.keyPem.reveal()
    assert.ok(waiting === key || current === Number(which), `${where}: the key that waited is gone`)
  }
  if (what === 'next' && which !== 'none') assert.ok(next === 1 || current === 1, where)
  if (what === 'next' && which === 'none') assert.deepEqual([current, next], [1, -1], where)
  if (what === 'current' && which === '0') assert.equal(current, 0, where)
  if (what === 'current' && which === '1') assert.equal(current, 1, where)
  if (what === 'time') {
    assert.equal(store.lastGoodTimeMs(), Date.UTC(2031, 0, 1), where)
    assert.ok(current === 1 || current === 0, where)
  }
}
