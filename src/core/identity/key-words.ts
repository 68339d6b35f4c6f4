/**
 * The fingerprint of a key as words, for two people or two screens that compare it: the device shows them where its key is
 * made, the hub where the key asks for a certificate, and the same words mean the same key.
 */
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { assert } from '../errors.ts'

/** Six words of 11 bits each: 66 bits, so that nobody makes a second key that reads the same. */
export const keyWordsCount = 6
const bitsPerWord = 11

/**
 * The leading 66 bits of a key's fingerprint, in words of the English list of BIP-39.
 *
 * @param publicKeyHash SHA-256 of the SubjectPublicKeyInfo, 64 lower-case hexadecimal characters
 * @returns six lower-case words of 3 to 8 letters, separated by single spaces
 */
export function keyWords(publicKeyHash: string): string {
  assert(/^[0-9a-f]{64}$/.test(publicKeyHash), 'a key hash is 64 hexadecimal characters')
  const bits = BigInt(`0x${publicKeyHash}`) >> BigInt(256 - keyWordsCount * bitsPerWord)
  const words = Array.from({ length: keyWordsCount }, (_, place) => {
    const shift = BigInt((keyWordsCount - 1 - place) * bitsPerWord)
    return wordlist[Number((bits >> shift) & 0x7ffn)] ?? ''
  })
  return words.join(' ')
}

/**
 * Whether somebody has read out the words of this key: all six, in any case, with any white space or `-` between them. The
 * first four letters of a word are enough, since no two words of the list share them.
 */
export function isKeyWords(text: string, publicKeyHash: string): boolean {
  const expected = keyWords(publicKeyHash).split(' ')
  const given = text
    .toLowerCase()
    .split(/[\s-]+/)
    .filter((word) => word !== '')
  return given.length === expected.length && given.every((word, place) => isWord(word, expected[place] ?? ''))
}

function isWord(given: string, word: string): boolean {
  return given === word || (given.length >= 4 && word.startsWith(given))
}
