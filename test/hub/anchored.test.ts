/** Admission of certificates that somebody else's authority has signed. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { HubError } from '../../src/core/errors.ts'
import { noSources } from '../../src/core/identification/revocation-sources.ts'
import { limits } from '../../src/core/limits.ts'
import type { IdentificationRule } from '../../src/core/policy/model.ts'
import { basicConstraints, type Extension, extendedKeyUsage, keyUsage } from '../../src/core/x509/extensions.ts'
import { oids } from '../../src/core/x509/oids.ts'
import { registryAdmission } from '../../src/hub/admit.ts'
import { anchoredWay } from '../../src/hub/admit-anchored.ts'
import { addAnchor, distrustAnchor, proveAnchor } from '../../src/hub/change-anchors.ts'
import { changeDeviceState } from '../../src/hub/change-identity.ts'
import { type ForeignStatus, foreignStatus } from '../../src/hub/foreign-status.ts'
import { type ChainVerdict, type Entrant, gateAdmission, type Refusal } from '../../src/hub/gate-admission.ts'
import type { StatusFetcher } from '../../src/hub/ports/status-fetcher.ts'
import { openTrustedAnchors } from '../../src/hub/trusted-anchors.ts'
import { type HubParts, hubParts, noonMs, registered } from '../support/hub-parts.ts'
import { type OwnCertificate, ownCertificate } from '../support/own-certificate.ts'

const rule: IdentificationRule = {
  ...{ name: 'acme', anchors: ['acme'], listeners: [], from: 'cn', match: '(?<id>[a-z0-9-]+)', identity: '${id}' },
  ...{ onUnknown: 'deny', group: null, place: { line: 1, column: 1 } },
}
const good: ChainVerdict = { failure: null, isResumed: false, anchors: ['acme'] }

function authority(name: string): OwnCertificate {
  return ownCertificate(name, { extensions: [basicConstraints(1), keyUsage(['keyCertSign', 'cRLSign'])] })
}

interface Bed {
  readonly hub: HubParts
  readonly maker: OwnCertificate
  rules: readonly IdentificationRule[]
  judge(der: Uint8Array, verdict?: ChainVerdict | null): Promise<Entrant | Refusal>
  confirm(entrant: Entrant): Promise<Entrant | Refusal>
  refresh(): Promise<void>
  readonly status: ForeignStatus
  wantCrl(anchorId: string, certificate: Uint8Array): void
  /** What the network answers: nothing, unless a test says so. */
  fetch: StatusFetcher['fetch']
}

async function bed(t: Parameters<typeof hubParts>[0], isUnproven = true): Promise<Bed> {
  const hub = await hubParts(t)
  const maker = authority('ACME')
  const order = { id: 'acme', certificates: [maker.der], revocation: 'prefer', isUnproven, sources: noSources } as const
  await addAnchor(hub, hub.actor, order)
  const anchors = await openTrustedAnchors(hub)
  const fetcher: StatusFetcher = { fetch: (request) => made.fetch(request) }
  const status = foreignStatus({
    ...hub,
    anchors,
    fetcher,
    wantCrl: (id, certificate) => made.wantCrl(id, certificate),
  })
  const way = anchoredWay({ ...hub, anchors, status, policy: { identificationRules: () => made.rules } })
  const admission = gateAdmission(registryAdmission(hub), [way])
  const made: Bed = {
    ...{ hub, maker, rules: [rule] },
    judge: (certificate, verdict = good) => admission.judge({ certificate, listener: 'mqtt', verdict }),
    confirm: (entrant) => admission.confirmUse(entrant),
    refresh: async () => {
      await anchors.refresh()
      status.anchorsChanged()
    },
    status,
    wantCrl: () => {},
    fetch: async ({ url }) => {
      throw new HubError('status-fetch-failed', `${url} does not answer`)
    },
  }
  await registered(hub, 'mill-1')
  return made
}

const outcome = (judged: Entrant | Refusal): string =>
  judged.admitted ? `${judged.identity.id} ${judged.proof.kind}` : judged.code

test('a certificate of a trust anchor speaks for whom its rule finds', async (t) => {
  const { judge, maker } = await bed(t)
  const leaf = ownCertificate('mill-1', { issuer: maker })
  const judged = await judge(leaf.der)
  assert.ok(judged.admitted && judged.proof.kind === 'anchored')
  assert.deepEqual([judged.identity.id, judged.proof.anchorId, judged.proof.rule], ['mill-1', 'acme', 'acme'])
})

test('it is a stranger where the listener does not name its anchor', async (t) => {
  const { judge, maker } = await bed(t)
  const leaf = ownCertificate('mill-1', { issuer: maker })
  const judged = await judge(leaf.der, null)
  assert.equal(outcome(judged), 'anchor-not-on-listener')
  assert.match(
    judged.admitted ? '' : judged.sentence,
    /by the trust anchor acme, which the listener mqtt does not name/,
  )
  assert.equal(outcome(await judge(leaf.der, { ...good, anchors: ['other'] })), 'anchor-not-on-listener')
})

