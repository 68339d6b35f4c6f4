/** What is answered about certificates, and by whom. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HubError } from '../../src/core/errors.ts'
import type { Credential } from '../../src/core/identity/credential.ts'
import { credentialStates } from '../../src/core/identity/credential.ts'
import { limits } from '../../src/core/limits.ts'
import { oids } from '../../src/core/x509/oids.ts'
import { type OcspAnswerer, ocspAnswerer, ocspLifetimeMs } from '../../src/hub/answer-ocsp.ts'
import { revokeCertificate } from '../../src/hub/change-identity.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { OcspCache } from '../../src/hub/ocsp-cache.ts'
import { keepOcspResponders, type OcspResponders } from '../../src/hub/ocsp-responders.ts'
import type { HubEvent } from '../../src/hub/ports/events.ts'
import { currentServerCertificate } from '../../src/hub/server-certificate.ts'
import { certificateId, nonce, ocspRequest } from '../core/x509/ocsp-support.ts'
import { deviceRequest, type HubParts, hubParts, registered } from '../support/hub-parts.ts'
import { ocspStatus, readOcspAnswer } from '../support/ocsp-answer.ts'

interface Parts {
  readonly hub: HubParts
  readonly responders: OcspResponders
  readonly answerer: OcspAnswerer
  readonly credential: Credential
}

async function parts(t: { after(step: () => unknown): unknown }): Promise<Parts> {
  const hub = await hubParts(t)
  await currentServerCertificate(hub, { dnsNames: ['hub.plant.example'], ipAddresses: [] })
  const responders = keepOcspResponders(hub)
  t.after(() => responders.stop())
  await responders.look()
  const answerer = ocspAnswerer({ ...hub, responders })
  const { tokenText } = await registered(hub, 'pump-7')
  const credential = await enrol(hub, { tokenText, claimedId: '', ...deviceRequest('pump-7') })
  return { hub, responders, answerer, credential }
}

function asking(hub: HubParts, serialNumber: string, hash: 'sha1' | 'sha256' = 'sha256'): Uint8Array {
  return ocspRequest([certificateId(hub.issuing.fields, serialNumber, hash)])
}

/** Sets a row to a state as only tests may. */
function inState({ hub, credential }: Parts, state: Credential['state']): Promise<void> {
  const revoked = { revokedAtMs: hub.clock.nowMs(), revocationReason: 'keyCompromise' } as const
  return hub.store.write((tx) =>
    tx.credentials.update({ ...credential, state, ...(state === 'revoked' ? revoked : {}) }),
  )
}

async function revocationEvent({ hub, credential }: Parts): Promise<HubEvent> {
  await revokeCertificate(hub, hub.actor, credential.serialNumber, 'keyCompromise')
  const event = (await hub.store.events.after(0, 100)).findLast(({ type }) => type === 'credential-revoked')
  assert.ok(event !== undefined)
  return event
}

