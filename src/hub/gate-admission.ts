/** What the gate asks of the hub at every connection: who is this, by what proof, and may it in now. */

import type { FailureName } from '../core/failure/catalogue.ts'
import { strangerFailures } from '../core/identification/stranger-failures.ts'
import type { Identity } from '../core/identity/identity.ts'
import type { Proof, ProofKind } from '../core/identity/proof.ts'
import type { CertificateSummary } from '../core/x509/certificate-summary.ts'
import type { Admission, Judgement } from './judgement.ts'

/** What a client shows in its handshake. */
export interface Presented {
  /** The leaf in DER, or null when none came. */
  readonly certificate: Uint8Array | null
  /** Name of the listener that it came to. */
  readonly listener: string
  /** What OpenSSL makes of it; null on listeners where it is not asked, since they trust nobody but the registry. */
  readonly verdict: ChainVerdict | null
}

/**
 * OpenSSL's verdict on a chain up to one of the trust anchors of a listener. The chain itself cannot be had: Node drops what stands
 * between leaf and anchor where the verdict is good.
 */
export interface ChainVerdict {
  /** Null when it holds, else OpenSSL's word for what is wrong, such as `CERT_HAS_EXPIRED`. */
  readonly failure: string | null
  /** A resumed session has the verdict of an earlier handshake, which says nothing about now. */
  readonly isResumed: boolean
  /** The certificate that the client sent behind its own, in DER, where OpenSSL has no name for what is wrong; else null or left out. */
  readonly sentIssuer?: Uint8Array | null
  /** Ids of the trust anchors of the listener. */
  readonly anchors: readonly string[]
}

export interface Entrant {
  readonly admitted: true
  readonly identity: Identity
  readonly proof: Proof
  /** Null where no certificate was shown. */
  readonly summary: CertificateSummary | null
}

export type Refusal = Judgement & { readonly admitted: false }

export interface GateAdmission {
  judge(presented: Presented): Promise<Entrant | Refusal>
  /**
   * Marks the first use of what was shown, where it is one: a pending credential becomes active, and what it follows is
   * superseded. States are read again inside the transaction, so the answer may be a refusal. It is on disk when this is
   * fulfilled.
   */
  confirmUse(entrant: Entrant): Promise<Entrant | Refusal>
}

/** Another way in than a certificate of ours. */
export interface OtherWay {
  /** Of the proofs that it brings. */
  readonly kinds: ReadonlySet<ProofKind>
  /** Null where it is not this way that the client comes. */
  judge(presented: Presented): Promise<Entrant | Refusal | null>
  /** Asked where no way is open: what this way knows of the issuer, if it can say more than that nobody knows it. */
  explain?(presented: Presented): Refusal | null
  confirmUse(entrant: Entrant): Promise<Entrant | Refusal>
}

/**
 * Admission of the certificates that the registry holds as ours, and of those that come in another way.
 *
 * @param others asked in their order, by the kind of proof that they bring
 */
export function gateAdmission(issued: Admission, others: readonly OtherWay[] = []): GateAdmission {
  return {
    async judge(presented) {
      const judgement = entrantOf(await issued.judge(presented.certificate))
      if (judgement.admitted || !strangers.has(judgement.code)) return judgement
      for (const other of others) {
        const found = await other.judge(presented)
        if (found !== null) return found
      }
      if (judgement.code !== 'certificate-foreign-authority') return judgement
      for (const other of others) {
        const explained = other.explain?.(presented) ?? null
        if (explained !== null) return explained
      }
      return judgement
    },
    async confirmUse(entrant) {
      const { identity, proof, summary } = entrant
      for (const other of others) {
        if (proof.kind !== 'issued' && other.kinds.has(proof.kind)) return other.confirmUse(entrant)
      }
      if (proof.kind !== 'issued' || summary === null || !isFirstUse(proof.credential)) return entrant
      return entrantOf(await issued.confirmUse({ admitted: true, identity, credential: proof.credential, summary }))
    },
  }
}

const strangers: ReadonlySet<FailureName> = new Set(strangerFailures)

function entrantOf(judgement: Judgement): Entrant | Refusal {
  if (!judgement.admitted) return judgement
  const { identity, credential, summary } = judgement
  return { admitted: true, identity, proof: { kind: 'issued', credential }, summary }
}

/** Whether a use of a credential is written down, because it changes what the credential is. */
export function isFirstUse({
  state,
  activatedAtMs,
}: {
  readonly state: string
  readonly activatedAtMs: number | null
}): boolean {
  return state === 'pending' || (state === 'quarantined' && activatedAtMs === null)
}
