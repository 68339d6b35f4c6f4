/** Passphrases of key files and PFX: such as every reader takes, and such as people can type on a phone. */
import { HubError } from '../errors.ts'
import { limits } from '../limits.ts'
import { Secret } from '../secret.ts'

declare const checked: unique symbol
/** A passphrase that readers of key files agree on. */
export type KeyPassphrase = Secret & { readonly [checked]: true }

/**
 * A passphrase for a key file: printable ASCII, since readers disagree on how other characters become bytes.
 *
 * @param text without the line end of the file that it stood in
 * @throws HubError `key-passphrase-unusable`
 */
export function parseKeyPassphrase(text: Secret): KeyPassphrase {
  const { keyPassphraseCharsMin: min, keyPassphraseCharsMax: max } = limits
  if (text.length < min || text.length > max) {
    throw new HubError('key-passphrase-unusable', `the passphrase has ${text.length} characters, not ${min} to ${max}`)
  }
  if (!/^[\x20-\x7e]+$/.test(text.reveal())) {
    throw new HubError('key-passphrase-unusable', 'the passphrase has characters that are not printable ASCII')
  }
  return text as KeyPassphrase
}

/** Letters and digits that are not taken for each other, in hand-writing or in print. */
const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789'

/** Octets that {@link keyPassphraseFrom} needs. */
export const keyPassphraseOctets = 20

/**
 * A passphrase of 100 bits in five groups, as in `k3fx-9amp-…`: nobody finds it by trying, however weak the encryption of
 * an old format is.
 *
 * @param random `keyPassphraseOctets` random octets
 */
export function keyPassphraseFrom(random: Uint8Array): KeyPassphrase {
  const letters = Array.from(random.subarray(0, keyPassphraseOctets), (octet) => alphabet[octet & 31]).join('')
  return new Secret((letters.match(/.{4}/g) ?? []).join('-')) as KeyPassphrase
}
