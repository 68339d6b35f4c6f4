import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Credential } from '../../src/core/identity/credential.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { sweepSessions } from '../../src/hub/sweep-sessions.ts'
import { deviceRequest, type HubParts, hubParts, registered } from '../support/hub-parts.ts'

const silent = { catchUp: async () => {}, stop: () => {} }

async function enrolled(hub: HubParts, id: string): Promise<Credential> {
  const { tokenText } = await registered(hub, id)
  return enrol(hub, { tokenText, claimedId: '', ...deviceRequest(id) })
}

test('a connection that no event has closed is closed by the next sweep, with its reason', async (t) => {
  const hub = await hubParts(t)
  const [fit, revoked, intended, unadopted, disabled] = [
    await enrolled(hub, 'fit'),
    await enrolled(hub, 'revoked'),
    await enrolled(hub, 'intended'),
    await enrolled(hub, 'unadopted'),
    await enrolled(hub, 'off'),
  ]
  // As a lost notification or a hand in the database leaves it: the row has changed and nobody was told.
  await hub.store.write(async (tx) => {
    await tx.credentials.update({ ...revoked, state: 'revoked', revokedAtMs: 1, revocationReason: 'keyCompromise' })
    await tx.credentials.update({ ...intended, state: 'intended' })
    await tx.credentials.update({ ...unadopted, state: 'unadopted' })
    const identity = await tx.identities.find(disabled.identityId)
    assert.ok(identity !== null)
    await tx.identities.update({ ...identity, state: 'disabled' })
  })
  const closed: [string, string][] = []
  const live = {
    liveFingerprints: () => [fit, revoked, intended, unadopted, disabled].map(({ fingerprint }) => fingerprint),
    livePasswords: () => [],
    closePassword: () => 0,
    closeCredential: (fingerprint: string, code: string) => closed.push([fingerprint, code]) && 1,
  }
  const sweep = sweepSessions(hub, live, silent)
  t.after(sweep.stop)
  assert.equal(await sweep.sweep(), 4)
  assert.deepEqual(
    new Map(closed),
    new Map([
      [revoked.fingerprint, 'certificate-revoked'],
      [intended.fingerprint, 'certificate-never-completed'],
      [unadopted.fingerprint, 'certificate-not-adopted'],
      [disabled.fingerprint, 'identity-disabled'],
    ]),
  )
  assert.deepEqual(
    hub.log.lines.map(({ level }) => level),
    ['warn'],
  )
})

test('a sweep asks events first, because they close with the better reason', async (t) => {
  const hub = await hubParts(t)
  const asked: string[] = []
  const follower = { catchUp: async () => void asked.push('events'), stop: () => {} }
  const live = {
    liveFingerprints: () => {
      asked.push('connections')
      return []
    },
    livePasswords: () => [],
    closePassword: () => 0,
    closeCredential: () => 0,
  }
  const sweep = sweepSessions(hub, live, follower)
  t.after(sweep.stop)
  assert.equal(await sweep.sweep(), 0)
  assert.deepEqual(asked, ['events', 'connections'])
})
