import { readPublicKey } from '../../x509/public-key.ts'
import type { LintRule } from '../lint-rule.ts'

export const keyUsageConsistent: LintRule = {
  name: 'key-usage-consistent',
  clause: 'RFC 5280 §4.2.1.3, §4.2.1.9; RFC 3279 §2.3.1; RFC 5480 §3; RFC 8410 §5',
  reason: 'whoever signs certificates is an authority and the other way round, and no key can do what its kind cannot',
  faultOf({ certificate: { keyUsage, basicConstraints, publicKey } }) {
    const usages = keyUsage ?? []
    const signs = usages.includes('keyCertSign')
    if (signs !== (basicConstraints?.ca === true)) {
      return signs ? 'may sign certificates and is no authority' : 'is an authority and may not sign certificates'
    }
    const { kind } = readPublicKey(publicKey, 'certificate-unreadable')
    const cannot = kind === 'rsa' ? ['keyAgreement'] : ['keyEncipherment', 'dataEncipherment']
    if (kind === 'ed25519') cannot.push('keyAgreement')
    const impossible = usages.find((usage) => cannot.includes(usage))
    if (impossible !== undefined) return `may be used for ${impossible}, which a key of its kind cannot do`
    const half = usages.find((usage) => usage === 'encipherOnly' || usage === 'decipherOnly')
    return half !== undefined && !usages.includes('keyAgreement') ? `has ${half} without keyAgreement` : null
  },
}
