/** What a server is told of a client's certificate. */
import type { FailureName } from '../core/failure/catalogue.ts'
import type { Identity } from '../core/identity/identity.ts'
import type { Proof } from '../core/identity/proof.ts'
import type { Rights } from '../core/policy/rights.ts'

/** What stands in the certificate, for logs and for who wants to know. It decides nothing: it changes at each renewal. */
export interface CertificateFacts {
  /** SHA-256 of the whole certificate, lower-case hexadecimal. */
  readonly fingerprint: string
  /** Lower-case hexadecimal of the DER content octets. */
  readonly serialNumber: string
  /** Distinguished names as RFC 4514 writes them. */
  readonly subject: string
  readonly issuer: string
  /** Whole seconds since the epoch; both ends are inclusive. */
  readonly notBeforeSec: number
  readonly notAfterSec: number
}

/** Who is at the other end, and stays so when the certificate is renewed. */
export interface Peer {
  readonly identity: Identity
  readonly proof: Proof
  readonly certificate: CertificateFacts
  /** From when on it is judged otherwise by time alone, in milliseconds since the epoch. */
  readonly endsAtMs: number
}

/** How somebody comes: what conditions of a policy may ask for. What is left out is not known, and a deny that asks for it holds. */
export interface Arrival {
  /** The MQTT client id; the identity's id where it is left out. */
  readonly clientId?: string
  /** What the server calls the listener; `mqtt` where it is left out. */
  readonly listener?: string
  /** IP address of the peer. */
  readonly address?: string
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly tlsVersion?: string
}

export interface Admitted {
  readonly admitted: true
  readonly peer: Peer
  /** What the policy gives to who comes in this way. Ask for it anew at each connection: it holds conditions of the moment. */
  rights(arrival?: Arrival): Rights
}

export interface Refused {
  readonly admitted: false
  readonly code: FailureName
  /** One sentence for whoever runs the server; it holds no secret, and is not for the client. */
  readonly sentence: string
  /** One sentence that the client may be told: it depends on what it has proved. */
  readonly told: string
  readonly certificate: CertificateFacts | null
}

export type Verdict = Admitted | Refused
