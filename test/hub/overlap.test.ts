/** What becomes of a certificate that another one follows, of one that nobody comes to use, and of one in quarantine. */
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { Credential } from '../../src/core/identity/credential.ts'
import { limits } from '../../src/core/limits.ts'
import { registryAdmission } from '../../src/hub/admit.ts'
import { endLapsedNow, endOverlapsNow } from '../../src/hub/end-overlaps.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { grantToken } from '../../src/hub/register-device.ts'
import { deviceRequest, type HubParts, hubParts, registered } from '../support/hub-parts.ts'

const dayMs = 86_400_000

async function enrolled(hub: HubParts, id: string): Promise<Credential> {
  const { tokenText } = await registered(hub, id)
  return enrol(hub, { tokenText, claimedId: id, ...deviceRequest(id) })
}

async function enrolledAgain(hub: HubParts, before: Credential): Promise<Credential> {
  const { tokenText } = await grantToken(hub, hub.actor, before.identityId, 3_600)
  return enrol(hub, { tokenText, claimedId: '', ...deviceRequest(before.identityId) })
}

async function connect(hub: HubParts, { certificate }: Credential): Promise<string> {
  const admission = registryAdmission(hub)
  const judged = await admission.judge(certificate)
  const used = judged.admitted ? await admission.confirmUse(judged) : judged
  return used.admitted ? used.credential.state : used.code
}

async function put(hub: HubParts, credential: Credential, change: Partial<Credential>): Promise<Credential> {
  const changed = { ...credential, ...change }
  await hub.store.write((tx) => tx.credentials.update(changed))
  return changed
}

function stored(hub: HubParts, { serialNumber }: Credential): Promise<Credential | null> {
  return hub.store.credentials.findBySerial(serialNumber)
}

/** Two certificates of a device, the second in use a day before the first ends, or as early as said. */
async function superseded(hub: HubParts, daysBeforeItsEnd = 5): Promise<{ first: Credential; second: Credential }> {
  const first = await enrolled(hub, 'pump-7')
  assert.equal(await connect(hub, first), 'active')
  hub.clock.advance((first.notAfterSec + 1) * 1000 - daysBeforeItsEnd * dayMs - hub.clock.nowMs())
  const second = await enrolledAgain(hub, first)
  assert.equal(await connect(hub, second), 'active')
  return { first, second }
}

test('a superseded certificate connects for a day, to the millisecond, and is refused by its own name after it', async (t) => {
  const hub = await hubParts(t)
  const { first, second } = await superseded(hub)
  hub.clock.advance(dayMs - 1)
  assert.equal(await connect(hub, first), 'superseded')
  hub.clock.advance(1)
  const late = await registryAdmission(hub).judge(first.certificate)
  assert.ok(!late.admitted)
  assert.equal(late.code, 'certificate-superseded')
  assert.match(late.sentence, /of pump-7 was superseded at 2026-.* by a newer one, and its overlap ended at 2026-/)
  assert.equal(await connect(hub, second), 'active')
})

test('an overlap ends with the certificate where that ends first', async (t) => {
  const hub = await hubParts(t)
  const { first } = await superseded(hub, 0.5)
  hub.clock.advance(dayMs / 2 - 1)
  assert.equal(await connect(hub, first), 'superseded')
  hub.clock.advance(1)
  assert.equal(await connect(hub, first), 'certificate-superseded')
})

test('at the end of its overlap a certificate is revoked as superseded, so that a CRL can say so', async (t) => {
  const hub = await hubParts(t)
  const { first, second } = await superseded(hub)
  hub.clock.advance(dayMs - 1)
  assert.equal(await endOverlapsNow(hub), 0)
  hub.clock.advance(1)
  const from = await hub.store.events.last()
  assert.equal(await endOverlapsNow(hub), 1)
  const ended = await stored(hub, first)
  assert.deepEqual(
    [ended?.state, ended?.revocationReason, ended?.revokedAtMs],
    ['revoked', 'superseded', hub.clock.nowMs()],
  )
  const [event] = await hub.store.events.after(from, 9)
  assert.ok(event?.type === 'credential-revoked' && event.reason === 'superseded')
  assert.equal((await stored(hub, second))?.state, 'active')
  assert.equal(await endOverlapsNow(hub), 0)
})

