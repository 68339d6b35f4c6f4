/** Whether the CRLs of a listener let its clients in: dates, issuers, signatures. */
import { quote } from '../../core/errors.ts'
import type { CertificateFields } from '../../core/x509/certificate.ts'
import { isSameName, nameText } from '../../core/x509/name.ts'
import { type Finding, finding } from '../finding.ts'
import { spanText, timeText } from '../server-certificate.ts'
import { type LoadedCrl, readCrlFile } from './crl-file.ts'

/** Part of the period of a CRL that is left when its end is told of. */
const noticePart = 0.2

/**
 * @param file how findings name it
 * @param anchors the authorities of `cafile`
 */
export function checkCrlFile(
  file: string,
  bytes: Uint8Array,
  anchors: readonly CertificateFields[],
  nowSec: number,
): readonly Finding[] {
  const crls = readCrlFile(bytes)
  if (typeof crls === 'string') return [finding('broker-crl-unreadable', file, { evidence: `the file ${crls}` })]
  return [
    ...crls.flatMap((crl) => checkDates(file, crl, nowSec)),
    ...crls.flatMap((crl) => checkSignature(file, crl, anchors)),
    ...missing(file, crls, anchors),
  ]
}

function checkDates(
  file: string,
  { issuerText, thisUpdateSec, nextUpdateSec }: LoadedCrl,
  nowSec: number,
): readonly Finding[] {
  const of = `the CRL of ${quote(issuerText)}`
  if (nowSec < thisUpdateSec) {
    const evidence = `${of} begins at ${timeText(thisUpdateSec)}, and the clock of this machine says ${timeText(nowSec)}`
    return [finding('broker-crl-not-yet-valid', file, { evidence })]
  }
  if (nextUpdateSec === null) return []
  if (nowSec > nextUpdateSec) {
    const evidence = `${of} was to be replaced by ${timeText(nextUpdateSec)}, ${spanText(nowSec - nextUpdateSec)} ago: every client of this authority is told that its certificate has expired`
    return [finding('broker-crl-ended', file, { evidence })]
  }
  const leftSec = nextUpdateSec - nowSec
  if (leftSec >= (nextUpdateSec - thisUpdateSec) * noticePart) return []
  const evidence = `${of} is good until ${timeText(nextUpdateSec)}, ${spanText(leftSec)} more`
  return [finding('broker-crl-ends-soon', file, { severity: 'warning', evidence })]
}

function checkSignature(file: string, crl: LoadedCrl, anchors: readonly CertificateFields[]): readonly Finding[] {
  const namesakes = anchors.filter(({ subject }) => isSameName(subject.der, crl.issuer))
  if (namesakes.length === 0 || namesakes.some(({ publicKey }) => crl.isSignedBy(publicKey))) return []
  return [
    finding('broker-crl-unsigned', file, {
      evidence: `the CRL in the name of ${quote(crl.issuerText)} was not signed with a key that cafile has for it`,
    }),
  ]
}

/** An authority that has issued another one of the file may issue nothing else, and Mosquitto asks for the CRL of leaves alone. */
function missing(file: string, crls: readonly LoadedCrl[], anchors: readonly CertificateFields[]): readonly Finding[] {
  const isRoot = ({ subject, issuer }: CertificateFields): boolean => isSameName(subject.der, issuer.der)
  const isAboveAnother = (anchor: CertificateFields): boolean =>
    anchors.some((other) => !isRoot(other) && isSameName(other.issuer.der, anchor.subject.der))
  const hasForeign = crls.some((crl) => !anchors.some(({ subject }) => isSameName(subject.der, crl.issuer)))
  return anchors
    .filter((anchor) => !crls.some((crl) => isSameName(crl.issuer, anchor.subject.der)) && !isAboveAnother(anchor))
    .map((anchor) =>
      finding('broker-crl-missing', file, {
        certainty: hasForeign ? 'possible' : 'certain',
        evidence: `there is no CRL of ${quote(nameText(anchor.subject))}, which cafile trusts: every client that it issued is told of an unknown authority`,
      }),
    )
}
