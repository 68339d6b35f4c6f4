import type { LintRule } from '../lint-rule.ts'

export const publicKeyNotOfIssuer: LintRule = {
  name: 'public-key-not-of-issuer',
  clause: 'RFC 5280 §4.2.1.1',
  reason: 'a key that signs certificates is used for nothing else; only a self-signed certificate is for its issuer',
  faultOf({ certificate: { publicKey }, issuer, plan }) {
    const isSame = Buffer.compare(publicKey, issuer.publicKey) === 0
    if (plan.issuer === null) return isSame ? null : 'is signed by itself and for another key'
    return isSame ? 'is for the key of its issuer' : null
  },
}