describe('an OCSP answer', () => {
  test('comes from a responder that the issuer itself has signed, for OCSP alone, and that nobody checks', async (t) => {
    const { hub, answerer, credential } = await parts(t)
    const { responder, isSigned } = readOcspAnswer((await answerer.answer(asking(hub, credential.serialNumber))).body)
    assert.ok(isSigned)
    assert.deepEqual(Buffer.from(responder.issuer.der), Buffer.from(hub.issuing.fields.subject.der))
    assert.deepEqual(responder.extendedKeyUsage, [oids.ocspSigning])
    assert.deepEqual(responder.crlDistributionPoints, [])
    const row = await hub.store.credentials.findBySerial(responder.serialNumber)
    assert.deepEqual([row?.profile, row?.state, row?.authorityId], ['ocsp', 'active', hub.issuing.id])
  })

  test('says of each state whether it may be used anywhere', async (t) => {
    const all = await parts(t)
    const { hub, credential } = all
    const hold = [true, 6, Math.floor(credential.issuedAtMs / 1000)]
    const good = [false, null, null]
    const neverIssued = [true, 6, 0]
    const expected: Readonly<Record<Credential['state'], unknown>> = {
      intended: neverIssued,
      pending: good,
      active: good,
      quarantined: hold,
      superseded: good,
      revoked: [true, 1, Math.floor(hub.clock.nowMs() / 1000)],
      expired: good,
      unadopted: hold,
    }
    for (const state of credentialStates) {
      await inState(all, state)
      const answerer = ocspAnswerer({ ...hub, responders: all.responders })
      const { singles, isExtendedRevoke } = readOcspAnswer(
        (await answerer.answer(asking(hub, credential.serialNumber))).body,
      )
      const [single] = singles
      assert.deepEqual([single?.kind === 'revoked', single?.reason, single?.revokedAtSec], expected[state], state)
      assert.equal(isExtendedRevoke, state === 'intended')
    }
  })

  test('is found by issuer and serial number: the serial of another authority is none of this one', async (t) => {
    const { hub, answerer, credential } = await parts(t)
    // Of an issuer that is ours, but never gave this number to a certificate.
    const forged = readOcspAnswer((await answerer.answer(asking(hub, '4a'.repeat(20)))).body)
    assert.deepEqual([forged.singles[0]?.kind, forged.isExtendedRevoke], ['revoked', true])
    // The root issues authorities alone, and answers for none.
    for (const issuer of [
      hub.authorities.root().fields,
      { ...hub.issuing.fields, publicKey: hub.authorities.root().fields.publicKey },
    ]) {
      const request = ocspRequest([certificateId(issuer, credential.serialNumber)])
      assert.equal(ocspStatus((await answerer.answer(request)).body), 6)
    }
    const unknownHash = ocspRequest([certificateId(hub.issuing.fields, credential.serialNumber, 'sha384')])
    assert.equal(ocspStatus((await answerer.answer(unknownHash)).body), 6)
  })

  test('about several certificates has one part for each, of one issuer alone, and is not kept', async (t) => {
    const { hub, answerer, credential } = await parts(t)
    const ids = [credential.serialNumber, '4a'.repeat(20)].map((serial) => certificateId(hub.issuing.fields, serial))
    const { body, kept } = await answerer.answer(ocspRequest(ids))
    assert.deepEqual(
      readOcspAnswer(body).singles.map(({ kind }) => kind),
      ['good', 'revoked'],
    )
    assert.equal(kept, null)
    const mixed = [...ids, certificateId(hub.authorities.root().fields, '01')]
    assert.equal(ocspStatus((await answerer.answer(ocspRequest(mixed))).body), 6)
  })

  test('to a nonce gives it back, is made for it, and is not kept', async (t) => {
    const { hub, answerer, credential } = await parts(t)
    const id = certificateId(hub.issuing.fields, credential.serialNumber)
    const { body, kept } = await answerer.answer(ocspRequest([id], { extensions: [nonce(Uint8Array.of(7, 7))] }))
    assert.deepEqual([readOcspAnswer(body).nonce, kept], ['04020707', null])
  })

  test('to what cannot be read is an error of its own, without a signature', async (t) => {
    const { answerer } = await parts(t)
    for (const request of [new Uint8Array(), Uint8Array.of(0x30, 0), ocspRequest([])]) {
      assert.equal(ocspStatus((await answerer.answer(request)).body), 1)
    }
  })

  test('is given again to whoever asks the same, and made anew at half its life', async (t) => {
    const { hub, answerer, credential } = await parts(t)
    const ask = () => answerer.answer(asking(hub, credential.serialNumber))
    const first = await ask()
    assert.equal((await ask()).body, first.body)
    const other = await answerer.answer(asking(hub, credential.serialNumber, 'sha1'))
    assert.notDeepEqual(other.body, first.body)
    hub.clock.advance(ocspLifetimeMs / 2)
    const second = await ask()
    assert.notEqual(second.kept?.tag, first.kept?.tag)
    assert.equal(second.kept?.nextUpdateMs, hub.clock.nowMs() + ocspLifetimeMs)
    hub.clock.advance(-ocspLifetimeMs)
    assert.notEqual((await ask()).body, second.body, 'one from the future is not given')
  })

  test('changes with the event of the revocation, also one that comes from another process', async (t) => {
    const all = await parts(t)
    const { hub, answerer, credential } = all
    const ask = async () => readOcspAnswer((await answerer.answer(asking(hub, credential.serialNumber))).body)
    assert.equal((await ask()).singles[0]?.kind, 'good')
    answerer.noted(await revocationEvent(all))
    const [single] = (await ask()).singles
    assert.deepEqual([single?.kind, single?.reason], ['revoked', 1])
  })

  test('that was being made while the certificate was revoked is not kept', async (t) => {
    const all = await parts(t)
    const { hub, responders, credential } = all
    const looked = Promise.withResolvers<void>()
    const goingOn = Promise.withResolvers<void>()
    const { credentials } = hub.store
    const store = {
      credentials: {
        ...credentials,
        async status(...args: Parameters<typeof credentials.status>) {
          const status = await credentials.status(...args)
          looked.resolve()
          await goingOn.promise
          return status
        },
      },
    }
    const answerer = ocspAnswerer({ ...hub, store, responders })
    const late = answerer.answer(asking(hub, credential.serialNumber))
    await looked.promise
    answerer.noted(await revocationEvent(all))
    goingOn.resolve()
    assert.equal(readOcspAnswer((await late).body).singles[0]?.kind, 'good')
    const [single] = readOcspAnswer((await answerer.answer(asking(hub, credential.serialNumber))).body).singles
    assert.equal(single?.kind, 'revoked')
  })

  test('about serial numbers that were never given is not kept, so that strangers cannot push others out', async (t) => {
    const { hub, answerer } = await parts(t)
    assert.equal((await answerer.answer(asking(hub, '4a'.repeat(20)))).kept, null)
  })

  test('is asked for later while the registry cannot be read', async (t) => {
    const { hub, responders, credential } = await parts(t)
    const refusing = { status: () => Promise.reject(new HubError('store-unavailable', 'gone')) }
    const store = { credentials: { ...hub.store.credentials, ...refusing } }
    const answerer = ocspAnswerer({ ...hub, store, responders })
    assert.equal(ocspStatus((await answerer.answer(asking(hub, credential.serialNumber))).body), 3)
  })
})

