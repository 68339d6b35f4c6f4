/** Which certificate issued which. */
import type { FoundCertificate } from './contents.ts'

/** A chain longer than that is a loop of somebody's making. */
const chainMax = 8

export function isSelfSigned({ certificate }: FoundCertificate): boolean {
  return signs(certificate, certificate)
}

export function isIssuedBy(below: FoundCertificate, above: FoundCertificate): boolean {
  return signs(below.certificate, above.certificate)
}

/** By name and signature alone: whether it may sign certificates is another question, and a finding of its own. */
function signs(below: FoundCertificate['certificate'], above: FoundCertificate['certificate']): boolean {
  try {
    return below.issuer === above.subject && below.verify(above.publicKey)
  } catch {
    // OpenSSL throws where a key cannot have made such a signature.
    return false
  }
}

export function isSame(one: FoundCertificate, other: FoundCertificate): boolean {
  return one.certificate.raw.equals(other.certificate.raw)
}

/** The certificates above a leaf among these, each having issued the one before; without the leaf. */
export function issuersOf(leaf: FoundCertificate, among: readonly FoundCertificate[]): readonly FoundCertificate[] {
  const above: FoundCertificate[] = []
  let last = leaf
  while (above.length < chainMax && !isSelfSigned(last)) {
    const lower = last
    const issuer = among.find((each) => !above.includes(each) && !isSame(each, leaf) && isIssuedBy(lower, each))
    if (issuer === undefined) break
    above.push(issuer)
    last = issuer
  }
  return above
}
