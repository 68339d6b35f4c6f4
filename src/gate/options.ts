/** What a gate is given, and what it answers to. */
import type { FailureName } from '../core/failure/catalogue.ts'
import type { Identity } from '../core/identity/identity.ts'
import type { ListenerSettings } from '../core/listener/listener-settings.ts'
import type { Rights, Subject } from '../core/policy/rights.ts'
import type { Secret } from '../core/secret.ts'
import type { GateAdmission } from '../hub/gate-admission.ts'
import type { PasswordAdmission } from '../hub/passwords/admission.ts'
import type { NewAttempt } from '../hub/ports/attempts.ts'
import type { Clock } from '../hub/ports/clock.ts'
import type { GateFigures } from '../hub/ports/figures.ts'
import type { Log } from '../hub/ports/log.ts'
import type { Observer } from '../hub/ports/observer.ts'
import type { Random } from '../hub/ports/random.ts'
import type { Upstream } from '../hub/ports/upstream.ts'
import type { DelayedWills } from './delayed-wills.ts'
import type { DeniedPublishV3 } from './guard.ts'
import type { HalfOpen } from './half-open.ts'
import type { KeptSessions } from './kept-sessions.ts'
import type { AnchoredRefusal } from './live-connection.ts'
import type { LiveAnchored, LiveConnections } from './live-connections.ts'
import type { Traffic } from './traffic.ts'
import type { TwoPlaces } from './two-places.ts'

export interface GateCertificate {
  /** The private key, PEM. */
  readonly key: Secret
  /** The server certificate and its issuing authorities, PEM, leaf first, without the root. */
  readonly chain: string
  /** The same with an RSA key, for clients that verify nothing else; OpenSSL chooses by what a client offers. */
  readonly forRsa?: Omit<GateCertificate, 'forRsa'> | null
}

/** Takes attempts without being waited for. */
export interface AttemptRecorder {
  record(attempt: NewAttempt): void
}

type GateLimitName =
  | 'tlsHandshakeMs'
  | 'halfOpenConnectionsMax'
  | 'halfOpenFailingMax'
  | 'connectFailuresMax'
  | 'connectFailureForgottenMs'
  | 'connectFailureSourcesMax'
  | 'sessionsMax'
  | 'sessionsPerIdentityMax'
  | 'missedIdentitiesMax'
  | 'connectMs'
  | 'connectBytesMax'
  | 'packetBytesMax'
  | 'subscriptionsPerSessionMax'
  | 'receiveMaximum'
  | 'topicAliasesMax'
  | 'clientBufferBytesMax'
  | 'clientStallMs'
  | 'farewellMs'
  | 'upstreamConnectMs'
  | 'drainMs'
  | 'contestedCertificatesMax'
  | 'contestForgottenMs'

/** The limits that a gate reads. */
export type GateLimits = Readonly<Record<GateLimitName, number>>

export interface GateOptions {
  /** At least one, each with a name of its own. */
  readonly listeners: readonly ListenerSettings[]
  readonly certificate: GateCertificate
  /** What else to show, by the name that a client asks for (RFC 6066 §3); null for `certificate`. */
  certificateFor?(serverName: string): GateCertificate | null
  /** Certificates of trust anchors in PEM, by their ids; ids that it does not know give nothing. */
  trustedFor?(anchors: readonly string[]): readonly string[]
  /** Offer TLS session tickets. Resumed sessions are judged like new ones; listeners with trust anchors offer none. */
  readonly sessionTickets: boolean
  /** Other processes of the hub listen at the same addresses, and the kernel deals connections out to them (Linux 3.9). */
  readonly sharesPorts?: boolean
  readonly admission: GateAdmission
  /** Asked on listeners where clients may come without a certificate; without it none of those gets in. */
  readonly passwords?: PasswordAdmission
  readonly attempts: AttemptRecorder
  readonly observer: Pick<Observer, 'sessionEnded' | 'packetDenied'>
  readonly upstream: Upstream
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** The rights of somebody on a connection; by default those of `defaultRights`. */
  readonly rightsOf?: (subject: Subject) => Rights
  /** What a client before MQTT 5 meets that publishes where it may not; to close when it is left out. */
  readonly deniedPublishV3?: DeniedPublishV3
  /** Whether each message of MQTT 5 tells the broker, and those who read it, who has sent it; it does not when it is left out. */
  readonly identityInMessages?: boolean
  /** In place of those in `core/limits.ts`, for tests. */
  readonly limits?: Partial<GateLimits>
}

/** The same as every part of the gate sees it that serves connections of one listener. */
export interface GateContext extends Omit<GateOptions, 'listeners' | 'certificate' | 'limits'> {
  readonly listener: ListenerSettings
  readonly rightsOf: (subject: Subject) => Rights
  readonly limits: GateLimits
  readonly live: LiveConnections
  readonly kept: KeptSessions
  readonly wills: DelayedWills
  readonly halfOpen: HalfOpen<object>
  readonly traffic: Traffic
  readonly places: TwoPlaces
}

/** Where a listener stands. */
export interface ListenerAddress {
  readonly name: string
  readonly host: string
  readonly port: number
  /** Of the WebSocket; null for MQTT straight over TLS. */
  readonly path: string | null
}

export interface Gate {
  /** Of the first listener. */
  readonly address: ListenerAddress
  /** Of all, in the order of the settings. */
  readonly addresses: readonly ListenerAddress[]
  /** Serves another certificate from now on; live sessions keep theirs. */
  setCertificate(certificate: GateCertificate): void
  /** Asks anew which trust anchors count, for handshakes from now on; live sessions stay. */
  refreshTrust(): void
  /**
   * Closes every connection of an identity, also one that is being judged at this moment.
   *
   * @param code why: it is told to the client as far as the catalogue allows and stands in the attempt
   * @returns how many known connections were closed
   */
  closeIdentity(identityId: string, code: FailureName): number
  /** The same for the connections that were made with one certificate, named by its fingerprint. */
  closeCredential(fingerprint: string, code: FailureName): number
  /** The same for the connections that were made with one password. */
  closePassword(passwordId: string, code: FailureName): number
  /** Ids of the passwords that connections were made with and are not told to close. */
  livePasswords(): readonly string[]
  /** The same for connections made with certificates of trust anchors, of which each is asked about. */
  closeAnchored(refusalOf: AnchoredRefusal): number
  /** Fingerprints of the pinned certificates among those that connections were made with. */
  livePins(): readonly string[]
  /** The same for every connection. */
  closeEvery(code: FailureName): number
  /** Certificates of trust anchors among those that connections were made with. */
  liveAnchored(): readonly LiveAnchored[]
  /** Fingerprints of the certificates that connections were made with and are not told to close. */
  liveFingerprints(): readonly string[]
  /**
   * Has every session look at its rights anew, or those of one identity: whoever lost a right loses it now, others are not
   * disturbed.
   *
   * @param identity as it is now; left out where the policy has changed, or the time
   */
  refreshRights(identity?: Identity): void
  /** Sessions that have had their CONNACK. */
  sessionCount(): number
  figures(): GateFigures
  /** Accepts no more, says goodbye, and ends when all connections are closed, at most `limits.drainMs` later. */
  stop(): Promise<void>
}

/** Why a connection ends, as it is told and recorded. */
export interface Ending {
  readonly code: FailureName
  readonly sentence: string
  /** Reason code of MQTT 5 where the packet at fault has one of its own; else the catalogue's. */
  readonly reasonV5?: number
}
