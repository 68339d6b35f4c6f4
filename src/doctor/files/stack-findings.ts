/** Who reads the key and the certificates of a device. */
import type { KeyObject } from 'node:crypto'
import type { Platform } from '../../core/key-file/found-form.ts'
import type { CertificateFields } from '../../core/x509/certificate.ts'
import { oidName, oids } from '../../core/x509/oids.ts'
import { type Fact, type Finding, finding } from '../finding.ts'
import { shellPath } from '../printable-text.ts'
import type { FoundCertificate } from './contents.ts'
import { curveOf, formText, keyText, subjectText } from './describe.ts'
import type { OpenedKey } from './open-key.ts'
import {
  encryptionClass,
  encryptionReaders,
  type KindClass,
  kindReaders,
  type LayoutTrait,
  layoutRefusers,
  mbedtlsStacks,
  pfxReaders,
  type StackId,
  stackIds,
  stacks,
  type Unread,
} from './stacks.ts'

/** What a library makes of a key: reads it, does not, or nobody knows. */
export function whyKeyUnread(
  stack: StackId,
  { form, key }: Pick<OpenedKey, 'form' | 'key'>,
): Unread | 'read' | 'unknown' {
  if (form.form === 'PFX') {
    const reads = pfxReaders[stack]
    if (reads === undefined) return 'unknown'
    return reads === true ? 'read' : { code: 'key-container-unread', why: 'reads no PFX', error: null }
  }
  if (stack === 'java') return javaReads(form)
  const kind = key === null ? null : kindClass(key)
  const ofKind = kind === null ? true : kindReaders[kind][stack]
  if (ofKind !== true && ofKind !== undefined && key !== null) {
    return { code: 'key-type-unsupported', why: `reads no key of the kind ${keyText(key)}`, error: errorIn(ofKind) }
  }
  const cipher = encryptionClass(form.encryption)
  const ofCipher = cipher === null ? undefined : encryptionReaders[cipher][stack]
  if (ofCipher === undefined || ofKind === undefined) return 'unknown'
  if (ofCipher === true) return 'read'
  const why = stack === 'go' ? 'decrypts no key by itself' : `does not read a key under ${form.encryption}`
  return { code: 'key-encryption-unsupported', why, error: errorIn(ofCipher) }
}

function javaReads({ form, container, encryption }: OpenedKey['form']): Unread | 'read' | 'unknown' {
  if (container === 'DER' && form === 'PKCS#8' && encryption === null) return 'read'
  return {
    code: 'key-container-unread',
    why: 'reads a key from a PFX, and without further libraries none from PEM',
    error: null,
  }
}

function errorIn(reads: boolean | string): string | null {
  return typeof reads === 'string' ? reads : null
}

function kindClass(key: KeyObject): KindClass | null {
  const { asymmetricKeyType: type } = key
  if (type === 'rsa' || type === 'ed25519' || type === 'rsa-pss') return type
  if (type !== 'ec') return null
  const curve = curveOf(key)
  if (curve.startsWith('P-')) return 'nist-curve'
  if (curve === 'explicit parameters') return 'explicit-curve'
  if (curve === 'secp256k1') return 'secp256k1'
  return curve.startsWith('brainpool') ? 'brainpool' : null
}

/** What mbedTLS refuses in a certificate that others take. */
export function whyCertificateUnread(stack: StackId, fields: CertificateFields): Unread | null {
  if (!mbedtlsStacks.includes(stack)) return null
  const { signatureAlgorithm, extensions } = fields
  if (signatureAlgorithm.oid === oids.ed25519) {
    return { code: 'certificate-signature-unread', why: 'reads no signature of Ed25519', error: '-0x262E' }
  }
  for (const { oid, critical } of extensions.values()) {
    if (!critical || knownToMbedtls.has(oid)) continue
    // mbedTLS parses the identifiers of keys from 3.5 on.
    if (stack !== 'mbedtls-2.28' && keyIdentifiers.has(oid)) continue
    const error = oid === certificatePolicies ? '-0x2080' : '-0x2562'
    return { code: 'certificate-extension-unread', why: `refuses the critical extension ${oidName(oid)}`, error }
  }
  return null
}

const certificatePolicies = '2.5.29.32'

const keyIdentifiers: ReadonlySet<string> = new Set([oids.subjectKeyIdentifier, oids.authorityKeyIdentifier])

