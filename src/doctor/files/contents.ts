/** What stands in a file, told by what it is and not by its name; and what is wrong with how it stands there. */
import { X509Certificate } from 'node:crypto'
import { HubError } from '../../core/errors.ts'
import { fileKind } from '../../core/key-file/file-kind.ts'
import { type FoundForm, foundForm } from '../../core/key-file/found-form.ts'
import type { BroughtFile } from '../../core/key-file/key-reader.ts'
import { isPfx } from '../../core/key-file/pfx-reader.ts'
import { limits } from '../../core/limits.ts'
import { type CertificateFields, readCertificate } from '../../core/x509/certificate.ts'
import { parseCertificateRequest } from '../../core/x509/certificate-request.ts'
import { readCertsOnly } from '../../core/x509/pkcs7.ts'
import { derExtent } from './der-extent.ts'
import { openKeyInDer } from './der-key.ts'
import { type FoundFile, namedFor } from './found-file.ts'
import { type FoundOther, foreignText, isCrl, otherBlock, unknownDer } from './other-things.ts'
import { type PemScan, type ScannedBlock, scanPem } from './pem-scan.ts'
import { type TextLayout, textLayout } from './text-layout.ts'

export interface FoundCertificate {
  readonly file: FoundFile
  /** Its place in the file, counted from 1. */
  readonly place: number
  /** 0, or the string of source code that it stands in: what one string holds is what a program loads together. */
  readonly literal: number
  readonly certificate: X509Certificate
  /** Null where our own strict reader does not take it. */
  readonly fields: CertificateFields | null
}

export interface FoundKey {
  readonly file: FoundFile
  readonly form: FoundForm
  /** The key alone, as readers want it. Secret where it is not encrypted. */
  readonly brought: BroughtFile
}

export interface FileContents {
  readonly file: FoundFile
  readonly layout: TextLayout | null
  /** Null where there is no PEM in it. */
  readonly pem: PemScan | null
  readonly certificates: readonly FoundCertificate[]
  readonly keys: readonly FoundKey[]
  /** A PFX as it lies there, unopened. */
  readonly pfx: BroughtFile | null
  readonly others: readonly FoundOther[]
  /** What is wrong with the octets of a file in DER, in words behind its name. */
  readonly derFault: string | null
  /** More certificates stand in it than were read. */
  readonly isCut: boolean
  /** Places of certificates that OpenSSL does not read, counted from 1. */
  readonly unreadPlaces: readonly number[]
  /** A line that may be a passphrase. It is secret. */
  readonly isPassphrase: boolean
}

/** Reads any octets; it never throws. */
export function contentsOf(file: FoundFile): FileContents {
  const layout = textLayout(file.bytes)
  const empty: FileContents = {
    ...{ file, layout, pem: null, certificates: [], keys: [], pfx: null, others: [] },
    ...{ derFault: null, isCut: false, unreadPlaces: [], isPassphrase: false },
  }
  if (file.unread !== null || isEmpty(file)) return empty
  if (layout === null) return inDer(empty, file.bytes)
  if (/BEGIN |^-{1,5}/m.test(layout.text)) {
    const pem = scanPem(layout.text)
    if (pem.blocks.length > 0 || pem.faults.length > 0) return inPem(empty, pem)
  }
  const kind = fileKind(file.bytes)
  if (kind.kind === 'der') return inDer(empty, kind.der)
  if (namedFor(file) === 'passphrase' && file.bytes.length <= limits.doctorPassphraseBytesMax) {
    return { ...empty, isPassphrase: true }
  }
  return { ...empty, others: [foreignText(kind.kind === 'other' ? kind.what : 'text without a PEM block')] }
}

/** Nothing, or white space. */
export function isEmpty({ bytes }: FoundFile): boolean {
  return fileKind(bytes).kind === 'empty'
}

const keyLabels: ReadonlySet<string> = new Set([
  'PRIVATE KEY',
  'ENCRYPTED PRIVATE KEY',
  'RSA PRIVATE KEY',
  'EC PRIVATE KEY',
])

