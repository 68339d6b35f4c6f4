/** Rows for tests of the store: whole, plausible, and different by their number. */
import { createHash } from 'node:crypto'
import type { Credential } from '../../src/core/identity/credential.ts'
import { type IdentityId, parseIdentityId } from '../../src/core/identity/id.ts'
import { type Identity, noNames } from '../../src/core/identity/identity.ts'
import { type Password, scryptCost } from '../../src/core/identity/password.ts'
import type { Token } from '../../src/core/identity/token.ts'
import type { NewAttempt } from '../../src/hub/ports/attempts.ts'
import type { AuthorityRow } from '../../src/hub/ports/authorities.ts'
import type { NewRefusals } from '../../src/hub/ports/cases.ts'
import type { ApiKeyRow } from '../../src/hub/ports/grants.ts'
import type { NewIncident } from '../../src/hub/ports/incidents.ts'

export function fakeIdentity(id: string, change: Partial<Identity> = {}): Identity {
  return {
    id: parseIdentityId(id),
    kind: 'device',
    state: 'pending',
    group: null,
    attributes: {},
    profiles: ['device'],
    names: noNames,
    keyStorage: null,
    createdAtMs: 1_000,
    updatedAtMs: 2_000,
    version: 1,
    ...change,
  }
}

export function fakeCredential(n: number, change: Partial<Credential> = {}): Credential {
  const digest = createHash('sha256').update(`credential ${n}`).digest('hex')
  return {
    fingerprint: digest,
    serialNumber: digest.slice(0, 40),
    identityId: parseIdentityId('device-1'),
    authorityId: 'issuing-1',
    profile: 'device',
    state: 'pending',
    publicKeyHash: digest,
    keyOrigin: 'holder',
    certificate: new Uint8Array(600).fill(n),
    crlShard: null,
    tokenId: null,
    parentSerial: null,
    notBeforeSec: 1_700_000_000,
    notAfterSec: 1_800_000_000,
    issuedAtMs: 1_000 + n,
    activatedAtMs: null,
    supersededAtMs: null,
    revokedAtMs: null,
    revocationReason: null,
    ...change,
  }
}

export function fakePassword(id: string, identityId: IdentityId, change: Partial<Password> = {}): Password {
  return {
    id,
    identityId,
    state: 'pending',
    hash: new Uint8Array(32).fill(8),
    salt: new Uint8Array(16).fill(9),
    cost: scryptCost,
    createdAtMs: 1_000,
    usedAtMs: null,
    supersededAtMs: null,
    endedAtMs: null,
    ...change,
  }
}

export function fakeToken(id: string, identityId: IdentityId): Token {
  return {
    id,
    secretHash: new Uint8Array(32).fill(7),
    identityId,
    profile: 'device',
    needsApproval: false,
    state: 'open',
    createdAtMs: 10,
    expiresAtMs: 20,
    usedAtMs: null,
  }
}

export function fakeAuthority(id: string, change: Partial<AuthorityRow> = {}): AuthorityRow {
  return {
    id,
    role: 'issuing',
    chain: 'main',
    keyType: 'P-256',
    parentId: 'root-1',
    state: 'active',
    keyPlace: 'hub',
    certificate: Uint8Array.of(0, 255, 1),
    createdAtMs: 5,
    ...change,
  }
}

export function fakeApiKey(change: Partial<ApiKeyRow> = {}): ApiKeyRow {
  return {
    id: 'k'.repeat(16),
    name: 'admin',
    secretHash: Uint8Array.of(9),
    role: 'admin',
    groups: [],
    mayRegister: false,
    createdAtMs: 4,
    expiresAtMs: null,
    ...change,
  }
}

/** Every third was admitted; the rest were refused. */
export function fakeAttempt(n: number): NewAttempt {
  const admitted = n % 3 === 0
  return {
    atMs: n,
    listener: 'mqtts',
    address: '192.0.2.1',
    stage: admitted ? 'session' : 'certificate',
    outcome: admitted ? 'admitted' : 'refused',
    code: admitted ? null : 'certificate-revoked',
    sentence: 'the certificate was revoked',
    identityId: `pump-${n % 4}`,
    clientId: admitted ? 'c' : null,
    tlsVersion: 'TLSv1.3',
    mqttVersion: admitted ? '5' : null,
    certificate: admitted
      ? null
      : {
          fingerprint: 'aa',
          serialNumber: '01',
          subject: 'CN=pump',
          issuer: 'CN=issuing',
          notBeforeSec: 1,
          notAfterSec: 2,
        },
  }
}

/** Refusals of an identity; the first was when the last was, unless it is said. */
export function fakeRefusals(
  id: string,
  change: {
    readonly code?: NewRefusals['code']
    readonly listener?: string
    readonly sentence?: string
    readonly count?: number
    readonly firstAtMs?: number
    readonly lastAtMs?: number
  } = {},
): NewRefusals {
  const { code = 'certificate-expired', lastAtMs = 1, firstAtMs = lastAtMs, count = 1, ...rest } = change
  return {
    ...{ party: { kind: 'identity', name: id }, issuer: 'CN=issuing', code, count, firstAtMs },
    last: { ...fakeAttempt(1), ...rest, code, atMs: lastAtMs, identityId: id },
  }
}

export function fakeIncident(change: Partial<NewIncident> = {}): NewIncident {
  return {
    ...{
      listener: 'mqtts',
      code: 'certificate-expired',
      issuer: 'CN=issuing',
      isSudden: true,
      examples: ['pump-1', 'ü'],
    },
    parties: { identities: 5, certificates: 1, networks: 0 },
    ...{ beganAtMs: 1_000, lastAtMs: 1_000, endedAtMs: null },
    ...change,
  }
}
