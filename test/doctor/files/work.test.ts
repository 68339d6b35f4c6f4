/** What opening key files may cost: a file says itself how many rounds a try takes. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { parseKeyPassphrase } from '../../../src/core/key-file/passphrase.ts'
import { encryptPbes2 } from '../../../src/core/key-file/pbes2.ts'
import { pfx } from '../../../src/core/key-file/pfx.ts'
import { RoundBudget } from '../../../src/core/key-file/work.ts'
import { limits } from '../../../src/core/limits.ts'
import { Secret } from '../../../src/core/secret.ts'
import { derInteger, derOctetString, derOid, derSequence } from '../../../src/core/x509/der-writer.ts'
import { oids } from '../../../src/core/x509/oids.ts'
import { encodePem } from '../../../src/core/x509/pem.ts'
import { contentsOf } from '../../../src/doctor/files/contents.ts'
import { examineFiles } from '../../../src/doctor/files/examine-files.ts'
import { openKeys } from '../../../src/doctor/files/open-key.ts'
import { type PassphraseFile, readPassphraseFile } from '../../../src/doctor/files/passphrase.ts'
import { device, encrypted, file, issuing, markedPassphrase, nowMs } from './bed.ts'

/** A key in PKCS#8 under so many rounds of PBKDF2. */
function keyUnder(rounds: number): string {
  const plain = device.privateKey.export({ type: 'pkcs8', format: 'der' })
  const { algorithm, ciphertext } = encryptPbes2(plain, markedPassphrase, rounds, randomBytes)
  return encodePem('ENCRYPTED PRIVATE KEY', derSequence(algorithm, derOctetString(ciphertext)))
}

/** What claims to be a key under scrypt with blocks of 8. */
function keyUnderScrypt(cost: number, lanes: number): string {
  const numbers = [derInteger(cost), derInteger(8), derInteger(lanes)]
  const derivation = derSequence(derOid(oids.scrypt), derSequence(derOctetString(randomBytes(16)), ...numbers))
  const scheme = derSequence(derOid(oids.aes256Cbc), derOctetString(randomBytes(16)))
  const algorithm = derSequence(derOid(oids.pbes2), derSequence(derivation, scheme))
  return encodePem('ENCRYPTED PRIVATE KEY', derSequence(algorithm, derOctetString(randomBytes(64))))
}

const right = readPassphraseFile(file('right.pass', markedPassphrase))

function wrong(count: number): readonly PassphraseFile[] {
  return Array.from({ length: count }, (_, index) => readPassphraseFile(file(`${index}.pass`, `passphrase ${index}`)))
}

function stateOf(name: string, key: string | Uint8Array, phrases: readonly PassphraseFile[], budget: RoundBudget) {
  return openKeys(contentsOf(file(name, key)), phrases, budget).map(({ state }) => state)[0]
}

test('passphrases are tried until the rounds of one examination are used up, and no more', () => {
  const key = keyUnder(1_000)
  assert.equal(stateOf('device.key', key, [...wrong(3), right], new RoundBudget(4_000)), 'open')
  assert.equal(stateOf('device.key', key, [...wrong(3), right], new RoundBudget(3_999)), 'passphrases-untried')
})

test('keys share the rounds, and a cheap one is opened where a dear one is not', () => {
  const budget = new RoundBudget(2_500)
  assert.equal(stateOf('one.key', keyUnder(1_000), [...wrong(2), right], budget), 'passphrases-untried')
  assert.equal(stateOf('two.key', keyUnder(1_000), [right], budget), 'passphrases-untried')
  assert.equal(stateOf('three.key', keyUnder(100), [right], budget), 'open')
  assert.equal(stateOf('four.key', encrypted(device.privateKey), [...wrong(5), right], budget), 'open')
})

test('every part of a PFX costs its rounds', () => {
  const content = { key: device.privateKey, certificates: [device.der, issuing.der] as const, friendlyName: 'pump-7' }
  const bytes = pfx(content, parseKeyPassphrase(new Secret(markedPassphrase)), 'compatible', randomBytes)
  const ofMac = limits.compatiblePfxIterations
  assert.equal(stateOf('device.pfx', bytes, [right], new RoundBudget(ofMac)), 'passphrases-untried')
  // The MAC without a passphrase and with it; certificates and key under triple DES, three runs each.
  assert.equal(stateOf('device.pfx', bytes, [right], new RoundBudget(ofMac * 8)), 'open')
})

test('scrypt counts by its cost, and one that asks for too much is not begun', () => {
  const budget = new RoundBudget(limits.doctorRoundsMax)
  assert.equal(stateOf('one.key', keyUnderScrypt(16_384, 1), [right], new RoundBudget(131_071)), 'passphrases-untried')
  assert.equal(stateOf('two.key', keyUnderScrypt(256, 16_384), [right], budget), 'damaged')
})

test('a key beside more passphrases than were tried is not said to have a wrong one for certain', () => {
  const phrases = Array.from({ length: 8 }, (_, index) => file(`${index}.pass`, ` passphrase ${index} \n`))
  const files = [file('private_key.pem', keyUnder(1_000)), ...phrases]
  const question = { files, isFolder: true, subject: 'pump-7', platform: null, nowMs }
  const said = examineFiles(question, new RoundBudget(20_000))
  const found = said.flatMap(({ findings }) => findings).find(({ code }) => code === 'device-key-passphrase-wrong')
  assert.deepEqual([found?.certainty, found?.severity], ['possible', 'warning'])
  assert.match(found?.evidence ?? '', /not all passphrases that lie there were tried/)
  assert.ok(said[0]?.facts.some(({ value }) => value.startsWith('not opened: not all passphrases were tried')))
  const enough = examineFiles(question, new RoundBudget(24_000)).flatMap(({ findings }) => findings)
  assert.equal(enough.find(({ code }) => code === 'device-key-passphrase-wrong')?.certainty, 'likely')
})
