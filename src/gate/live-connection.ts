/** One connection as long as it lives: whose it is, and how it is told to close or to look at its rights anew. */
import type { FailureName } from '../core/failure/catalogue.ts'
import type { Anchored } from '../core/identification/anchor.ts'
import type { Identity } from '../core/identity/identity.ts'

/** Why a certificate of a trust anchor opens nothing now; null where it does. */
export type AnchoredRefusal = (anchored: Anchored) => FailureName | null

/** One connection from the end of its handshake to its end. */
export class LiveConnection {
  readonly fingerprint: string | null
  /** Where the client is, as `peerAddress` gives it. */
  readonly address: string
  /** Number of the last change to an identity before it was opened. */
  readonly openedAt: number
  identityId: string | null = null
  /** Of the password that it was made with; null for a certificate. */
  passwordId: string | null = null
  anchored: Anchored | null = null
  /** Made with a certificate that is accepted by its thumbprint. */
  isPinned = false
  /** `<owner>/<client id>` once it has been claimed. */
  clientKey: string | null = null
  isSession = false
  /** Why it was told to close; null while it may live. */
  closedWith: FailureName | null = null
  /** What is asked about its certificate of a trust anchor once it is known that it has one. */
  missedAnchored: AnchoredRefusal | null = null
  #closer: (code: FailureName) => void = () => {}
  #refresher: ((identity: Identity | null) => void) | null = null
  /** Rights changed before there was a session to tell, and the identity too where it is not null. */
  #missedRefresh: { readonly identity: Identity | null } | null = null

  constructor(fingerprint: string | null, address: string, openedAt: number) {
    this.fingerprint = fingerprint
    this.address = address
    this.openedAt = openedAt
  }

  /** Sets what closing means at this point of the connection's life. */
  onClose(closer: (code: FailureName) => void): void {
    this.#closer = closer
  }

  /** Sets what is to be done when rights change, and does it if they have changed meanwhile. */
  onRefresh(refresher: (identity: Identity | null) => void): void {
    this.#refresher = refresher
    const missed = this.#missedRefresh
    this.#missedRefresh = null
    if (missed !== null) refresher(missed.identity)
  }

  /** @param identity as it is now; null where it has not changed */
  refresh(identity: Identity | null): void {
    if (this.closedWith !== null) return
    if (this.#refresher !== null) {
      this.#refresher(identity)
      return
    }
    const before = this.#missedRefresh?.identity ?? null
    const isNewer = identity !== null && (before === null || before.version <= identity.version)
    this.#missedRefresh = { identity: isNewer ? identity : before }
  }

  /** False when it was told already. */
  close(code: FailureName): boolean {
    if (this.closedWith !== null) return false
    this.closedWith = code
    this.#closer(code)
    return true
  }
}
