/** Which files a bundle has, and how they are put into a folder. */
import assert from 'node:assert/strict'
import { createPrivateKey, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, test } from 'node:test'
import type { ReadStream } from 'node:tty'
import { askSecret } from '../../../src/cli/bundle/ask-secret.ts'
import { type BundleContent, bundleFiles, bundleKinds, bundleNames } from '../../../src/cli/bundle/bundle.ts'
import { chosenPassphrase, newPassphrase } from '../../../src/cli/bundle/passphrase.ts'
import { assertWritable, writeBundle } from '../../../src/cli/bundle/write-bundle.ts'
import { HubError } from '../../../src/core/errors.ts'
import { parseKeyPassphrase } from '../../../src/core/key-file/passphrase.ts'
import { Secret } from '../../../src/core/secret.ts'
import { encodePem } from '../../../src/core/x509/pem.ts'
import { ecKey, makeDevice, makeIssuing, makeRoot } from '../../core/x509/support.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const validity = { notBeforeSec: 1_790_000_000, notAfterSec: 1_800_000_000 }
const root = makeRoot(validity)
const issuing = makeIssuing(root, validity)
const key = ecKey()
const pem = (der: Uint8Array): string => encodePem('CERTIFICATE', der)
const content: BundleContent = {
  id: 'pump-1',
  key: key.privateKey,
  keyForm: 'pkcs8',
  passphrase: null,
  protection: 'compatible',
  chain: pem(makeDevice(issuing, validity, key)) + pem(issuing.der),
  root: pem(root.der),
}
const passphrase = parseKeyPassphrase(new Secret('correct horse'))

const isFailure = (code: string) => (error: unknown) => error instanceof HubError && error.code === code

describe('a bundle', () => {
  test('has the names that its readers look for', () => {
    assert.deepEqual(bundleNames('mosquitto', 'x', false), ['ca.pem', 'server.pem', 'server.key'])
    assert.deepEqual(bundleNames('client', 'x', true), ['ca.pem', 'client_cert.pem', 'private_key.pem'])
    assert.deepEqual(bundleNames('meadow', 'x', false), ['client_cert.pem', 'private_key.pem'])
    assert.deepEqual(bundleNames('meadow', 'x', true), ['client_cert.pem', 'private_key.pem', 'private_key_pass.txt'])
    assert.deepEqual(bundleNames('pfx', 'anna', true), ['anna.pfx'])
  })

  test('holds what it says, in every kind, and its secrets are for their owner alone', () => {
    for (const kind of bundleKinds) {
      for (const under of kind === 'pfx' ? [passphrase] : [null, passphrase]) {
        const files = bundleFiles(kind, { ...content, passphrase: under }, randomBytes)
        assert.deepEqual(
          files.map(({ name }) => name).toSorted(),
          bundleNames(kind, content.id, under !== null).toSorted(),
        )
        for (const { purpose, mode, data } of files) {
          assert.equal(mode, ['certificate', 'CA'].includes(purpose) ? 0o644 : 0o600, `${kind} ${purpose}`)
          if (purpose !== 'key') continue
          const read = createPrivateKey({
            key: String(data),
            ...(under === null ? {} : { passphrase: 'correct horse' }),
          })
          assert.ok(read.equals(key.privateKey))
        }
      }
    }
  })

  test('for Meadow has the key in the form of mbedTLS, whatever the profile says', () => {
    const [keyOf] = bundleFiles('meadow', { ...content, passphrase }, randomBytes)
    assert.match(String(keyOf?.data), /^-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,/)
  })
})

describe('putting a bundle into a folder', () => {
  const files = bundleFiles('client', content, randomBytes)
  const names = bundleNames('client', content.id, false)

  test('makes the folder, and the files as they are to be', (context) => {
    const folder = join(temporaryFolder(context), 'new')
    assertWritable(folder, names, false)
    assert.ok(!existsSync(folder))
    const paths = writeBundle(folder, files, false)
    assert.equal(statSync(folder).mode & 0o777, 0o700)
    for (const [index, path] of paths.entries()) {
      assert.equal(readFileSync(path, 'utf8'), files[index]?.data)
      assert.equal(statSync(path).mode & 0o777, files[index]?.mode)
    }
    assert.deepEqual(readdirSync(folder).toSorted(), [...names].toSorted())
  })

  test('replaces nothing that is there, unless it is told to', (context) => {
    const folder = temporaryFolder(context)
    writeFileSync(join(folder, 'private_key.pem'), 'the only copy')
    assert.throws(() => assertWritable(folder, names, false), isFailure('files-exist'))
    assert.throws(() => writeBundle(folder, files, false), isFailure('files-exist'))
    assert.equal(readFileSync(join(folder, 'private_key.pem'), 'utf8'), 'the only copy')
    assertWritable(folder, names, true)
    writeBundle(folder, files, true)
    assert.match(readFileSync(join(folder, 'private_key.pem'), 'utf8'), /^-----BEGIN PRIVATE KEY-----/)
  })

  test('is refused before anything is ordered where it cannot be done', (context) => {
    const folder = temporaryFolder(context)
    writeFileSync(join(folder, 'file'), '')
    assert.throws(() => assertWritable(join(folder, 'file'), names, false), isFailure('files-unwritable'))
    if (process.getuid?.() === 0) return
    mkdirSync(join(folder, 'closed'))
    chmodSync(join(folder, 'closed'), 0o500)
    assert.throws(() => assertWritable(join(folder, 'closed', 'new'), names, false), isFailure('files-unwritable'))
  })
})

describe('the passphrase of a key', () => {
  test('is read from a file without its line end', async (context) => {
    const file = join(temporaryFolder(context), 'words')
    for (const end of ['', '\n', '\r\n']) {
      writeFileSync(file, `correct horse${end}`)
      assert.equal((await chosenPassphrase({ passphraseFile: file }))?.passphrase.reveal(), 'correct horse')
    }
    assert.equal(await chosenPassphrase({}), null)
  })

  test('is refused from a file that is none, too long, or asked for in two ways', async (context) => {
    const file = join(temporaryFolder(context), 'words')
    await assert.rejects(chosenPassphrase({ passphraseFile: file }), isFailure('usage'))
    writeFileSync(file, 'x'.repeat(2_000))
    await assert.rejects(chosenPassphrase({ passphraseFile: file }), isFailure('key-passphrase-unusable'))
    writeFileSync(file, 'one line\nand another')
    await assert.rejects(chosenPassphrase({ passphraseFile: file }), isFailure('key-passphrase-unusable'))
    await assert.rejects(chosenPassphrase({ passphraseFile: file, askPassphrase: true }), isFailure('usage'))
  })

  test('that nobody chose is told, because nobody knows it', () => {
    assert.equal(newPassphrase().isNew, true)
  })

  test('is asked for without being shown, and only where there is a terminal', async () => {
    const terminal = (isTTY: boolean) =>
      Object.assign(new PassThrough(), { isTTY, setRawMode: () => {} }) as unknown as ReadStream & PassThrough
    const typed = terminal(true)
    const asked = askSecret('Passphrase: ', typed)
    typed.write('correct hoxx\u007f\u007f')
    typed.write('rse\r')
    assert.equal((await asked).reveal(), 'correct horse')

    const given = terminal(true)
    const up = askSecret('Passphrase: ', given)
    given.write('\u0003')
    await assert.rejects(up, isFailure('usage'))
    await assert.rejects(async () => askSecret('Passphrase: ', terminal(false)), isFailure('usage'))
  })
})
