/** A check holds a certificate to what its profile said when it was made. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkRegistry } from '../../src/check/check-registry.ts'
import { profilesOf } from '../../src/check/profile-history.ts'
import { deviceProfile } from '../../src/core/profile/built-in.ts'
import type { Profile } from '../../src/core/profile/profile.ts'
import { revokeDevice } from '../../src/hub/change-identity.ts'
import { addProfile, changeProfile, removeProfile } from '../../src/hub/change-profiles.ts'
import { editDevice } from '../../src/hub/edit-device.ts'
import { registerDevice } from '../../src/hub/register-device.ts'
import { openSqliteSnapshot } from '../../src/store/sqlite/sqlite-snapshot.ts'
import { TimeMachine } from '../support/time-machine.ts'

const actor = 'key:test'

test('certificates of a profile that has changed or gone since are as they should be', async (t) => {
  const machine = await TimeMachine.start(t)
  const { hub } = machine
  const order = { group: null, attributes: {}, tokenLifetimeSec: 3_600 }
  for (const name of ['plc', 'old']) {
    await addProfile(hub, actor, { ...deviceProfile, name })
    await machine.connected(await registerDevice(hub, actor, { ...order, id: `${name}-1`, profiles: [name] }))
  }
  hub.clock.advance(3_600_000)
  const narrower = { lifetimeSec: 60, lifetimeMaxSec: 60, keyTypes: ['RSA'] } as const
  await changeProfile(
    hub,
    actor,
    'plc',
    (before) => ({ ...before, ...narrower, status: { crl: true, ocsp: false } }),
    null,
  )
  const old = await hub.store.identities.find('old-1' as never)
  assert.ok(old !== null)
  await editDevice(hub, actor, old.id, { profiles: [] }, null)
  await revokeDevice(hub, actor, old.id, 'cessationOfOperation')
  await removeProfile(hub, actor, 'old')

  const snapshot = await openSqliteSnapshot(await machine.backUp())
  t.after(() => snapshot.close())
  const { findings, credentials } = await checkRegistry(snapshot, null)
  assert.ok(credentials >= 2)
  assert.deepEqual(
    findings.filter(({ rule }) => rule.startsWith('credential-')),
    [],
  )
})

test('what held when a certificate was made is what it is held to, and a minute before', () => {
  const version = (fromMs: number, lifetimeSec: number) => ({
    fromMs,
    profile: { ...deviceProfile, name: 'plc', lifetimeSec },
  })
  const profileHistory = new Map([['plc', [version(100_000, 1), version(200_000, 2), version(900_000, 3)]]])
  const profiles = new Map<string, Profile>([['plc', { ...deviceProfile, name: 'plc', lifetimeSec: 4 }]])
  const at = (atMs: number, profile = 'plc') =>
    profilesOf({ profiles, profileHistory }, { profile, issued_at_ms: atMs }).map(({ lifetimeSec }) => lifetimeSec)
  assert.deepEqual(at(150_000), [1])
  assert.deepEqual(at(230_000), [2, 1])
  assert.deepEqual(at(800_000), [2])
  assert.deepEqual(at(2_000_000), [3])
  assert.deepEqual(at(50_000), [4])
  assert.deepEqual(at(150_000, 'none'), [])
})
