import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import { HubError } from '../../src/core/errors.ts'
import { openAuthorities } from '../../src/hub/authorities.ts'
import { makeChain, makeIssuing } from '../../src/hub/make-authorities.ts'
import type { AuthorityRow } from '../../src/hub/ports/authorities.ts'
import { type HubParts, hubParts } from '../support/hub-parts.ts'

async function insert(hub: HubParts, ...rows: readonly AuthorityRow[]): Promise<void> {
  await hub.store.write(async (tx) => {
    for (const row of rows) await tx.authorities.insert(row)
  })
}

/** Another issuing authority below the root of the main chain. */
async function secondIssuing(hub: HubParts, state: AuthorityRow['state']): Promise<AuthorityRow> {
  const parent = hub.authorities.root()
  const row = await makeIssuing(hub, { chain: 'main', keyType: 'P-384', parent })
  return { ...row, state }
}

async function change(hub: HubParts, id: string, changes: Partial<AuthorityRow>): Promise<void> {
  await hub.store.write(async (tx) => {
    const row = (await tx.authorities.all()).find((each) => each.id === id)
    assert.ok(row !== undefined)
    await tx.authorities.update({ ...row, ...changes })
  })
  await hub.authorities.refresh()
}

describe('the authorities of a hub', () => {
  test('are a root and one that issues below it, whose certificates say so', async (t) => {
    const { authorities } = await hubParts(t)
    const [root, issuing] = [authorities.root(), authorities.issuing()]
    assert.deepEqual(
      authorities.all().map(({ id }) => id),
      [root.id, issuing.id],
    )
    assert.equal(issuing.parentId, root.id)
    assert.ok(new X509Certificate(issuing.certificate).verify(new X509Certificate(root.certificate).publicKey))
    assert.deepEqual(authorities.roots(), [root])
    assert.deepEqual(authorities.caCertificates(), [root.certificate, issuing.certificate])
    assert.deepEqual(authorities.pathFrom(issuing), [issuing.certificate])
  })

  test('change while the hub runs: whoever is active signs, whoever was before signs its CRLs on', async (t) => {
    const hub = await hubParts(t)
    const before = hub.authorities.issuing()
    let changes = 0
    hub.authorities.onChange(() => changes++)
    const next = await secondIssuing(hub, 'prepared')
    await insert(hub, next)
    await hub.authorities.refresh()
    assert.equal(hub.authorities.issuing().id, before.id)
    assert.ok(!hub.authorities.signing().some(({ id }) => id === next.id), 'nobody knows one that is not published')
    assert.ok(!hub.authorities.caCertificates().some((der) => Buffer.compare(der, next.certificate) === 0))
    await change(hub, before.id, { state: 'previous' })
    await change(hub, next.id, { state: 'active' })
    assert.equal(hub.authorities.issuing().id, next.id)
    assert.deepEqual(
      hub.authorities.signing().map(({ id }) => id),
      [hub.authorities.root().id, before.id, next.id],
    )
    assert.equal(changes, 3)
    await hub.authorities.refresh()
    assert.equal(changes, 3, 'what has not changed is not told')
  })

  test('of a second chain stand beside those of the main one, with their own kind of key', async (t) => {
    const hub = await hubParts(t)
    await insert(hub, ...(await makeChain(hub, { chain: 'rsa', keyType: 'RSA-2048' })))
    await hub.authorities.refresh()
    const { authorities } = hub
    assert.equal(authorities.issuing('rsa').keyType, 'RSA-2048')
    assert.equal(authorities.issuing().keyType, 'P-256')
    assert.deepEqual(authorities.roots(), [authorities.root(), authorities.root('rsa')])
    assert.equal(authorities.rootsPem().match(/BEGIN CERTIFICATE/g)?.length, 2)
    assert.equal(authorities.firstRoot().id, authorities.root().id)
    assert.throws(() => authorities.issuing('none'), { code: 'not-found' })
  })

  test('sign nothing when their key is offline, and are trusted all the same', async (t) => {
    const hub = await hubParts(t)
    const { id } = hub.authorities.root()
    await change(hub, id, { keyPlace: 'offline' })
    await hub.keys.remove(id)
    await hub.authorities.refresh()
    const root = hub.authorities.root()
    await assert.rejects(root.signCrl(new Uint8Array(1)), { code: 'authority-key-offline' })
    assert.deepEqual(hub.authorities.signing(), [hub.authorities.issuing()])
    assert.deepEqual(hub.authorities.roots(), [root])
    const again = await openAuthorities(hub.store, hub.keys)
    assert.equal(again.root().keyPlace, 'offline')
  })

  test('do not open where a key that should be here is gone', async (t) => {
    const hub = await hubParts(t)
    await hub.keys.remove(hub.authorities.root().id)
    await assert.rejects(openAuthorities(hub.store, hub.keys), (error) => {
      return error instanceof HubError && error.code === 'key-file-damaged'
    })
  })
})
