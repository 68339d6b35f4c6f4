/** What a server of somebody's own is told of a certificate that it was shown. */
import { type FailureName, failure } from '../../core/failure/catalogue.ts'
import type { Fingerprint } from '../../core/identity/credential.ts'
import type { Identity } from '../../core/identity/identity.ts'
import { connectEndsAtMs } from '../../core/renewal/abilities.ts'
import { judgeKnown } from '../admit.ts'
import type { Authorities } from '../authorities.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'
import { profileNamed } from '../profiles.ts'

interface Hub {
  readonly store: Store
  readonly clock: Clock
  readonly authorities: Authorities
}

export type PeerAnswer =
  | {
      readonly admitted: true
      readonly identity: Pick<Identity, 'id' | 'kind' | 'group' | 'attributes' | 'keyStorage'>
      /** Id of the authority that signed it. */
      readonly authority: string
      readonly profile: string
      readonly keyOrigin: 'holder' | 'hub'
      /** From when on time alone ends it, in milliseconds since the epoch. */
      readonly endsAtMs: number
    }
  | {
      readonly admitted: false
      readonly code: FailureName
      readonly sentence: string
      /** Whose it is; null where nobody knows. */
      readonly identityId: string | null
    }

/** @param fingerprint of a certificate whose key somebody has proved to hold, as the server says */
export async function lookUpPeer(hub: Hub, fingerprint: Fingerprint): Promise<PeerAnswer> {
  const credential = await hub.store.credentials.find(fingerprint)
  if (credential === null) {
    const sentence = `the registry does not hold the certificate with the SHA-256 ${fingerprint}`
    return { admitted: false, code: 'certificate-unknown-serial', sentence, identityId: null }
  }
  const identity = await hub.store.identities.find(credential.identityId)
  const profile = await profileNamed(hub.store, credential.profile)
  const judgement = judgeKnown(hub, { credential, identity, profile }, 'present')
  if (!judgement.admitted) {
    const { code, sentence } = judgement
    return { admitted: false, code, sentence, identityId: credential.identityId }
  }
  if (credential.state === 'quarantined') {
    const code = 'verify-quarantined'
    return { admitted: false, code, sentence: failure(code).cause, identityId: credential.identityId }
  }
  const { id, kind, group, attributes, keyStorage } = judgement.identity
  return {
    ...{ admitted: true, identity: { id, kind, group, attributes, keyStorage } },
    ...{ authority: credential.authorityId, profile: credential.profile, keyOrigin: credential.keyOrigin },
    endsAtMs: connectEndsAtMs(credential, profile?.renewal ?? null),
  }
}
