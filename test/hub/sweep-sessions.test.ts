import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Credential } from '../../src/core/identity/credential.ts'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { pinCertificate } from '../../src/hub/pin-certificates.ts'
import { sweepSessions } from '../../src/hub/sweep-sessions.ts'
import { deviceRequest, type HubParts, hubParts, registered } from '../support/hub-parts.ts'
import { ownCertificate } from '../support/own-certificate.ts'

const foreign = { refresh: async () => {}, renew: async () => {}, endOf: () => null }
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
    livePins: () => [],
    liveAnchored: () => [],
    closeEvery: () => 0,
    closePassword: () => 0,
    closeCredential: (fingerprint: string, code: string) => closed.push([fingerprint, code]) && 1,
  }
  const sweep = sweepSessions({ ...hub, foreign }, live, silent, 300_000)
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
    livePins: () => [],
    liveAnchored: () => [],
    closeEvery: () => 0,
    closePassword: () => 0,
    closeCredential: () => 0,
  }
  const sweep = sweepSessions({ ...hub, foreign }, live, follower, 300_000)
  t.after(sweep.stop)
  assert.equal(await sweep.sweep(), 0)
  assert.deepEqual(asked, ['events', 'connections'])
})

test('sessions live on for a while when the registry cannot be asked, and then close', async (t) => {
  const hub = await hubParts(t)
  let isAway = true
  const settings = {
    ...hub.store.settings,
    find: async (name: string) => {
      if (isAway) throw new Error('the database is away')
      return hub.store.settings.find(name)
    },
  }
  const closed: string[] = []
  const live = {
    ...{
      liveFingerprints: () => [],
      livePins: () => [],
      liveAnchored: () => [],
      livePasswords: () => [],
      closePassword: () => 0,
      closeCredential: () => 0,
    },
    closeEvery: (code: string) => closed.push(code),
  }
  const sweep = sweepSessions({ ...hub, foreign, store: { ...hub.store, settings } }, live, silent, 300_000)
  t.after(sweep.stop)
  await sweep.look()
  hub.clock.advance(299_999)
  await sweep.look()
  assert.deepEqual(closed, [])
  isAway = false
  await sweep.look()
  isAway = true
  hub.clock.advance(299_999)
  await sweep.look()
  assert.deepEqual(closed, [])
  hub.clock.advance(1)
  await sweep.look()
  assert.deepEqual(closed, ['registry-unreachable'])
})

test('a pinned certificate that was removed, or whose device is disabled, is closed by the next sweep', async (t) => {
  const hub = await hubParts(t)
  const certificates = new Map<string, string>()
  for (const id of ['kept', 'gone', 'off']) {
    const { identity } = await registered(hub, id)
    const order = { slot: 'primary', datesCount: true, replace: false } as const
    const pin = await pinCertificate(hub, hub.actor, identity.id, { ...order, certificate: ownCertificate(id).der })
    certificates.set(id, pin.fingerprint)
  }
  // As a lost notification or a hand in the database leaves it.
  await hub.store.write(async (tx) => {
    await tx.pins.remove(certificates.get('gone') ?? '')
    const off = (await tx.identities.findAll([parseIdentityId('off')])).at(0)
    assert.ok(off !== undefined)
    await tx.identities.update({ ...off, state: 'disabled' })
  })
  const closed: [string, string][] = []
  const live = {
    ...{ liveFingerprints: () => [], livePasswords: () => [], closePassword: () => 0, closeEvery: () => 0 },
    liveAnchored: () => [],
    livePins: () => [...certificates.values()],
    closeCredential: (fingerprint: string, code: string) => closed.push([fingerprint, code]) && 1,
  }
  const sweep = sweepSessions({ ...hub, foreign }, live, silent, 300_000)
  t.after(sweep.stop)
  assert.equal(await sweep.sweep(), 2)
  assert.deepEqual(closed, [
    [certificates.get('gone'), 'pin-removed'],
    [certificates.get('off'), 'identity-disabled'],
  ])
})

test('a session of a trust anchor is closed by the next sweep, when its identity or what is known of its certificate says so', async (t) => {
  const hub = await hubParts(t)
  for (const id of ['kept', 'off', 'gone']) await registered(hub, id)
  await hub.store.write(async (tx) => {
    const off = (await tx.identities.findAll([parseIdentityId('off')])).at(0)
    assert.ok(off !== undefined)
    await tx.identities.update({ ...off, state: 'disabled' })
  })
  const asked: string[] = []
  const livingOn = {
    refresh: async () => void asked.push('refresh'),
    renew: async (living: readonly { readonly serialNumber: string }[]) =>
      void asked.push(...living.map(({ serialNumber }) => serialNumber)),
    endOf: ({ serialNumber }: { readonly serialNumber: string }) => (serialNumber === '03' ? 'foreign-revoked' : null),
  } as const
  const anchored = (serialNumber: string) => ({
    ...{ anchorId: 'acme', issuer: 'a'.repeat(64), serialNumber, points: [], responders: [] },
  })
  const closed: [string, string][] = []
  const live = {
    ...{ liveFingerprints: () => [], livePins: () => [], livePasswords: () => [] },
    ...{ closePassword: () => 0, closeEvery: () => 0 },
    liveAnchored: () => [
      { fingerprint: 'f1', identityId: 'kept', anchored: anchored('01') },
      { fingerprint: 'f2', identityId: 'off', anchored: anchored('02') },
      { fingerprint: 'f3', identityId: 'gone', anchored: anchored('03') },
      { fingerprint: 'f4', identityId: 'not-written-yet', anchored: anchored('04') },
    ],
    closeCredential: (fingerprint: string, code: string) => closed.push([fingerprint, code]) && 1,
  }
  const sweep = sweepSessions({ ...hub, foreign: livingOn }, live, silent, 300_000)
  t.after(sweep.stop)
  assert.equal(await sweep.sweep(), 2)
  assert.deepEqual(asked, ['refresh', '01', '02', '03', '04'])
  assert.deepEqual(closed, [
    ['f2', 'identity-disabled'],
    ['f3', 'foreign-revoked'],
  ])
})
