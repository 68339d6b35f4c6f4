import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import fc from 'fast-check'
import { isKeyWords, keyWords } from '../../../src/core/identity/key-words.ts'

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'))

describe('the words of a key', () => {
  test('are those of BIP-39 for its leading bits', () => {
    assert.equal(keyWords('0'.repeat(64)), 'abandon abandon abandon abandon abandon abandon')
    assert.equal(keyWords('f'.repeat(64)), 'zoo zoo zoo zoo zoo zoo')
    // The first 66 bits of the vector 7f7f… of BIP-39, whose mnemonic begins so.
    assert.equal(keyWords('7f'.repeat(32)), 'legal winner thank year wave sausage')
  })

  test('hold 66 bits of the fingerprint: two that differ in one of these read differently', () => {
    fc.assert(
      fc.property(hash, fc.nat(65), (original, bit) => {
        const bytes = Buffer.from(original, 'hex')
        bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (0x80 >> (bit & 7)), bit >> 3)
        assert.notEqual(keyWords(bytes.toString('hex')), keyWords(original))
      }),
    )
  })

  test('are known again in any case, with dashes, and cut to four letters', () => {
    fc.assert(
      fc.property(hash, (key) => {
        const words = keyWords(key)
        assert.ok(isKeyWords(words, key))
        assert.ok(isKeyWords(`  ${words.toUpperCase().replaceAll(' ', ' - ')}\n`, key))
        assert.ok(isKeyWords(words.replaceAll(/([a-z]{4})[a-z]*/g, '$1'), key))
      }),
    )
  })

  test('are not known when one is missing, another, cut too short or in another place', () => {
    const key = '7f'.repeat(32)
    for (const wrong of [
      '',
      'legal winner thank year wave',
      'legal winner thank year wave sausage worth',
      'legal winner thank year wave sauce',
      'leg winner thank year wave sausage',
      'winner legal thank year wave sausage',
    ]) {
      assert.equal(isKeyWords(wrong, key), false, wrong)
    }
  })
})

test('no two words of the list share their first four letters', () => {
  assert.equal(wordlist.length, 2_048)
  assert.equal(new Set(wordlist.map((word) => word.slice(0, 4))).size, 2_048)
})
