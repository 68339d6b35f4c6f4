import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HubError } from '../../../src/core/errors.ts'
import {
  type Credential,
  type CredentialState,
  credentialMovedTo,
  credentialRevoked,
  credentialStates,
} from '../../../src/core/identity/credential.ts'
import { parseIdentityId } from '../../../src/core/identity/id.ts'
import { type Identity, identityMovedTo, identityStates } from '../../../src/core/identity/identity.ts'

const identity: Identity = {
  id: parseIdentityId('pump-7'),
  kind: 'device',
  state: 'active',
  group: null,
  attributes: {},
  profiles: ['device'],
  names: { dnsNames: [], ipAddresses: [], emails: [] },
  keyStorage: null,
  createdAtMs: 0,
  updatedAtMs: 0,
  version: 1,
}

const credential: Credential = {
  fingerprint: 'aa',
  serialNumber: '01',
  identityId: identity.id,
  authorityId: 'issuing-1',
  profile: 'device',
  state: 'active',
  publicKeyHash: 'bb',
  certificate: new Uint8Array(),
  tokenId: null,
  keyOrigin: 'holder',
  crlShard: null,
  parentSerial: null,
  supersededAtMs: null,
  notBeforeSec: 1_000,
  notAfterSec: 2_000,
  issuedAtMs: 1_000_000,
  activatedAtMs: null,
  revokedAtMs: null,
  revocationReason: null,
}

const illegal = (error: unknown): boolean => error instanceof HubError && error.code === 'transition-illegal'

test('a retired identity never comes back', () => {
  for (const state of identityStates.filter((name) => name !== 'retired')) {
    assert.throws(() => identityMovedTo({ ...identity, state: 'retired' }, state, 1), illegal)
  }
})

test('an identity that moves to the state it is in does not change', () => {
  fc.assert(
    fc.property(fc.constantFrom(...identityStates), (state) => {
      const before = { ...identity, state }
      assert.equal(identityMovedTo(before, state, 99), before)
    }),
  )
})

test('no walk through the states of a credential leaves revoked', () => {
  const moves = fc.array(fc.constantFrom(...credentialStates), { maxLength: 12 })
  fc.assert(
    fc.property(moves, (states) => {
      let current = credential
      let wasRevoked = false
      for (const [step, state] of states.entries()) {
        current = moved(current, state, step)
        wasRevoked ||= current.state === 'revoked'
        assert.equal(current.state === 'revoked', wasRevoked)
      }
    }),
  )
})

function moved(before: Credential, state: CredentialState, nowMs: number): Credential {
  try {
    return state === 'revoked'
      ? credentialRevoked(before, 'unspecified', nowMs)
      : credentialMovedTo(before, state, nowMs)
  } catch (error) {
    assert.ok(illegal(error))
    return before
  }
}

test('revoking twice keeps the first date and reason, except that key compromise is recorded', () => {
  const once = credentialRevoked(credential, 'superseded', 5)
  assert.equal(credentialRevoked(once, 'unspecified', 9), once)
  const worse = credentialRevoked(once, 'keyCompromise', 9)
  assert.equal(worse.revokedAtMs, 5)
  assert.equal(worse.revocationReason, 'keyCompromise')
})
