/** What is wrong with a certificate by itself: dates, purpose, strength, names. */
import { createHash } from 'node:crypto'
import { isAcceptedFromOthers } from '../../core/x509/algorithms.ts'
import { oidName, oids } from '../../core/x509/oids.ts'
import { readPublicKey } from '../../core/x509/public-key.ts'
import { weaknessOf } from '../../core/x509/weak-key.ts'
import { type Finding, finding } from '../finding.ts'
import { spanText, timeText } from '../span.ts'
import { isSelfSigned } from './chain.ts'
import type { FoundCertificate } from './contents.ts'
import { curveOf, datesOf, keyText, subjectText } from './describe.ts'
import { baseName, roleNamed } from './found-file.ts'

/** What the certificate is there for. */
export type CertificateRole = 'leaf' | 'intermediate' | 'root'

export function certificateFindings(found: FoundCertificate, role: CertificateRole, nowMs: number): readonly Finding[] {
  const dates = dateFindings(found, role, nowMs)
  if (role === 'root') return dates
  return [...dates, ...strengthFindings(found), ...(role === 'leaf' ? purposeFindings(found) : [])]
}

function dateFindings(found: FoundCertificate, role: CertificateRole, nowMs: number): readonly Finding[] {
  const { notBeforeSec, notAfterSec } = datesOf(found)
  const { name } = found.file
  const nowSec = nowMs / 1000
  const who = role === 'leaf' ? 'it' : `that of ${subjectText(found)}`
  const clock = `by the clock of this machine, ${timeText(Math.floor(nowSec))}`
  if (nowSec > notAfterSec) {
    const evidence = `${who} ended at ${timeText(notAfterSec)}, ${spanText(nowSec - notAfterSec)} ago ${clock}`
    return [finding(role === 'root' ? 'root-out-of-date' : 'certificate-expired', name, { evidence })]
  }
  if (nowSec < notBeforeSec) {
    const evidence = `${who} begins at ${timeText(notBeforeSec)}, in ${spanText(notBeforeSec - nowSec)} ${clock}`
    const cure = 'set the clock of this machine if it is behind; else that of the machine that issued the certificate'
    return [finding(role === 'root' ? 'root-out-of-date' : 'certificate-not-yet-valid', name, { evidence, cure })]
  }
  const life = notAfterSec - notBeforeSec
  const left = notAfterSec - nowSec
  if (role === 'root' || left > life / 3) return []
  const severity = left > life / 10 ? 'note' : 'warning'
  const evidence = `${spanText(left)} of ${spanText(life)} are left of ${role === 'leaf' ? 'its life' : `the life of ${subjectText(found)}`}`
  return [finding('certificate-ends-soon', name, { severity, evidence })]
}

function strengthFindings(found: FoundCertificate): readonly Finding[] {
  const { file, certificate, fields } = found
  const result: Finding[] = []
  if (fields !== null) {
    const { oid } = fields.signatureAlgorithm
    if (/sha1|md5/i.test(oidName(oid))) {
      const evidence = `${subjectText(found)} is signed with ${oidName(oid)}`
      result.push(finding('certificate-hash-weak', file.name, { evidence }))
    } else if (!isAcceptedFromOthers(fields.signatureAlgorithm)) {
      const evidence = `${subjectText(found)} is signed with ${oidName(oid)}, which this doctor does not know`
      result.push(finding('certificate-hash-weak', file.name, { severity: 'warning', certainty: 'possible', evidence }))
    }
  }
  const weakness = weaknessIn(found)
  if (weakness !== null) result.push(finding('certificate-key-weak', file.name, { evidence: weakness }))
  const { asymmetricKeyType: type } = certificate.publicKey
  if (type === 'ec' && !curveOf(certificate.publicKey).startsWith('P-')) {
    const evidence = `the key of ${subjectText(found)} is ${keyText(certificate.publicKey)}`
    result.push(finding('key-curve-unfit', file.name, { evidence }))
  }
  if (type !== undefined && !['ec', 'rsa', 'ed25519', 'rsa-pss'].includes(type)) {
    const evidence = `the key of ${subjectText(found)} is of the kind ${type}`
    result.push(finding('key-kind-unfit', file.name, { evidence }))
  }
  return result
}