test("OpenSSL's verdict is necessary, on a full handshake", async (t) => {
  const { judge, maker } = await bed(t)
  const leaf = ownCertificate('mill-1', { issuer: maker })
  const failed = { ...good, failure: 'PATH_LENGTH_EXCEEDED' }
  assert.equal(outcome(await judge(leaf.der, failed)), 'foreign-chain-invalid')
  assert.equal(outcome(await judge(leaf.der, { ...good, isResumed: true })), 'foreign-session-resumed')
})

test("OpenSSL's verdict is not enough: the anchor's own key must have signed", async (t) => {
  const { judge } = await bed(t)
  const impostor = ownCertificate('mill-1', { issuer: authority('ACME') })
  assert.equal(outcome(await judge(impostor.der)), 'foreign-issuer-rekeyed')
})

test('dates are told with how far they are off, and one that begins later is not the fault of the hub alone', async (t) => {
  const { judge, maker } = await bed(t)
  const nowSec = noonMs / 1000
  const past = { notBeforeSec: 1_000_000_000, notAfterSec: nowSec - 3 * 86_400 }
  const expired = await judge(ownCertificate('mill-1', { issuer: maker, validity: past }).der)
  assert.equal(outcome(expired), 'certificate-expired')
  assert.match(expired.admitted ? '' : expired.sentence, /of CN=mill-1 expired 3 days ago, at /)
  const later = { notBeforeSec: nowSec + 7_200, notAfterSec: 2_000_000_000 }
  const early = await judge(ownCertificate('mill-1', { issuer: maker, validity: later }).der)
  assert.equal(outcome(early), 'foreign-not-yet-valid')
  assert.match(early.admitted ? '' : early.sentence, /becomes valid only in 2 h/)
})

test('what a certificate of a trust anchor is not made for has a name of its own each', async (t) => {
  const { judge, maker } = await bed(t)
  const judged = async (extensions: readonly Extension[]) =>
    outcome(await judge(ownCertificate('mill-1', { issuer: maker, extensions }).der))
  assert.equal(await judged([basicConstraints(1), keyUsage(['keyCertSign'])]), 'certificate-is-authority')
  assert.equal(await judged([extendedKeyUsage([oids.serverAuth])]), 'certificate-wrong-usage')
  assert.equal(await judged([keyUsage(['keyEncipherment'])]), 'certificate-cannot-sign')
  const unheard = { oid: '1.3.6.1.4.1.99999.1', critical: true, value: new Uint8Array([5, 0]) }
  assert.equal(await judged([unheard]), 'certificate-extension-unknown')
  assert.equal(await judged([keyUsage(['digitalSignature']), extendedKeyUsage([oids.clientAuth])]), 'mill-1 anchored')
})

test('a certificate on a key that others can have is refused as that', async (t) => {
  const { judge, maker } = await bed(t)
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 })
  assert.equal(outcome(await judge(ownCertificate('mill-1', { issuer: maker, publicKey }).der)), 'certificate-key-weak')
})

test('a signature with SHA-1 is told from one of somebody unknown', async (t) => {
  const { judge, maker } = await bed(t)
  const judged = await judge(ownCertificate('mill-1', { issuer: maker, hash: 'sha1' }).der)
  assert.equal(outcome(judged), 'certificate-hash-weak')
  assert.match(judged.admitted ? '' : judged.sentence, /signed with ECDSA and SHA-1/)
})

test('an authority that OpenSSL finds a way from to an anchor, and that the anchor does not list, is named', async (t) => {
  const { judge, maker } = await bed(t)
  const extensions = [basicConstraints(0), keyUsage(['keyCertSign'])]
  const line = ownCertificate('ACME line 2', { issuer: maker, extensions })
  const leaf = ownCertificate('mill-1', { issuer: line })
  assert.equal(outcome(await judge(leaf.der)), 'foreign-issuer-unlisted')
  const alone = { ...good, failure: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }
  assert.equal(outcome(await judge(leaf.der, alone)), 'certificate-foreign-authority')
})

test('where the anchor itself has ended, that is the cause and not the certificate', async (t) => {
  const { hub, judge, maker } = await bed(t)
  const leaf = ownCertificate('mill-1', { issuer: maker, validity: { notBeforeSec: 0, notAfterSec: 2_400_000_000 } })
  hub.clock.advance(2_100_000_000_000 - hub.clock.nowMs())
  assert.equal(outcome(await judge(leaf.der)), 'foreign-authority-out-of-date')
})

