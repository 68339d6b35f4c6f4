import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CredentialState, credentialStates } from '../../../src/core/identity/credential.ts'
import { type Child, claimants, waitingChild } from '../../../src/core/renewal/contest.ts'

function child(state: CredentialState, publicKeyHash: string, activatedAtMs: number | null = null): Child {
  return { state, publicKeyHash, activatedAtMs, profile: 'device', keyOrigin: 'holder' }
}

function isContested(children: readonly Child[], publicKeyHash: string, profile: string): boolean {
  return claimants(children, { publicKeyHash, profile, keyOrigin: 'holder' }).length > 0
}

test('another key that waits or was used is a contest, whoever came first', () => {
  for (const state of ['pending', 'active', 'quarantined', 'superseded'] as const) {
    assert.equal(isContested([child(state, 'aa')], 'bb', 'device'), true, state)
  }
})

test('one key is no contest, however often it asks and whichever certificate it shows', () => {
  for (const state of credentialStates) assert.equal(isContested([child(state, 'aa')], 'aa', 'device'), false, state)
})

test('nobody claims a child that was revoked, expired or never came to be', () => {
  for (const state of ['revoked', 'expired', 'intended', 'unadopted'] as const) {
    assert.equal(isContested([child(state, 'aa')], 'bb', 'device'), false, state)
  }
})

test('a child of another profile is no rival', () => {
  assert.equal(isContested([child('pending', 'aa')], 'bb', 'dual'), false)
})

test('a key that the hub makes is another one each time: only one that was used is a rival', () => {
  const claim = { publicKeyHash: 'bb', profile: 'device', keyOrigin: 'hub' } as const
  const waiting: Child = { ...child('pending', 'aa'), keyOrigin: 'hub' }
  const used: Child = { ...child('active', 'aa', 1), keyOrigin: 'hub' }
  assert.deepEqual(claimants([waiting, used], claim), [used])
  assert.deepEqual(claimants([waiting], { ...claim, keyOrigin: 'holder' }), [waiting])
})

test('the child that waits is the one that nobody has used', () => {
  const waiting = child('pending', 'cc')
  assert.equal(waitingChild([child('revoked', 'aa'), child('active', 'bb', 1), waiting], 'device'), waiting)
  const held = child('quarantined', 'dd')
  assert.equal(waitingChild([held], 'device'), held)
  assert.equal(waitingChild([child('quarantined', 'dd', 1)], 'device'), null)
  assert.equal(waitingChild([waiting], 'dual'), null)
})
