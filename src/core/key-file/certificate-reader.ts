/** Reads certificates from a file in whatever form people have them: PEM, DER, PKCS#7. What cannot be read is named for what it is. */
import { X509Certificate } from 'node:crypto'
import { HubError } from '../errors.ts'
import { limits } from '../limits.ts'
import { decodePem } from '../x509/pem.ts'
import { readCertsOnly } from '../x509/pkcs7.ts'
import { fileKind, type PemText } from './file-kind.ts'
import { type BroughtFile, naming, unreadable } from './key-reader.ts'

/**
 * @returns the certificates in their order, at least one
 * @throws HubError `credential-file-unreadable`, saying what the file is
 */
export function readCertificateFile(file: BroughtFile): readonly [X509Certificate, ...X509Certificate[]] {
  const kind = fileKind(file.bytes)
  if (kind.kind === 'empty') throw unreadable(file, 'is empty', '')
  if (kind.kind === 'other') throw unreadable(file, `is ${kind.what}`, '')
  return kind.kind === 'pem' ? inPem(file, kind.blocks) : inDer(file, kind.der)
}

const certificateLabels: ReadonlySet<string> = new Set(['CERTIFICATE', 'X509 CERTIFICATE', 'PKCS7'])

/** Blocks that people take for a certificate, and what to do about them. */
const otherLabels: ReadonlyMap<string, readonly [what: string, hint: string]> = new Map([
  [
    'CERTIFICATE REQUEST',
    ['a certificate request, not the certificate', 'have it signed: `handfast cert sign --csr <file>`'],
  ],
  [
    'NEW CERTIFICATE REQUEST',
    ['a certificate request, not the certificate', 'have it signed: `handfast cert sign --csr <file>`'],
  ],
  [
    'TRUSTED CERTIFICATE',
    ['a certificate with trust settings of OpenSSL', 'convert it: openssl x509 -in <file> -out <new file>'],
  ],
  ['X509 CRL', ['a list of revoked certificates', '']],
  ['PUBLIC KEY', ['a public key', 'bring the certificate that was made for it']],
])

function inPem(file: BroughtFile, blocks: readonly PemText[]): readonly [X509Certificate, ...X509Certificate[]] {
  const found = blocks.filter(({ label }) => certificateLabels.has(label))
  if (found.length > limits.broughtChainMax) {
    throw unreadable(file, `holds ${found.length} certificates, more than ${limits.broughtChainMax}`, '')
  }
  const [first, ...rest] = found.flatMap((block) => certificatesOf(file, block))
  if (first !== undefined) return [first, ...rest]
  const label = blocks[0]?.label ?? ''
  const isKey = label.endsWith('PRIVATE KEY')
  const [what, hint] = otherLabels.get(label) ?? [
    isKey ? 'a private key and no certificate' : `a PEM block ${label}`,
    '',
  ]
  throw unreadable(file, `holds ${what}`, isKey ? 'check whether the two files have been swapped' : hint)
}

function certificatesOf(file: BroughtFile, { label, text }: PemText): readonly X509Certificate[] {
  return naming(file, () => {
    const der = decodePem(text, 'credential-file-unreadable')[0]?.der ?? new Uint8Array()
    return label === 'PKCS7' ? inPkcs7(der) : [certificate(file, der)]
  })
}

function inDer(file: BroughtFile, der: Uint8Array): readonly [X509Certificate, ...X509Certificate[]] {
  try {
    return [new X509Certificate(der)]
  } catch {
    // Then perhaps an envelope of them.
  }
  try {
    const [first, ...rest] = inPkcs7(der)
    if (first !== undefined) return [first, ...rest]
  } catch (error) {
    if (!(error instanceof HubError)) throw error
  }
  throw unreadable(file, 'is neither PEM nor a certificate in DER', '')
}

function inPkcs7(der: Uint8Array): readonly X509Certificate[] {
  return readCertsOnly(der, 'credential-file-unreadable').map((each) => new X509Certificate(each))
}

function certificate(file: BroughtFile, der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(der)
  } catch {
    throw unreadable(file, 'holds a certificate that is damaged', 'copy it again, as a whole and as text')
  }
}
