import { signatureFits } from '../../x509/algorithms.ts'
import { oidName } from '../../x509/oids.ts'
import { publicKeyText, readPublicKey } from '../../x509/public-key.ts'
import type { LintRule } from '../lint-rule.ts'

export const signatureAlgorithmOfIssuer: LintRule = {
  name: 'signature-algorithm-of-issuer',
  clause: 'RFC 5280 §4.1.1.2; RFC 5758 §3.2',
  reason: 'a signature that names another algorithm than its issuer has a key for, or a broken hash, verifies nowhere',
  faultOf({ certificate: { signatureAlgorithm }, issuer }) {
    if (signatureFits(signatureAlgorithm, issuer.publicKey)) return null
    const key = publicKeyText(readPublicKey(issuer.publicKey, 'certificate-unreadable'))
    return `is signed with ${oidName(signatureAlgorithm.oid)}, which does not go with ${key} of its issuer`
  },
}
