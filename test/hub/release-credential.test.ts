import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeKey } from '../../src/device/certificate-request.ts'
import { releaseCredential } from '../../src/hub/release-credential.ts'
import { RenewalBed } from '../support/renewal-bed.ts'

const dayMs = 86_400_000

/** A device that was off until its certificate had ended, and has asked with it. */
async function cameLate(t: { after(step: () => unknown): unknown }) {
  const { bed, key, first } = await RenewalBed.start(t)
  bed.wait((first.notAfterSec + 1) * 1000 + dayMs - bed.hub.clock.nowMs())
  return { bed, key, first, held: await bed.renew(first, key) }
}

function release(bed: RenewalBed, serial: string | null = null) {
  return releaseCredential(bed.hub, bed.hub.actor, bed.id, serial)
}

test('a certificate that was used in quarantine is active once it is released, and what it follows is superseded', async (t) => {
  const { bed, first, held } = await cameLate(t)
  assert.equal(await bed.connect(held), 'quarantined')
  const from = await bed.hub.store.events.last()
  const { credential, superseded } = await release(bed)
  assert.deepEqual([credential.state, credential.serialNumber], ['active', held.serialNumber])
  assert.deepEqual(superseded, [first.serialNumber])
  assert.deepEqual(await bed.events(from), ['credential-superseded', 'credential-released'])
  assert.equal(await bed.connect(held), 'active')
  assert.equal((await bed.renew(held, makeKey())).state, 'pending')
})

test('one that waits for its first use still waits for it, and takes the place of nothing before', async (t) => {
  const { bed, key, first } = await RenewalBed.start(t)
  const second = await bed.renew(first, key)
  await bed.connect(second)
  const held = await bed.renew(first, key)
  assert.equal((await release(bed)).credential.state, 'pending')
  assert.equal(await bed.stateOf(second), 'active')
  assert.equal(await bed.connect(held), 'active')
  assert.equal(await bed.stateOf(second), 'superseded')
})

test('where rivals wait, one is named, and the others end', async (t) => {
  const { bed, first, held } = await cameLate(t)
  await bed.connect(held)
  bed.wait(dayMs)
  const other = await bed.renew(first, await keyOf(bed, held))
  await bed.connect(other)
  // The same key: the older one has ended by itself.
  assert.equal(await bed.stateOf(held), 'revoked')
  await assert.rejects(release(bed, held.serialNumber), { code: 'nothing-quarantined' })
  assert.equal((await release(bed, other.serialNumber)).credential.state, 'active')
})

test('an owner and a thief in quarantine are told apart by an operator, who names one', async (t) => {
  const { bed, key, first } = await RenewalBed.start(t)
  await bed.connect(await bed.renew(first, makeKey()))
  const owners = await bed.renew(first, key)
  await bed.connect(owners)
  const thiefs = await bed.renew(first, makeKey())
  await bed.connect(thiefs)
  await assert.rejects(release(bed), { code: 'release-ambiguous', message: new RegExp(owners.serialNumber) })
  const { revoked } = await release(bed, owners.serialNumber)
  assert.deepEqual(revoked, [thiefs.serialNumber])
  assert.equal(await bed.connect(owners), 'active')
  assert.equal(await bed.connect(thiefs), 'certificate-revoked')
})

test('nothing is released where nothing waits, nor what has lapsed or ended', async (t) => {
  const { bed, held } = await cameLate(t)
  bed.wait(7 * dayMs)
  await assert.rejects(release(bed), { code: 'nothing-quarantined' })
  await assert.rejects(release(bed, held.serialNumber), { code: 'nothing-quarantined' })
})

async function keyOf(bed: RenewalBed, held: { readonly publicKeyHash: string }) {
  const key = bed.keys.get(held.publicKeyHash)
  assert.ok(key !== undefined)
  return key
}
