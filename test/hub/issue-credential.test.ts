/** What holds of every signature: nothing is signed that breaks a rule, and nothing without a record of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Credential } from '../../src/core/identity/credential.ts'
import { limits } from '../../src/core/limits.ts'
import { deviceProfile } from '../../src/core/profile/built-in.ts'
import { certificateContent } from '../../src/core/profile/certificate-content.ts'
import { readCertificate } from '../../src/core/x509/certificate.ts'
import { DerReader } from '../../src/core/x509/der-reader.ts'
import { contextConstructed, tags } from '../../src/core/x509/der-tags.ts'
import { decodePem } from '../../src/core/x509/pem.ts'
import { openAuthorities } from '../../src/hub/authorities.ts'
import { revokeDevice } from '../../src/hub/change-identity.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { completeCredential, type IssuanceOrder, issueCredential } from '../../src/hub/issue-credential.ts'
import type { KeyStore, Signer } from '../../src/hub/ports/signer.ts'
import { fullScope, publishCrl } from '../../src/hub/publish-crl.ts'
import { currentServerCertificate } from '../../src/hub/server-certificate.ts'
import { revokeLapsedIntents } from '../../src/hub/sweep-intents.ts'
import { ecKey } from '../core/x509/support.ts'
import { FaultyStore } from '../support/faulty-store.ts'
import { deviceRequest, type HubParts, hubParts, registered } from '../support/hub-parts.ts'

interface Signing {
  readonly hub: HubParts
  /** Serial numbers of the certificates that the authority's key has signed. */
  readonly signed: string[]
  readonly order: IssuanceOrder
}

interface Context {
  after(step: () => unknown): unknown
}

/** A hub whose keys are watched, and an order for a device. @param changed what becomes of each signature */
async function signing(t: Context, changed: (signature: Uint8Array) => Uint8Array = (same) => same): Promise<Signing> {
  const parts = await hubParts(t)
  const { identity } = await registered(parts, 'pump-7')
  const signed: string[] = []
  const watched = (signer: Signer): Signer => ({
    publicKey: signer.publicKey,
    async sign(bytes) {
      signed.push(serialNumberIn(bytes))
      return changed(await signer.sign(bytes))
    },
  })
  const keys: KeyStore = {
    create: (name, type) => parts.keys.create(name, type),
    has: (name) => parts.keys.has(name),
    open: async (name) => watched(await parts.keys.open(name)),
    exportPem: (name) => parts.keys.exportPem(name),
    exportEncrypted: (name, passphrase) => parts.keys.exportEncrypted(name, passphrase),
    importPem: (...all) => parts.keys.importPem(...all),
    assertOpens: (...all) => parts.keys.assertOpens(...all),
    remove: (name) => parts.keys.remove(name),
  }
  const authorities = await openAuthorities(parts.store, keys)
  const hub = { ...parts, authorities }
  const order: IssuanceOrder = {
    authority: authorities.issuing(),
    content: certificateContent(deviceProfile, identity, hub.realm),
    tokenId: null,
    publicKey: ecKey().spki,
    actor: 'key:test',
  }
  return { hub, signed, order }
}

/** Of a TBSCertificate. */
function serialNumberIn(toBeSigned: Uint8Array): string {
  const fields = new DerReader(toBeSigned).enter(tags.sequence, 'what is signed')
  if (fields.takeOptional(contextConstructed(0), 'the version') === null) return 'a CRL'
  return Buffer.from(fields.take(tags.integer, 'the serial number').content).toString('hex')
}

function complete({ store, clock }: HubParts, credential: Credential): Promise<void> {
  return store.write((tx) => completeCredential(tx, clock, credential))
}