test('a certificate that ended in its overlap burdens no CRL', async (t) => {
  const hub = await hubParts(t)
  const { first } = await superseded(hub, 0.5)
  hub.clock.advance(dayMs)
  assert.equal(await endOverlapsNow(hub), 1)
  assert.equal((await stored(hub, first))?.state, 'expired')
  assert.equal(await endOverlapsNow(hub), 0)
})

test('a renewed certificate that nobody uses lapses at the second that its profile says, and is revoked', async (t) => {
  const hub = await hubParts(t)
  const parent = await enrolled(hub, 'pump-7')
  const other = await enrolledAgain(hub, parent)
  const serials = [parent.serialNumber, other.serialNumber]
  descend(hub, other, parent)
  hub.clock.advance(7 * dayMs - 1)
  assert.equal((await registryAdmission(hub).judge(other.certificate)).admitted, true)
  assert.equal(await endLapsedNow(hub), 0)
  hub.clock.advance(1)
  const judged = await registryAdmission(hub).judge(other.certificate)
  assert.ok(!judged.admitted && judged.code === 'certificate-lapsed')
  assert.equal(await endLapsedNow(hub), 1)
  const states = await Promise.all(serials.map((serial) => hub.store.credentials.findBySerial(serial)))
  assert.deepEqual(
    states.map((credential) => [credential?.state, credential?.revocationReason]),
    [
      ['pending', null],
      ['revoked', 'cessationOfOperation'],
    ],
  )
})

test('more than one transaction takes are ended in several', async (t) => {
  const hub = await hubParts(t)
  const { first } = await superseded(hub)
  const copies = Array.from({ length: limits.renewalSweepRows }, (_, n) => ({
    ...first,
    ...{ state: 'superseded' as const, supersededAtMs: hub.clock.nowMs(), activatedAtMs: 1 },
    ...{ fingerprint: `${n}`.padStart(64, '0'), serialNumber: `${n}`.padStart(40, '0') },
  }))
  await hub.store.write((tx) => tx.credentials.insertAll(copies))
  hub.clock.advance(dayMs)
  assert.equal(await endOverlapsNow(hub), limits.renewalSweepRows)
  assert.equal(await endOverlapsNow(hub), 1)
  assert.equal(await endOverlapsNow(hub), 0)
})

test('a person uses a certificate on each machine: one follows only the one that it was renewed from', async (t) => {
  const hub = await hubParts(t)
  const phone = await enrolled(hub, 'pump-7')
  const laptop = await enrolledAgain(hub, phone)
  const renewed = await enrolledAgain(hub, phone)
  alter(hub, `update identities set kind = 'user' where id = 'pump-7'`)
  await connect(hub, phone)
  await connect(hub, laptop)
  assert.deepEqual([(await stored(hub, phone))?.state, (await stored(hub, laptop))?.state], ['active', 'active'])
  descend(hub, renewed, phone)
  await connect(hub, renewed)
  assert.deepEqual([(await stored(hub, phone))?.state, (await stored(hub, laptop))?.state], ['superseded', 'active'])
})

test('a certificate in quarantine connects, takes the place of nothing, and stays where it is', async (t) => {
  const hub = await hubParts(t)
  const first = await enrolled(hub, 'pump-7')
  await connect(hub, first)
  const held = await put(hub, await enrolledAgain(hub, first), { state: 'quarantined' })
  assert.equal(await connect(hub, held), 'quarantined')
  assert.equal((await stored(hub, held))?.activatedAtMs, hub.clock.nowMs())
  assert.equal((await stored(hub, first))?.state, 'active')
})

/** Lineage, as a renewal would write it. */
function descend(hub: HubParts, child: Credential, parent: Credential): void {
  alter(
    hub,
    `update credentials set parent_serial = '${parent.serialNumber}' where serial_number = '${child.serialNumber}'`,
  )
}

function alter({ databasePath }: HubParts, statement: string): void {
  const database = new DatabaseSync(databasePath)
  database.exec(statement)
  database.close()
}
