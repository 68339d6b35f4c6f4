/** What the hub makes of a client certificate. */

import type { FailureName } from '../core/failure/catalogue.ts'
import type { Credential } from '../core/identity/credential.ts'
import type { Identity } from '../core/identity/identity.ts'
import type { CertificateSummary } from '../core/x509/certificate-summary.ts'

/**
 * What a certificate is shown for. Renewal asks less: one that is over may still be renewed for a while. The admin API is for
 * people alone, the gate link for gates; `verify` is for servers that ask about others, and `present` what those are shown.
 */
export type Purpose = 'connect' | 'renew' | 'administer' | 'link' | 'verify' | 'present'

export type Judgement =
  | {
      readonly admitted: true
      readonly identity: Identity
      readonly credential: Credential
      readonly summary: CertificateSummary
    }
  | {
      readonly admitted: false
      readonly code: FailureName
      /** One sentence for the operator and, where `told` of the failure allows it, for the client. */
      readonly sentence: string
      readonly identityId: string | null
      readonly summary: CertificateSummary | null
    }

/** The question that every listener asks at every connection. */
export interface Admission {
  /**
   * Judges a client certificate from its own bytes.
   *
   * @param certificate the leaf in DER as it came in the handshake, or null when none came
   */
  judge(certificate: Uint8Array | null): Promise<Judgement>
  /**
   * Marks the first use of an admitted credential: pending becomes active, and what it follows is superseded. States are read again inside the transaction,
   * so the answer may be a refusal. It is on disk when this is fulfilled.
   */
  confirmUse(judgement: Judgement & { readonly admitted: true }): Promise<Judgement>
}
