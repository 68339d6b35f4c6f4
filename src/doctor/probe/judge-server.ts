/** What the certificate of a server and its chain are worth to a client. */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { quote } from '../../core/errors.ts'
import type { CertificateFields } from '../../core/x509/certificate.ts'
import { readAuthorityInfoAccess } from '../../core/x509/extension-reader.ts'
import { nameText } from '../../core/x509/name.ts'
import { oids } from '../../core/x509/oids.ts'
import { type Finding, finding } from '../finding.ts'
import { certificateFields, judgeServerCertificate, spanText, timeText } from '../server-certificate.ts'

export interface ServerSeen {
  /** How findings name it. */
  readonly subject: string
  /** What was dialled: a name or an IP address. */
  readonly name: string
  /** In DER, the leaf first, as it was sent. */
  readonly chain: readonly Uint8Array[]
  /** The authorities that clients trust. */
  readonly anchors: readonly X509Certificate[]
  /** Whether the person named them; else they are those of the system. */
  readonly isOwnTrust: boolean
  /** What OpenSSL says; null where it holds, undefined where the handshake did not come so far. */
  readonly verdict: string | null | undefined
  readonly nowSec: number
}

export function judgeServer(seen: ServerSeen): readonly Finding[] {
  const { subject, chain, nowSec, verdict } = seen
  const [leaf, ...above] = chain.map(certificateFields)
  if (leaf === undefined) return []
  if (typeof leaf === 'string') return [finding('server-unverified', subject, { evidence: leaf })]
  const findings = [
    ...judgeServerCertificate(leaf, subject, nowSec),
    ...above.flatMap((each) => (typeof each === 'string' ? [] : judgeIssuer(each, subject, nowSec))),
    ...judgeName(leaf, seen),
    ...judgeTrust(leaf, seen),
  ]
  const isExplained = findings.some(({ severity, code }) => severity === 'fault' || code === 'hub-untrusted')
  if (verdict === null || verdict === undefined || isExplained) return findings
  if (verdict === 'UNABLE_TO_GET_ISSUER_CERT') return [...findings, rootMissing(seen)]
  return [...findings, finding('server-unverified', subject, { evidence: `OpenSSL says ${verdict}` })]
}

/** The way ends at an intermediate that is trusted; most libraries want the root above it too. */
function rootMissing({ subject, isOwnTrust }: ServerSeen): Finding {
  const whose = isOwnTrust ? 'that were given' : 'of this system'
  return finding('hub-untrusted', subject, {
    severity: isOwnTrust ? 'fault' : 'note',
    certainty: 'likely',
    evidence: `among the authorities ${whose} is an intermediate of its chain and not the root; OpenSSL and what stands on it stop there (UNABLE_TO_GET_ISSUER_CERT)`,
    cure: 'give the root of the server: `ca.pem` of a Handfast hub',
  })
}

function judgeIssuer(fields: CertificateFields, subject: string, nowSec: number): readonly Finding[] {
  if (nowSec <= fields.notAfterSec) return []
  const evidence = `${quote(nameText(fields.subject))} in its chain ended at ${timeText(fields.notAfterSec)}, ${spanText(nowSec - fields.notAfterSec)} ago`
  return [
    finding('hub-certificate-expired', subject, {
      evidence,
      cure: 'put the authority that came after it into the chain of the server',
    }),
  ]
}

function judgeName(leaf: CertificateFields, { name, subject, chain }: ServerSeen): readonly Finding[] {
  // Told of as one without names already.
  if (leaf.dnsNames.length === 0 && leaf.ipAddresses.length === 0) return []
  const certificate = new X509Certificate(chain[0] ?? new Uint8Array())
  const isAddress = isIP(name) !== 0
  const fits = isAddress ? certificate.checkIP(name) : certificate.checkHost(name, { subject: 'never' })
  if (fits !== undefined) return []
  const names = [...leaf.dnsNames, ...leaf.ipAddresses].slice(0, 8)
  const evidence = `it is for ${names.map(quote).join(', ')}, and ${isAddress ? 'the address' : 'the name'} ${quote(name)} was dialled`
  const cure = isAddress
    ? `dial ${quote(leaf.dnsNames[0] ?? names[0])}, or have the certificate issued with this IP address in its subjectAltName`
    : `dial ${quote(names[0])}, or have the certificate issued with the DNS name ${quote(name)}`
  return [finding('hub-name-mismatch', subject, { evidence, cure })]
}

