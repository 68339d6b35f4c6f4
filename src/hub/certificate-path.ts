/** The way from a certificate of an authority up to a root that verifiers trust, as it is sent in TLS. */
import { X509Certificate } from 'node:crypto'
import { limits } from '../core/limits.ts'

export interface PathParts {
  /** Certificates of roots that verifiers may trust, in DER. */
  readonly trusted: readonly Uint8Array[]
  /** What may stand in between, in DER. */
  readonly others: readonly Uint8Array[]
}

/**
 * The certificates to send, in DER: the given one, then each the issuer of the one before, without a root. Where the root at
 * its end is certified by another trusted root, that certificate follows: whoever trusts only the other one goes on to it,
 * and whoever trusts the first has stopped before.
 */
export function certificatePath(start: Uint8Array, { trusted, others }: PathParts): readonly Uint8Array[] {
  const roots = trusted.map((der) => new X509Certificate(der))
  const between = others.map((der) => new X509Certificate(der))
  const path = [new X509Certificate(start)]
  for (;;) {
    const last = path.at(-1)
    if (last === undefined || path.length >= limits.certificatePathMax) break
    const root = roots.find((each) => isIssuedBy(last, each))
    // A cross-certificate stands for the key of that root; one that is there already leads no further.
    const next = between.find((each) =>
      root === undefined
        ? isIssuedBy(last, each) && !path.some((known) => isSame(known, each))
        : isForSameKey(root, each) &&
          !path.some((known) => isForSameKey(known, each)) &&
          !roots.some((known) => isSame(known, each)),
    )
    if (next === undefined) break
    path.push(next)
    if (root !== undefined) break
  }
  return path.map(({ raw }) => new Uint8Array(raw))
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

function isSame(a: X509Certificate, b: X509Certificate): boolean {
  return Buffer.compare(a.raw, b.raw) === 0
}

function isForSameKey(a: X509Certificate, b: X509Certificate): boolean {
  return a.publicKey.equals(b.publicKey)
}
