/** Which authorities a trust anchor has, and the CRLs of each. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCertificate } from '../../src/core/x509/certificate.ts'
import { giveCrl } from '../../src/hub/anchor-crls.ts'
import { arrangeAuthorities } from '../../src/hub/anchor-signers.ts'
import { proveAnchor } from '../../src/hub/change-anchors.ts'
import { editAnchor } from '../../src/hub/edit-anchor.ts'
import { pinCertificate } from '../../src/hub/pin-certificates.ts'
import { openTrustedAnchors } from '../../src/hub/trusted-anchors.ts'
import { authority, crlOf, serialOf, trusted } from '../support/anchor-bed.ts'
import { hubParts, noonMs, registered } from '../support/hub-parts.ts'
import { ownCertificate } from '../support/own-certificate.ts'

const nowSec = noonMs / 1000
const unfit = { code: 'anchor-unfit' }

test('certificates find their places around the first one, in whatever order they come', () => {
  const root = authority('root')
  const [policy, devices] = [authority('policy', root), authority('devices', root)]
  const anchor = authority('anchor', policy)
  const [line, station] = [authority('line', anchor), authority('station', anchor)]
  const bench = authority('bench', station)
  const ders = (...all: readonly { readonly der: Uint8Array }[]) => all.map(({ der }) => der)
  const { above, below } = arrangeAuthorities(ders(anchor, bench, root, line, station, policy, line), nowSec)
  assert.deepEqual(above, ders(policy, root))
  assert.deepEqual(new Set(below), new Set(ders(line, station, bench)))
  assert.deepEqual(arrangeAuthorities(ders(root), nowSec), { above: [], below: [] })
  assert.throws(() => arrangeAuthorities(ders(anchor, policy), nowSec), { ...unfit, message: /"CN=root".* is missing/ })
  assert.throws(() => arrangeAuthorities(ders(anchor, policy, root, devices), nowSec), unfit)
  assert.throws(() => arrangeAuthorities(ders(anchor, policy, root, authority('else')), nowSec), unfit)
  assert.throws(() => arrangeAuthorities(ders(root, ownCertificate('leaf', { issuer: root })), nowSec), unfit)
  assert.throws(() => arrangeAuthorities(ders(root), 2_000_000_001), { ...unfit, message: /ended at 2033/ })
  assert.throws(() => arrangeAuthorities(ders(root), 1_000_000_000), { ...unfit, message: /begins at 2020/ })
})

test('each authority has CRLs of its own, whole or in parts, and takes no older one', async (t) => {
  const hub = await hubParts(t)
  const maker = authority('ACME')
  const line = authority('line', maker)
  await trusted(hub, maker, { below: [line] })
  const give = (crl: Uint8Array) => giveCrl(hub, hub.actor, 'acme', crl)
  const at = { thisUpdateSec: nowSec - 60 }
  await give(crlOf(maker, [], at))
  await give(crlOf(line, [], at))
  const part = 'http://crl.acme.example/7.crl'
  const { crl } = await give(crlOf(line, ['4711'], { ...at, part }))
  assert.equal(crl.part, part)
  assert.equal((await hub.store.anchors.crlHeads('acme')).length, 3)
  const refused = { code: 'anchor-crl-unfit' }
  await assert.rejects(give(crlOf(line, [], { thisUpdateSec: nowSec - 61 })), refused)
  await assert.rejects(give(crlOf(line, [], { thisUpdateSec: nowSec + 3_600 })), refused)
  const over = { thisUpdateSec: nowSec - 50, nextUpdateSec: nowSec - 10 }
  await assert.rejects(give(crlOf(line, [], over)), refused)
  await assert.rejects(give(crlOf(authority('ACME'), [], at)), refused)
  await assert.rejects(give(crlOf(authority('other'), [], at)), { ...refused, message: /another authority, CN=other/ })
})

test('the same CRL once more changes nothing, and tells nobody', async (t) => {
  const hub = await hubParts(t)
  const maker = authority('ACME')
  await trusted(hub, maker)
  const crl = crlOf(maker, [], { thisUpdateSec: nowSec })
  await giveCrl(hub, hub.actor, 'acme', crl)
  const before = await hub.store.events.last()
  await giveCrl(hub, hub.actor, 'acme', crl)
  assert.equal(await hub.store.events.last(), before)
})

test('a part of a CRL is short, since there are many of them', async (t) => {
  const hub = await hubParts(t)
  const maker = authority('ACME')
  await trusted(hub, maker)
  const revoked = Array.from({ length: 50_000 }, (_, number) => (number + 0x40000000).toString(16))
  const at = { thisUpdateSec: nowSec }
  const part = crlOf(maker, revoked, { ...at, part: 'http://crl.acme.example/7.crl' })
  await assert.rejects(giveCrl(hub, hub.actor, 'acme', part), { code: 'anchor-crl-unfit' })
  assert.equal((await giveCrl(hub, hub.actor, 'acme', crlOf(maker, revoked, at))).crl.part, '')
})

test('a part of a CRL has no name that is longer than every registry keeps', async (t) => {
  const hub = await hubParts(t)
  const maker = authority('ACME')
  await trusted(hub, maker)
  const named = (chars: number) => `http://crl.acme.example/${'7'.repeat(chars - 24)}`
  const give = (chars: number) =>
    giveCrl(hub, hub.actor, 'acme', crlOf(maker, [], { thisUpdateSec: nowSec, part: named(chars) }))
  await assert.rejects(give(2_049), { code: 'anchor-crl-unfit' })
  assert.equal((await give(2_048)).crl.part, named(2_048))
})

test('a part of a CRL is about the certificates that name it alone', async (t) => {
  const hub = await hubParts(t)
  const maker = authority('ACME')
  await trusted(hub, maker)
  const part = 'http://crl.acme.example/7.crl'
  await giveCrl(hub, hub.actor, 'acme', crlOf(maker, ['4711'], { thisUpdateSec: nowSec, part }))
  const anchors = await openTrustedAnchors(hub)
  const issuer = (await hub.store.anchors.find('acme'))?.fingerprint ?? ''
  const refusal = (serialNumber: string, points: readonly string[]) =>
    anchors.refusalOf({ anchorId: 'acme', issuer, serialNumber, points, responders: [] }, null)
  assert.equal(refusal('4711', [part]), 'foreign-revoked')
  assert.equal(refusal('4712', [part]), null)
  hub.clock.advance(86_401_000)
  assert.equal(refusal('4711', [part]), 'foreign-revoked')
  assert.equal(refusal('4712', [part]), 'foreign-crl-ended')
  assert.equal(refusal('4712', []), 'foreign-revocation-unknown')
  assert.equal(refusal('4711', ['http://crl.acme.example/8.crl']), 'foreign-revocation-unknown')
})

test('an authority that the one above has revoked takes with it all below it', async (t) => {
  const hub = await hubParts(t)
  const maker = authority('ACME')
  const line = authority('line', maker)
  const bench = authority('bench', line)
  await trusted(hub, maker, { below: [bench, line] })
  const at = { thisUpdateSec: nowSec - 60 }
  for (const each of [maker, line, bench]) await giveCrl(hub, hub.actor, 'acme', crlOf(each, [], at))
  const anchors = await openTrustedAnchors(hub)
  const leaf = readCertificate(ownCertificate('mill-1', { issuer: bench }).der)
  const refusal = () => {
    const issuer = anchors.signerOf(['acme'], leaf)?.signer.fingerprint ?? ''
    return anchors.refusalOf(
      { anchorId: 'acme', issuer, serialNumber: leaf.serialNumber, points: [], responders: [] },
      null,
    )
  }
  assert.equal(refusal(), null)
  await giveCrl(hub, hub.actor, 'acme', crlOf(maker, [serialOf(line)], { thisUpdateSec: nowSec - 30 }))
  await anchors.refresh()
  assert.equal(refusal(), 'foreign-signer-revoked')
  await editAnchor(hub, hub.actor, 'acme', { revocation: 'ignore' })
  await anchors.refresh()
  assert.equal(refusal(), null)
})

test('what is below it is exchanged as a whole, and what was said of it stays otherwise', async (t) => {
  const hub = await hubParts(t)
  const maker = authority('ACME')
  const [line, bench] = [authority('line', maker), authority('bench', maker)]
  await trusted(hub, maker, { below: [line], sources: { crlUrls: ['http://crl.acme.example/a.crl'] } })
  const before = await hub.store.anchors.find('acme')
  const edited = await editAnchor(hub, hub.actor, 'acme', { below: [bench.der] })
  assert.deepEqual({ ...edited, below: '' }, { ...before, below: '' })
  assert.equal(edited.below, bench.pem)
  await assert.rejects(editAnchor(hub, hub.actor, 'acme', { below: [authority('else').der] }), unfit)
  assert.equal((await editAnchor(hub, hub.actor, 'acme', { below: [] })).below, '')
  const last = await hub.store.events.last()
  await editAnchor(hub, hub.actor, 'acme', { revocation: 'require' })
  assert.equal(await hub.store.events.last(), last)
})

test('addresses that cannot be fetched from are refused by name', async (t) => {
  const hub = await hubParts(t)
  await trusted(hub, authority('ACME'))
  const invalid = { code: 'anchor-sources-invalid' }
  const edit = (sources: object) => editAnchor(hub, hub.actor, 'acme', { sources })
  for (const url of [
    'ftp://x/a.crl',
    'crl.acme.example',
    'http://u:p@x/a',
    'http://x/a#b',
    'http://x/ a',
    'file:///x',
  ]) {
    await assert.rejects(edit({ crlUrls: [url] }), invalid, url)
    await assert.rejects(edit({ ocspUrl: url }), invalid, url)
  }
  await assert.rejects(edit({ hosts: ['http://pki.plant/'], isByCertificates: true }), invalid)
  await assert.rejects(edit({ hosts: ['pki.plant'] }), { ...invalid, message: /name no addresses/ })
})

test('a proof is not taken twice, and what is wrong with one is named', async (t) => {
  const hub = await hubParts(t)
  const maker = authority('ACME')
  await trusted(hub, maker)
  const proof = ownCertificate('code', { issuer: maker }).der
  await assert.rejects(proveAnchor(hub, hub.actor, 'acme', proof), { code: 'anchor-state', hint: /nothing to do/ })
})

test('a certificate of an authority below a trust anchor is not pinned: its rules say whom it speaks for', async (t) => {
  const hub = await hubParts(t)
  const maker = authority('ACME')
  const line = authority('line', maker)
  await trusted(hub, maker, { below: [line] })
  const { identity } = await registered(hub, 'mill-1')
  const order = { slot: 'primary', datesCount: true, replace: false } as const
  const certificate = ownCertificate('mill-1', { issuer: line }).der
  await assert.rejects(pinCertificate(hub, hub.actor, identity.id, { ...order, certificate }), { code: 'pin-refused' })
})
