/** What of a ClientHello the hub does not take, where OpenSSL only says that nothing is shared. */
import type { ClientHello } from '../core/tls/client-hello.ts'
import type { HandshakeFacts } from './client-alert.ts'
import type { Ending } from './options.ts'
import { cipherSuites } from './tls-settings.ts'

/** OpenSSL's words. Before TLS 1.3 the first stands for every one of these causes. */
export const nothingSharedCodes = [
  'ERR_SSL_NO_SHARED_CIPHER',
  'ERR_SSL_NO_SUITABLE_KEY_SHARE',
  'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM',
  'ERR_SSL_NO_SHARED_SIGNATURE_ALGORITHMS',
] as const

type NothingShared = (typeof nothingSharedCodes)[number]

export function isNothingShared(code: string): code is NothingShared {
  return nothingSharedCodes.some((each) => each === code)
}

/** The cause, in the order in which a handshake comes upon it: suite, group, signature. */
export function nothingShared(code: NothingShared, { hello, shown }: HandshakeFacts): Ending {
  if (hello === null) return unseen(code)
  const is13 = hello.versions?.includes(tls13) === true
  const shared = cipherSuites.filter(({ id, auth }) => hello.cipherSuites.includes(id) && (is13 || auth !== 'any'))
  if (shared.length === 0) return noSuite(hello)
  if (code === 'ERR_SSL_NO_SUITABLE_KEY_SHARE' || hello.groups?.some((id) => ownGroups.has(id)) === false) {
    return noGroup(hello)
  }
  const verified = keysVerified(
    hello,
    shared.map(({ auth }) => auth),
  )
  if (shown?.hasRsaKey === false && verified.rsa && !verified.ecdsa) {
    const sentence = 'the client verifies RSA alone, and the certificate of the hub has an ECDSA key'
    return { code: 'tls-client-needs-rsa', sentence }
  }
  const isVerified = shown === null || (shown.hasRsaKey && verified.rsa) || (shown.hasEcKey && verified.ecdsa)
  return code === 'ERR_SSL_NO_SHARED_CIPHER' && isVerified ? noSuite(hello) : noSignature(hello)
}

function unseen(code: NothingShared): Ending {
  switch (code) {
    case 'ERR_SSL_NO_SHARED_CIPHER':
      return { code: 'tls-no-shared-cipher', sentence: 'client and hub share no cipher suite' }
    case 'ERR_SSL_NO_SUITABLE_KEY_SHARE':
      return { code: 'tls-no-shared-group', sentence: 'client and hub share no curve for the key exchange' }
    case 'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM':
    case 'ERR_SSL_NO_SHARED_SIGNATURE_ALGORITHMS':
      return { code: 'tls-no-shared-signature', sentence: 'the client verifies no signature that the hub makes' }
  }
}

/** What keys of a server the client can verify, by the suites that are shared and the signatures that it lists. */
function keysVerified(
  { signatureSchemes: schemes }: ClientHello,
  auths: readonly ('any' | 'ecdsa' | 'rsa')[],
): { readonly rsa: boolean; readonly ecdsa: boolean } {
  const offers = (kind: 'rsa' | 'ecdsa', isOf: (scheme: number) => boolean) =>
    auths.some((auth) => auth === 'any' || auth === kind) && (schemes === null || schemes.some(isOf))
  return { rsa: offers('rsa', isRsaScheme), ecdsa: offers('ecdsa', isEcdsaScheme) }
}

/** RSA PKCS#1 and PSS (RFC 8446 §4.2.3). */
function isRsaScheme(scheme: number): boolean {
  return (scheme & 0xff) === 0x01 || (scheme >= 0x0804 && scheme <= 0x0806) || (scheme >= 0x0809 && scheme <= 0x080b)
}

function isEcdsaScheme(scheme: number): boolean {
  return (scheme & 0xff) === 0x03 && scheme < 0x0700
}

function noSuite({ cipherSuites: offered }: ClientHello): Ending {
  return {
    code: 'tls-no-shared-cipher',
    sentence: `the hub takes none of the cipher suites ${listed(offered, suiteNames)}`,
  }
}

function noGroup({ groups }: ClientHello): Ending {
  const sentence = `the hub takes none of the curves ${listed(groups ?? [], groupNames)}`
  return { code: 'tls-no-shared-group', sentence }
}

function noSignature({ signatureSchemes }: ClientHello): Ending {
  const sentence = `the hub makes none of the signatures ${listed(signatureSchemes ?? [], new Map())} that the client verifies`
  return { code: 'tls-no-shared-signature', sentence }
}

/** The first few, by name where they have one here. */
function listed(ids: readonly number[], names: ReadonlyMap<number, string>): string {
  const shown = ids.filter((id) => !isNoise(id)).slice(0, shownMax)
  const words = shown.map((id) => names.get(id) ?? `0x${id.toString(16).padStart(4, '0')}`).join(', ')
  return ids.length > shownMax ? `${words} …` : words
}

const shownMax = 6

/** Values that stand for nothing: of GREASE (RFC 8701), and the signal of renegotiation (RFC 5746). */
function isNoise(id: number): boolean {
  return id === 0x00ff || ((id & 0x0f0f) === 0x0a0a && id >> 8 === (id & 0xff))
}

const tls13 = 0x0304

/** Groups that OpenSSL takes as it comes. */
const ownGroups: ReadonlySet<number> = new Set([23, 24, 25, 29, 30, 256, 257, 4588])

const groupNames: ReadonlyMap<number, string> = new Map([
  [19, 'secp192r1'],
  [21, 'secp224r1'],
  [22, 'secp256k1'],
  [23, 'secp256r1'],
  [24, 'secp384r1'],
  [25, 'secp521r1'],
  [26, 'brainpoolP256r1'],
  [27, 'brainpoolP384r1'],
  [28, 'brainpoolP512r1'],
  [29, 'x25519'],
  [30, 'x448'],
])

/** Suites that devices offer and the hub does not take. */
const suiteNames: ReadonlyMap<number, string> = new Map([
  [0x0004, 'TLS_RSA_WITH_RC4_128_MD5'],
  [0x0005, 'TLS_RSA_WITH_RC4_128_SHA'],
  [0x000a, 'TLS_RSA_WITH_3DES_EDE_CBC_SHA'],
  [0x002f, 'TLS_RSA_WITH_AES_128_CBC_SHA'],
  [0x0033, 'TLS_DHE_RSA_WITH_AES_128_CBC_SHA'],
  [0x0035, 'TLS_RSA_WITH_AES_256_CBC_SHA'],
  [0x0039, 'TLS_DHE_RSA_WITH_AES_256_CBC_SHA'],
  [0x003c, 'TLS_RSA_WITH_AES_128_CBC_SHA256'],
  [0x009c, 'TLS_RSA_WITH_AES_128_GCM_SHA256'],
  [0x009d, 'TLS_RSA_WITH_AES_256_GCM_SHA384'],
  [0x009e, 'TLS_DHE_RSA_WITH_AES_128_GCM_SHA256'],
  [0x1304, 'TLS_AES_128_CCM_SHA256'],
  [0xc009, 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA'],
  [0xc013, 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA'],
  [0xc023, 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256'],
  [0xc027, 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256'],
])
