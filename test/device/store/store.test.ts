// needs: openssl
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, beforeEach, describe, test } from 'node:test'
import { HubError } from '../../../src/core/errors.ts'
import type { FailureName } from '../../../src/core/failure/catalogue.ts'
import { parseIdentityId } from '../../../src/core/identity/id.ts'
import { makeKey } from '../../../src/device/certificate-request.ts'
import type { CredentialStore } from '../../../src/device/store/credential.ts'
import { openCredentialStore } from '../../../src/device/store/open.ts'
import { OpensslAuthority } from '../est-authority.ts'
import { credential, fingerprintOf, id } from './credentials.ts'

const authority = new OpensslAuthority()
after(() => authority.remove())
const [first, second, third] = [credential(authority), credential(authority), credential(authority)]

describe('a credential store', () => {
  let directory = ''

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'handfast-store-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  function filled(): CredentialStore {
    const store = openCredentialStore(directory)
    store.install(first)
    return store
  }

  function slots(): readonly string[] {
    return readdirSync(join(directory, 'slots')).sort()
  }

  test('is made with a mode that keeps others out, with the folders above it', () => {
    const path = join(directory, 'a', 'b')
    openCredentialStore(path)
    assert.equal(statSync(path).mode & 0o777, 0o700)
  })

  test('holds nothing before an installation and the pair after it', () => {
    const store = openCredentialStore(directory)
    assert.deepEqual([store.current(), store.tlsIdentity(), store.roots()], [null, null, []])
    store.install(first)
    assert.deepEqual(store.current()?.hub, first.hub)
    assert.equal(store.tlsIdentity()?.key.reveal(), first.keyPem.reveal())
    assert.equal(store.tlsIdentity()?.chain, first.chain.map(String).join(''))
    assert.deepEqual(store.roots().map(fingerprintOf), [authority.rootFingerprint])
  })

  test('gives applications three files whose paths stay, whatever is current', () => {
    const store = filled()
    assert.equal(readFileSync(store.files.key, 'utf8'), first.keyPem.reveal())
    assert.equal(statSync(store.files.key).mode & 0o777, 0o600)
    store.prepareNext(second)
    assert.equal(readFileSync(store.files.key, 'utf8'), first.keyPem.reveal())
    store.promote()
    assert.equal(readFileSync(store.files.key, 'utf8'), second.keyPem.reveal())
    assert.equal(readFileSync(store.files.certificate, 'utf8'), second.chain.map(String).join(''))
    assert.equal(readFileSync(store.files.ca, 'utf8'), second.roots.map(String).join(''))
  })

  test('what waits for its proof is beside what is in use, and takes its place when it has it', () => {
    const store = filled()
    store.prepareNext(second)
    assert.deepEqual(
      [fingerprint(store, 'current'), fingerprint(store, 'next')],
      [first.hub.fingerprint, second.hub.fingerprint],
    )
    assert.equal(store.tlsIdentity('next')?.key.reveal(), second.keyPem.reveal())
    store.promote()
    assert.deepEqual(
      [fingerprint(store, 'current'), fingerprint(store, 'next'), fingerprint(store, 'previous')],
      [second.hub.fingerprint, undefined, first.hub.fingerprint],
    )
  })

  test('what fails its proof is given up, and nothing else has changed', () => {
    const store = filled()
    store.prepareNext(second)
    store.rollBack()
    store.rollBack()
    assert.deepEqual(
      [fingerprint(store, 'current'), store.next(), store.previous()],
      [first.hub.fingerprint, null, null],
    )
    assert.deepEqual(slots(), ['1'])
  })

  test('keeps three credentials at most, and a second one that waits takes the place of the first', () => {
    const store = filled()
    store.prepareNext(second)
    store.promote()
    store.prepareNext(first)
    store.prepareNext(third)
    assert.equal(slots().length, 3)
    store.promote()
    assert.equal(slots().length, 2)
    assert.equal(fingerprint(store, 'previous'), second.hub.fingerprint)
  })

  test('goes back to the previous credential, with the roots that the hub has now', () => {
    const store = filled()
    store.install(second)
    const root = new X509Certificate(authority.selfSigned('new-root').certificate)
    store.replaceRoots([root])
    store.revert()
    assert.equal(fingerprint(store, 'current'), first.hub.fingerprint)
    assert.deepEqual(store.roots().map(fingerprintOf), [fingerprintOf(root)])
    assert.equal(store.previous(), null)
  })

  test('what was to follow a credential that others have replaced meanwhile is given up', () => {
    const store = filled()
    store.prepareNext(second)
    assertRefused(() => store.promote(third.hub.fingerprint), 'credential-changed')
    assert.deepEqual([fingerprint(store, 'current'), store.next()], [first.hub.fingerprint, null])
    store.prepareNext(second)
    store.promote(first.hub.fingerprint)
    assert.equal(fingerprint(store, 'current'), second.hub.fingerprint)
  })

  test('has nothing to promote and nothing to go back to where there is nothing', () => {
    const store = filled()
    assertRefused(() => store.promote(), 'credential-missing')
    assertRefused(() => store.revert(), 'credential-missing')
  })

  test('takes no certificate for another key', () => {
    const store = filled()
    assertRefused(() => store.prepareNext({ ...second, keyPem: makeKey() }), 'key-certificate-mismatch')
    assert.deepEqual([fingerprint(store, 'current'), store.next()], [first.hub.fingerprint, null])
  })

  test('other roots come to the credential that waits as well', () => {
    const store = filled()
    store.prepareNext(second)
    const root = new X509Certificate(authority.selfSigned('new-root').certificate)
    store.replaceRoots([root])
    store.promote()
    assert.deepEqual(store.roots().map(fingerprintOf), [fingerprintOf(root)])
  })

  test('a key waits for its certificate, and is erased when that is in use', () => {
    const store = filled()
    store.keepWaitingKey(id, second.keyPem)
    assert.equal(statSync(join(directory, 'private_key.pump-7.new')).mode & 0o777, 0o600)
    store.prepareNext(second)
    assert.equal(store.waitingKey(id)?.reveal(), second.keyPem.reveal(), 'until then its certificate may be given up')
    store.promote()
    assert.equal(store.waitingKey(id), null)
    assert.ok(!existsSync(join(directory, 'private_key.pump-7.new')))
  })

  test('a key cut short by a crash is not taken for a key', () => {
    writeFileSync(join(directory, 'private_key.pump-7.new'), first.keyPem.reveal().slice(0, 40), { mode: 0o600 })
    assert.equal(openCredentialStore(directory).waitingKey(id), null)
  })

  test('keys that wait for different devices do not mix', () => {
    const store = openCredentialStore(directory)
    store.keepWaitingKey(id, first.keyPem)
    assert.equal(store.waitingKey(parseIdentityId('pump-8')), null)
  })

  test('is empty when it was cleared, and takes a credential again', () => {
    const store = filled()
    store.install(second)
    store.prepareNext(third)
    store.clear()
    assert.deepEqual([store.current(), store.next(), store.previous()], [null, null, null])
    assert.deepEqual(readdirSync(directory), ['slots'])
    assert.deepEqual(slots(), [])
    store.install(third)
    assert.equal(fingerprint(store, 'current'), third.hub.fingerprint)
  })

  test('shows a second process what the first has done', () => {
    const [one, other] = [filled(), openCredentialStore(directory)]
    one.install(second)
    assert.equal(fingerprint(other, 'current'), second.hub.fingerprint)
    other.install(third)
    assert.equal(fingerprint(one, 'current'), third.hub.fingerprint)
  })

  test('tells who watches it of another credential and of other roots, and of nothing else', async ({ signal }) => {
    const store = filled()
    let told = 0
    let tell = (): void => {}
    const stop = store.watch(() => {
      told += 1
      tell()
    })
    const change = async (work: () => void): Promise<void> => {
      const heard = new Promise<void>((resolve, reject) => {
        tell = resolve
        signal.addEventListener('abort', () => reject(new Error('no word of the change')), { once: true })
      })
      work()
      await heard
    }
    store.keepWaitingKey(id, second.keyPem)
    store.prepareNext(second)
    await change(() => store.promote())
    await change(() => store.replaceRoots([]))
    assert.equal(told, 2)
    stop()
  })

  describe('of a device whose clock may be wrong', () => {
    test('knows that the time at which its certificate began has been', () => {
      const store = openCredentialStore(directory)
      assert.equal(store.lastGoodTimeMs(), null)
      store.install(first)
      assert.equal(store.lastGoodTimeMs(), first.chain[0]?.validFromDate.getTime())
    })

    test('keeps the latest time that was confirmed, and writes it once in an hour at most', () => {
      const store = openCredentialStore(directory)
      const noon = Date.UTC(2031, 5, 1, 12)
      store.noteTime(noon)
      store.noteTime(noon + 60_000)
      store.noteTime(Date.UTC(1970, 0, 1))
      assert.equal(openCredentialStore(directory).lastGoodTimeMs(), noon)
      store.noteTime(noon + 3_600_000)
      assert.equal(store.lastGoodTimeMs(), noon + 3_600_000)
    })

    test('takes a file without a time for none', () => {
      writeFileSync(join(directory, 'last_good_time'), 'yesterday\n')
      assert.equal(openCredentialStore(directory).lastGoodTimeMs(), null)
    })
  })

  describe('that others could reach', () => {
    test('closes a folder of its own that was open, and leaves a folder with other files as it is', () => {
      filled()
      chmodSync(directory, 0o755)
      openCredentialStore(directory)
      assert.equal(statSync(directory).mode & 0o777, 0o700)

      writeFileSync(join(directory, 'mosquitto.conf'), '')
      chmodSync(directory, 0o755)
      openCredentialStore(directory)
      assert.equal(statSync(directory).mode & 0o777, 0o755)
    })

    test('refuses a folder where others can put files, with the command that mends it', () => {
      writeFileSync(join(directory, 'mosquitto.conf'), '')
      chmodSync(directory, 0o777)
      assert.match(assertRefused(() => openCredentialStore(directory), 'store-unwritable').hint, /^chmod 0700 /)
    })

    test('refuses a key that others can read while it is open, and closes and tells of it at the next opening', () => {
      const store = filled()
      chmodSync(store.files.key, 0o644)
      assert.match(assertRefused(() => store.current(), 'store-unwritable').hint, /^chmod 0600 /)

      const notices: string[] = []
      openCredentialStore(directory, { onNotice: (text) => void notices.push(text) })
      assert.equal(fingerprint(store, 'current'), first.hub.fingerprint)
      assert.equal(statSync(store.files.key).mode & 0o777, 0o600)
      assert.equal(notices.length, 1)
      assert.match(notices[0] ?? '', /private_key\.pem had the mode 0644/)
    })

    test('refuses a file in the place of the folder', () => {
      const file = join(directory, 'pump-7')
      writeFileSync(file, '')
      assertRefused(() => openCredentialStore(file), 'store-unwritable')
      assertRefused(() => openCredentialStore(join(file, 'below')), 'store-unwritable')
    })

    test('follows no link of a slot out of its folder', () => {
      const other = openCredentialStore(join(directory, 'other'))
      other.install(second)
      const store = openCredentialStore(join(directory, 'own'))
      store.install(first)
      rmSync(join(directory, 'own', 'current'))
      symlinkSync('../other/slots/1', join(directory, 'own', 'current'))
      assert.equal(store.current(), null)
      openCredentialStore(join(directory, 'own'))
      assert.equal(fingerprint(store, 'current'), first.hub.fingerprint, 'its own slot, not that of the other')
    })
  })

  describe('that a crash has left', () => {
    test('removes what was half made, and a slot that nothing points to', () => {
      filled()
      for (const name of ['.current.0123456789ab.tmp', '.private_key.pump-7.new.0123456789ab.tmp']) {
        writeFileSync(join(directory, name), 'half')
      }
      mkdirSync(join(directory, 'slots', '7'))
      writeFileSync(join(directory, 'slots', '7', 'private_key.pem'), makeKey().reveal())
      const store = openCredentialStore(directory)
      assert.equal(fingerprint(store, 'current'), first.hub.fingerprint)
      assert.deepEqual(slots(), ['1'])
      assert.deepEqual(readdirSync(directory).sort(), [
        'ca.pem',
        'client_cert.pem',
        'current',
        'private_key.pem',
        'slots',
      ])
    })

    test('goes on after a copy that has made the links absolute', () => {
      const original = openCredentialStore(join(directory, 'original'))
      original.install(second)
      original.install(first)
      const copy = join(directory, 'copy')
      cpSync(original.path, copy, { recursive: true })
      assert.ok(readlinkSync(join(copy, 'current')).startsWith('/'))
      rmSync(original.path, { recursive: true })
      const store = openCredentialStore(copy)
      assert.equal(fingerprint(store, 'current'), first.hub.fingerprint)
      assert.equal(readFileSync(store.files.key, 'utf8'), first.keyPem.reveal())
      assert.equal(fingerprint(store, 'previous'), second.hub.fingerprint)
    })

    test('destroys no key where the links were lost', () => {
      filled()
      for (const link of ['current', 'private_key.pem', 'client_cert.pem', 'ca.pem']) rmSync(join(directory, link))
      assert.equal(openCredentialStore(directory).current(), null)
      symlinkSync('slots/9', join(directory, 'current'))
      assert.equal(openCredentialStore(directory).current(), null)
      rmSync(join(directory, 'current'))
      symlinkSync('slots/1', join(directory, 'current'))
      assert.equal(fingerprint(openCredentialStore(directory), 'current'), first.hub.fingerprint)
    })

    test('leaves files of others alone', () => {
      writeFileSync(join(directory, '.bashrc.0123456789ab.tmp'), 'not ours')
      openCredentialStore(directory)
      assert.ok(existsSync(join(directory, '.bashrc.0123456789ab.tmp')))
    })
  })

  describe('whose keys are encrypted', () => {
    let passphraseFile = ''

    beforeEach(() => {
      passphraseFile = join(directory, '..', `${directory.split('/').at(-1)}.pass`)
      writeFileSync(passphraseFile, 'correct horse battery\r\n', { mode: 0o600 })
    })
    afterEach(() => rmSync(passphraseFile, { force: true }))

    test('remembers where the passphrase is, and writes no key in the clear from then on', () => {
      const store = openCredentialStore(directory, { passphraseFile })
      store.keepWaitingKey(id, second.keyPem)
      store.install(first)
      for (const file of [store.files.key, join(directory, 'private_key.pump-7.new')]) {
        assert.match(readFileSync(file, 'utf8'), /^-----BEGIN ENCRYPTED PRIVATE KEY-----/)
      }
      const again = openCredentialStore(directory)
      assert.equal(again.waitingKey(id)?.reveal(), second.keyPem.reveal())
      assert.equal(again.tlsIdentity()?.key.reveal(), first.keyPem.reveal())
      const opened = createPrivateKey({ key: readFileSync(store.files.key), passphrase: 'correct horse battery' })
      assert.ok(first.chain[0]?.checkPrivateKey(opened))
    })

    test('encrypts the keys that it had in the clear', () => {
      const store = filled()
      store.install(second)
      openCredentialStore(directory, { passphraseFile })
      for (const slot of slots()) {
        assert.deepEqual(readdirSync(join(directory, 'slots', slot)).sort(), [
          'ca.pem',
          'client_cert.pem',
          'hub.json',
          'private_key.pem',
        ])
        assert.match(readFileSync(join(directory, 'slots', slot, 'private_key.pem'), 'utf8'), /BEGIN ENCRYPTED/)
      }
      assert.equal(store.tlsIdentity('previous')?.key.reveal(), first.keyPem.reveal())
    })

    test('says which file is missing, open to others, or no passphrase', () => {
      openCredentialStore(directory, { passphraseFile }).install(first)
      const link = join(directory, 'private_key_pass.txt')
      chmodSync(passphraseFile, 0o644)
      const open = assertRefused(() => openCredentialStore(directory).current(), 'key-passphrase-unusable')
      assert.match(open.hint, /^chmod 0600 /)
      rmSync(passphraseFile)
      const gone = assertRefused(() => openCredentialStore(directory).current(), 'key-passphrase-unusable')
      assert.ok(gone.message.includes(link), gone.message)
      writeFileSync(passphraseFile, 'short', { mode: 0o600 })
      assertRefused(() => openCredentialStore(directory).current(), 'key-passphrase-unusable')
    })

    test('refuses the file of another passphrase, and takes another file with the same', () => {
      openCredentialStore(directory, { passphraseFile }).install(first)
      const other = `${passphraseFile}.other`
      writeFileSync(other, 'another passphrase', { mode: 0o600 })
      assertRefused(() => openCredentialStore(directory, { passphraseFile: other }), 'key-passphrase-unusable')
      writeFileSync(other, 'correct horse battery', { mode: 0o600 })
      assert.notEqual(openCredentialStore(directory, { passphraseFile: other }).current(), null)
      assert.equal(readlinkSync(join(directory, 'private_key_pass.txt')), other)
      rmSync(other)
    })
  })

  describe('in a folder with plain files', () => {
    function flat(path = directory): void {
      writeFileSync(join(path, 'private_key.pem'), first.keyPem.reveal(), { mode: 0o600 })
      writeFileSync(join(path, 'client_cert.pem'), first.chain.map(String).join(''))
      writeFileSync(join(path, 'ca.pem'), first.roots.map(String).join(''))
      writeFileSync(join(path, 'hub.json'), JSON.stringify(first.hub))
    }

    test('takes a pair of an earlier version over, and the paths of its files stay', () => {
      flat()
      const store = openCredentialStore(directory)
      assert.deepEqual(store.current()?.hub, first.hub)
      assert.equal(readFileSync(store.files.key, 'utf8'), first.keyPem.reveal())
      assert.ok(
        [store.files.key, store.files.certificate, store.files.ca].every((file) => lstatSync(file).isSymbolicLink()),
      )
      assert.deepEqual(readdirSync(directory).sort(), [
        'ca.pem',
        'client_cert.pem',
        'current',
        'private_key.pem',
        'slots',
      ])
    })

    test('ends an installation of the earlier version whose certificate had its place already', () => {
      flat()
      writeFileSync(join(directory, 'client_cert.pem'), second.chain.map(String).join(''))
      writeFileSync(join(directory, 'private_key.pump-7.new'), second.keyPem.reveal(), { mode: 0o600 })
      writeFileSync(join(directory, 'ca.pem.new'), second.roots.map(String).join(''))
      writeFileSync(join(directory, 'hub.json.new'), JSON.stringify(second.hub))
      const store = openCredentialStore(directory)
      assert.deepEqual(store.current()?.hub, second.hub)
      assert.equal(store.waitingKey(id), null)
    })

    test('keeps the pair of an installation of the earlier version that had not come so far', () => {
      flat()
      writeFileSync(join(directory, 'private_key.pump-7.new'), second.keyPem.reveal(), { mode: 0o600 })
      writeFileSync(join(directory, 'hub.json.new'), JSON.stringify(second.hub))
      const store = openCredentialStore(directory)
      assert.deepEqual(store.current()?.hub, first.hub)
      assert.equal(store.waitingKey(id)?.reveal(), second.keyPem.reveal())
    })

    test('takes a pair that its owner put over the links, and keeps the one before', () => {
      filled()
      rmSync(join(directory, 'private_key.pem'))
      rmSync(join(directory, 'client_cert.pem'))
      writeFileSync(join(directory, 'private_key.pem'), second.keyPem.reveal(), { mode: 0o600 })
      writeFileSync(join(directory, 'client_cert.pem'), second.chain.map(String).join(''))
      const store = openCredentialStore(directory)
      assert.equal(store.tlsIdentity()?.key.reveal(), second.keyPem.reveal())
      assert.equal(store.current()?.hub, null, 'the record of the hub was for another certificate')
      assert.equal(fingerprint(store, 'previous'), first.hub.fingerprint)
    })

    test('takes a copy of a store over that was made without links', () => {
      const original = openCredentialStore(join(directory, 'original'))
      original.install(second)
      original.install(first)
      const copy = join(directory, 'copy')
      execFileSync('cp', ['-rL', original.path, copy])
      assert.ok(lstatSync(join(copy, 'current')).isDirectory())
      const store = openCredentialStore(copy)
      assert.equal(store.tlsIdentity()?.key.reveal(), first.keyPem.reveal())
      assert.deepEqual(store.current()?.hub, first.hub)
      assert.match(readlinkSync(join(copy, 'current')), /^slots\/[0-9]$/)
      assert.equal(readdirSync(join(copy, 'slots')).length, 1)
    })

    test('goes on with what it has while the files are no whole pair, and tells of them', () => {
      filled()
      rmSync(join(directory, 'client_cert.pem'))
      writeFileSync(join(directory, 'client_cert.pem'), second.chain.map(String).join(''))
      const notices: string[] = []
      const store = openCredentialStore(directory, { onNotice: (text) => void notices.push(text) })
      assert.equal(fingerprint(store, 'current'), first.hub.fingerprint)
      assert.equal(notices.length, 1)
    })
  })
})

function fingerprint(store: CredentialStore, slot: 'current' | 'next' | 'previous'): string | undefined {
  return store[slot]()?.hub?.fingerprint
}

function assertRefused(work: () => unknown, code: FailureName): HubError {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof HubError, String(error))
    assert.equal(error.code, code, error.message)
    return error
  }
  return assert.fail('it was not refused')
}
