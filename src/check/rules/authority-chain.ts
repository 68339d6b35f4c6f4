import { builtInProfile } from '../../core/profile/built-in.ts'
import type { CheckedAuthority, Problem, RegistryRule } from '../rule.ts'

export const authorityChain: RegistryRule = {
  name: 'authority-chain',
  reason: 'devices verify up to the root that they were given (RFC 5280 §6): it signs itself and what is below it',
  canLook: () => true,
  async *look({ authorities }): AsyncIterable<Problem> {
    const all = [...authorities.values()]
    if (!all.some(({ role }) => role === 'root')) {
      yield { subject: 'authorities', sentence: 'have no root among them' }
    }
    if (!all.some(({ role, state }) => role === 'issuing' && state === 'active')) {
      yield { subject: 'authorities', sentence: 'have none that issues' }
    }
    for (const authority of all) {
      const issuer = authority.role === 'root' ? authority : (authorities.get(authority.parentId ?? '') ?? null)
      for (const sentence of faultsOf(authority, issuer)) yield { subject: authority.id, sentence }
    }
  },
}

function* faultsOf(authority: CheckedAuthority, issuer: CheckedAuthority | null): Iterable<string> {
  const { role, parentId, fields, certificate } = authority
  const profile = builtInProfile(role)
  if (profile === null) return yield `has the unknown role ${JSON.stringify(role)}`
  if (fields === null || certificate === null) return yield 'has a certificate that cannot be read'
  if (fields.basicConstraints?.ca !== true) yield 'has a certificate that is not for an authority'
  if (issuer === null) {
    if (parentId !== null) yield `stands below ${JSON.stringify(parentId)}, which there is not`
    return
  }
  if (issuer.certificate === null) return
  const isBelow = certificate.checkIssued(issuer.certificate) && certificate.verify(issuer.certificate.publicKey)
  if (!isBelow) yield `was not signed by ${issuer.id}`
}
