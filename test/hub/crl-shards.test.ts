/** Shards of CRLs: who stands in which, how many there are, how long each is made. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { HubError } from '../../src/core/errors.ts'
import type { Credential } from '../../src/core/identity/credential.ts'
import { limits } from '../../src/core/limits.ts'
import { Secret } from '../../src/core/secret.ts'
import { readCrl, readCrlEntries } from '../../src/core/x509/crl-reader.ts'
import { crlShardUrl } from '../../src/core/x509/crl-shard-url.ts'
import { bringAuthorityKeyBack, exportAuthorityKey, removeAuthorityKey } from '../../src/hub/authority-keys.ts'
import { revokeCertificate } from '../../src/hub/change-identity.ts'
import { statusPlaces } from '../../src/hub/crl-places.ts'
import { type CrlRow, fullCrl } from '../../src/hub/ports/crls.ts'
import type { Store } from '../../src/hub/ports/store.ts'
import { crlLifetimeMs, crlRefreshMs, currentCrl, fullScope, publishCrl } from '../../src/hub/publish-crl.ts'
import { keepCrlsFresh } from '../../src/hub/refresh-crls.ts'
import { fakeCredential, fakeIdentity } from '../contract/store-fakes.ts'
import { type HubParts, hubParts, noonMs, statusBase } from '../support/hub-parts.ts'

const base = statusBase
const nowSec = noonMs / 1000
const daySec = 86_400

function entriesOf({ crl }: CrlRow): readonly string[] {
  return readCrlEntries(readCrl(crl).entryBytes ?? new Uint8Array()).map(({ serialNumber }) => serialNumber)
}

/** Certificates in the registry, each at a place that was given for it. */
async function certificates(hub: HubParts, count: number, change: Partial<Credential> = {}) {
  const places = statusPlaces(hub, base)
  const identity = fakeIdentity(`holder-${count}-${change.state ?? 'active'}`)
  const rows: Credential[] = []
  for (let n = 0; n < count; n += 1) {
    const notAfterSec = change.notAfterSec ?? nowSec + 10 * daySec
    const { crlShard } = await places.placeFor(hub.issuing.id, notAfterSec)
    const own = {
      identityId: identity.id,
      authorityId: hub.issuing.id,
      crlShard,
      notAfterSec,
      state: 'active',
    } as const
    const serialNumber = `4b${randomBytes(19).toString('hex')}`
    rows.push(fakeCredential(n, { ...own, serialNumber, fingerprint: randomBytes(32).toString('hex'), ...change }))
  }
  await hub.store.write(async (tx) => {
    await tx.identities.insert(identity)
    await tx.credentials.insertAll(rows)
  })
  return rows
}

async function openShard(hub: HubParts, shard: number, places = 1, notAfterSec = nowSec + 10 * daySec): Promise<void> {
  await hub.store.write((tx) => tx.crls.saveShard({ authorityId: hub.issuing.id, shard, base, places, notAfterSec }))
}

test('a certificate names a shard, the responder and its issuer, all on the address of this hub', async (t) => {
  const hub = await hubParts(t)
  const place = await statusPlaces(hub, base).placeFor(hub.issuing.id, nowSec)
  assert.deepEqual(place, {
    crlShard: 0,
    crlUrl: `${base}/crl/${hub.issuing.id}/0.crl`,
    ocspUrl: `${base}/ocsp`,
    caIssuersUrl: `${base}/ca/${hub.issuing.id}.crt`,
  })
})

test('places come in blocks, so that few of them wait for the registry, and those that come at once get one each', async (t) => {
  const hub = await hubParts(t)
  let writes = 0
  const store: Store = {
    ...hub.store,
    write(work) {
      writes += 1
      return hub.store.write(work)
    },
  }
  const places = statusPlaces({ store }, base)
  const count = limits.crlPlacesTaken * 3
  await Promise.all(Array.from({ length: count }, () => places.placeFor(hub.issuing.id, nowSec + daySec)))
  assert.ok(writes <= 4, `${writes} writes for ${count} places`)
  const shard = await hub.store.crls.shard(hub.issuing.id, 0)
  assert.ok((shard?.places ?? 0) >= count && (shard?.places ?? 0) <= writes * limits.crlPlacesTaken)
})

test('a shard takes no more certificates than its limit, whoever asks for places', async (t) => {
  const hub = await hubParts(t)
  const processes = [statusPlaces(hub, base), statusPlaces(hub, base)]
  await openShard(hub, 0, limits.crlShardCertificatesMax - limits.crlPlacesTaken)
  const given = new Map<number | null, number>()
  for (let n = 0; n < limits.crlPlacesTaken * 2; n += 1) {
    for (const places of processes) {
      const { crlShard } = await places.placeFor(hub.issuing.id, nowSec)
      given.set(crlShard, (given.get(crlShard) ?? 0) + 1)
    }
  }
  assert.ok((given.get(0) ?? 0) <= limits.crlPlacesTaken)
  for (const { places } of await hub.store.crls.shards(hub.issuing.id, 0)) {
    assert.ok(places <= limits.crlShardCertificatesMax)
  }
})

