/** Keys that people bring, where reading them would cost more than they are worth. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { keyFile } from '../../../src/core/key-file/key-file.ts'
import { readPrivateKey } from '../../../src/core/key-file/key-reader.ts'
import { parseKeyPassphrase } from '../../../src/core/key-file/passphrase.ts'
import { limits } from '../../../src/core/limits.ts'
import { Secret } from '../../../src/core/secret.ts'
import { decodePem, encodePem } from '../../../src/core/x509/pem.ts'
import { ecKey } from '../x509/support.ts'

const words = new Secret('correct horse')

/** An encrypted PKCS#8 key that asks for another number of rounds than it was made with. */
function keyOfRounds(rounds: number): Buffer {
  const pem = keyFile(ecKey().privateKey, 'pkcs8', parseKeyPassphrase(words), (count) => randomBytes(count))
  const der = Buffer.from(decodePem(pem.reveal(), 'credential-file-unreadable')[0]?.der ?? [])
  const before = integer(limits.keyFileIterations)
  const place = der.indexOf(before)
  assert.ok(place > 0 && integer(rounds).length === before.length, 'the number of rounds stands where it is looked for')
  integer(rounds).copy(der, place)
  return der
}

function integer(value: number): Buffer {
  return Buffer.from([2, 3, value >> 16, (value >> 8) & 0xff, value & 0xff])
}

for (const form of ['PEM', 'DER'] as const) {
  test(`a key in ${form} that asks for more rounds than are done is refused before OpenSSL sees it`, () => {
    const der = keyOfRounds(0x7fffff)
    const bytes = form === 'DER' ? der : Buffer.from(encodePem('ENCRYPTED PRIVATE KEY', der))
    assert.throws(() => readPrivateKey({ name: 'private_key.pem', bytes }, words), {
      code: 'credential-file-unreadable',
      message: /asks for too much work: 8388607 iterations/,
    })
  })
}

test('a wrong passphrase is told as that, also where chance makes something of it that looks decrypted', () => {
  const pem = keyFile(ecKey().privateKey, 'traditional', parseKeyPassphrase(words), (count) => randomBytes(count))
  const file = { name: 'private_key.pem', bytes: Buffer.from(pem.reveal()) }
  // One in 256 has a right padding.
  for (let index = 0; index < 3_000; index += 1) {
    assert.throws(() => readPrivateKey(file, new Secret(`wrong ${index}`)), { code: 'credential-passphrase-wrong' })
  }
})
