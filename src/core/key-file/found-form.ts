/** In which form a key file is, and which platforms read such a file. What they read was measured; docs/certificates.md says how. */
import type { KeyObject } from 'node:crypto'
import { fileKind, type PemText } from './file-kind.ts'
import { type BroughtFile, encryptionOf, keyLabels, pkcs8Encryption } from './key-reader.ts'
import { isPfx } from './pfx-reader.ts'

export interface FoundForm {
  readonly form: 'PKCS#8' | 'PKCS#1' | 'SEC1' | 'PFX' | 'unknown'
  readonly container: 'PEM' | 'DER'
  /** Such as `PBES2 with AES-256-CBC`; null where it is not encrypted. */
  readonly encryption: string | null
}

/** The form of the key in a file, or null where there is none. Nothing is decrypted for that. */
export function foundForm(file: BroughtFile): FoundForm | null {
  const kind = fileKind(file.bytes)
  if (kind.kind === 'pem') {
    const block = kind.blocks.find(({ label }) => keyLabels.has(label))
    return block === undefined ? null : { form: formOf(block), container: 'PEM', encryption: encryptionOf(block) }
  }
  if (kind.kind !== 'der') return null
  if (isPfx(kind.der)) return { form: 'PFX', container: 'DER', encryption: 'that of PFX' }
  const encryption = pkcs8Encryption(kind.der)
  return { form: encryption === null ? 'unknown' : 'PKCS#8', container: 'DER', encryption }
}

function formOf({ label }: PemText): FoundForm['form'] {
  if (label === 'RSA PRIVATE KEY') return 'PKCS#1'
  return label === 'EC PRIVATE KEY' ? 'SEC1' : 'PKCS#8'
}

/**
 * `modern`: OpenSSL, GnuTLS, Node, .NET, Go. `mbedtls`: every mbedTLS from 2.28 on, as its makers configure it. `esp-idf`: the same
 * without DES, which ESP-IDF leaves out. `meadow`: Wilderness Labs' Meadow, by what it says and what mbedTLS does.
 */
export const platforms = ['modern', 'mbedtls', 'esp-idf', 'meadow'] as const
export type Platform = (typeof platforms)[number]

/**
 * Why a platform does not read a key in this form, in words behind the name of the platform; null where it does.
 *
 * @param key null where it could not be opened
 */
export function whyUnread(platform: Platform, { form, encryption }: FoundForm, key: KeyObject | null): string | null {
  if (platform === 'modern') return null
  if (form === 'PFX') return 'reads no PFX'
  const type = key?.asymmetricKeyType
  if (type !== undefined && type !== 'rsa' && type !== 'ec') return `reads no key of the kind ${type}`
  if (encryption === null || /^AES-.*traditional/.test(encryption)) return null
  if (/scrypt/.test(encryption)) return 'reads no key under scrypt'
  if (/AES/.test(encryption)) return 'reads a key under PBES2 with AES from mbedTLS 3.6 on alone'
  if (!/DES-EDE3|triple DES/.test(encryption)) return `reads no key under ${encryption}`
  return platform === 'esp-idf' ? 'is built without DES' : null
}
