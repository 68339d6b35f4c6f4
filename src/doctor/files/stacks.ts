/**
 * Which TLS libraries read which key files and certificates. What is marked `measured` was tried with that library: mbedTLS 2.28,
 * wolfSSL, GnuTLS and OpenSSL 3 are tried again by test/conformance/key-readers.test.ts; mbedTLS 3.5 and 3.6, Java and Go were tried
 * once. `documented` is what its makers say. Where nothing is known, nothing is said.
 */
import type { FailureName } from '../../core/failure/catalogue.ts'

export interface Stack {
  readonly name: string
  readonly basis: 'measured' | 'documented'
}

export const stacks = {
  'mbedtls-2.28': { name: 'mbedTLS 2.28', basis: 'measured' },
  'mbedtls-3.5': { name: 'mbedTLS 3.5', basis: 'measured' },
  'mbedtls-3.6': { name: 'mbedTLS 3.6', basis: 'measured' },
  'esp-idf': { name: 'mbedTLS 3.6 without DES (ESP-IDF)', basis: 'measured' },
  wolfssl: { name: 'wolfSSL 5.5', basis: 'measured' },
  'openssl-1.1': { name: 'OpenSSL 1.1', basis: 'documented' },
  'openssl-3': { name: 'OpenSSL 3', basis: 'measured' },
  gnutls: { name: 'GnuTLS 3.7', basis: 'measured' },
  java: { name: 'Java 17', basis: 'measured' },
  dotnet: { name: '.NET 8', basis: 'documented' },
  go: { name: 'Go', basis: 'measured' },
} as const satisfies Record<string, Stack>

export type StackId = keyof typeof stacks
export const stackIds: readonly StackId[] = Object.keys(stacks) as StackId[]

/** Why a library does not read something. */
export interface Unread {
  readonly code: Extract<
    FailureName,
    | 'key-encryption-unsupported'
    | 'key-type-unsupported'
    | 'key-container-unread'
    | 'certificate-extension-unread'
    | 'certificate-signature-unread'
  >
  /** In words, behind the name of the library. */
  readonly why: string
  /** What it prints or returns then, where it is a number; null where that is not known. */
  readonly error: string | null
}

/** How a key file is encrypted, as far as libraries differ. */
export type EncryptionClass =
  | 'none'
  | 'traditional-aes'
  | 'traditional-des3'
  | 'pbes2-aes'
  | 'pbes2-des3'
  | 'pbes1-des3'
  | 'pbes1-des'
  | 'pbes1-rc2'
  | 'scrypt'

/** @param encryption as `core/key-file` calls it; null where there is none */
export function encryptionClass(encryption: string | null): EncryptionClass | null {
  if (encryption === null) return 'none'
  if (/scrypt/.test(encryption)) return 'scrypt'
  if (/traditional/.test(encryption)) {
    return /AES/.test(encryption) ? 'traditional-aes' : /DES-EDE3/.test(encryption) ? 'traditional-des3' : null
  }
  if (/^PBES2/.test(encryption))
    return /AES/.test(encryption) ? 'pbes2-aes' : /DES-EDE3/.test(encryption) ? 'pbes2-des3' : null
  if (/triple DES/.test(encryption)) return 'pbes1-des3'
  if (/RC2/.test(encryption)) return 'pbes1-rc2'
  return /and DES$/.test(encryption) ? 'pbes1-des' : null
}

/** `true`: reads it; a text: does not, and that is its error; `false`: does not. Left out: not known. */
type Reads = Partial<Readonly<Record<StackId, boolean | string>>>

const all: Reads = {
  'mbedtls-2.28': true,
  'mbedtls-3.5': true,
  'mbedtls-3.6': true,
  'esp-idf': true,
  wolfssl: true,
  'openssl-1.1': true,
  'openssl-3': true,
  gnutls: true,
  dotnet: true,
  go: true,
}

