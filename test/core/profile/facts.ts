/** Identities and contents of certificates for tests of profiles. */
import type { IdentityId, Realm } from '../../../src/core/identity/id.ts'
import { noNames } from '../../../src/core/identity/identity.ts'
import {
  type CertificateContent,
  certificateContent,
  type IdentityFacts,
} from '../../../src/core/profile/certificate-content.ts'
import { emptyOrder, type Order } from '../../../src/core/profile/order.ts'
import type { Profile } from '../../../src/core/profile/profile.ts'

export const realm = 'plant.example' as Realm

/** A device, with what a test says otherwise. */
export function deviceFacts(change: Partial<IdentityFacts> = {}): IdentityFacts {
  return { id: 'pump-1' as IdentityId, kind: 'device', group: null, attributes: {}, names: noNames, ...change }
}

export function contentOf(
  profile: Profile,
  facts: Partial<IdentityFacts> = {},
  order: Partial<Order> = {},
): CertificateContent {
  return certificateContent(profile, deviceFacts(facts), realm, { ...emptyOrder, ...order })
}
