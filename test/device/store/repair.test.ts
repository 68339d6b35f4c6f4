/** What the opening of a credential store puts in order, and what it refuses. */
// needs: openssl
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { makeKey } from '../../../src/device/certificate-request.ts'
import { openCredentialStore } from '../../../src/device/store/open.ts'
import { id } from './credentials.ts'
import { assertRefused, fingerprint, storeBed } from './store-bed.ts'

const bed = storeBed()
const { first, second, filled, slots } = bed

describe('the opening of a credential store', () => {
  describe('that others could reach', () => {
    test('closes a folder of its own that was open, and leaves a folder with other files as it is', () => {
      filled()
      chmodSync(bed.directory, 0o755)
      openCredentialStore(bed.directory)
      assert.equal(statSync(bed.directory).mode & 0o777, 0o700)

      writeFileSync(join(bed.directory, 'mosquitto.conf'), '')
      chmodSync(bed.directory, 0o755)
      openCredentialStore(bed.directory)
      assert.equal(statSync(bed.directory).mode & 0o777, 0o755)
    })

    test('refuses a folder where others can put files, with the command that mends it', () => {
      writeFileSync(join(bed.directory, 'mosquitto.conf'), '')
      chmodSync(bed.directory, 0o777)
      assert.match(assertRefused(() => openCredentialStore(bed.directory), 'store-unwritable').hint, /^chmod 0700 /)
    })

    test('refuses a key that others can read while it is open, and closes and tells of it at the next opening', () => {
      const store = filled()
      chmodSync(store.files.key, 0o644)
      assert.match(assertRefused(() => store.current(), 'store-unwritable').hint, /^chmod 0600 /)

      const notices: string[] = []
      openCredentialStore(bed.directory, { onNotice: (text) => void notices.push(text) })
      assert.equal(fingerprint(store, 'current'), first.hub.fingerprint)
      assert.equal(statSync(store.files.key).mode & 0o777, 0o600)
      assert.equal(notices.length, 1)
      assert.match(notices[0] ?? '', /private_key\.pem had the mode 0644/)
    })

    test('refuses a file in the place of the folder', () => {
      const file = join(bed.directory, 'pump-7')
      writeFileSync(file, '')
      assertRefused(() => openCredentialStore(file), 'store-unwritable')
      assertRefused(() => openCredentialStore(join(file, 'below')), 'store-unwritable')
    })

    test('follows no link of a slot out of its folder', () => {
      const other = openCredentialStore(join(bed.directory, 'other'))
      other.install(second)
      const store = openCredentialStore(join(bed.directory, 'own'))
      store.install(first)
      rmSync(join(bed.directory, 'own', 'current'))
      symlinkSync('../other/slots/1', join(bed.directory, 'own', 'current'))
      assert.equal(store.current(), null)
      openCredentialStore(join(bed.directory, 'own'))
      assert.equal(fingerprint(store, 'current'), first.hub.fingerprint, 'its own slot, not that of the other')
    })
  })

  describe('that a crash has left', () => {
    test('removes what was half made, and a slot that nothing points to', () => {
      filled()
      for (const name of ['.current.0123456789ab.tmp', '.private_key.pump-7.new.0123456789ab.tmp']) {
        writeFileSync(join(bed.directory, name), 'half')
      }
      mkdirSync(join(bed.directory, 'slots', '7'))
      writeFileSync(join(bed.directory, 'slots', '7', 'private_key.pem'), makeKey().reveal())
      const store = openCredentialStore(bed.directory)
      assert.equal(fingerprint(store, 'current'), first.hub.fingerprint)
      assert.deepEqual(slots(), ['1'])
      assert.deepEqual(readdirSync(bed.directory).sort(), [
        'ca.pem',
        'client_cert.pem',
        'current',
        'private_key.pem',
        'slots',
      ])
    })

    test('goes on after a copy that has made the links absolute', () => {
      const original = openCredentialStore(join(bed.directory, 'original'))
      original.install(second)
      original.install(first)
      const copy = join(bed.directory, 'copy')
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
      for (const link of ['current', 'private_key.pem', 'client_cert.pem', 'ca.pem']) rmSync(join(bed.directory, link))
      assert.equal(openCredentialStore(bed.directory).current(), null)
      symlinkSync('slots/9', join(bed.directory, 'current'))
      assert.equal(openCredentialStore(bed.directory).current(), null)
      rmSync(join(bed.directory, 'current'))
      symlinkSync('slots/1', join(bed.directory, 'current'))
      assert.equal(fingerprint(openCredentialStore(bed.directory), 'current'), first.hub.fingerprint)
    })

    test('leaves files of others alone', () => {
      writeFileSync(join(bed.directory, '.bashrc.0123456789ab.tmp'), 'not ours')
      openCredentialStore(bed.directory)
      assert.ok(existsSync(join(bed.directory, '.bashrc.0123456789ab.tmp')))
    })
  })

  describe('in a folder with plain files', () => {
    function flat(path = bed.directory): void {
      writeFileSync(join(path, 'private_key.pem'), first.keyPem.reveal(), { mode: 0o600 })
      writeFileSync(join(path, 'client_cert.pem'), first.chain.map(String).join(''))
      writeFileSync(join(path, 'ca.pem'), first.roots.map(String).join(''))
      writeFileSync(join(path, 'hub.json'), JSON.stringify(first.hub))
    }

    test('takes a pair of an earlier version over, and the paths of its files stay', () => {
      flat()
      const store = openCredentialStore(bed.directory)
      assert.deepEqual(store.current()?.hub, first.hub)
      assert.equal(readFileSync(store.files.key, 'utf8'), first.keyPem.reveal())
      assert.ok(
        [store.files.key, store.files.certificate, store.files.ca].every((file) => lstatSync(file).isSymbolicLink()),
      )
      assert.deepEqual(readdirSync(bed.directory).sort(), [
        'ca.pem',
        'client_cert.pem',
        'current',
        'private_key.pem',
        'slots',
      ])
    })

    test('ends an installation of the earlier version whose certificate had its place already', () => {
      flat()
      writeFileSync(join(bed.directory, 'client_cert.pem'), second.chain.map(String).join(''))
      writeFileSync(join(bed.directory, 'private_key.pump-7.new'), second.keyPem.reveal(), { mode: 0o600 })
      writeFileSync(join(bed.directory, 'ca.pem.new'), second.roots.map(String).join(''))
      writeFileSync(join(bed.directory, 'hub.json.new'), JSON.stringify(second.hub))
      const store = openCredentialStore(bed.directory)
      assert.deepEqual(store.current()?.hub, second.hub)
      assert.equal(store.waitingKey(id), null)
    })

    test('keeps the pair of an installation of the earlier version that had not come so far', () => {
      flat()
      writeFileSync(join(bed.directory, 'private_key.pump-7.new'), second.keyPem.reveal(), { mode: 0o600 })
      writeFileSync(join(bed.directory, 'hub.json.new'), JSON.stringify(second.hub))
      const store = openCredentialStore(bed.directory)
      assert.deepEqual(store.current()?.hub, first.hub)
      assert.equal(store.waitingKey(id)?.reveal(), second.keyPem.reveal())
    })

    test('takes a pair that its owner put over the links, and keeps the one before', () => {
      filled()
      rmSync(join(bed.directory, 'private_key.pem'))
      rmSync(join(bed.directory, 'client_cert.pem'))
      writeFileSync(join(bed.directory, 'private_key.pem'), second.keyPem.reveal(), { mode: 0o600 })
      writeFileSync(join(bed.directory, 'client_cert.pem'), second.chain.map(String).join(''))
      const store = openCredentialStore(bed.directory)
      assert.equal(store.tlsIdentity()?.key.reveal(), second.keyPem.reveal())
      assert.equal(store.current()?.hub, null, 'the record of the hub was for another certificate')
      assert.equal(fingerprint(store, 'previous'), first.hub.fingerprint)
    })

    test('takes a copy of a store over that was made without links', () => {
      const original = openCredentialStore(join(bed.directory, 'original'))
      original.install(second)
      original.install(first)
      const copy = join(bed.directory, 'copy')
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
      rmSync(join(bed.directory, 'client_cert.pem'))
      writeFileSync(join(bed.directory, 'client_cert.pem'), second.chain.map(String).join(''))
      const notices: string[] = []
      const store = openCredentialStore(bed.directory, { onNotice: (text) => void notices.push(text) })
      assert.equal(fingerprint(store, 'current'), first.hub.fingerprint)
      assert.equal(notices.length, 1)
    })
  })
})
