import { keyIdentifier } from '../../x509/public-key.ts'
import type { LintRule } from '../lint-rule.ts'

export const subjectKeyIdentifierRule: LintRule = {
  name: 'subject-key-identifier',
  clause: 'RFC 5280 §4.2.1.2; RFC 7093 §2',
  reason: 'what an authority signs names it by this identifier, so it must follow from the key',
  faultOf({ certificate: { subjectKeyIdentifier: identifier, publicKey } }) {
    if (identifier === null) return 'has no subject key identifier'
    return Buffer.compare(identifier, keyIdentifier(publicKey)) === 0
      ? null
      : `has the subject key identifier ${Buffer.from(identifier).toString('hex')}, which is not that of its key`
  },
}
