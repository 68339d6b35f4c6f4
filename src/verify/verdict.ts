/** What a server is told of a client's certificate. */
import type { FailureName } from '../core/failure/catalogue.ts'
import type { Identity } from '../core/identity/identity.ts'
import type { Proof } from '../core/identity/proof.ts'
import type { Rights } from '../core/policy/rights.ts'
import type { CertificateSummary } from '../core/x509/certificate-summary.ts'

/** Who is at the other end, and stays so when the certificate is renewed. */
export interface Peer {
  readonly identity: Identity
  readonly proof: Proof
  readonly certificate: CertificateSummary
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
  readonly certificate: CertificateSummary | null
}

export type Verdict = Admitted | Refused
