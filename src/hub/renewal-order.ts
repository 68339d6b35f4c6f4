/** What EST asks of renewal: the question of `simplereenroll`, put by a holder that has been judged already. */
import type { Credential } from '../core/identity/credential.ts'
import type { Judgement } from './judgement.ts'

export interface RenewalOrder {
  /** What the holder has shown in the handshake, judged a moment ago; its state is read again where the successor is written. */
  readonly credential: Credential
  /** PKCS#10 in DER, not looked at yet. */
  readonly certificateRequest: Uint8Array
  /** The profile that the path names, or null: it selects among what is granted and reaches nothing else. */
  readonly label: string | null
  /** `hub` where the hub has made the key (`serverkeygen`): such a key is handed out once, so the same one never comes again. */
  readonly keyOrigin: 'holder' | 'hub'
  /** Where the question came from, for the record. */
  readonly address?: string
}

/** What stands behind `simplereenroll`. */
export interface Renewal {
  /**
   * Judges a certificate for renewal only: by the rules of the gate, and where the profile allows it also one that is
   * superseded and in its overlap, or expired and in its grace.
   *
   * @param certificate the leaf in DER as it came in the handshake, or null when none came
   */
  judge(certificate: Uint8Array | null): Promise<Judgement>
  /**
   * The successor of a credential. While it is pending, the same key is answered with the same certificate, another key
   * replaces it.
   *
   * @returns the credential; it is on disk
   * @throws HubError for a request, key or name that is refused, or the refusal of the credential's or identity's state
   */
  renew(order: RenewalOrder): Promise<Credential>
}
