import { type IdentityId, spiffeId } from '../../core/identity/id.ts'
import type { Profile } from '../../core/profile/profile.ts'
import { readCertificate } from '../../core/x509/certificate.ts'
import { type Name, nameText } from '../../core/x509/name.ts'
import { oids } from '../../core/x509/oids.ts'
import { profilesOf } from '../profile-history.ts'
import type { CheckContext, CredentialRow, IdentityRow, IdentityRule, Problem } from '../rule.ts'

export const credentialNamesIdentity: IdentityRule = {
  name: 'credential-names-identity',
  reason:
    'others read the identity from CN and the one SPIFFE ID (X509-SVID §2), the hub from the row: they must agree',
  *look({ id, identity, credentials }, context): Iterable<Problem> {
    if (identity === null) return
    for (const row of credentials) {
      const fault = faultOf(row, id, identity, context)
      if (fault !== null) yield { subject: row.serial_number, sentence: fault }
    }
  },
}

function faultOf(row: CredentialRow, id: string, identity: IdentityRow, context: CheckContext): string | null {
  try {
    const { subject, uris } = readCertificate(row.certificate)
    // A listener is named by what clients call it.
    if (isNamedById(profilesOf(context, row)[0]) && commonNameOf(subject) !== id) {
      return `names ${nameText(subject)} in its certificate and belongs to ${id}`
    }
    const { realm } = context
    if (realm === null) return null
    const expected = spiffeId(realm, identity.kind, id as IdentityId)
    return uris.length === 1 && uris[0] === expected ? null : `lacks ${expected} in its certificate`
  } catch {
    // Said by credential-matches-row.
    return null
  }
}

function isNamedById(profile: Profile | undefined): boolean {
  return profile?.subject.some(({ type, value }) => type === 'commonName' && value === '{id}') === true
}

function commonNameOf({ attributes }: Name): string | undefined {
  return attributes.find(({ oid }) => oid === oids.commonName)?.value
}
