/** Which roots follow from those that a device trusts. */
import type { X509Certificate } from 'node:crypto'
import { HubError } from '../core/errors.ts'
import { deviceLimits } from './limits.ts'

/**
 * The roots of an answer that a device may keep: those that it holds, and those for whose key a root that it holds has signed a
 * certificate (RFC 4210 §4.4, NewWithOld). One that is not in the answer any more is given up.
 *
 * @param answer what `cacerts` gave, in any order
 * @throws HubError `hub-answer-unexpected` where none is left
 */
export function rootsToKeep(
  held: readonly X509Certificate[],
  answer: readonly X509Certificate[],
): readonly X509Certificate[] {
  const roots = answer.filter(isRoot)
  const isHeld = (root: X509Certificate): boolean => held.some((each) => Buffer.compare(each.raw, root.raw) === 0)
  const isCertified = (root: X509Certificate): boolean =>
    answer.some(
      (each) =>
        each.ca &&
        each.subject === root.subject &&
        each.publicKey.equals(root.publicKey) &&
        held.some((known) => isIssuedBy(each, known)),
    )
  const kept = roots.filter((root) => isHeld(root) || isCertified(root))
  if (kept.length > 0 && kept.length <= deviceLimits.rootsMax) return kept
  throw new HubError(
    'hub-answer-unexpected',
    `of the ${roots.length} roots that the hub shows, ${kept.length} follow from those that are held; 1 to ${deviceLimits.rootsMax} are kept`,
  )
}

function isRoot(certificate: X509Certificate): boolean {
  return certificate.ca && isIssuedBy(certificate, certificate)
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}
