/** CRLs of trust anchors that are fetched: when, from where, and what becomes of failures. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { limits } from '../../src/core/limits.ts'
import { crlDistributionPoint } from '../../src/core/x509/extensions.ts'
import { encodePem } from '../../src/core/x509/pem.ts'
import { editAnchor } from '../../src/hub/edit-anchor.ts'
import { type AnchorCrlKeeper, keepAnchorCrls } from '../../src/hub/fetch-anchor-crls.ts'
import { authority, crlOf, FakeNetwork, trusted } from '../support/anchor-bed.ts'
import { type HubParts, hubParts } from '../support/hub-parts.ts'
import { type OwnCertificate, ownCertificate } from '../support/own-certificate.ts'

const url = 'http://crl.acme.example/a.crl'
const learnedUrl = 'http://crl.acme.example/b.crl'

interface Bed {
  readonly hub: HubParts
  readonly maker: OwnCertificate
  readonly network: FakeNetwork
  readonly keeper: AnchorCrlKeeper
  nowSec(): number
  serve(at: string, revoked?: readonly string[], lifetimeSec?: number): void
}

async function bed(t: TestContext, options: Parameters<typeof trusted>[2]): Promise<Bed> {
  const hub = await hubParts(t)
  const [maker, network] = [authority('ACME'), new FakeNetwork()]
  await trusted(hub, maker, options)
  const keeper = keepAnchorCrls({ ...hub, fetcher: network }, 'alone')
  t.after(() => keeper.stop())
  const nowSec = () => Math.floor(hub.clock.nowMs() / 1000)
  return {
    ...{ hub, maker, network, keeper, nowSec },
    serve(at, revoked = [], lifetimeSec = 86_400) {
      const thisUpdateSec = nowSec()
      const crl = crlOf(maker, revoked, { thisUpdateSec, nextUpdateSec: thisUpdateSec + lifetimeSec })
      network.answers.set(at, () => crl)
    },
  }
}

test('a CRL is fetched at once, and again when half of its time is over, and is kept as one that was handed in', async (t) => {
  const { hub, network, keeper, serve } = await bed(t, { sources: { crlUrls: [url] } })
  serve(url, [], 7_200)
  await keeper.round()
  assert.equal((await hub.store.anchors.crlHeads('acme')).length, 1)
  hub.clock.advance(3_599_000)
  await keeper.round()
  assert.equal(network.asked.length, 1)
  hub.clock.advance(1_000)
  serve(url)
  await keeper.round()
  assert.equal(network.asked.length, 2)
  assert.equal((await hub.store.anchors.crlHeads('acme'))[0]?.thisUpdateMs, hub.clock.nowMs())
  // However long it is good: what was revoked meanwhile is known within six hours.
  serve(url, [], 90 * 86_400)
  hub.clock.advance(6 * 3_600_000)
  await keeper.round()
  assert.equal(network.asked.length, 3)
})

test('what fails is told, and tried again, later and later', async (t) => {
  const { hub, network, keeper } = await bed(t, { sources: { crlUrls: [url] } })
  const waits: number[] = []
  for (let tries = 1; tries <= 8; tries++) {
    await keeper.round()
    const [row] = await hub.store.anchors.fetches('acme')
    assert.deepEqual([row?.failures, row?.failure], [tries, `${url} does not answer`])
    const waitMs = (row?.dueAtMs ?? 0) - hub.clock.nowMs()
    waits.push(waitMs / 60_000)
    hub.clock.advance(waitMs)
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60])
  assert.equal(network.asked.length, 8)
  assert.ok(hub.log.lines.some(({ level }) => level === 'warn'))
})

test('what is fetched is judged as what is handed in: of another authority, older or damaged it is refused', async (t) => {
  const { hub, network, keeper, nowSec } = await bed(t, { sources: { crlUrls: [url] } })
  const fails = async (answer: Uint8Array, why: RegExp): Promise<void> => {
    network.answers.set(url, () => answer)
    await keeper.fetchNow('acme')
    assert.match((await hub.store.anchors.fetches('acme'))[0]?.failure ?? '', why)
  }
  await fails(crlOf(authority('ACME'), [], { thisUpdateSec: nowSec() }), /has not signed it/)
  await fails(crlOf(authority('other'), [], { thisUpdateSec: nowSec() }), /another authority/)
  await fails(Buffer.from('<html>sign in first</html>'), /no CRL/)
  await fails(Uint8Array.of(0x30, 0), /cannot be read/)
  assert.deepEqual(await hub.store.anchors.crlHeads('acme'), [])
})

test('PEM is taken where it is served', async (t) => {
  const { hub, maker, network, keeper, nowSec } = await bed(t, { sources: { crlUrls: [url] } })
  const pem = encodePem('X509 CRL', crlOf(maker, [], { thisUpdateSec: nowSec() }))
  network.answers.set(url, () => Buffer.from(pem))
  await keeper.fetchNow('acme')
  assert.equal((await hub.store.anchors.crlHeads('acme')).length, 1)
})

test('an address that a certificate names is fetched where that is allowed, and stays', async (t) => {
  const { hub, maker, network, keeper, serve } = await bed(t, {
    sources: { isByCertificates: true, hosts: ['pki.plant'] },
  })
  serve(learnedUrl)
  const leaf = ownCertificate('mill-1', { issuer: maker, extensions: [crlDistributionPoint(learnedUrl)] })
  await Promise.all([keeper.want('acme', leaf.der), keeper.want('acme', leaf.der)])
  assert.equal(network.asked.length, 1)
  assert.deepEqual([...(network.asked[0]?.hosts ?? [])], ['pki.plant'])
  const [row] = await hub.store.anchors.fetches('acme')
  assert.deepEqual([row?.url, row?.isLearned, row?.failure], [learnedUrl, true, null])
  await keeper.want('acme', leaf.der)
  assert.equal(network.asked.length, 1)
  await editAnchor(hub, hub.actor, 'acme', { sources: { isByCertificates: false, hosts: [] } })
  assert.deepEqual(await hub.store.anchors.fetches('acme'), [])
})

test('nothing is fetched for a certificate that the anchor has not signed, names nothing, or where it is not allowed', async (t) => {
  const { hub, maker, network, keeper } = await bed(t, { sources: { isByCertificates: true } })
  const point = (url: string) => [crlDistributionPoint(url)]
  const forged = ownCertificate('mill-1', { issuer: authority('ACME'), extensions: point(learnedUrl) })
  const ldap = ownCertificate('mill-1', { issuer: maker, extensions: point('ldap://pki/a') })
  for (const each of [forged, ldap, ownCertificate('mill-1', { issuer: maker })]) await keeper.want('acme', each.der)
  await keeper.want('acme', Uint8Array.of(1, 2, 3))
  await keeper.want('none', forged.der)
  await editAnchor(hub, hub.actor, 'acme', { sources: { isByCertificates: false } })
  await keeper.want('acme', ownCertificate('mill-1', { issuer: maker, extensions: point(learnedUrl) }).der)
  assert.deepEqual([network.asked.length, (await hub.store.anchors.fetches(null)).length], [0, 0])
})

test('certificates name no more addresses than are kept, and those that only ever fail give way', async (t) => {
  const { hub, maker, network, keeper } = await bed(t, { sources: { isByCertificates: true } })
  const row = (number: number, failures: number) => ({
    ...{ anchorId: 'acme', url: `http://old.example/${number}`, isLearned: true, dueAtMs: hub.clock.nowMs() + 1 },
    ...{ triedAtMs: 1, failures, failure: failures > 0 ? 'gone' : null },
  })
  await hub.store.write(async (tx) => {
    for (let number = 1; number <= limits.anchorCrlUrlsLearnedMax; number++) await tx.anchors.saveFetch(row(number, 0))
  })
  const leaf = ownCertificate('mill-1', { issuer: maker, extensions: [crlDistributionPoint(learnedUrl)] })
  await keeper.want('acme', leaf.der)
  assert.equal(network.asked.length, 0)
  await hub.store.write((tx) => tx.anchors.saveFetch(row(5, 3)))
  await keeper.want('acme', leaf.der)
  assert.equal(network.asked.length, 1)
  const urls = (await hub.store.anchors.fetches('acme')).map((each) => each.url)
  assert.deepEqual([urls.length, urls.includes(row(5, 3).url)], [limits.anchorCrlUrlsLearnedMax, false])
})

test('a hub that stops waits for no server that sends slowly, and takes it for no failure', async (t) => {
  const { hub, maker, network, keeper } = await bed(t, { sources: { crlUrls: [url], isByCertificates: true } })
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  network.fetch = ({ url: asked, signal }) => {
    if (asked === url) first.resolve()
    else second.resolve()
    return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
  }
  const round = keeper.round()
  const leaf = ownCertificate('mill-1', { issuer: maker, extensions: [crlDistributionPoint(learnedUrl)] })
  const learned = keeper.want('acme', leaf.der)
  await Promise.all([first.promise, second.promise])
  await keeper.stop()
  await Promise.all([round, learned])
  const rows = await hub.store.anchors.fetches('acme')
  assert.deepEqual(
    rows.map((row) => [row.url, row.triedAtMs, row.failures]),
    [
      [url, null, 0],
      [learnedUrl, null, 0],
    ],
  )
})

test('whoever asks to fetch without an address is told so', async (t) => {
  const { keeper } = await bed(t, {})
  await assert.rejects(keeper.fetchNow('acme'), { code: 'anchor-sources-invalid' })
  await assert.rejects(keeper.fetchNow('none'), { code: 'anchor-not-found' })
})
