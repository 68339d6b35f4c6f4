/** The last look at a certificate before it leaves: with OpenSSL's eyes, not with the code that made it. */
import { X509Certificate } from 'node:crypto'
import { HubError } from '../errors.ts'
import { readCertificate } from '../x509/certificate.ts'

/**
 * Checks a certificate just signed: it holds exactly the bytes that were planned, OpenSSL reads it, its issuer is the one
 * given, and the issuer's key verifies the signature.
 *
 * @param certificate the certificate in DER
 * @param tbs the TBSCertificate that was to be signed
 * @param issuer the issuer's certificate in DER; for a root, the certificate itself
 * @throws HubError `internal`, saying which of these does not hold
 */
export function assertIssuedAsPlanned(certificate: Uint8Array, tbs: Uint8Array, issuer: Uint8Array): void {
  let fault: string | null
  try {
    fault = faultOf(certificate, tbs, issuer)
  } catch (cause) {
    throw new HubError('internal', 'a certificate just signed cannot be read', { cause })
  }
  if (fault !== null) throw new HubError('internal', `a certificate just signed ${fault}`)
}

function faultOf(certificate: Uint8Array, tbs: Uint8Array, issuer: Uint8Array): string | null {
  if (Buffer.compare(readCertificate(certificate).toBeSigned, tbs) !== 0) return 'is not the one that was planned'
  const issued = new X509Certificate(certificate)
  const authority = new X509Certificate(issuer)
  if (!issued.checkIssued(authority)) return 'does not name its issuer'
  return issued.verify(authority.publicKey) ? null : 'has a signature that its issuer did not make'
}
