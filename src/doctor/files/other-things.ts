/** What people put in the place of a key or a certificate: requests, public keys, and the forms of other programs. */
import { quote } from '../../core/errors.ts'
import { DerError, openSingle } from '../../core/x509/der-reader.ts'
import { tags } from '../../core/x509/der-tags.ts'

export interface FoundOther {
  readonly kind: 'request' | 'public-key' | 'crl' | 'foreign-key' | 'parameters' | 'unknown'
  /** In words, behind "holds". */
  readonly what: string
  /** How to make something usable of it; empty where nothing is known. */
  readonly cure: string
}

export const unknownDer: FoundOther = {
  kind: 'unknown',
  what: 'ASN.1 that is neither a key nor a certificate, or a damaged one',
  cure: '',
}

/** A CertificateList has a time where a certificate has its validity (RFC 5280 §5.1). */
export function isCrl(der: Uint8Array): boolean {
  try {
    const list = openSingle(der, tags.sequence, 'the CRL').enter(tags.sequence, 'the list')
    list.takeOptional(tags.integer, 'the version')
    list.take(tags.sequence, 'the algorithm')
    list.take(tags.sequence, 'the issuer')
    return list.nextTag === tags.utcTime || list.nextTag === tags.generalizedTime
  } catch (error) {
    if (error instanceof DerError) return false
    throw error
  }
}

const otherBlocks: ReadonlyMap<string, FoundOther> = new Map([
  ['CERTIFICATE REQUEST', { kind: 'request', what: 'a certificate request', cure: '' }],
  ['NEW CERTIFICATE REQUEST', { kind: 'request', what: 'a certificate request', cure: '' }],
  ['PUBLIC KEY', { kind: 'public-key', what: 'a public key', cure: '' }],
  ['RSA PUBLIC KEY', { kind: 'public-key', what: 'a public key', cure: '' }],
  ['X509 CRL', { kind: 'crl', what: 'a list of revoked certificates', cure: '' }],
  ['EC PARAMETERS', { kind: 'parameters', what: 'the name of a curve', cure: '' }],
  ['DH PARAMETERS', { kind: 'parameters', what: 'parameters of Diffie-Hellman', cure: '' }],
  [
    'OPENSSH PRIVATE KEY',
    {
      kind: 'foreign-key',
      what: 'a key in the form of OpenSSH',
      cure: 'convert it: ssh-keygen -p -m PKCS8 -f <file>',
    },
  ],
  [
    'DSA PRIVATE KEY',
    {
      kind: 'foreign-key',
      what: 'a DSA key, which TLS does not take any more',
      cure: 'make an ECDSA key and enrol with it',
    },
  ],
  [
    'TSS2 PRIVATE KEY',
    {
      kind: 'foreign-key',
      what: 'a key that is wrapped by a TPM and works in that TPM alone',
      cure: 'use it where it is: docs/keys-elsewhere.md',
    },
  ],
  ['PGP PRIVATE KEY BLOCK', { kind: 'foreign-key', what: 'a key of PGP', cure: '' }],
  [
    'TRUSTED CERTIFICATE',
    {
      kind: 'unknown',
      what: 'a certificate with trust settings of OpenSSL, which other programs do not read',
      cure: 'convert it: openssl x509 -in <file> -out <new file>',
    },
  ],
])

export function otherBlock(label: string): FoundOther {
  return otherBlocks.get(label) ?? { kind: 'unknown', what: `a PEM block ${quote(label)}`, cure: '' }
}

/** A file that is neither PEM nor DER, in the words of the reader of kinds. */
export function foreignText(what: string): FoundOther {
  const isKey = /Java keystore|PuTTY|JSON Web Key/.test(what)
  if (what.includes('public key of SSH')) return { kind: 'public-key', what, cure: '' }
  return { kind: isKey ? 'foreign-key' : 'unknown', what, cure: foreignCure(what) }
}

function foreignCure(what: string): string {
  if (what.includes('Java')) {
    return 'convert it: keytool -importkeystore -srckeystore <file> -destkeystore key.pfx -deststoretype PKCS12'
  }
  if (what.includes('PuTTY')) return 'convert it: puttygen <file> -O private-openssh-new, then ssh-keygen -p -m PKCS8'
  return ''
}
