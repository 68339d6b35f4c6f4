/** Whoever connects, for tests of policy. */
import type { Credential } from '../../src/core/identity/credential.ts'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import type { Identity } from '../../src/core/identity/identity.ts'
import type { Proof } from '../../src/core/identity/proof.ts'
import type { Subject } from '../../src/core/policy/rights.ts'
import { fakeCredential, fakeIdentity } from '../contract/store-fakes.ts'

export interface SubjectParts {
  readonly identity?: Partial<Omit<Identity, 'id'>>
  readonly credential?: Partial<Credential>
  readonly proof?: Proof
  readonly clientId?: string
  readonly connection?: Partial<Subject['connection']>
}

export function subject(id: string, parts: SubjectParts = {}): Subject {
  const identity = fakeIdentity(id, parts.identity)
  return {
    identity: { ...identity, id: parseIdentityId(id) },
    proof: parts.proof ?? {
      kind: 'issued',
      credential: { ...fakeCredential(1), identityId: parseIdentityId(id), state: 'active', ...parts.credential },
    },
    clientId: parts.clientId ?? id,
    connection: { listener: 'mqtt', address: '10.1.2.3', tlsVersion: 'TLSv1.3', ...parts.connection },
  }
}