test('a shard is of one address for ever: after a change of the address others begin', async (t) => {
  const hub = await hubParts(t)
  const [here, there] = [statusPlaces(hub, base), statusPlaces(hub, 'http://other.example:8080')]
  assert.equal((await here.placeFor(hub.issuing.id, nowSec)).crlShard, 0)
  assert.equal(
    (await there.placeFor(hub.issuing.id, nowSec)).crlUrl,
    `http://other.example:8080/crl/${hub.issuing.id}/1.crl`,
  )
  for (const shard of [0, 1]) {
    const { crl } = await currentCrl(hub, { authorityId: hub.issuing.id, shard })
    const own = shard === 0 ? base : 'http://other.example:8080'
    assert.equal(readCrl(crl).distributionPoint, crlShardUrl(own, hub.issuing.id, shard))
  }
  assert.equal((await statusPlaces(hub, base).placeFor(hub.issuing.id, nowSec)).crlShard, 0)
})

test('a shard is needed as long as the certificate that ends last of those that name it', async (t) => {
  const hub = await hubParts(t)
  const places = statusPlaces(hub, base)
  for (const days of [10, 400, 10]) await places.placeFor(hub.issuing.id, nowSec + days * daySec)
  const shards = await hub.store.crls.shards(hub.issuing.id, nowSec + 400 * daySec)
  assert.deepEqual(
    shards.map(({ shard }) => shard),
    [0],
  )
})

test('what is revoked stands in its own shard and in the full CRL, and in no other', async (t) => {
  const hub = await hubParts(t)
  for (const shard of [0, 1]) await openShard(hub, shard)
  const revoked = { state: 'revoked', revokedAtMs: noonMs, revocationReason: 'superseded' } as const
  const serials: string[] = []
  const identity = fakeIdentity('revoked')
  await hub.store.write((tx) => tx.identities.insert(identity))
  for (const [n, crlShard] of [0, 1, null].entries()) {
    const place = { authorityId: hub.issuing.id, crlShard, notAfterSec: nowSec + daySec }
    const credential = fakeCredential(n, { identityId: identity.id, serialNumber: `4c0${n}`, ...place, ...revoked })
    await hub.store.write((tx) => tx.credentials.insert(credential))
    serials.push(credential.serialNumber)
  }
  const { id: authorityId } = hub.issuing
  assert.deepEqual(entriesOf(await publishCrl(hub, { authorityId, shard: 0 })), [serials[0]])
  assert.deepEqual(entriesOf(await publishCrl(hub, { authorityId, shard: 1 })), [serials[1]])
  assert.deepEqual([...entriesOf(await publishCrl(hub, fullScope(authorityId)))].sort(), [...serials].sort())
})

test('what is quarantined or unadopted is on hold for readers of CRLs, and stands there no more once it is released', async (t) => {
  const hub = await hubParts(t)
  const [held] = await certificates(hub, 1, { state: 'quarantined' })
  const [unadopted] = await certificates(hub, 1, { state: 'unadopted' })
  assert.ok(held !== undefined && unadopted !== undefined)
  const scope = { authorityId: hub.issuing.id, shard: held.crlShard ?? fullCrl }
  const { crl } = await publishCrl(hub, scope)
  const entries = readCrlEntries(readCrl(crl).entryBytes ?? new Uint8Array())
  assert.deepEqual(
    new Set(entries.map(({ serialNumber }) => serialNumber)),
    new Set([held, unadopted].map((c) => c.serialNumber)),
  )
  assert.deepEqual(new Set(entries.map(({ reason }) => reason)), new Set([6]))
  await hub.store.write((tx) => tx.credentials.update({ ...held, state: 'active' }))
  assert.deepEqual(entriesOf(await publishCrl(hub, scope)), [unadopted.serialNumber])
})

test('a CRL of more entries than a page holds all of them once', async (t) => {
  const hub = await hubParts(t)
  const rows: Credential[] = []
  const count = limits.pageRowsMax + 5
  const identity = fakeIdentity('many')
  await openShard(hub, 0)
  for (let n = 0; n < count; n += 1) {
    rows.push(
      fakeCredential(n, {
        ...{ identityId: identity.id, authorityId: hub.issuing.id, crlShard: 0, notAfterSec: nowSec + (n % 3) },
        ...{ state: 'revoked', revokedAtMs: noonMs, revocationReason: 'superseded', certificate: new Uint8Array(1) },
        serialNumber: `4a${n.toString(16).padStart(38, '0')}`,
      }),
    )
  }
  await hub.store.write(async (tx) => {
    await tx.identities.insert(identity)
    await tx.credentials.insertAll(rows.slice(0, 1_000))
    await tx.credentials.insertAll(rows.slice(1_000))
  })
  for (const shard of [0, fullCrl]) {
    const found = entriesOf(await publishCrl(hub, { authorityId: hub.issuing.id, shard }))
    assert.equal(new Set(found).size, count)
    assert.equal(found.length, count)
  }
})