function judgeTrust(leaf: CertificateFields, seen: ServerSeen): readonly Finding[] {
  const { subject, isOwnTrust } = seen
  const end = endOfPath(seen)
  if (end === null) return []
  const whose = isOwnTrust ? 'that were given' : 'of this system'
  const severity = isOwnTrust ? 'fault' : 'note'
  const cure = isOwnTrust
    ? 'give the devices the certificate of the authority that signed it'
    : 'give the authority that your devices trust with --cafile; of this system none has signed it'
  if (end.kind === 'self-signed') {
    const own = end.depth === 0 ? 'it is self-signed' : `its chain ends in the root ${quote(end.name)}`
    return [
      finding('hub-untrusted', subject, {
        severity,
        cure,
        evidence: `${own}, which is not among the authorities ${whose}`,
      }),
    ]
  }
  const evidence = `it was issued by ${quote(end.issuer)}, which the server does not send and is not among the authorities ${whose}`
  if (end.hasNamesake) {
    const other = `an authority ${quote(end.issuer)} is trusted, but has another key than the one that signed it`
    return [finding('hub-untrusted', subject, { severity, cure, evidence: other })]
  }
  // Who sends one intermediate has most likely sent all; who sends none, and names where it is to be had, has one.
  const isAlone = end.depth === 0
  return [
    finding('hub-untrusted', subject, {
      severity,
      certainty: isAlone ? 'possible' : 'likely',
      cure,
      evidence: `${evidence}; if it is a root, it is unknown here`,
    }),
    finding('hub-intermediate-missing', subject, {
      severity,
      certainty: isAlone && pointsToIssuer(leaf) ? 'likely' : 'possible',
      evidence: `${evidence}; if it is an intermediate, it is missing in what the server sends`,
    }),
  ]
}

function pointsToIssuer({ extensions }: CertificateFields): boolean {
  const access = extensions.get(oids.authorityInfoAccess)
  try {
    return access !== undefined && readAuthorityInfoAccess(access).caIssuers.length > 0
  } catch {
    return false
  }
}

type PathEnd =
  | { readonly kind: 'self-signed'; readonly depth: number; readonly name: string }
  | { readonly kind: 'missing'; readonly depth: number; readonly issuer: string; readonly hasNamesake: boolean }

/** Certificates that one is built of at most. */
const pathMax = 10

/** Where the way from the leaf to an authority ends; null where it comes to one. Dates are not looked at. */
function endOfPath({ chain, anchors }: ServerSeen): PathEnd | null {
  const sent = chain.flatMap(parsed)
  let [current] = sent
  for (let depth = 0; current !== undefined && depth < pathMax; depth++) {
    const one = current
    const isIssuer = (each: X509Certificate): boolean => one.checkIssued(each) && one.verify(each.publicKey)
    if (anchors.some((anchor) => anchor.fingerprint256 === one.fingerprint256 || isIssuer(anchor))) return null
    if (isIssuer(one)) return { kind: 'self-signed', depth, name: lineOf(one.subject) }
    const next = sent.find((each) => each !== one && isIssuer(each))
    if (next === undefined) {
      return {
        kind: 'missing',
        depth,
        issuer: lineOf(one.issuer),
        hasNamesake: anchors.some(({ subject }) => subject === one.issuer),
      }
    }
    current = next
  }
  return null
}

function parsed(der: Uint8Array): readonly X509Certificate[] {
  try {
    return [new X509Certificate(der)]
  } catch {
    return []
  }
}

function lineOf(name: string): string {
  return name.split('\n').toReversed().join(',')
}
