import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, verify } from 'node:crypto'
import { copyFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { CodingError, HubError } from '../../../src/core/errors.ts'
import { Secret } from '../../../src/core/secret.ts'
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
})
