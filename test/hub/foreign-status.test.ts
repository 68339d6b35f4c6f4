/** What is known of revocations by others, and what is asked while a device waits. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Anchored } from '../../src/core/identification/anchor.ts'
import { limits } from '../../src/core/limits.ts'
import { giveCrl } from '../../src/hub/anchor-crls.ts'
import { editAnchor } from '../../src/hub/edit-anchor.ts'
import { type ForeignStatus, foreignStatus } from '../../src/hub/foreign-status.ts'
import { openTrustedAnchors, type TrustedAnchors } from '../../src/hub/trusted-anchors.ts'
import { authority, crlOf, FakeNetwork, responderOf, trusted } from '../support/anchor-bed.ts'
import { type HubParts, hubParts } from '../support/hub-parts.ts'
import type { OwnCertificate } from '../support/own-certificate.ts'

const ocspUrl = 'http://ocsp.acme.example/'
const point = 'http://crl.acme.example/a.crl'

interface Bed {
  readonly hub: HubParts
  readonly maker: OwnCertificate
  readonly network: FakeNetwork
  readonly anchors: TrustedAnchors
  readonly status: ForeignStatus
  readonly wanted: string[]
  readonly anchored: Anchored
  nowSec(): number
}

async function bed(t: TestContext, options: Parameters<typeof trusted>[2], arrive?: (made: Bed) => void): Promise<Bed> {
  const hub = await hubParts(t)
  const [maker, network] = [authority('ACME'), new FakeNetwork()]
  await trusted(hub, maker, options)
  const anchors = await openTrustedAnchors(hub)
  const wanted: string[] = []
  const wantCrl = (anchorId: string): void => {
    wanted.push(anchorId)
    arrive?.(made)
  }
  const status = foreignStatus({ ...hub, anchors, fetcher: network, wantCrl })
  const issuer = (await hub.store.anchors.find('acme'))?.fingerprint ?? ''
  const anchored = { anchorId: 'acme', issuer, serialNumber: '4711', points: [point], responders: [] }
  const nowSec = () => Math.floor(hub.clock.nowMs() / 1000)
  const made: Bed = { hub, maker, network, anchors, status, wanted, anchored, nowSec }
  return made
}

const leaf = Uint8Array.of(0x30, 0)

test('a responder is asked once for as long as its word counts, and again after that', async (t) => {
  const { hub, maker, network, status, anchored, nowSec } = await bed(t, { sources: { ocspUrl } })
  network.answers.set(ocspUrl, (request) => responderOf(maker, { kind: 'good' }, { thisUpdateSec: nowSec() })(request))
  assert.deepEqual(await Promise.all([status.refusalOf(anchored, leaf), status.refusalOf(anchored, leaf)]), [
    null,
    null,
  ])
  assert.equal(network.asked.length, 1)
  hub.clock.advance(limits.ocspWordAgeSec * 1000)
  assert.equal(await status.refusalOf(anchored, leaf), null)
  assert.equal(network.asked.length, 1)
  hub.clock.advance(1)
  network.answers.set(ocspUrl, (request) =>
    responderOf(maker, { kind: 'revoked', atMs: 1, reason: 'keyCompromise' }, { thisUpdateSec: nowSec() })(request),
  )
  assert.equal(await status.refusalOf(anchored, leaf), 'foreign-revoked')
  assert.equal(network.asked.length, 2)
})

test('without an answer nobody comes in where one is required, and it is not asked for a moment', async (t) => {
  const { hub, network, status, anchored } = await bed(t, { sources: { ocspUrl } })
  assert.equal(await status.refusalOf(anchored, leaf), 'foreign-revocation-unknown')
  assert.equal(await status.refusalOf(anchored, leaf), 'foreign-revocation-unknown')
  assert.equal(network.asked.length, 1)
  hub.clock.advance(limits.ocspRetryMs + 1)
  await status.refusalOf(anchored, leaf)
  assert.equal(network.asked.length, 2)
})

test('a responder that is silent is not waited for by one device after the other', async (t) => {
  const { hub, network, status, anchored } = await bed(t, { sources: { ocspUrl } })
  for (const serialNumber of ['01', '02', '03']) {
    assert.equal(await status.refusalOf({ ...anchored, serialNumber }, leaf), 'foreign-revocation-unknown')
  }
  assert.equal(network.asked.length, 1)
  hub.clock.advance(limits.ocspRetryMs + 1)
  await status.refusalOf({ ...anchored, serialNumber: '04' }, leaf)
  assert.equal(network.asked.length, 2)
})

test('without an answer everybody comes in where it is preferred, except for whom a responder has named before', async (t) => {
  const { hub, maker, network, status, anchored, nowSec } = await bed(t, { revocation: 'prefer', sources: { ocspUrl } })
  assert.equal(await status.refusalOf(anchored, leaf), null)
  hub.clock.advance(limits.ocspRetryMs + 1)
  const revoked = { kind: 'revoked', atMs: 1, reason: 'unspecified' } as const
  network.answers.set(ocspUrl, (request) => responderOf(maker, revoked, { thisUpdateSec: nowSec() })(request))
  assert.equal(await status.refusalOf(anchored, leaf), 'foreign-revoked')
  network.answers.clear()
  hub.clock.advance(limits.ocspWordAgeSec * 1000 + 1)
  assert.equal(await status.refusalOf(anchored, leaf), 'foreign-revoked')
})

test('what another key has signed, or is out of date, is no word', async (t) => {
  const { network, status, anchored, nowSec, hub } = await bed(t, { sources: { ocspUrl } })
  const stranger = authority('ACME')
  network.answers.set(ocspUrl, responderOf(stranger, { kind: 'good' }, { thisUpdateSec: nowSec() }))
  assert.equal(await status.refusalOf(anchored, leaf), 'foreign-revocation-unknown')
  assert.ok(hub.log.lines.some(({ message }) => message.includes('responder')))
})

test('nobody is asked where revocations do not count, or are known', async (t) => {
  const { hub, maker, network, anchors, status, anchored, nowSec, wanted } = await bed(t, {
    revocation: 'ignore',
    sources: { ocspUrl, isByCertificates: true },
  })
  assert.equal(await status.refusalOf(anchored, leaf), null)
  await editAnchor(hub, hub.actor, 'acme', { revocation: 'require' })
  await giveCrl(hub, hub.actor, 'acme', crlOf(maker, ['4711'], { thisUpdateSec: nowSec() }))
  await anchors.refresh()
  assert.equal(await status.refusalOf(anchored, leaf), 'foreign-revoked')
  assert.deepEqual([network.asked.length, wanted.length], [0, 0])
})

test('a responder that a certificate names is asked where that is allowed, behind that of the operator', async (t) => {
  const { hub, network, anchors, status, anchored } = await bed(t, {})
  const naming = { ...anchored, responders: ['ldap://x', 'http://ocsp.other.example/'] }
  assert.equal(await status.refusalOf(naming, leaf), 'foreign-revocation-unknown')
  assert.equal(network.asked.length, 0)
  await editAnchor(hub, hub.actor, 'acme', { sources: { isByCertificates: true, ocspUrl } })
  await anchors.refresh()
  await status.refusalOf({ ...naming, points: [] }, leaf)
  assert.deepEqual(
    network.asked.map(({ url }) => url),
    [ocspUrl, 'http://ocsp.other.example/'],
  )
})

test('a device waits for a CRL that its certificate is the first to name, and comes in once it is there', async (t) => {
  const { status, anchored, wanted } = await bed(t, { sources: { isByCertificates: true } }, (made) => {
    void giveCrl(made.hub, 'hub', 'acme', crlOf(made.maker, [], { thisUpdateSec: made.nowSec() }))
      .then(() => made.anchors.refresh())
      .then(() => made.status.anchorsChanged())
  })
  assert.equal(await status.refusalOf(anchored, leaf), null)
  assert.deepEqual(wanted, ['acme'])
})

test('a session lives on when nothing is known any more, and ends when it is known to be revoked', async (t) => {
  const { hub, maker, network, anchors, status, anchored, nowSec } = await bed(t, { sources: { ocspUrl } })
  await giveCrl(hub, hub.actor, 'acme', crlOf(maker, [], { thisUpdateSec: nowSec() }))
  await anchors.refresh()
  hub.clock.advance(2 * 86_400_000)
  assert.equal(status.endOf(anchored), null)
  const revoked = { kind: 'revoked', atMs: 1, reason: 'unspecified' } as const
  network.answers.set(ocspUrl, responderOf(maker, revoked, { thisUpdateSec: nowSec() }))
  assert.equal(status.endOf(anchored), null)
  await status.renew([anchored])
  assert.equal(status.endOf(anchored), 'foreign-revoked')
  await status.renew([anchored])
  assert.equal(network.asked.length, 1)
})