describe('an OCSP responder', () => {
  const reference = async ({ answerer, hub, credential }: Parts): Promise<string> =>
    readOcspAnswer((await answerer.answer(asking(hub, credential.serialNumber))).body).responder.serialNumber

  test('is kept over a restart, and has another key and certificate at two thirds of its life', async (t) => {
    const all = await parts(t)
    const { hub } = all
    const first = await reference(all)
    const again = keepOcspResponders(hub)
    t.after(() => again.stop())
    await again.look()
    assert.equal(await reference({ ...all, answerer: ocspAnswerer({ ...hub, responders: again }) }), first)

    hub.clock.advance(5 * 86_400_000)
    await again.look()
    const second = await reference({ ...all, answerer: ocspAnswerer({ ...hub, responders: again }) })
    assert.notEqual(second, first)
    const rows = await Promise.all([first, second].map((serial) => hub.store.credentials.findBySerial(serial)))
    assert.deepEqual(
      rows.map((row) => row?.state),
      ['superseded', 'active'],
    )
    assert.notEqual(rows[0]?.publicKeyHash, rows[1]?.publicKeyHash)
    assert.ok(hub.observer.lines.includes('renewal ocsp renewed'))
  })

  test('that has ended says nothing, and no answer outlives it', async (t) => {
    const all = await parts(t)
    const { hub, answerer, credential } = all
    hub.clock.advance(7 * 86_400_000 - 20 * 60_000)
    const [single] = readOcspAnswer((await answerer.answer(asking(hub, credential.serialNumber))).body).singles
    assert.ok((single?.nextUpdateSec ?? 0) * 1000 <= hub.clock.nowMs() + 20 * 60_000)
    hub.clock.advance(20 * 60_000)
    assert.equal(ocspStatus((await answerer.answer(asking(hub, credential.serialNumber))).body), 3)
  })

  test('whose certificate was revoked is replaced at once', async (t) => {
    const all = await parts(t)
    const { hub, responders, answerer, credential } = all
    const first = await reference(all)
    await revokeCertificate(hub, hub.actor, first, 'keyCompromise')
    const event = (await hub.store.events.after(0, 100)).findLast(({ type }) => type === 'credential-revoked')
    assert.ok(event !== undefined)
    for (const each of [answerer, responders]) each.noted(event)
    // What it signed before is gone, and it signs no more.
    assert.equal(ocspStatus((await answerer.answer(asking(hub, credential.serialNumber))).body), 3)
    await responders.look()
    assert.notEqual(await reference(all), first)
  })
})

test('OCSP answers are kept in bounded number, and those asked for least recently go first', () => {
  const cache = new OcspCache()
  const answer = { body: Buffer.alloc(0), thisUpdateMs: 0, nextUpdateMs: 1, tag: '' }
  for (let n = 0; n <= limits.ocspAnswersKeptMax; n += 1) {
    cache.end(`${n}`, cache.begin(`${n}`), 'id', answer)
    if (n === 100) assert.ok(cache.find('0', 'id') !== null)
  }
  assert.equal(cache.find('1', 'id'), null)
  assert.ok(cache.find('0', 'id') !== null)
  cache.forget('0')
  assert.equal(cache.find('0', 'id'), null)
})