/** Keys in PEM by their encryption. Java reads no key in PEM, see `whyKeyUnread`. */
export const encryptionReaders: Readonly<Record<EncryptionClass, Reads>> = {
  none: all,
  'traditional-aes': { ...all, dotnet: false, go: false },
  'traditional-des3': { ...all, 'esp-idf': '-0x1280', dotnet: false, go: false },
  'pbes2-aes': { ...all, 'mbedtls-2.28': '-0x2E80', 'mbedtls-3.5': '-0x2E80', go: false },
  'pbes2-des3': { ...all, 'esp-idf': '-0x2E80', go: false },
  'pbes1-des3': { ...all, 'esp-idf': '-0x1F00', go: false },
  'pbes1-des': {
    'mbedtls-2.28': '-0x3980',
    wolfssl: true,
    'openssl-1.1': true,
    'openssl-3': false,
    gnutls: true,
    go: false,
  },
  'pbes1-rc2': {
    'mbedtls-2.28': '-0x3980',
    wolfssl: '-154',
    'openssl-1.1': true,
    'openssl-3': false,
    gnutls: true,
    go: false,
  },
  scrypt: {
    'mbedtls-2.28': '-0x2E80',
    'mbedtls-3.5': '-0x2E80',
    'mbedtls-3.6': '-0x2E80',
    'esp-idf': '-0x2E80',
    wolfssl: '-140',
    'openssl-1.1': true,
    'openssl-3': true,
    gnutls: false,
    go: false,
  },
}

/** Kinds of key as far as libraries differ. */
export type KindClass = 'rsa' | 'nist-curve' | 'ed25519' | 'rsa-pss' | 'secp256k1' | 'brainpool' | 'explicit-curve'

const noPss = {
  'mbedtls-2.28': '-0x3C80',
  'mbedtls-3.5': '-0x3C80',
  'mbedtls-3.6': '-0x3C80',
  'esp-idf': '-0x3C80',
} as const
const noExplicit = {
  'mbedtls-2.28': '-0x3D00',
  'mbedtls-3.5': '-0x3D00',
  'mbedtls-3.6': '-0x3D00',
  'esp-idf': '-0x3D00',
} as const

/** Unencrypted keys in PEM by their kind. */
export const kindReaders: Readonly<Record<KindClass, Reads>> = {
  rsa: all,
  'nist-curve': all,
  ed25519: {
    ...noPss,
    wolfssl: true,
    'openssl-1.1': true,
    'openssl-3': true,
    gnutls: true,
    java: true,
    dotnet: false,
    go: true,
  },
  'rsa-pss': { ...noPss, 'openssl-1.1': true, 'openssl-3': true, gnutls: true, go: false },
  secp256k1: { 'mbedtls-2.28': true, 'openssl-1.1': true, 'openssl-3': true, gnutls: false, go: false },
  brainpool: { 'mbedtls-2.28': true, 'openssl-1.1': true, 'openssl-3': true, gnutls: false, go: false },
  'explicit-curve': { ...noExplicit, 'openssl-3': true, gnutls: false, go: false },
}

/** Key files of one PFX. Programs on OpenSSL mostly ask for PEM; Node takes both. */
export const pfxReaders: Reads = {
  'mbedtls-2.28': false,
  'mbedtls-3.5': false,
  'mbedtls-3.6': false,
  'esp-idf': false,
  java: true,
  dotnet: true,
  go: false,
}

/** Critical extensions, by what mbedTLS makes of them (-0x2562 unknown, -0x2080 a policy). */
export const mbedtlsStacks: readonly StackId[] = ['mbedtls-2.28', 'mbedtls-3.5', 'mbedtls-3.6', 'esp-idf']

/** Ways in which a PEM file lies there that some libraries do not take. */
export type LayoutTrait =
  | 'utf-16'
  | 'byte-order-mark'
  | 'carriage-returns'
  | 'indented'
  | 'blank-line'
  | 'blank-end'
  | 'trailing-space'

const mbedtls = mbedtlsStacks
const openssl: readonly StackId[] = ['openssl-1.1', 'openssl-3']

/** Who does not take it. .NET was not tried. */
export const layoutRefusers: Readonly<Record<LayoutTrait, readonly StackId[]>> = {
  'utf-16': [...openssl, ...mbedtls, 'wolfssl', 'gnutls', 'java', 'go'],
  'byte-order-mark': ['java', 'go'],
  'carriage-returns': [...openssl, ...mbedtls, 'wolfssl', 'go'],
  indented: [...openssl, ...mbedtls, 'java', 'go'],
  'blank-line': [...openssl, 'wolfssl'],
  'blank-end': openssl,
  'trailing-space': mbedtls,
}

/** Libraries in words, each family once, such as "OpenSSL, mbedTLS and Java". */
export function familiesText(ids: readonly StackId[]): string {
  const families = [...new Set(ids.map((id) => stacks[id].name.split(' ')[0] ?? ''))]
  const last = families.pop() ?? ''
  return families.length === 0 ? last : `${families.join(', ')} and ${last}`
}
