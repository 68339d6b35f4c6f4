// needs: openssl
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, beforeEach, describe, test } from 'node:test'
import { HubError } from '../../../src/core/errors.ts'
import type { FailureName } from '../../../src/core/failure/catalogue.ts'
import { type BroughtPaths, broughtIn } from '../../../src/device/import/brought-files.ts'
import {
  type ImportOptions,
  type ImportResult,
  importCredential,
} from '../../../src/device/import/import-credential.ts'
import type { CredentialStore } from '../../../src/device/store/credential.ts'
import { openCredentialStore } from '../../../src/device/store/open.ts'
import { OpensslAuthority } from '../est-authority.ts'
import { credential, fingerprintOf, id } from '../store/credentials.ts'

const authority = new OpensslAuthority()
const stranger = new OpensslAuthority()
after(() => {
  authority.remove()
  stranger.remove()
})
const device = authority.endEntity('pump-7', 'DNS:pump-7', 'clientAuth')
const other = authority.endEntity('pump-8', 'DNS:pump-8', 'clientAuth')
const foreign = stranger.endEntity('pump-7', 'DNS:pump-7', 'clientAuth')
/** A second in which all of these are good: OpenSSL dates them to the second in which they are made. */
const now = { nowMs: Date.now() + 60_000 }

describe('the import of a credential', () => {
  let base = ''
  let folder = ''
  let store: CredentialStore

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'handfast-import-'))
    folder = join(base, 'brought')
    mkdirSync(folder)
    store = openCredentialStore(join(base, 'store'))
  })
  afterEach(() => {
    chmodSync(folder, 0o700)
    rmSync(base, { recursive: true, force: true })
  })

  function bring(files: Readonly<Record<string, string | Uint8Array>>): void {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  }

  function pair(from = device): Readonly<Record<string, string>> {
    return { 'client_cert.pem': from.certificate, 'private_key.pem': from.key }
  }

  function imported(options: Partial<ImportOptions> = {}): ImportResult {
    return importCredential(store, broughtIn(folder) ?? assert.fail('nothing was brought'), { ...now, ...options })
  }

  function openssl(...args: readonly string[]): Buffer {
    return execFileSync('openssl', args, { cwd: authority.folder, stdio: ['ignore', 'pipe', 'pipe'] })
  }

  /** It is refused, and neither the store nor the files have changed. */
  function assertRefused(code: FailureName, options: Partial<ImportOptions> = {}): HubError {
    const [files, held] = [readdirSync(folder), store.tlsIdentity()?.chain]
    try {
      imported(options)
    } catch (error) {
      assert.ok(error instanceof HubError, String(error))
      assert.equal(error.code, code, error.message)
      assert.deepEqual([readdirSync(folder), store.tlsIdentity()?.chain], [files, held])
      return error
    }
    return assert.fail('it was not refused')
  }

  test('moves certificate and key into the store, and the files are gone', () => {
    bring({ ...pair(), 'ca.pem': authority.read('root.pem') })
    const result = imported()
    assert.equal(result.outcome, 'imported')
    assert.equal(result.subject, 'CN=pump-7')
    assert.equal(store.tlsIdentity()?.chain, device.certificate, 'with the authority that issued it')
    assert.deepEqual(store.roots().map(fingerprintOf), [authority.rootFingerprint])
    assert.deepEqual(readdirSync(folder), [])
    assert.equal(result.removed.length, 3)
    assert.match(readFileSync(store.files.key, 'utf8'), /^-----BEGIN PRIVATE KEY-----/)
  })

  test('leaves nothing of the key for who has its file open', () => {
    bring(pair())
    copyFileSync(join(folder, 'private_key.pem'), join(base, 'other-name'))
    rmSync(join(base, 'other-name'))
    execFileSync('ln', [join(folder, 'private_key.pem'), join(base, 'other-name')])
    imported()
    assert.match(readFileSync(join(base, 'other-name'), 'latin1'), /^\0+$/)
  })

  test('takes a key that is encrypted, with the passphrase as an editor has left it', () => {
    const passphrases = ['geheim 7\n', 'geheim 7\r\n', '\ufeffgeheim 7', Buffer.from('\ufeffgeheim 7\r\n', 'utf16le')]
    const key = openssl('ec', '-in', 'pump-7.key', '-aes128', '-passout', 'pass:geheim 7')
    for (const passphrase of passphrases) {
      bring({ ...pair(), 'private_key.pem': key, 'private_key_pass.txt': passphrase })
      imported()
      assert.deepEqual(readdirSync(folder), [])
    }
    assert.notEqual(store.current(), null)
  })

  test('keeps the key under the passphrase of the store, whatever it came under', () => {
    const passphraseFile = join(base, 'pass')
    writeFileSync(passphraseFile, 'that of the store', { mode: 0o600 })
    store = openCredentialStore(store.path, { passphraseFile })
    bring(pair())
    imported()
    assert.match(readFileSync(store.files.key, 'utf8'), /^-----BEGIN ENCRYPTED PRIVATE KEY-----/)
  })

  test('leaves the passphrase of the store where it is, by whichever name it came', () => {
    const passphraseFile = join(base, 'pass')
    writeFileSync(passphraseFile, 'geheim 7', { mode: 0o600 })
    store = openCredentialStore(store.path, { passphraseFile })
    const key = openssl('ec', '-in', 'pump-7.key', '-aes128', '-passout', 'pass:geheim 7')
    for (const passphrase of [passphraseFile, join(store.path, 'private_key_pass.txt')]) {
      bring({ ...pair(), 'private_key.pem': key })
      const paths = { ...(broughtIn(folder) ?? assert.fail('nothing was brought')), passphrase }
      assert.match(importCredential(store, paths, now).notes.join(), /the passphrase of the store as well, and stays/)
      assert.deepEqual(readdirSync(folder), [])
      assert.notEqual(openCredentialStore(store.path).tlsIdentity(), null)
    }
  })

  test('takes a PFX in the place of the certificate, under either name', () => {
    const pfx = openssl(
      ...['pkcs12', '-export', '-inkey', 'pump-7.key', '-in', 'pump-7.pem', '-certfile', 'issuing.pem'],
      ...['-passout', 'pass:geheim 7'],
    )
    for (const name of ['client_cert.pfx', 'client_cert.pem']) {
      bring({ [name]: pfx, 'private_key_pass.txt': 'geheim 7' })
      imported()
      assert.equal(store.tlsIdentity()?.chain, device.certificate)
      assert.deepEqual(readdirSync(folder), [])
    }
  })

  test('takes one file with both', () => {
    bring({ 'client_cert.pem': device.key + device.certificate })
    assert.equal(imported().outcome, 'imported')
  })

  test('takes a certificate that a device made itself, as Meadow shows it', () => {
    const own = authority.selfSigned('meadow')
    bring(pair(own))
    assert.equal(imported().outcome, 'imported')
    bring({ ...pair(own), 'ca.pem': authority.read('root.pem') })
    assert.equal(imported().outcome, 'present')
    assert.deepEqual(store.roots().map(fingerprintOf), [authority.rootFingerprint])
  })

  test('puts the certificate in the place of another, and keeps that as the one before', () => {
    bring(pair())
    imported()
    bring(pair(other))
    imported()
    assert.match(store.current()?.certificate.subject ?? '', /pump-8/)
    assert.match(store.previous()?.certificate.subject ?? '', /pump-7/)
  })

  test('of files that were brought by name, roots that others use stay', () => {
    bring({ crt: device.certificate, key: device.key, roots: authority.read('root.pem') })
    const [certificate, key, ca] = ['crt', 'key', 'roots'].map((name) => join(folder, name)) as [string, string, string]
    const paths: BroughtPaths = { certificate, key, ca, passphrase: null, isFound: false }
    importCredential(store, paths, now)
    assert.deepEqual(readdirSync(folder), ['roots'])
  })

  test('says so where a file is named in the place of the folder', () => {
    bring(pair())
    const file = join(folder, 'client_cert.pem')
    assert.throws(() => broughtIn(file), {
      code: 'credential-file-unreadable',
      message: /client_cert.pem" is no folder/,
    })
  })

  test('leaves the files where they are when it is told to', () => {
    bring(pair())
    assert.deepEqual(imported({ isKept: true }).removed, [])
    assert.deepEqual(readdirSync(folder).length, 2)
  })

  test('after a crash it finds the certificate in the store, and removes what is left of the files', () => {
    bring(pair())
    imported({ isKept: true })
    const slot = readFileSync(store.files.certificate, 'utf8')
    assert.equal(imported().outcome, 'present')
    assert.equal(readFileSync(store.files.certificate, 'utf8'), slot)
    assert.equal(store.previous(), null)
    assert.deepEqual(readdirSync(folder), [])
  })

  test('goes on with the removal where a crash has left a part of the files', () => {
    const zeros = Buffer.alloc(900)
    const parts: readonly Readonly<Record<string, string | Uint8Array>>[] = [
      { ...pair(), 'private_key.pem': zeros },
      { 'client_cert.pem': device.certificate, 'private_key_pass.txt': 'geheim 7' },
      { 'client_cert.pem': device.certificate },
      { 'client_cert.pfx': zeros },
    ]
    bring(pair())
    imported()
    for (const part of parts) {
      bring(part)
      assert.deepEqual([imported().outcome, readdirSync(folder)], ['present', []])
    }
    bring({ 'client_cert.pem': other.certificate, 'private_key.pem': zeros })
    assertRefused('credential-file-unreadable')
  })

  test('is judged by the last known time where the clock is behind it', () => {
    store.noteTime(now.nowMs)
    bring(pair())
    assert.equal(imported({ nowMs: 0 }).outcome, 'imported')
  })

  test('says where a key has remained that it may not remove', () => {
    const elsewhere = join(base, 'elsewhere.pem')
    writeFileSync(elsewhere, device.key)
    bring({ 'client_cert.pem': device.certificate })
    symlinkSync(elsewhere, join(folder, 'private_key.pem'))
    assert.deepEqual(imported().remaining, [elsewhere])
    assert.ok(existsSync(elsewhere))
  })

  describe('of a device that has a hub', () => {
    test('stays with the hub where the certificate leads to its root and has its id', () => {
      const held = credential(authority)
      store.install(held)
      bring(pair())
      assert.equal(imported().hub, 'hub.example')
      assert.equal(store.current()?.hub?.id, id)
      assert.deepEqual(store.roots().map(fingerprintOf), [authority.rootFingerprint])
    })

    test('leaves the hub where it is for somebody else', () => {
      store.install(credential(authority))
      bring(pair(other))
      assert.equal(imported().hub, null)
      bring(pair(foreign))
      assert.equal(imported().hub, null)
      assert.deepEqual(store.roots(), [], 'servers of others are not verified with the roots of the hub')
    })
  })

  describe('with empty files', () => {
    test('clears the credential, which nothing else does', () => {
      store.install(credential(authority))
      bring({ 'client_cert.pem': '', 'private_key.pem': '\r\n', 'private_key_pass.txt': '' })
      assert.equal(imported().outcome, 'cleared')
      assert.deepEqual([store.current(), store.previous()], [null, null])
      assert.deepEqual(readdirSync(folder), [])
    })

    test('does not guess what one of them alone means', () => {
      store.install(credential(authority))
      bring({ ...pair(), 'private_key.pem': '' })
      assert.match(assertRefused('import-incomplete').message, /private_key\.pem" is empty/)
      rmSync(join(folder, 'client_cert.pem'))
      assertRefused('import-incomplete')
    })
  })

  describe('is refused, and nothing has changed,', () => {
    beforeEach(() => store.install(credential(authority)))

    test('where the key is for another certificate', () => {
      bring({ ...pair(), 'private_key.pem': other.key })
      assert.match(assertRefused('key-certificate-mismatch').message, /pump-7/)
    })

    test('where one of the two is missing', () => {
      bring({ 'client_cert.pem': device.certificate })
      assertRefused('import-incomplete')
      rmSync(join(folder, 'client_cert.pem'))
      bring({ 'private_key.pem': device.key })
      assertRefused('import-incomplete')
    })

    test('where the passphrase is missing, wrong or two lines', () => {
      const key = openssl('ec', '-in', 'pump-7.key', '-aes128', '-passout', 'pass:geheim 7')
      bring({ ...pair(), 'private_key.pem': key })
      assert.match(
        assertRefused('credential-passphrase-wrong').message,
        /AES-128-CBC in the traditional way, and there is no passphrase/,
      )
      bring({ 'private_key_pass.txt': 'geheim 8' })
      assertRefused('credential-passphrase-wrong')
      bring({ 'private_key_pass.txt': 'geheim 7\nand more' })
      assertRefused('credential-file-unreadable')
    })

    test('where the two have been swapped', () => {
      bring({ 'client_cert.pem': device.key, 'private_key.pem': device.certificate })
      assert.match(assertRefused('credential-file-unreadable').hint, /swapped/)
    })

    test('outside the dates of the certificate, naming the clock', () => {
      // Without it nothing says what time it has been.
      store.clear()
      bring(pair())
      assert.match(assertRefused('import-out-of-date', { nowMs: 0 }).message, /1970-01-01/)
      assert.match(assertRefused('import-out-of-date', { nowMs: Date.UTC(2090) }).message, /2090-01-01/)
    })

    test('where it does not lead to the roots that came with it, unless that is meant', () => {
      bring({ ...pair(), 'ca.pem': stranger.read('root.pem') })
      assertRefused('import-chain-broken')
      assert.equal(imported({ isAnyIssuer: true }).outcome, 'imported')
    })

    test('where what stands behind it has not issued it', () => {
      const leaf = device.certificate.replace(authority.read('issuing.pem'), '')
      bring({ ...pair(), 'client_cert.pem': leaf + stranger.read('issuing.pem') })
      assert.match(assertRefused('import-chain-broken').hint, /test issuing/)
    })

    test('where a file is none, too large, or one of the store itself', () => {
      bring(pair())
      rmSync(join(folder, 'private_key.pem'))
      mkdirSync(join(folder, 'private_key.pem'))
      assert.match(assertRefused('credential-file-unreadable').message, /is a folder/)
      rmSync(join(folder, 'private_key.pem'), { recursive: true })
      bring({ 'private_key.pem': Buffer.alloc(70_000, 'x') })
      assert.match(assertRefused('credential-file-unreadable').message, /larger/)
      rmSync(join(folder, 'private_key.pem'))
      symlinkSync(store.files.key, join(folder, 'private_key.pem'))
      assert.match(assertRefused('credential-file-unreadable').message, /of the credential store itself/)
    })

    test('where a file is one of the store, whose path leads through a link', () => {
      bring(pair())
      imported()
      symlinkSync(store.path, join(base, 'link'))
      store = openCredentialStore(join(base, 'link'))
      const slot = join(base, 'store', 'current')
      const [certificate, key] = [join(slot, 'client_cert.pem'), join(slot, 'private_key.pem')]
      assert.throws(
        () => importCredential(store, { certificate, key, passphrase: null, ca: null, isFound: false }, now),
        { code: 'credential-file-unreadable', message: /of the credential store itself/ },
      )
      assert.notEqual(store.tlsIdentity(), null)
    })

    test('where a file is a pipe, for which an agent that starts would wait', () => {
      bring(pair())
      rmSync(join(folder, 'client_cert.pem'))
      execFileSync('mkfifo', [join(folder, 'client_cert.pem')])
      assert.match(assertRefused('credential-file-unreadable').message, /is no file/)
    })
  })
})
