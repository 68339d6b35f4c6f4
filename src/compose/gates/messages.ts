/** What the hub and its gate processes say to each other, as structured clones over the channel of a child process. */

import type { HubConfig } from '../../config/config.ts'
import type { FailureName } from '../../core/failure/catalogue.ts'
import { Secret } from '../../core/secret.ts'
import type { GateCertificate, ListenerAddress } from '../../gate/gate.ts'
import type { Entrant, Refusal } from '../../hub/gate-admission.ts'
import type { GateCount } from '../../hub/gate-counts.ts'
import type { NewAttempt } from '../../hub/ports/attempts.ts'
import type { GateFigures } from '../../hub/ports/figures.ts'
import type { UpstreamAbilities } from '../../hub/ports/upstream.ts'

/** Where a gate process reads the registry; it never writes there. */
export type RegistryPlace =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: { readonly file: string } | { readonly text: string } }

/** A certificate of listeners with its key as text: a `Secret` does not survive the way between processes, on purpose. */
export interface CertificateText {
  readonly key: string
  readonly chain: string
  readonly forRsa: Omit<CertificateText, 'forRsa'> | null
}

/** All that a gate process is told at its start. */
export interface GateSettings
  extends Pick<
    HubConfig,
    | 'listeners'
    | 'sessionTickets'
    | 'deniedPublish'
    | 'brokerUserProperties'
    | 'registryGraceMinutes'
    | 'tls'
    | 'logLevel'
  > {
  /** Counted from 1. */
  readonly number: number
  readonly registry: RegistryPlace
  readonly upstream: { readonly path: string; readonly abilities: UpstreamAbilities }
  readonly certificate: CertificateText
  /** Names that a brought certificate is never shown for. */
  readonly deviceNames: readonly string[]
}

export interface FailureText {
  readonly code: FailureName
  readonly message: string
  readonly hint: string
}

export type ToGate =
  | { readonly kind: 'start'; readonly settings: GateSettings }
  /** There are new events in the registry. */
  | { readonly kind: 'events' }
  | { readonly kind: 'certificate'; readonly certificate: CertificateText }
  | { readonly kind: 'trust' }
  | { readonly kind: 'confirmed'; readonly number: number; readonly outcome: Entrant | Refusal | FailureText }
  | { readonly kind: 'stop' }

export type ToHub =
  /** The process listens to messages. */
  | { readonly kind: 'hello' }
  | { readonly kind: 'serving'; readonly addresses: readonly ListenerAddress[] }
  | { readonly kind: 'failed'; readonly failure: FailureText }
  /** First use of a credential, to be written by the hub. */
  | { readonly kind: 'confirm'; readonly number: number; readonly entrant: Entrant }
  /** A certificate of a trust anchor names CRLs that are not there; the hub looks at it once more before it fetches them. */
  | { readonly kind: 'crl-wanted'; readonly anchorId: string; readonly certificate: Uint8Array }
  | { readonly kind: 'told'; readonly attempts: readonly NewAttempt[]; readonly counted: readonly GateCount[] }
  /** So long after the act, sessions of a revoked credential were closed. */
  | { readonly kind: 'revoked'; readonly afterMs: number }
  | { readonly kind: 'figures'; readonly figures: GateFigures; readonly position: number }

export function certificateText({ key, chain, forRsa }: GateCertificate): CertificateText {
  const other = forRsa ?? null
  return {
    key: key.reveal(),
    chain,
    forRsa: other === null ? null : { key: other.key.reveal(), chain: other.chain },
  }
}

export function certificateOf({ key, chain, forRsa }: CertificateText): GateCertificate {
  return {
    key: new Secret(key),
    chain,
    forRsa: forRsa === null ? null : { key: new Secret(forRsa.key), chain: forRsa.chain },
  }
}
