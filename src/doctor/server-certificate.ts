/** What is wrong with the certificate of a server, in itself: judged the same from its file and from what it sends. */
import { HubError, quote } from '../core/errors.ts'
import { type CertificateFields, readCertificate } from '../core/x509/certificate.ts'
import { oids } from '../core/x509/oids.ts'
import { publicKeyText, readPublicKey } from '../core/x509/public-key.ts'
import { type Finding, finding } from './finding.ts'

/** A certificate in DER, read strictly; or why it cannot be. */
export function certificateFields(der: Uint8Array): CertificateFields | string {
  try {
    return readCertificate(der)
  } catch (error) {
    if (error instanceof HubError) return error.message
    throw error
  }
}

const weakSignatures: ReadonlyMap<string, string> = new Map([
  [oids.ecdsaWithSha1, 'SHA-1'],
  [oids.sha1WithRsa, 'SHA-1'],
  [oids.md5WithRsa, 'MD5'],
])

const anyExtendedKeyUsage = '2.5.29.37.0'

/** Notice before the end: a week, or a fifth of the life where that is shorter. */
const noticeSecMax = 7 * 86_400

/**
 * Dates, usage, strength and names of the leaf.
 *
 * @param subject how findings name it
 */
export function judgeServerCertificate(fields: CertificateFields, subject: string, nowSec: number): readonly Finding[] {
  return [
    ...judgeDates(fields, subject, nowSec),
    ...judgeUsage(fields, subject),
    ...judgeStrength(fields, subject),
    ...judgeNames(fields, subject),
  ]
}

function judgeDates(
  { notBeforeSec, notAfterSec }: CertificateFields,
  subject: string,
  nowSec: number,
): readonly Finding[] {
  if (nowSec > notAfterSec) {
    const evidence = `it ended at ${timeText(notAfterSec)}, ${spanText(nowSec - notAfterSec)} ago by the clock of this machine`
    return [finding('hub-certificate-expired', subject, { evidence, cure: 'renew it and have the server read it' })]
  }
  if (nowSec < notBeforeSec) {
    const evidence = `it begins at ${timeText(notBeforeSec)}, and the clock of this machine says ${timeText(nowSec)}`
    return [finding('hub-certificate-not-yet-valid', subject, { evidence })]
  }
  const leftSec = notAfterSec - nowSec
  if (leftSec >= Math.min(noticeSecMax, (notAfterSec - notBeforeSec) / 5)) return []
  const evidence = `it ends at ${timeText(notAfterSec)}, in ${spanText(leftSec)}`
  return [finding('server-certificate-ends-soon', subject, { severity: 'warning', evidence })]
}

function judgeUsage({ extendedKeyUsage }: CertificateFields, subject: string): readonly Finding[] {
  if (extendedKeyUsage === null) return []
  if (extendedKeyUsage.includes(oids.serverAuth) || extendedKeyUsage.includes(anyExtendedKeyUsage)) return []
  const named = extendedKeyUsage.map((oid) => (oid === oids.clientAuth ? 'clientAuth' : oid)).join(', ')
  return [
    finding('hub-certificate-wrong-usage', subject, {
      evidence: `its extendedKeyUsage names ${named} and not serverAuth`,
    }),
  ]
}

function judgeStrength(fields: CertificateFields, subject: string): readonly Finding[] {
  const { oid } = fields.signatureAlgorithm
  const hash = weakSignatures.get(oid)
  const isSelfSigned = Buffer.compare(fields.issuer.der, fields.subject.der) === 0
  if (hash !== undefined && !isSelfSigned) {
    return [finding('hub-certificate-weak', subject, { evidence: `it is signed with ${hash}` })]
  }
  const key = keyOf(fields)
  if (key === null || !('modulusBits' in key) || key.modulusBits >= 2048) return []
  return [finding('hub-certificate-weak', subject, { evidence: `it is for ${publicKeyText(key)}` })]
}

function keyOf({ publicKey }: CertificateFields) {
  try {
    return readPublicKey(publicKey, 'certificate-unreadable')
  } catch {
    return null
  }
}

function judgeNames(
  { dnsNames, ipAddresses, subject: { attributes } }: CertificateFields,
  subject: string,
): readonly Finding[] {
  if (dnsNames.length > 0 || ipAddresses.length > 0) return []
  const common = attributes.find(({ oid }) => oid === oids.commonName)?.value ?? ''
  const evidence = `it has no DNS name and no IP address in a subjectAltName, only the common name ${quote(common)}`
  return [finding('server-certificate-nameless', subject, { evidence })]
}

/** As in 2026-11-25 16:30:00Z. */
export function timeText(sec: number): string {
  const date = new Date(sec * 1000)
  if (Number.isNaN(date.getTime())) return 'a time beyond all calendars'
  return date
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z')
}

/** A span in its largest whole unit. */
export function spanText(sec: number): string {
  const units: readonly (readonly [number, string])[] = [
    [86_400, 'day'],
    [3_600, 'hour'],
    [60, 'minute'],
    [1, 'second'],
  ]
  for (const [size, name] of units) {
    const count = Math.floor(sec / size)
    if (count >= 1) return `${count} ${name}${count === 1 ? '' : 's'}`
  }
  return 'less than a second'
}

/** What a certificate says of itself, for the facts: names, end, key. */
export function certificateText(fields: CertificateFields): string {
  const names = [...fields.dnsNames, ...fields.ipAddresses].slice(0, 8).join(', ')
  const common = fields.subject.attributes.find(({ oid }) => oid === oids.commonName)?.value ?? ''
  const key = keyOf(fields)
  return `${names === '' ? `CN=${quote(common)}` : names}; until ${timeText(fields.notAfterSec)}${key === null ? '' : `; ${publicKeyText(key)}`}`
}