test('an entry stays until one CRL after the end of its certificate, and the shard is made no more after that', async (t) => {
  const hub = await hubParts(t)
  const [row] = await certificates(hub, 1, { notAfterSec: nowSec + daySec })
  assert.ok(row?.crlShard !== undefined)
  const scope = { authorityId: hub.issuing.id, shard: row.crlShard ?? fullCrl }
  await publishCrl(hub, scope)
  await revokeRow(hub, row)
  hub.clock.advance(2 * daySec * 1000)
  assert.deepEqual(entriesOf(await publishCrl(hub, scope)), [row.serialNumber])
  // All that name it have ended now, a day of slack included.
  hub.clock.advance(daySec * 1000)
  const last = await publishCrl(hub, scope)
  assert.deepEqual(entriesOf(last), [])
  hub.clock.advance(crlLifetimeMs * 2)
  assert.equal((await currentCrl(hub, scope)).number, last.number)
})

function revokeRow(hub: HubParts, row: Credential): Promise<void> {
  const revoked = { state: 'revoked', revokedAtMs: hub.clock.nowMs(), revocationReason: 'superseded' } as const
  return hub.store.write((tx) => tx.credentials.update({ ...row, ...revoked }))
}

test('processes that make a CRL at the same moment give away different numbers, and the stored one is the highest', async (t) => {
  const hub = await hubParts(t)
  const scope = fullScope(hub.issuing.id)
  const made = await Promise.all([1, 2, 3, 4].map(() => publishCrl(hub, scope)))
  const numbers = made.map(({ number }) => number)
  assert.equal(new Set(numbers).size, numbers.length)
  const latest = await hub.store.crls.head(hub.issuing.id, fullCrl)
  assert.equal(
    latest?.number,
    numbers.reduce((most, number) => (number > most ? number : most)),
  )
})

test('each scope counts for itself', async (t) => {
  const hub = await hubParts(t)
  const { id: authorityId } = hub.issuing
  await openShard(hub, 0)
  const first = await publishCrl(hub, { authorityId, shard: 0 })
  await publishCrl(hub, fullScope(authorityId))
  const second = await publishCrl(hub, { authorityId, shard: 0 })
  assert.equal(second.number, first.number + 1n)
})

test('a shard that was never opened is not found, and nothing is made for whoever asks for it', async (t) => {
  const hub = await hubParts(t)
  for (const shard of [0, 7]) {
    await assert.rejects(currentCrl(hub, { authorityId: hub.issuing.id, shard }), { code: 'not-found' })
  }
  assert.deepEqual(await hub.store.crls.ofAuthority(hub.issuing.id), [])
})

test('revocations of one moment share one CRL for each shard, and other shards stay as they are', async (t) => {
  const hub = await hubParts(t)
  await openShard(hub, 1)
  const rows = await certificates(hub, 3)
  const crls = keepCrlsFresh(hub)
  t.after(() => crls.stop())
  await crls.current(fullScope(hub.issuing.id))
  await crls.stop()
  const before = await hub.store.crls.ofAuthority(hub.issuing.id)
  const from = await hub.store.events.last()

  const again = keepCrlsFresh(hub)
  for (const { serialNumber } of rows) await revokeCertificate(hub, hub.actor, serialNumber, 'keyCompromise')
  for (const event of await hub.store.events.after(from, 100)) again.noted(event)
  await again.stop()
  const published = (await hub.store.events.after(from, 100)).filter(({ type }) => type === 'crl-published')
  assert.deepEqual(
    published.map((event) => event.type === 'crl-published' && event.shard),
    [rows[0]?.crlShard],
  )
  const after = await hub.store.crls.ofAuthority(hub.issuing.id)
  const untouched = (heads: typeof before) => heads.filter(({ shard }) => shard !== rows[0]?.crlShard)
  assert.deepEqual(untouched(after), untouched(before))
})

test('the full CRL is made when it is asked for, and holds what was revoked before', async (t) => {
  const hub = await hubParts(t)
  const [row] = await certificates(hub, 1)
  const crls = keepCrlsFresh(hub)
  t.after(() => crls.stop())
  const scope = fullScope(hub.issuing.id)
  const first = await crls.current(scope)
  hub.clock.advance(5_000)
  assert.equal((await crls.current(scope)).number, first.number)
  const from = await hub.store.events.last()
  await revokeCertificate(hub, hub.actor, row?.serialNumber ?? '', 'keyCompromise')
  for (const event of await hub.store.events.after(from, 100)) crls.noted(event)
  const [second, third] = await Promise.all([crls.current(scope), crls.current(scope)])
  assert.deepEqual(entriesOf(second), [row?.serialNumber])
  assert.equal(third.number, second.number)
})