/** Extensions that it takes when they are critical. */
const knownToMbedtls: ReadonlySet<string> = new Set([
  oids.keyUsage,
  oids.subjectAltName,
  oids.basicConstraints,
  oids.extendedKeyUsage,
])

/** The libraries that a platform stands for. */
const platformStacks: Readonly<Record<Platform, readonly StackId[]>> = {
  modern: ['openssl-3', 'gnutls'],
  mbedtls: ['mbedtls-2.28', 'mbedtls-3.5', 'mbedtls-3.6'],
  'esp-idf': ['esp-idf'],
  meadow: ['mbedtls-2.28', 'mbedtls-3.5', 'mbedtls-3.6'],
}

/**
 * Who reads a key and the certificates beside it, as facts.
 *
 * @param traits how their files lie there
 */
export function readerFacts(
  key: OpenedKey,
  certificates: readonly FoundCertificate[],
  traits: readonly LayoutTrait[],
): readonly Fact[] {
  const read: string[] = []
  const unread = new Map<string, string[]>()
  const refuse = (why: string, stack: StackId): void => {
    unread.set(why, [...(unread.get(why) ?? []), stacks[stack].name])
  }
  for (const stack of stackIds) {
    const why = whyUnread(stack, key, certificates)
    if (why === 'unknown') continue
    if (why !== 'read') refuse(`${why.why}${why.error === null ? '' : ` (${why.error})`}`, stack)
    else if (traits.some((trait) => layoutRefusers[trait].includes(stack)))
      refuse('stops at how the files are written', stack)
    else if (traits.length === 0 || stacks[stack].basis === 'measured') read.push(stacks[stack].name)
  }
  return [
    ...(read.length === 0 ? [] : [{ name: 'read by', value: read.join(', ') }]),
    ...[...unread].map(([why, names]) => ({ name: 'not read', value: `${names.join(', ')}: ${why}` })),
  ]
}

/** The first thing that a library does not read of what a device is given. */
function whyUnread(
  stack: StackId,
  key: OpenedKey,
  certificates: readonly FoundCertificate[],
): Unread | 'read' | 'unknown' {
  const ofKey = whyKeyUnread(stack, key)
  if (ofKey !== 'read') return ofKey
  const unread = certificates.flatMap(({ fields }) =>
    fields === null ? [] : (whyCertificateUnread(stack, fields) ?? []),
  )
  return unread[0] ?? 'read'
}

/**
 * What keeps a platform from reading them.
 *
 * @param platform null where nobody said for which one they are
 * @param certificates those that the device is given, roots too
 */
export function stackFindings(
  key: OpenedKey | null,
  certificates: readonly FoundCertificate[],
  platform: Platform | null,
): readonly Finding[] {
  if (platform === null) return []
  const libraries = platformStacks[platform]
  const found: Finding[] = []
  const add = (subject: string, what: string, whys: readonly (readonly [StackId, Unread])[], cure?: string): void => {
    const [first] = whys
    if (first === undefined) return
    const names = whys
      .map(([stack, { error }]) => `${stacks[stack].name}${error === null ? '' : ` (${error})`}`)
      .join(', ')
    const detail = { evidence: `${what}: not read by ${names}`, ...(cure === undefined ? {} : { cure }) }
    found.push(finding(first[1].code, subject, detail))
  }
  if (key !== null) {
    const whys = libraries.flatMap((stack) => {
      const why = whyKeyUnread(stack, key)
      return typeof why === 'string' ? [] : [[stack, why] as const]
    })
    const isKind = whys[0]?.[1].code === 'key-type-unsupported'
    const secret = key.form.encryption === null ? '' : ' --pass <file> --passphrase-file <file>'
    const paths = new Set([key.file.name, ...certificates.slice(0, 1).map(({ file }) => file.name)])
    const names = `${[...paths].map(shellPath).join(' ')}${certificates.length === 0 ? ' <certificate>' : ''}`
    const cure = `handfast convert ${names}${secret} --for ${platform} --out <dir>`
    add(key.file.name, formText(key.form), whys, isKind ? undefined : `write it for ${platform}: \`${cure}\``)
  }
  for (const each of certificates) {
    const { fields } = each
    if (fields === null) continue
    const whys = libraries.flatMap((stack) => {
      const why = whyCertificateUnread(stack, fields)
      return why === null ? [] : [[stack, why] as const]
    })
    add(each.file.name, `${subjectText(each)}: ${whys[0]?.[1].why ?? ''}`, whys)
  }
  return found
}
