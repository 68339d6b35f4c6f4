// needs: openssl
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, beforeEach, describe, test } from 'node:test'
import { HubError } from '../../src/core/errors.ts'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import { certificateRequest, makeKey } from '../../src/device/certificate-request.ts'
import { type CredentialFolder, type HubRecord, openCredentialFolder } from '../../src/device/credential-folder.ts'
import { OpensslAuthority } from './est-authority.ts'

const authority = new OpensslAuthority()
after(() => authority.remove())
const id = parseIdentityId('pump-7')
const keyPem = makeKey()
const leaf = new X509Certificate(authority.sign(Buffer.from(certificateRequest(id, keyPem))))
const root = new X509Certificate(authority.read('root.pem'))
const hub: HubRecord = {
  id,
  host: 'hub.example',
  httpsPort: 8443,
  mqttPort: 8883,
  rootFingerprint: authority.rootFingerprint,
  tokenId: '0123456789abcdef',
  fingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
}

describe('a credential folder', () => {
  let directory = ''

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'handfast-folder-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  function filled(): CredentialFolder {
    const folder = openCredentialFolder(directory)
    folder.keepWaitingKey(id, keyPem)
    folder.install({ id, keyPem, chain: [leaf], roots: [root], hub })
    return folder
  }

  function assertUnwritable(work: () => unknown): HubError {
    try {
      work()
    } catch (error) {
      assert.ok(error instanceof HubError)
      assert.equal(error.code, 'store-unwritable')
      return error
    }
    return assert.fail('it was not refused')
  }

  test('is made with a mode that keeps others out, with the folders above it', () => {
    const path = join(directory, 'a', 'b')
    openCredentialFolder(path)
    assert.equal(statSync(path).mode & 0o777, 0o700)
  })

  test('holds nothing before an installation and the pair after it', () => {
    assert.equal(openCredentialFolder(directory).held(), null)
    assert.deepEqual(filled().held()?.hub, hub)
  })

  test('a crash after the certificate is mended at the next opening, since the waiting key fits it', () => {
    const { files } = filled()
    renameSync(files.key, join(directory, 'private_key.pump-7.new'))
    renameSync(files.ca, `${files.ca}.new`)
    renameSync(join(directory, 'hub.json'), join(directory, 'hub.json.new'))

    const folder = openCredentialFolder(directory)

    assert.deepEqual(folder.held()?.hub, hub)
    assert.equal(readFileSync(files.key, 'utf8'), keyPem.reveal())
    assert.deepEqual(readdirSync(directory).sort(), ['ca.pem', 'client_cert.pem', 'hub.json', 'private_key.pem'])
  })

  test('a crash before the certificate leaves the old pair as it was and the new key waiting', () => {
    filled()
    const next = makeKey()
    openCredentialFolder(directory).keepWaitingKey(id, next)
    writeFileSync(join(directory, 'ca.pem.new'), 'of the new hub')
    writeFileSync(join(directory, 'hub.json.new'), JSON.stringify({ ...hub, fingerprint: 'ab'.repeat(32) }))

    const folder = openCredentialFolder(directory)

    assert.deepEqual(folder.held()?.hub, hub)
    assert.equal(folder.waitingKey(id)?.reveal(), next.reveal())
    assert.equal(readFileSync(folder.files.ca, 'utf8'), root.toString())
  })

  test('a key cut short by a crash is not taken for a key', () => {
    writeFileSync(join(directory, 'private_key.pump-7.new'), keyPem.reveal().slice(0, 40), { mode: 0o600 })
    assert.equal(openCredentialFolder(directory).waitingKey(id), null)
  })

  test('keys that wait for different devices do not mix', () => {
    const folder = openCredentialFolder(directory)
    folder.keepWaitingKey(id, keyPem)
    assert.equal(folder.waitingKey(parseIdentityId('pump-8')), null)
  })

  test('closes a folder of its own that was open, and leaves a folder with other files as it is', () => {
    filled()
    chmodSync(directory, 0o755)
    openCredentialFolder(directory)
    assert.equal(statSync(directory).mode & 0o777, 0o700)

    writeFileSync(join(directory, 'mosquitto.conf'), '')
    chmodSync(directory, 0o755)
    openCredentialFolder(directory)
    assert.equal(statSync(directory).mode & 0o777, 0o755)
  })

  test('refuses a folder where others can put files, with the command that mends it', () => {
    writeFileSync(join(directory, 'mosquitto.conf'), '')
    chmodSync(directory, 0o777)
    assert.match(assertUnwritable(() => openCredentialFolder(directory)).hint, /^chmod 0700 /)
  })

  test('refuses a key that others can read', () => {
    const folder = filled()
    chmodSync(folder.files.key, 0o644)
    assert.match(assertUnwritable(() => folder.held()).hint, /^chmod 0600 /)
  })

  test('refuses a file in the place of the folder', () => {
    const file = join(directory, 'pump-7')
    writeFileSync(file, '')
    assertUnwritable(() => openCredentialFolder(file))
    assertUnwritable(() => openCredentialFolder(join(file, 'below')))
  })

  test('a folder that a crash left a temporary file in works all the same', () => {
    mkdirSync(join(directory, 'x'))
    writeFileSync(join(directory, 'x', '.client_cert.pem.0123456789ab.tmp'), 'half')
    const folder = openCredentialFolder(join(directory, 'x'))
    folder.install({ id, keyPem, chain: [leaf], roots: [root], hub })
    assert.notEqual(folder.held(), null)
    assert.equal(existsSync(join(directory, 'x', '.client_cert.pem.0123456789ab.tmp')), false)
  })
})
