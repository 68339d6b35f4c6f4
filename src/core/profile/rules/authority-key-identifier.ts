import { oids } from '../../x509/oids.ts'
import type { LintRule } from '../lint-rule.ts'

export const authorityKeyIdentifierRule: LintRule = {
  name: 'authority-key-identifier',
  clause: 'RFC 5280 §4.2.1.1',
  reason: 'among authorities of one name it tells whose key signed; only a self-signed certificate may go without',
  faultOf({ certificate, issuer, plan }) {
    const { authorityKeyIdentifier: identifier, extensions } = certificate
    if (identifier === null) {
      if (extensions.has(oids.authorityKeyIdentifier)) return 'names its issuer without a key identifier'
      return plan.issuer === null ? null : 'has no authority key identifier'
    }
    if (issuer.subjectKeyIdentifier === null) return 'has an issuer without a key identifier'
    return Buffer.compare(identifier, issuer.subjectKeyIdentifier) === 0
      ? null
      : `has the authority key identifier ${hex(identifier)}; its issuer's is ${hex(issuer.subjectKeyIdentifier)}`
  },
}

function hex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex')
}