test('what is about to be signed is written down before the key is used, unlike in rivals that sign and then store', async (t) => {
  const { hub, signed, order } = await signing(t)
  const seen: string[][] = []
  const { store } = hub
  const watching = new Proxy(store, {
    get: (target, name) =>
      name === 'write'
        ? async (work: never) => {
            seen.push([...signed])
            return target.write(work)
          }
        : Reflect.get(target, name),
  })
  const credential = await issueCredential({ ...hub, store: watching }, order)
  assert.deepEqual(seen, [[]])
  assert.deepEqual(signed, [credential.serialNumber])
  const intent = await store.credentials.findBySerial(credential.serialNumber)
  assert.equal(intent?.state, 'intended')
  assert.deepEqual(readCertificate(intent.certificate).toBeSigned, readCertificate(credential.certificate).toBeSigned)
  assert.notEqual(intent.fingerprint, credential.fingerprint)
  const { items } = await store.audit.list({ after: null, limit: 1 })
  assert.deepEqual([items[0]?.act, items[0]?.subject], ['credential.sign', credential.serialNumber])
})

test('completing puts the certificate in place of its intent, once', async (t) => {
  const { hub, order } = await signing(t)
  const credential = await issueCredential(hub, order)
  await complete(hub, credential)
  assert.deepEqual(await hub.store.credentials.find(credential.fingerprint), credential)
  await assert.rejects(complete(hub, credential), { code: 'issuance-lapsed' })
})

test('a profile that breaks a rule signs nothing and leaves no record', async (t) => {
  const { hub, signed, order } = await signing(t)
  const profile = { ...deviceProfile, keyUsage: ['digitalSignature', 'keyCertSign'] as const }
  const bad = { ...order, content: { ...order.content, profile } }
  await assert.rejects(issueCredential(hub, bad), { code: 'certificate-lint-failed' })
  assert.deepEqual(signed, [])
  assert.deepEqual(await hub.store.credentials.issuedBefore(['intended'], Number.MAX_SAFE_INTEGER, 10), [])
})

test('a broken generator never brings a serial number of zero, nor one twice', async (t) => {
  const { hub, signed, order } = await signing(t)
  const zeros = { bytes: (count: number) => new Uint8Array(count) }
  await assert.rejects(issueCredential({ ...hub, random: zeros }, order), { code: 'certificate-lint-failed' })
  assert.deepEqual(signed, [])
  const drawn = hub.random.bytes(20)
  const stuck = { bytes: () => drawn }
  await issueCredential({ ...hub, random: stuck }, order)
  await assert.rejects(issueCredential({ ...hub, random: stuck }, order), { code: 'certificate-lint-failed' })
  assert.equal(signed.length, 1)
})

test('no certificate outlives its issuer, however long its profile says', async (t) => {
  const { hub, order } = await signing(t)
  const { notAfterSec } = order.authority.fields
  hub.clock.advance((notAfterSec - 3_600) * 1_000 - hub.clock.nowMs())
  const credential = await issueCredential(hub, order)
  assert.equal(credential.notAfterSec, notAfterSec)
})

test('a key that signs something else is found out, and what it may have signed is revoked later', async (t) => {
  const { hub, signed, order } = await signing(t, (signature) => {
    const other = Uint8Array.from(signature)
    other[other.length - 1] = (other.at(-1) ?? 0) ^ 1
    return other
  })
  await assert.rejects(issueCredential(hub, order), { code: 'internal' })
  hub.clock.advance(limits.intentLapsesMs + 1)
  assert.equal(await revokeLapsedIntents(hub), 1)
  const row = await hub.store.credentials.findBySerial(signed[0] ?? '')
  assert.deepEqual([row?.state, row?.revocationReason], ['revoked', 'unspecified'])
})

test('a certificate that is ready too late is not handed out', async (t) => {
  const { hub, order } = await signing(t)
  const credential = await issueCredential(hub, order)
  hub.clock.advance(limits.intentCompletedMs + 1)
  await assert.rejects(complete(hub, credential), { code: 'issuance-lapsed' })
  assert.equal((await hub.store.credentials.findBySerial(credential.serialNumber))?.state, 'intended')
})

