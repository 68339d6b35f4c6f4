/** What a credential store holds and does. */
// needs: openssl
import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { parseIdentityId } from '../../../src/core/identity/id.ts'
import { makeKey } from '../../../src/device/certificate-request.ts'
import { openCredentialStore } from '../../../src/device/store/open.ts'
import { fingerprintOf, id } from './credentials.ts'
import { assertRefused, fingerprint, storeBed } from './store-bed.ts'

const bed = storeBed()
const { authority, first, second, third, filled, slots } = bed

describe('a credential store', () => {
  test('is made with a mode that keeps others out, with the folders above it', () => {
    const path = join(bed.directory, 'a', 'b')
    openCredentialStore(path)
    assert.equal(statSync(path).mode & 0o777, 0o700)
  })

  test('holds nothing before an installation and the pair after it', () => {
    const store = openCredentialStore(bed.directory)
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

  test('roots whose file was damaged are told of by the name of the file', () => {
    const store = filled()
    writeFileSync(store.files.ca, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
    const error = assertRefused(() => store.roots(), 'credential-file-unreadable')
    assert.match(error.message, /slots\/1\/ca\.pem/)
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
    assert.equal(statSync(join(bed.directory, 'private_key.pump-7.new')).mode & 0o777, 0o600)
    store.prepareNext(second)
    assert.equal(store.waitingKey(id)?.reveal(), second.keyPem.reveal(), 'until then its certificate may be given up')
    store.promote()
    assert.equal(store.waitingKey(id), null)
    assert.ok(!existsSync(join(bed.directory, 'private_key.pump-7.new')))
  })

  test('a key cut short by a crash is not taken for a key', () => {
    writeFileSync(join(bed.directory, 'private_key.pump-7.new'), first.keyPem.reveal().slice(0, 40), { mode: 0o600 })
    assert.equal(openCredentialStore(bed.directory).waitingKey(id), null)
  })

  test('keys that wait for different devices do not mix', () => {
    const store = openCredentialStore(bed.directory)
    store.keepWaitingKey(id, first.keyPem)
    assert.equal(store.waitingKey(parseIdentityId('pump-8')), null)
  })

  test('is empty when it was cleared, and takes a credential again', () => {
    const store = filled()
    store.install(second)
    store.prepareNext(third)
    store.clear()
    assert.deepEqual([store.current(), store.next(), store.previous()], [null, null, null])
    assert.deepEqual(readdirSync(bed.directory), ['slots'])
    assert.deepEqual(slots(), [])
    store.install(third)
    assert.equal(fingerprint(store, 'current'), third.hub.fingerprint)
  })

  test('shows a second process what the first has done', () => {
    const [one, other] = [filled(), openCredentialStore(bed.directory)]
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
      const store = openCredentialStore(bed.directory)
      assert.equal(store.lastGoodTimeMs(), null)
      store.install(first)
      assert.equal(store.lastGoodTimeMs(), first.chain[0]?.validFromDate.getTime())
    })

    test('keeps the latest time that was confirmed, and writes it once in an hour at most', () => {
      const store = openCredentialStore(bed.directory)
      const noon = Date.UTC(2031, 5, 1, 12)
      store.noteTime(noon)
      store.noteTime(noon + 60_000)
      store.noteTime(Date.UTC(1970, 0, 1))
      assert.equal(openCredentialStore(bed.directory).lastGoodTimeMs(), noon)
      store.noteTime(noon + 3_600_000)
      assert.equal(store.lastGoodTimeMs(), noon + 3_600_000)
    })

    test('takes a file without a time for none', () => {
      writeFileSync(join(bed.directory, 'last_good_time'), 'yesterday\n')
      assert.equal(openCredentialStore(bed.directory).lastGoodTimeMs(), null)
    })
  })

  describe('whose keys are encrypted', () => {
    let passphraseFile = ''

    beforeEach(() => {
      passphraseFile = join(bed.directory, '..', `${bed.directory.split('/').at(-1)}.pass`)
      writeFileSync(passphraseFile, 'correct horse battery\r\n', { mode: 0o600 })
    })
    afterEach(() => rmSync(passphraseFile, { force: true }))

    test('remembers where the passphrase is, and writes no key in the clear from then on', () => {
      const store = openCredentialStore(bed.directory, { passphraseFile })
      store.keepWaitingKey(id, second.keyPem)
      store.install(first)
      for (const file of [store.files.key, join(bed.directory, 'private_key.pump-7.new')]) {
        assert.match(readFileSync(file, 'utf8'), /^-----BEGIN ENCRYPTED PRIVATE KEY-----/)
      }
      const again = openCredentialStore(bed.directory)
      assert.equal(again.waitingKey(id)?.reveal(), second.keyPem.reveal())
      assert.equal(again.tlsIdentity()?.key.reveal(), first.keyPem.reveal())
      const opened = createPrivateKey({ key: readFileSync(store.files.key), passphrase: 'correct horse battery' })
      assert.ok(first.chain[0]?.checkPrivateKey(opened))
    })

    test('encrypts the keys that it had in the clear', () => {
      const store = filled()
      store.install(second)
      openCredentialStore(bed.directory, { passphraseFile })
      for (const slot of slots()) {
        assert.deepEqual(readdirSync(join(bed.directory, 'slots', slot)).sort(), [
          'ca.pem',
          'client_cert.pem',
          'hub.json',
          'private_key.pem',
        ])
        assert.match(readFileSync(join(bed.directory, 'slots', slot, 'private_key.pem'), 'utf8'), /BEGIN ENCRYPTED/)
      }
      assert.equal(store.tlsIdentity('previous')?.key.reveal(), first.keyPem.reveal())
    })

    test('says which file is missing, open to others, or no passphrase', () => {
      openCredentialStore(bed.directory, { passphraseFile }).install(first)
      const link = join(bed.directory, 'private_key_pass.txt')
      chmodSync(passphraseFile, 0o644)
      const open = assertRefused(() => openCredentialStore(bed.directory).current(), 'key-passphrase-unusable')
      assert.match(open.hint, /^chmod 0600 /)
      rmSync(passphraseFile)
      const gone = assertRefused(() => openCredentialStore(bed.directory).current(), 'key-passphrase-unusable')
      assert.ok(gone.message.includes(link), gone.message)
      writeFileSync(passphraseFile, 'short', { mode: 0o600 })
      assertRefused(() => openCredentialStore(bed.directory).current(), 'key-passphrase-unusable')
    })

    test('refuses the file of another passphrase, and takes another file with the same', () => {
      openCredentialStore(bed.directory, { passphraseFile }).install(first)
      const other = `${passphraseFile}.other`
      writeFileSync(other, 'another passphrase', { mode: 0o600 })
      assertRefused(() => openCredentialStore(bed.directory, { passphraseFile: other }), 'key-passphrase-unusable')
      writeFileSync(other, 'correct horse battery', { mode: 0o600 })
      assert.notEqual(openCredentialStore(bed.directory, { passphraseFile: other }).current(), null)
      assert.equal(readlinkSync(join(bed.directory, 'private_key_pass.txt')), other)
      rmSync(other)
    })
  })
})