function inPem(empty: FileContents, pem: PemScan): FileContents {
  const { file } = empty
  const ders: HeldCertificate[] = []
  const keys: FoundKey[] = []
  const others: FoundOther[] = []
  let pfx: BroughtFile | null = null
  for (const block of pem.blocks) {
    if (/^(X509 )?CERTIFICATE$/.test(block.label)) ders.push({ der: block.bytes, literal: block.literal })
    else if (block.label === 'PKCS7' || block.label === 'CMS')
      ders.push(...held(certificatesInPkcs7(block.bytes), block.literal))
    else if (keyLabels.has(block.label)) keys.push(keyIn(file, block))
    else if (block.label === 'PKCS12') pfx ??= { name: file.name, bytes: block.bytes }
    else others.push(otherBlock(block.label))
  }
  return { ...empty, pem, ...certificatesIn(file, ders), keys, others, pfx }
}

function keyIn(file: FoundFile, { text }: ScannedBlock): FoundKey {
  const brought = { name: file.name, bytes: Buffer.from(text) }
  return { file, brought, form: foundForm(brought) ?? { form: 'unknown', container: 'PEM', encryption: null } }
}

interface HeldCertificate {
  readonly der: Uint8Array
  readonly literal: number
}

function held(ders: readonly Uint8Array[], literal = 0): readonly HeldCertificate[] {
  return ders.map((der) => ({ der, literal }))
}

function certificatesIn(
  file: FoundFile,
  ders: readonly HeldCertificate[],
): Pick<FileContents, 'certificates' | 'isCut' | 'unreadPlaces'> {
  const read = ders
    .slice(0, limits.doctorCertificatesMax)
    .map(({ der, literal }, index) => ({ place: index + 1, found: foundCertificate(file, der, index + 1, literal) }))
  return {
    certificates: read.flatMap(({ found }) => found ?? []),
    isCut: ders.length > limits.doctorCertificatesMax,
    unreadPlaces: read.flatMap(({ place, found }) => (found === null ? [place] : [])),
  }
}

/** Null where OpenSSL does not read it. */
export function foundCertificate(
  file: FoundFile,
  der: Uint8Array,
  place: number,
  literal = 0,
): FoundCertificate | null {
  const certificate = openCertificate(der)
  return certificate === null ? null : { file, place, literal, certificate, fields: fieldsOf(der) }
}

function openCertificate(der: Uint8Array): X509Certificate | null {
  try {
    const certificate = new X509Certificate(der)
    // OpenSSL looks into dates and key only when somebody asks for them.
    const times = [certificate.validFromDate, certificate.validToDate].map((date) => date.getTime())
    const isWhole = certificate.publicKey.type === 'public' && times.every(Number.isFinite)
    return isWhole ? certificate : null
  } catch {
    return null
  }
}

function fieldsOf(der: Uint8Array): CertificateFields | null {
  return attempt(() => readCertificate(der))
}

function certificatesInPkcs7(der: Uint8Array): readonly Uint8Array[] {
  return attempt(() => readCertsOnly(der)) ?? []
}

function attempt<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof HubError) return null
    throw error
  }
}

/** What DER is, tried in the order of how often people have it. */
function inDer(empty: FileContents, der: Uint8Array): FileContents {
  const { file } = empty
  const kind = fileKind(file.bytes)
  if (kind.kind === 'other' && der === file.bytes) return { ...empty, others: [foreignText(kind.what)] }
  const derFault = derExtent(der)
  if (derFault !== null) return { ...empty, derFault }
  if (openCertificate(der) !== null) return { ...empty, ...certificatesIn(file, held([der])) }
  if (isPfx(der)) return { ...empty, pfx: { name: file.name, bytes: der } }
  const key = openKeyInDer({ name: file.name, bytes: der })
  if (key !== null) return { ...empty, keys: [{ file, ...key }] }
  const inside = certificatesInPkcs7(der)
  if (inside.length > 0) return { ...empty, ...certificatesIn(file, held(inside)) }
  const isRequest = attempt(() => parseCertificateRequest(der)) !== null
  const other = isRequest ? otherBlock('CERTIFICATE REQUEST') : isCrl(der) ? otherBlock('X509 CRL') : unknownDer
  return { ...empty, others: [other] }
}