/** Why the key of a certificate can be known to others; null where nothing speaks for it. */
function weaknessIn(found: FoundCertificate): string | null {
  const { publicKey } = found.certificate
  const bits = publicKey.asymmetricKeyDetails?.modulusLength
  if (bits !== undefined && bits < 2048)
    return `the key of ${subjectText(found)} is ${keyText(publicKey)}, and 2048 bits are the least`
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const key = safely(() => readPublicKey(spki, 'certificate-unreadable'))
  const weakness = weaknessOf(createHash('sha256').update(spki).digest('hex'), key?.kind === 'rsa' ? key.modulus : null)
  return weakness === null ? null : `${subjectText(found)} has a key ${weakness}`
}

function safely<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}

function purposeFindings(found: FoundCertificate): readonly Finding[] {
  const { file, fields } = found
  if (fields === null) return []
  const result: Finding[] = []
  const { extendedKeyUsage, keyUsage, basicConstraints } = fields
  if (basicConstraints?.ca === true && !isSelfSigned(found)) {
    result.push(
      finding('certificate-is-authority', file.name, { evidence: `${subjectText(found)} is an authority (CA:TRUE)` }),
    )
  }
  if (keyUsage !== null && !keyUsage.includes('digitalSignature')) {
    const evidence = `its key usage is ${keyUsage.join(', ') || 'empty'}`
    result.push(finding('certificate-cannot-sign', file.name, { evidence }))
  }
  const isForClients =
    extendedKeyUsage === null ||
    extendedKeyUsage.some((each) => each === oids.clientAuth || each === oids.anyExtendedKeyUsage)
  if (!isForClients) result.push(...notForClients(found, extendedKeyUsage))
  if (extendedKeyUsage?.includes(oids.serverAuth) === true) result.push(...serverNames(found))
  if (isForClients && !fields.subject.attributes.some(({ oid }) => oid === oids.commonName)) {
    const evidence = `its subject is ${subjectText(found)}`
    result.push(finding('certificate-name-missing', file.name, { severity: 'note', certainty: 'possible', evidence }))
  }
  if (isSelfSigned(found)) {
    const evidence = `${subjectText(found)} has signed itself: a hub lets it in only where it is pinned`
    const cure = 'enrol the device, or pin its certificate: `handfast pin add <id> <file>`'
    result.push(
      finding('certificate-self-signed', file.name, { severity: 'note', certainty: 'possible', evidence, cure }),
    )
  }
  return result
}

function notForClients(found: FoundCertificate, purposes: readonly string[]): readonly Finding[] {
  const named = roleNamed(found.file)
  const isServers = purposes.includes(oids.serverAuth)
  if (named === 'server' && isServers) return []
  const evidence = `its extended key usage is ${purposes.map(oidName).join(', ')}, without clientAuth`
  // A folder of a server holds such a certificate by right; only a name says that it is meant for a client.
  if (named === 'client' || !isServers) return [finding('certificate-wrong-usage', found.file.name, { evidence })]
  return [
    finding('certificate-wrong-usage', found.file.name, {
      ...{ severity: 'warning', certainty: 'possible' },
      evidence: `${evidence}: right for a server, and no device gets in with it`,
    }),
  ]
}

/** Names by which clients can know a server. */
function serverNames(found: FoundCertificate): readonly Finding[] {
  const { file, fields } = found
  if (fields === null) return []
  const { dnsNames, ipAddresses } = fields
  const severity = roleNamed(file) === 'server' ? 'fault' : 'warning'
  if (dnsNames.length + ipAddresses.length === 0) {
    const evidence = `${baseName(file)} names ${subjectText(found)} and no alternative name`
    return [finding('server-names-missing', file.name, { severity, evidence })]
  }
  if (dnsNames.length > 0) return []
  const evidence = `its alternative names are ${ipAddresses.join(', ')}`
  return [finding('server-names-unread', file.name, { severity: 'note', certainty: 'possible', evidence })]
}
