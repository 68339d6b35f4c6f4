import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, verify } from 'node:crypto'
import { copyFileSync, cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { CodingError, HubError } from '../../../src/core/errors.ts'
import { Secret } from '../../../src/core/secret.ts'
import { isSignedBy, signingAlgorithm } from '../../../src/core/x509/algorithms.ts'
import { authorityKeyTypeOf, authorityKeyTypes } from '../../../src/core/x509/authority-key.ts'
import { openKeyFolder } from '../../../src/keys/file/key-folder.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const passphrase = new Secret('correct horse')
const message = Buffer.from('to be signed')

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof HubError && error.code === code
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777
}

describe('a key folder', () => {
  test('gives the same key back after it is opened again, and its signatures verify', async (context) => {
    const folder = join(temporaryFolder(context), 'data', 'keys')
    const made = await (await openKeyFolder({ folder, passphrase })).create('root-1')
    const keys = await openKeyFolder({ folder, passphrase })
    const opened = await keys.open('root-1')
    assert.deepEqual(opened.publicKey, made.publicKey)
    const publicKey = createPublicKey({ key: Buffer.from(made.publicKey), format: 'der', type: 'spki' })
    assert.ok(verify('sha256', message, publicKey, await opened.sign(message)))
    const exported = createPublicKey(createPrivateKey((await keys.exportPem('root-1')).reveal()))
    assert.ok(exported.equals(publicKey))
  })

  test('is closed to others, and holds no key in the clear', async (context) => {
    const folder = join(temporaryFolder(context), 'keys')
    const keys = await openKeyFolder({ folder, passphrase })
    await keys.create('root-1')
    assert.equal(modeOf(folder), 0o700)
    assert.deepEqual(readdirSync(folder).sort(), ['kek.json', 'root-1.key.json'])
    for (const file of readdirSync(folder)) assert.equal(modeOf(join(folder, file)), 0o600)
    const secret = createPrivateKey((await keys.exportPem('root-1')).reveal()).export({ format: 'jwk' }).d ?? ''
    const stored = JSON.parse(readFileSync(join(folder, 'root-1.key.json'), 'utf8'))
    assert.ok(secret.length > 0 && !Buffer.from(stored.key, 'base64').includes(Buffer.from(secret, 'base64url')))
  })

  test('says that the passphrase is wrong before it touches a key', async (context) => {
    const folder = temporaryFolder(context)
    await openKeyFolder({ folder, passphrase })
    await assert.rejects(openKeyFolder({ folder, passphrase: new Secret('wrong') }), hasCode('key-passphrase-wrong'))
  })

  test('never overwrites a key, not even when two are made at once', async (context) => {
    const keys = await openKeyFolder({ folder: temporaryFolder(context), passphrase })
    const made = await Promise.allSettled(Array.from({ length: 4 }, () => keys.create('root-1')))
    const winners = made.filter((result) => result.status === 'fulfilled')
    assert.equal(winners.length, 1)
    assert.deepEqual((await keys.open('root-1')).publicKey, winners[0]?.value.publicKey)
    await assert.rejects(keys.create('root-1'), hasCode('data-directory-unusable'))
  })

  test('names the key file that is missing, damaged, or put in the place of another', async (context) => {
    const folder = temporaryFolder(context)
    const keys = await openKeyFolder({ folder, passphrase })
    await keys.create('root-1')
    const path = join(folder, 'root-1.key.json')
    const stored = JSON.parse(readFileSync(path, 'utf8'))
    copyFileSync(path, join(folder, 'root-2.key.json'))
    await assert.rejects(keys.open('root-2'), hasCode('key-file-damaged'))
    await assert.rejects(keys.open('root-3'), hasCode('key-file-damaged'))
    const sealed = Buffer.from(stored.key, 'base64')
    sealed[20] = (sealed[20] ?? 0) ^ 1
    const texts = ['', 'x', 'null', '{}', '{"version":1}', '{"version":2,"key":""}', '{"version":1,"key":"AAAA"}']
    for (const text of [...texts, JSON.stringify({ ...stored, key: sealed.toString('base64') })]) {
      writeFileSync(path, text)
      await assert.rejects(keys.open('root-1'), hasCode('key-file-damaged'), text)
      await assert.rejects(keys.exportPem('root-1'), hasCode('key-file-damaged'), text)
    }
  })

  test('does not begin anew where kek.json is lost or asks for absurd parameters', async (context) => {
    const folder = temporaryFolder(context)
    await (await openKeyFolder({ folder, passphrase })).create('root-1')
    const path = join(folder, 'kek.json')
    const stored = JSON.parse(readFileSync(path, 'utf8'))
    for (const change of [
      { n: 2 ** 30 },
      { n: 2 ** 15 + 1 },
      { n: 2 },
      { r: 1000 },
      { p: 0 },
      { salt: '' },
      { n: '1' },
    ]) {
      writeFileSync(path, JSON.stringify({ ...stored, ...change }))
      await assert.rejects(openKeyFolder({ folder, passphrase }), hasCode('key-file-damaged'), JSON.stringify(change))
    }
    rmSync(path)
    await assert.rejects(openKeyFolder({ folder, passphrase }), hasCode('key-file-damaged'))
  })

  test('that cannot be made is a data directory that cannot be used', async (context) => {
    const file = join(temporaryFolder(context), 'file')
    writeFileSync(file, '')
    const folder = join(file, 'keys')
    await assert.rejects(openKeyFolder({ folder, passphrase }), hasCode('data-directory-unusable'))
  })

  test('takes no name that could leave the folder', async (context) => {
    const keys = await openKeyFolder({ folder: temporaryFolder(context), passphrase })
    for (const name of ['', '../x', 'a/b', 'A', 'a.b', 'a'.repeat(65)]) {
      await assert.rejects(keys.create(name), CodingError)
      await assert.rejects(keys.open(name), CodingError)
    }
  })

  for (const type of authorityKeyTypes) {
    test(`makes a ${type} key, whose signatures verify, and opens it again`, async (context) => {
      const folder = temporaryFolder(context)
      const made = await (await openKeyFolder({ folder, passphrase })).create('root-1', type)
      assert.equal(authorityKeyTypeOf(made.publicKey), type)
      const opened = await (await openKeyFolder({ folder, passphrase })).open('root-1')
      const { oid, parameters } = signingAlgorithm(opened.publicKey)
      assert.ok(isSignedBy(made.publicKey, { oid, parameters }, message, await opened.sign(message)))
    })
  }

  test('opens keys of an earlier version, which knew P-256 alone', async (context) => {
    const folder = temporaryFolder(context)
    cpSync(join(import.meta.dirname, 'earlier-version'), folder, { recursive: true })
    const keys = await openKeyFolder({ folder, passphrase: new Secret('of an earlier version') })
    const { publicKey } = await keys.open('issuing-1')
    assert.equal(Buffer.from(publicKey).toString('base64'), readFileSync(join(folder, 'issuing-1.pub'), 'utf8').trim())
  })

  test('gives a key away encrypted, removes it from the disk, and takes it back under its name', async (context) => {
    const folder = temporaryFolder(context)
    const keys = await openKeyFolder({ folder, passphrase })
    const made = await keys.create('root-1', 'P-384')
    const given = new Secret('a long passphrase for the safe')
    const pem = await keys.exportEncrypted('root-1', given)
    assert.match(pem, /^-----BEGIN ENCRYPTED PRIVATE KEY-----/)
    const opened = createPublicKey(createPrivateKey({ key: pem, passphrase: given.reveal() }))
    assert.equal(Buffer.compare(opened.export({ type: 'spki', format: 'der' }), made.publicKey), 0)
    assert.throws(() => createPrivateKey({ key: pem, passphrase: 'another' }))

    await keys.remove('root-1')
    assert.deepEqual(readdirSync(folder), ['kek.json'])
    assert.equal(await keys.has('root-1'), false)
    await assert.rejects(keys.open('root-1'), hasCode('key-file-damaged'))

    const back = await keys.importPem('root-1', new Secret(pem), given, made.publicKey)
    assert.deepEqual(back.publicKey, made.publicKey)
    assert.deepEqual((await keys.open('root-1')).publicKey, made.publicKey)
  })

  test('takes in no other key, none that does not open, and none over one that is there', async (context) => {
    const keys = await openKeyFolder({ folder: temporaryFolder(context), passphrase })
    const [first, second] = [await keys.create('root-1'), await keys.create('root-2')]
    const given = new Secret('a long passphrase for the safe')
    const pem = new Secret(await keys.exportEncrypted('root-1', given))
    const refused = hasCode('key-import-refused')
    await assert.rejects(keys.importPem('root-3', pem, given, second.publicKey), refused)
    await assert.rejects(keys.importPem('root-3', pem, new Secret('another'), first.publicKey), refused)
    await assert.rejects(keys.importPem('root-3', pem, null, first.publicKey), refused)
    await assert.rejects(keys.importPem('root-3', new Secret('no key'), null, first.publicKey), refused)
    await assert.rejects(keys.importPem('root-1', pem, given, first.publicKey), hasCode('data-directory-unusable'))
    assert.equal(await keys.has('root-3'), false)
  })
})
