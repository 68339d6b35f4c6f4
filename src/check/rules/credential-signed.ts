import { X509Certificate } from 'node:crypto'
import type { CheckContext, CredentialRow, IdentityRule, Problem } from '../rule.ts'

export const credentialSigned: IdentityRule = {
  name: 'credential-signed',
  reason: 'a row that no authority of this hub has signed was put there by somebody else',
  *look({ credentials }, context): Iterable<Problem> {
    for (const row of credentials.filter((each) => !mayBeIntent(each))) {
      const fault = faultOf(row, context)
      if (fault !== null) yield { subject: row.serial_number, sentence: fault }
    }
  },
}

/** What was intended holds the certificate of the lint, also once it is revoked because nobody completed it. */
function mayBeIntent({ state, activated_at_ms: activatedAt }: CredentialRow): boolean {
  return state === 'intended' || (state === 'revoked' && activatedAt === null)
}

function faultOf(row: CredentialRow, { authorities }: CheckContext): string | null {
  const authority = authorities.get(row.authority_id)
  if (authority === undefined) return `names the authority ${JSON.stringify(row.authority_id)}, which there is not`
  if (authority.certificate === null) return null
  try {
    const isSigned = new X509Certificate(row.certificate).verify(authority.certificate.publicKey)
    return isSigned ? null : `was not signed by ${row.authority_id}`
  } catch {
    return null
  }
}
