/** Why a server refused the certificate of a client: its alert, and what is known of the certificate, which tells more. */
import { quote } from '../../core/errors.ts'
import type { FailureName } from '../../core/failure/catalogue.ts'
import { tlsAlerts } from '../../core/failure/tls-alerts.ts'
import type { CertificateFields } from '../../core/x509/certificate.ts'
import { isSameName, nameText } from '../../core/x509/name.ts'
import { oids } from '../../core/x509/oids.ts'
import { type Finding, type FindingDetail, finding } from '../finding.ts'
import { spanText, timeText } from '../server-certificate.ts'

export interface ClientSeen {
  readonly subject: string
  /** What the client showed, its own certificate first; null where it had none to show. */
  readonly shown: readonly CertificateFields[] | null
  /** Names in DER of the authorities that the server asked for; null where it is not known or asked for none. */
  readonly authorities: readonly Uint8Array[] | null
  readonly nowSec: number
}

/** @param alert null where the connection ended without one */
export function judgeRefusal(alert: number | null, seen: ClientSeen): readonly Finding[] {
  const { subject, shown, authorities } = seen
  const said = alert === null ? 'closed the connection without an alert' : `sent the alert ${alertText(alert)}`
  const say = (code: FailureName, detail: FindingDetail): Finding =>
    finding(code, subject, {
      ...detail,
      evidence: `the server ${said}${detail.evidence === undefined ? '' : `; ${detail.evidence}`}`,
    })
  const [own] = shown ?? []
  if (own === undefined) {
    const certainty = alert === 116 ? 'certain' : alert === null ? 'possible' : 'likely'
    return [
      say('certificate-missing', {
        certainty,
        evidence: 'no certificate was shown to it',
        cure: 'give the device its certificate and key; here: --cert and --key',
      }),
    ]
  }
  const fault = ownFault(own, seen.nowSec)
  if (fault !== null && (alert === null || fault.alerts.includes(alert))) {
    const { code, evidence, cure } = fault
    const found = say(code, { certainty: alert === fault.meant ? 'certain' : 'likely', evidence, cure })
    // Many servers look at the issuer first: both may be so.
    return alert === 48 ? [found, ...judgeIssuer(own, authorities, say, 'possible')] : [found]
  }
  switch (alert) {
    case 44:
      return [
        say('certificate-revoked', { cure: 'have another certificate issued to the device, if it may come back' }),
      ]
    case 45:
      return [
        say('broker-crl-ended', {
          certainty: 'likely',
          evidence: `the certificate that was shown is good until ${timeText(own.notAfterSec)}`,
        }),
        say('certificate-expired', {
          certainty: 'possible',
          evidence: 'the clock of the server may be ahead, or an authority in the chain has ended',
        }),
      ]
    case 43:
      return [say('certificate-wrong-usage', { certainty: 'likely', cure: clientUsage })]
    case 51:
      return [say('key-certificate-mismatch', { certainty: 'likely' })]
    case 42:
      return [
        ...judgeIssuer(own, authorities, say, 'possible'),
        say('certificate-not-yet-valid', { certainty: 'possible', evidence: 'the clock of the server may be behind' }),
      ]
    case 48:
      return judgeIssuer(own, authorities, say, 'likely')
    default:
      return [say('broker-refused-unexplained', { certainty: 'possible' })]
  }
}

const foreignCure = 'add that authority to those that the broker trusts, or show a certificate of one that it trusts'

/** @param certainty of an unknown authority where the server named none */
function judgeIssuer(
  own: CertificateFields,
  authorities: readonly Uint8Array[] | null,
  say: (code: FailureName, detail: FindingDetail) => Finding,
  certainty: 'likely' | 'possible',
): readonly Finding[] {
  if (isSameName(own.issuer.der, own.subject.der)) {
    return [
      say('certificate-self-signed', {
        certainty: 'likely',
        evidence: 'the certificate is self-signed',
        cure: 'have the device enrolled with the authority of this broker',
      }),
    ]
  }
  const issuer = quote(nameText(own.issuer))
  const isAskedFor = authorities?.some((name) => isSameName(name, own.issuer.der)) ?? false
  if (isAskedFor) {
    return [
      say('broker-crl-missing', {
        certainty: 'likely',
        evidence: `it asks for certificates of ${issuer} itself, so that it knows this authority`,
      }),
      say('certificate-foreign-authority', {
        certainty: 'possible',
        evidence: `the authority may have the name ${issuer} and another key`,
      }),
    ]
  }
  const why =
    authorities === null || authorities.length === 0
      ? `the certificate was issued by ${issuer}`
      : `it asks for certificates of others than ${issuer}`
  return [say('certificate-foreign-authority', { certainty, evidence: why, cure: foreignCure })]
}

interface OwnFault {
  readonly code: FailureName
  readonly alerts: readonly number[]
  /** The one that means this and nothing else; null where there is none. */
  readonly meant: number | null
  readonly evidence: string
  readonly cure: string
}

const newCertificate = 'renew it, or have the device enrolled again'
const clientUsage = 'have one issued to the device with clientAuth in its extendedKeyUsage'

/** What is wrong with the certificate in itself, and by which alerts servers say so. */
function ownFault(
  { notBeforeSec, notAfterSec, extendedKeyUsage, keyUsage }: CertificateFields,
  nowSec: number,
): OwnFault | null {
  if (nowSec > notAfterSec) {
    const evidence = `the certificate ended at ${timeText(notAfterSec)}, ${spanText(nowSec - notAfterSec)} ago`
    return { code: 'certificate-expired', alerts: [45, 42, 46, 48], meant: 45, evidence, cure: newCertificate }
  }
  if (nowSec < notBeforeSec) {
    return {
      code: 'certificate-not-yet-valid',
      alerts: [42, 45, 46, 48],
      meant: null,
      evidence: `the certificate begins at ${timeText(notBeforeSec)}`,
      cure: 'set the clock of this machine, and that of the authority (NTP)',
    }
  }
  const alerts = [43, 42, 46]
  if (
    extendedKeyUsage !== null &&
    !extendedKeyUsage.includes(oids.clientAuth) &&
    !extendedKeyUsage.includes('2.5.29.37.0')
  ) {
    return {
      code: 'certificate-wrong-usage',
      ...{ alerts, meant: 43 },
      evidence: 'the certificate lacks clientAuth in its extendedKeyUsage',
      cure: clientUsage,
    }
  }
  if (keyUsage === null || keyUsage.includes('digitalSignature')) return null
  return {
    code: 'certificate-cannot-sign',
    ...{ alerts, meant: 43 },
    evidence: 'the certificate lacks digitalSignature in its keyUsage',
    cure: 'have one issued with digitalSignature in its keyUsage',
  }
}

/** As in "48 (unknown_ca)". */
export function alertText(alert: number): string {
  const name = (tlsAlerts as Readonly<Record<number, string>>)[alert]
  return name === undefined ? String(alert) : `${alert} (${name})`
}
