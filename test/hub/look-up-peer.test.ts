/** What servers of others are told of a certificate that somebody has shown to them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enrol } from '../../src/hub/enrol.ts'
import { lookUpPeer } from '../../src/hub/verifiers/look-up.ts'
import { deviceRequest, hubParts, registered } from '../support/hub-parts.ts'

test('a certificate in quarantine opens nothing at servers of others, and the same one released does', async (t) => {
  const hub = await hubParts(t)
  const { tokenText } = await registered(hub, 'pump-7')
  const credential = await enrol(hub, { tokenText, claimedId: 'pump-7', ...deviceRequest('pump-7') })
  const held = { ...credential, state: 'quarantined', activatedAtMs: hub.clock.nowMs() } as const
  await hub.store.write((tx) => tx.credentials.update(held))
  const told = await lookUpPeer(hub, credential.fingerprint)
  assert.partialDeepStrictEqual(told, { admitted: false, code: 'verify-quarantined', identityId: 'pump-7' })
  await hub.store.write((tx) => tx.credentials.update({ ...held, state: 'active' }))
  assert.equal((await lookUpPeer(hub, credential.fingerprint)).admitted, true)
})
