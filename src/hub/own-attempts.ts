/**
 * The hub's side of the story for a device that asks: its own last attempts, in the words that a refused client is told. Old
 * protocols and small TLS libraries show a device none of them.
 */
import { type FailureName, failure, toldToClient } from '../core/failure/catalogue.ts'
import type { Stage } from '../core/failure/failure.ts'
import type { IdentityId } from '../core/identity/id.ts'
import { limits } from '../core/limits.ts'
import { certificateFingerprint } from '../core/x509/certificate.ts'
import type { Admission, Judgement } from './judgement.ts'
import type { Attempt } from './ports/attempts.ts'
import type { Store } from './ports/store.ts'

/** One attempt as its device may read it. Addresses are left out: whoever else has the key would learn of them. */
export interface ToldAttempt {
  readonly atMs: number
  readonly listener: string
  readonly outcome: 'admitted' | 'refused'
  readonly stage: Stage
  /** Null where it was admitted, and where the code says more than the device may be told. */
  readonly code: FailureName | null
  /** Null where it was admitted. */
  readonly sentence: string | null
}

export interface OwnAttempts {
  readonly id: IdentityId
  /** What the gate would say to this certificate now. */
  readonly verdict: Pick<ToldAttempt, 'outcome' | 'code' | 'sentence'>
  /** The newest first, at most `limits.ownAttemptsMax`. */
  readonly attempts: readonly ToldAttempt[]
}

/**
 * What is told to whoever has shown a certificate and proved its key: of one that may connect, the attempts of its identity; of
 * another one of ours, those with that very certificate.
 *
 * @param certificate in DER, as it came in the handshake
 * @param onKnown called before the story is read, where there is one: what it throws keeps it from being read
 * @returns what was made of the certificate, and the story; null for a certificate that the hub never issued
 */
export async function ownAttempts(
  { store }: { readonly store: Store },
  admission: Pick<Admission, 'judge'>,
  certificate: Uint8Array | null,
  onKnown: (judgement: Judgement, id: IdentityId) => void,
): Promise<{ readonly judgement: Judgement; readonly story: OwnAttempts | null }> {
  const judgement = await admission.judge(certificate)
  if (certificate === null) return { judgement, story: null }
  const fingerprint = certificateFingerprint(certificate)
  const credential = await store.credentials.find(fingerprint)
  if (credential === null) return { judgement, story: null }
  const { identityId: id } = credential
  onKnown(judgement, id)
  const { admitted } = judgement
  const limit = admitted ? limits.ownAttemptsMax : limits.ownAttemptsReadMax
  const { items } = await store.attempts.list({ identityId: id, order: 'newest', after: null, limit })
  const own = admitted ? items : items.filter((each) => each.certificate?.fingerprint === fingerprint)
  const verdict = judgement.admitted
    ? ({ outcome: 'admitted', code: null, sentence: null } as const)
    : { outcome: 'refused' as const, ...told(judgement.code, judgement.sentence) }
  return { judgement, story: { id, verdict, attempts: own.slice(0, limits.ownAttemptsMax).map(toldAttempt) } }
}

function toldAttempt({ atMs, listener, outcome, stage, code, sentence }: Attempt): ToldAttempt {
  const words = outcome === 'admitted' || code === null ? { code: null, sentence: null } : told(code, sentence)
  return { atMs, listener, outcome, stage, ...words }
}

function told(code: FailureName, sentence: string): Pick<ToldAttempt, 'code' | 'sentence'> {
  return { code: failure(code).told === 'cause' ? code : null, sentence: toldToClient(code, sentence) }
}
