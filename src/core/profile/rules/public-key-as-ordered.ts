import type { LintRule } from '../lint-rule.ts'

export const publicKeyAsOrdered: LintRule = {
  name: 'public-key-as-ordered',
  clause: 'RFC 2986 §4.2',
  reason: 'possession was proved for one key: a certificate for another one would serve a stranger',
  faultOf({ certificate: { publicKey }, plan }) {
    if (plan.publicKey === null) return null
    return Buffer.compare(publicKey, plan.publicKey) === 0 ? null : 'is for another key than was ordered'
  },
}
