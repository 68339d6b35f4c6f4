import type { KeyUsage } from '../../x509/extensions.ts'
import { oidName, oids } from '../../x509/oids.ts'
import type { LintRule } from '../lint-rule.ts'

/** Key usages of which one must be there for a purpose. */
const needed: ReadonlyMap<string, readonly KeyUsage[]> = new Map<string, readonly KeyUsage[]>([
  [oids.serverAuth, ['digitalSignature', 'keyEncipherment', 'keyAgreement']],
  [oids.clientAuth, ['digitalSignature', 'keyAgreement']],
  [oids.emailProtection, ['digitalSignature', 'nonRepudiation', 'keyEncipherment', 'keyAgreement']],
  [oids.ocspSigning, ['digitalSignature', 'nonRepudiation']],
])

export const extendedKeyUsageConsistent: LintRule = {
  name: 'extended-key-usage-consistent',
  clause: 'RFC 5280 §4.2.1.12; RFC 6960 §4.2.2.2',
  reason:
    'both usages must allow what a key is for; who answers for revocation does nothing else, and nobody everything',
  faultOf({ certificate: { keyUsage, extendedKeyUsage } }) {
    const purposes = extendedKeyUsage ?? []
    if (purposes.includes(oids.anyExtendedKeyUsage)) return 'is for any purpose'
    if (new Set(purposes).size < purposes.length) return 'has a purpose twice'
    if (purposes.includes(oids.ocspSigning) && purposes.length > 1) return 'answers OCSP and is for other purposes too'
    for (const purpose of purposes) {
      const usages = needed.get(purpose)
      if (usages === undefined) continue
      if (!usages.some((usage) => keyUsage?.includes(usage)))
        return `is for ${oidName(purpose)} without the key usage for it`
    }
    return null
  },
}