test('a device that is revoked while its certificate is being signed does not get it', async (t) => {
  const { hub, order } = await signing(t)
  const credential = await issueCredential(hub, order)
  await revokeDevice(hub, hub.actor, credential.identityId, 'keyCompromise')
  await assert.rejects(complete(hub, credential), { code: 'issuance-lapsed' })
  assert.equal(await hub.store.credentials.find(credential.fingerprint), null)
})

test('an intent is left alone until nobody can complete it any more', async (t) => {
  const { hub, order } = await signing(t)
  await complete(hub, await issueCredential(hub, order))
  const { serialNumber } = await issueCredential(hub, order)
  hub.clock.advance(limits.intentCompletedMs + 1)
  assert.equal(await revokeLapsedIntents(hub), 0)
  hub.clock.advance(limits.intentLapsesMs - limits.intentCompletedMs)
  assert.equal(await revokeLapsedIntents(hub), 1)
  assert.equal(await revokeLapsedIntents(hub), 0)
  const { crl } = await publishCrl(hub, fullScope(order.authority.id))
  assert.ok(Buffer.from(crl).toString('hex').includes(serialNumber))
})

interface Act<T> {
  /** What stands in the registry before; nothing fails here. */
  prepare(hub: HubParts): Promise<T>
  /** Answers the serial number that it hands out. */
  run(hub: HubParts, prepared: T): Promise<string>
}

/** Runs an act against a store that fails at every write in turn, until it comes through. Returns how many writes it took. */
async function failingAtEveryWrite<T>(t: Context, act: Act<T>): Promise<number> {
  for (let at = 1; ; at++) {
    let wasReached = false
    for (const when of ['before', 'after'] as const) {
      const { hub, signed } = await signing(t)
      const prepared = await act.prepare(hub)
      const faulty = new FaultyStore(hub.store, { at, when })
      const first = await act.run({ ...hub, store: faulty.store }, prepared).catch(() => null)
      wasReached ||= faulty.hasFailed
      const where = `a fault ${when} write ${at} (${faulty.asked[at - 1]})`
      for (const serialNumber of signed) {
        const row = await hub.store.credentials.findBySerial(serialNumber)
        assert.notEqual(row, null, `${where}: ${serialNumber} was signed without a record`)
      }
      // The same is asked again, and comes through: nobody is locked out for ever.
      const handedOut = [first, await act.run(hub, prepared)].filter((each) => each !== null)
      hub.clock.advance(limits.intentLapsesMs + 1)
      await revokeLapsedIntents(hub)
      for (const serialNumber of handedOut) {
        const state = (await hub.store.credentials.findBySerial(serialNumber))?.state
        assert.ok(state === 'pending' || state === 'active', `${where}: ${serialNumber} was handed out and is ${state}`)
      }
      for (const serialNumber of signed.filter((each) => !handedOut.includes(each))) {
        const state = (await hub.store.credentials.findBySerial(serialNumber))?.state
        assert.equal(state, 'revoked', `${where}: ${serialNumber} was signed and handed out to nobody`)
      }
    }
    if (!wasReached) return at - 1
  }
}

test('a registry that fails before or after any write of an enrolment leaves nothing signed without a record', async (t) => {
  const writes = await failingAtEveryWrite(t, {
    prepare: async (hub) => ({ ...(await registered(hub, 'valve-1')), ...deviceRequest('valve-1') }),
    async run(hub, { tokenText, certificateRequest }) {
      return (await enrol(hub, { tokenText, claimedId: '', certificateRequest })).serialNumber
    },
  })
  assert.ok(writes >= 8, `${writes} writes`)
})

test('a registry that fails before or after any write of a server certificate leaves nothing signed without a record', async (t) => {
  const writes = await failingAtEveryWrite(t, {
    prepare: async () => {},
    async run(hub) {
      const { chain } = await currentServerCertificate(hub, { dnsNames: ['hub.plant.example'], ipAddresses: [] })
      const [leaf] = decodePem(chain)
      assert.ok(leaf !== undefined)
      return readCertificate(leaf.der).serialNumber
    },
  })
  assert.ok(writes >= 8, `${writes} writes`)
})