test('an anchor that waits for its proof, or is distrusted, opens nothing', async (t) => {
  const { judge, maker, hub, refresh } = await bed(t, false)
  const leaf = ownCertificate('mill-1', { issuer: maker })
  assert.equal(outcome(await judge(leaf.der)), 'anchor-unproved')
  const { code } = (await hub.store.anchors.find('acme')) ?? {}
  const stranger = ownCertificate(code ?? '', { issuer: authority('ACME') })
  await assert.rejects(proveAnchor(hub, hub.actor, 'acme', stranger.der), { code: 'anchor-proof-wrong' })
  await assert.rejects(proveAnchor(hub, hub.actor, 'acme', leaf.der), { code: 'anchor-proof-wrong' })
  await proveAnchor(hub, hub.actor, 'acme', ownCertificate(code ?? '', { issuer: maker }).der)
  await refresh()
  assert.equal(outcome(await judge(leaf.der)), 'mill-1 anchored')
  await distrustAnchor(hub, hub.actor, 'acme')
  await refresh()
  assert.equal(outcome(await judge(leaf.der)), 'anchor-distrusted')
})

test('an unknown identity is denied, waits, or is registered once its connection is let in', async (t) => {
  const made = await bed(t)
  const { hub } = made
  const leaf = ownCertificate('mill-9', { issuer: made.maker })
  assert.equal(outcome(await made.judge(leaf.der)), 'identification-unknown')
  made.rules = [{ ...rule, onUnknown: 'create', group: 'acme' }]
  const entrant = await made.judge(leaf.der)
  assert.ok(entrant.admitted)
  assert.equal(await hub.store.identities.find(entrant.identity.id), null)
  assert.equal(outcome(await made.confirm(entrant)), 'mill-9 anchored')
  assert.equal((await hub.store.identities.find(entrant.identity.id))?.group, 'acme')
  made.rules = [{ ...rule, onUnknown: 'pending' }]
  const waiting = ownCertificate('mill-10', { issuer: made.maker })
  const stranger = await made.judge(waiting.der)
  assert.ok(stranger.admitted)
  assert.equal(outcome(await made.confirm(stranger)), 'identity-pending')
  assert.equal((await hub.store.identities.find(stranger.identity.id))?.state, 'pending')
  assert.equal(outcome(await made.judge(waiting.der)), 'identity-pending')
})

test('more devices than a moment brings are not registered by their first connections', async (t) => {
  const made = await bed(t)
  made.rules = [{ ...rule, onUnknown: 'create' }]
  const confirmed = async (n: number): Promise<string> => {
    const entrant = await made.judge(ownCertificate(`mill-${n}`, { issuer: made.maker }).der)
    assert.ok(entrant.admitted)
    return outcome(await made.confirm(entrant))
  }
  for (let n = 0; n < limits.firstConnectionsPerMinuteMax; n++)
    assert.equal(await confirmed(100 + n), `mill-${100 + n} anchored`)
  assert.equal(await confirmed(99), 'first-connections-too-many')
  made.hub.clock.advance(60_000)
  assert.equal(await confirmed(99), 'mill-99 anchored')
})

test('a rule finds devices of its group alone, and nobody who is disabled meanwhile', async (t) => {
  const made = await bed(t)
  const leaf = ownCertificate('mill-1', { issuer: made.maker })
  const entrant = await made.judge(leaf.der)
  assert.ok(entrant.admitted)
  await changeDeviceState(made.hub, made.hub.actor, entrant.identity.id, 'disabled')
  assert.equal(outcome(await made.confirm(entrant)), 'identity-disabled')
  assert.equal(outcome(await made.judge(leaf.der)), 'identity-disabled')
  await changeDeviceState(made.hub, made.hub.actor, entrant.identity.id, 'active')
  made.rules = [{ ...rule, group: 'acme' }]
  assert.equal(outcome(await made.judge(leaf.der)), 'identification-outside')
})

test('what cannot be a trust anchor is refused with its reason', async (t) => {
  const { hub, maker } = await bed(t)
  const order = { id: 'other', revocation: 'prefer', isUnproven: true, sources: noSources } as const
  const add = (certificates: readonly Uint8Array[], id = 'other') =>
    addAnchor(hub, hub.actor, { ...order, id, certificates })
  await assert.rejects(add([ownCertificate('leaf').der]), { code: 'anchor-unfit' })
  await assert.rejects(add([]), { code: 'anchor-unfit' })
  await assert.rejects(add([authority('x').der], 'No'), { code: 'anchor-unfit' })
  await assert.rejects(add([maker.der]), { code: 'anchor-exists' })
  const extensions = [basicConstraints(1), keyUsage(['keyCertSign'])]
  const below = ownCertificate('below', { issuer: maker, extensions })
  await assert.rejects(add([below.der]), { code: 'anchor-unfit' })
  await assert.rejects(add([below.der, authority('y').der]), { code: 'anchor-unfit' })
  assert.equal((await add([below.der, maker.der])).state, 'trusted')
})
