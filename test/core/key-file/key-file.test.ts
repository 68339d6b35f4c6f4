/** Key files and PFX, read back by node:crypto or compared with what OpenSSL derives. */
import assert from 'node:assert/strict'
import { createPrivateKey, type KeyObject, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { HubError } from '../../../src/core/errors.ts'
import { keyFile, keyFormFor } from '../../../src/core/key-file/key-file.ts'
import { keyPassphraseFrom, keyPassphraseOctets, parseKeyPassphrase } from '../../../src/core/key-file/passphrase.ts'
import { pkcs12Derive } from '../../../src/core/key-file/pkcs12-kdf.ts'
import { limits } from '../../../src/core/limits.ts'
import { Secret } from '../../../src/core/secret.ts'
import { ecKey, rsaKey } from '../x509/support.ts'

const random = (count: number): Uint8Array => randomBytes(count)
const passphrase = parseKeyPassphrase(new Secret('correct horse'))

function sameKey(pem: Secret, key: KeyObject, words?: string): boolean {
  const read = createPrivateKey({ key: pem.reveal(), ...(words === undefined ? {} : { passphrase: words }) })
  return read.equals(key)
}

describe('a key file', () => {
  const keys = { ec: ecKey().privateKey, rsa: rsaKey().privateKey }

  test('is the same key again, in every form, plain and encrypted', () => {
    for (const key of Object.values(keys)) {
      for (const form of ['pkcs8', 'traditional'] as const) {
        assert.ok(sameKey(keyFile(key, form, null, random), key))
        assert.ok(sameKey(keyFile(key, form, passphrase, random), key, 'correct horse'))
      }
    }
  })

  test('opens with its passphrase alone', () => {
    for (const form of ['pkcs8', 'traditional'] as const) {
      const pem = keyFile(keys.ec, form, passphrase, random)
      assert.throws(() => sameKey(pem, keys.ec, 'correct horsf'))
      assert.throws(() => sameKey(pem, keys.ec))
    }
  })

  test('says what it is in its first line', () => {
    const firstLine = (key: KeyObject, form: 'pkcs8' | 'traditional', words: typeof passphrase | null) =>
      keyFile(key, form, words, random).reveal().split('\n')[0]
    assert.equal(firstLine(keys.ec, 'pkcs8', null), '-----BEGIN PRIVATE KEY-----')
    assert.equal(firstLine(keys.ec, 'pkcs8', passphrase), '-----BEGIN ENCRYPTED PRIVATE KEY-----')
    assert.equal(firstLine(keys.ec, 'traditional', null), '-----BEGIN EC PRIVATE KEY-----')
    assert.equal(firstLine(keys.rsa, 'traditional', passphrase), '-----BEGIN RSA PRIVATE KEY-----')
  })

  test('for mbedTLS never has an encryption that its builds leave out', () => {
    const pem = keyFile(keys.rsa, keyFormFor('mbedtls'), passphrase, random).reveal()
    assert.match(pem, /^DEK-Info: AES-128-CBC,[0-9A-F]{32}$/m)
  })

  test('is never encrypted the same way twice', () => {
    const one = keyFile(keys.ec, 'pkcs8', passphrase, random).reveal()
    assert.notEqual(keyFile(keys.ec, 'pkcs8', passphrase, random).reveal(), one)
  })
})

describe('the passphrase of a key file', () => {
  const { keyPassphraseCharsMin: min, keyPassphraseCharsMax: max } = limits

  test('is refused when readers would disagree about it, or anybody could guess it', () => {
    for (const words of ['', 'a'.repeat(min - 1), 'a'.repeat(max + 1), 'Schlüsselbund', 'tab\tinside', 'line\nend..']) {
      assert.throws(
        () => parseKeyPassphrase(new Secret(words)),
        (error) =>
          error instanceof HubError && error.code === 'key-passphrase-unusable' && !error.message.includes('bund'),
        JSON.stringify(words),
      )
    }
    assert.equal(parseKeyPassphrase(new Secret('a'.repeat(max))).length, max)
  })

  test('that is made here can be typed on a phone and is another each time', () => {
    const one = keyPassphraseFrom(randomBytes(keyPassphraseOctets)).reveal()
    assert.match(one, /^([a-km-np-z2-9]{4}-){4}[a-km-np-z2-9]{4}$/)
    assert.notEqual(keyPassphraseFrom(randomBytes(keyPassphraseOctets)).reveal(), one)
    assert.equal(parseKeyPassphrase(new Secret(one)).reveal(), one)
  })
})

test('the key derivation of PKCS#12 gives what others publish', () => {
  // Vectors that Peter Gutmann published with his implementation, for "smeg" and "queeg".
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
  const salt = (text: string): Uint8Array => Buffer.from(text, 'hex')
  assert.equal(
    hex(pkcs12Derive('sha1', 'key', 'smeg', salt('0a58cf64530d823f'), 1, 24)),
    '8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3',
  )
  assert.equal(hex(pkcs12Derive('sha1', 'iv', 'smeg', salt('0a58cf64530d823f'), 1, 8)), '79993dfe048d3b76')
  assert.equal(
    hex(pkcs12Derive('sha1', 'key', 'queeg', salt('05dec959acff72f7'), 1000, 24)),
    'ed2034e36328830ff09df1e1a07dd357185dac0d4f9eb3d4',
  )
  assert.equal(
    hex(pkcs12Derive('sha1', 'mac', 'queeg', salt('263216fcc2fab31c'), 1000, 20)),
    '5ec4c7a80df652294c3925b6489a7ab857c83476',
  )
})