test('an event of a version without shards, or of a certificate that is held, finds its shard by the certificate', async (t) => {
  const hub = await hubParts(t)
  const [revoked, held] = await certificates(hub, 2)
  assert.ok(revoked !== undefined && held !== undefined)
  await revokeRow(hub, revoked)
  await hub.store.write((tx) => tx.credentials.update({ ...held, state: 'quarantined' }))
  const crls = keepCrlsFresh(hub)
  await crls.current({ authorityId: hub.issuing.id, shard: revoked.crlShard ?? fullCrl })
  const { identityId, fingerprint, serialNumber, authorityId } = revoked
  const last = (await hub.store.events.last()) + 1
  await hub.store.write((tx) => tx.events.append({ type: 'identity-changed', identityId }))
  const common = { number: last, atMs: noonMs, identityId }
  crls.noted({ type: 'credential-revoked', authorityId, fingerprint, serialNumber, reason: 'superseded', ...common })
  crls.noted({
    type: 'credential-issued',
    fingerprint: held.fingerprint,
    serialNumber: held.serialNumber,
    isHeld: true,
    ...common,
  })
  assert.equal(crls.oldestOwedMs(), noonMs)
  await crls.stop()
  const { crl } = await currentCrl(hub, { authorityId, shard: revoked.crlShard ?? fullCrl })
  assert.equal(readCrl(crl).entries, 2)
})

test('a hub that starts reads what was revoked since its CRLs, and makes those alone anew', async (t) => {
  const hub = await hubParts(t)
  await openShard(hub, 1)
  const [row] = await certificates(hub, 1)
  const before = keepCrlsFresh(hub)
  await before.stop()
  await revokeCertificate(hub, hub.actor, row?.serialNumber ?? '', 'keyCompromise')
  const from = await hub.store.events.last()
  const next = keepCrlsFresh(hub)
  await next.stop()
  const published = (await hub.store.events.after(from, 100)).flatMap((event) =>
    event.type === 'crl-published' ? [[event.authorityId, event.shard]] : [],
  )
  assert.deepEqual(published, [[hub.issuing.id, row?.crlShard]])
})

test('while a CRL cannot be made anew the one that stands is served, and not beyond its end', async (t) => {
  const hub = await hubParts(t)
  const crls = keepCrlsFresh(hub)
  t.after(() => crls.stop())
  const scope = fullScope(hub.issuing.id)
  const first = await crls.current(scope)
  const refusing = keepCrlsFresh({
    ...hub,
    store: { ...hub.store, write: () => Promise.reject(new HubError('store-unavailable', 'gone')) },
  })
  t.after(() => refusing.stop())
  hub.clock.advance(crlRefreshMs)
  assert.equal((await refusing.current(scope)).number, first.number)
  hub.clock.advance(crlLifetimeMs)
  await assert.rejects(refusing.current(scope), { code: 'store-unavailable' })
})

test('the content of a CRL is read once, however often it is asked for, until there is another', async (t) => {
  const hub = await hubParts(t)
  let reads = 0
  const { crls: rows } = hub.store
  const store: Store = {
    ...hub.store,
    crls: {
      ...rows,
      latest(...args) {
        reads += 1
        return rows.latest(...args)
      },
    },
  }
  const crls = keepCrlsFresh({ ...hub, store })
  t.after(() => crls.stop())
  const scope = fullScope(hub.issuing.id)
  const first = await crls.current(scope)
  const before = reads
  for (let n = 0; n < 5; n += 1) assert.equal((await crls.current(scope)).number, first.number)
  assert.ok(reads <= before + 1)
  const next = await publishCrl(hub, scope)
  assert.equal((await crls.current(scope)).number, next.number)
})

test('the CRL of a root whose key has left is served until it is back', async (t) => {
  const hub = await hubParts(t)
  const crls = keepCrlsFresh(hub)
  t.after(() => crls.stop())
  const { id } = hub.authorities.root()
  const passphrase = new Secret('correct horse battery')
  const pem = new Secret(await exportAuthorityKey(hub, 'key:admin', id, passphrase))
  await removeAuthorityKey(hub, 'key:admin', id, { pem, passphrase })
  const { number } = await crls.current(fullScope(id))
  hub.clock.advance(300 * 86_400_000)
  assert.equal((await crls.current(fullScope(id))).number, number)
  await bringAuthorityKeyBack(hub, 'key:admin', id, { pem, passphrase })
  assert.ok((await crls.current(fullScope(id))).number > number)
})
