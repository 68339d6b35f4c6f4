// needs: openssl
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { after, afterEach, beforeEach, describe, test } from 'node:test'
import { HubError } from '../../../src/core/errors.ts'
import type { FailureName } from '../../../src/core/failure/catalogue.ts'
import { parseCertificateRequest } from '../../../src/core/x509/certificate-request.ts'
import { publicKeyHash } from '../../../src/core/x509/public-key.ts'
import { type RenewOptions, renew } from '../../../src/device/renewal/renew.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { type EstRequest, EstServer, honest, OpensslAuthority, sendCertificates } from '../est-authority.ts'
import { MemoryStore } from './memory-store.ts'
import { type Gate, startGate } from './tiny-gate.ts'

const authority = new OpensslAuthority()
const stranger = new OpensslAuthority()
const hubTls = authority.endEntity('hub', 'IP:127.0.0.1,DNS:localhost')
after(() => {
  authority.remove()
  stranger.remove()
})

type Answer = (request: EstRequest, response: ServerResponse) => void

describe('a renewal', () => {
  let hub: EstServer
  let gate: Gate
  let store: MemoryStore
  /** What answers instead of an honest hub, by the end of the path. */
  let other: Partial<Record<'cacerts' | 'simplereenroll' | 'confirm', Answer>> = {}

  beforeEach(async (t) => {
    other = {}
    const truly = honest(authority)
    hub = await EstServer.start(hubTls, (request, response) => {
      const { path } = request
      const end = path.split('/').at(-1) as keyof typeof other
      const instead = other[end]
      if (instead !== undefined) instead(request, response)
      else if (path.startsWith('/device/')) response.end('{}')
      else truly(request, response)
    })
    gate = await startGate(hubTls)
    const folder = temporaryFolder(t as Parameters<typeof temporaryFolder>[0])
    store = new MemoryStore(folder, authority, { id: 'pump-7', httpsPort: hub.port, mqttPort: gate.port })
  })
  afterEach(() => {
    hub.stop()
    gate.stop()
  })

  const options = (change: Partial<RenewOptions> = {}): RenewOptions => ({
    ...{ store, nowMs: Date.now, proof: 'connect', isKeyKept: false, keyKind: null },
    ...change,
  })
  const asked = (end: string): EstRequest[] => hub.requests.filter(({ path }) => path.endsWith(end))

  async function refused(change: Partial<RenewOptions> = {}): Promise<HubError> {
    const before = store.current()
    const error = await renew(options(change)).then(
      () => assert.fail('it was not refused'),
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof HubError, String(error))
    assert.equal(store.current(), before, 'the certificate that worked is in its place')
    return error
  }

  async function refusedAs(code: FailureName, change: Partial<RenewOptions> = {}): Promise<HubError> {
    const error = await refused(change)
    assert.equal(error.code, code, error.message)
    return error
  }

  test('shows the present certificate, gets one for a new key, tries it, and only then puts it in its place', async () => {
    const before = store.current()
    const { certificate, wasWaiting } = await renew(options())
    assert.equal(wasWaiting, false)
    assert.deepEqual(store.acts, ['key', 'next', 'promote'])
    assert.equal(store.current().certificate, certificate)
    assert.equal(certificate.publicKey.equals(before.certificate.publicKey), false)
    assert.ok(asked('simplereenroll')[0]?.certificate?.equals(before.certificate.raw))
    assert.ok(gate.shown[0]?.equals(certificate.raw), 'the gate saw the new one')
    assert.equal(gate.clientIds[0], '', 'no session of the device is taken over')
  })

  test('keeps the key where it is told to', async () => {
    const before = store.current().certificate
    const { certificate } = await renew(options({ isKeyKept: true }))
    assert.ok(certificate.publicKey.equals(before.publicKey))
  })

  test('after the end of the certificate asks with its own key, whatever it is told', async () => {
    const before = store.current().certificate
    const later = before.validToDate.getTime() + 1
    await renew(options({ nowMs: () => later }))
    const [request] = asked('simplereenroll')
    const { publicKey } = parseCertificateRequest(Buffer.from(request?.body ?? '', 'base64'))
    const own = before.publicKey.export({ type: 'spki', format: 'der' })
    assert.equal(publicKeyHash(publicKey), publicKeyHash(own))
  })

  test('a hub that answers never the first time gets the same key the second time', async () => {
    other.simplereenroll = (_request, response) => response.destroy()
    await refusedAs('hub-unreachable')
    other = {}
    await renew(options())
    const [first, second] = asked('simplereenroll')
    assert.equal(keyIn(first), keyIn(second))
  })

  test('a hub that signs twice, with another serial number each time, leaves one certificate in place', async () => {
    let answered = 0
    const truly = honest(authority)
    other.simplereenroll = (request, response) => {
      truly(
        request,
        answered++ === 0 ? ({ ...response, setHeader() {}, end() {} } as unknown as ServerResponse) : response,
      )
      if (answered === 1) response.destroy()
    }
    await refusedAs('hub-unreachable')
    const { certificate } = await renew(options())
    assert.equal(store.current().certificate, certificate)
  })

  test('a certificate for another key, another device or of another authority is not taken', async () => {
    const own = store.current().certificate
    other.simplereenroll = (_request, response) => sendCertificates(response, authority.certsOnly('hub.pem'))
    assert.match((await refusedAs('hub-answer-unexpected')).message, /for the key of this device/)
    other.simplereenroll = ({ body }, response) => {
      authority.sign(Buffer.from(body, 'base64'), '/CN=pump-8')
      sendCertificates(response, authority.certsOnly('device.pem'))
    }
    assert.match((await refusedAs('hub-answer-unexpected')).message, /pump-8/)
    other.simplereenroll = ({ body }, response) => {
      stranger.sign(Buffer.from(body, 'base64'))
      sendCertificates(response, stranger.certsOnly('device.pem', 'issuing.pem'))
    }
    assert.match((await refusedAs('hub-answer-unexpected')).message, /does not chain/)
    other.simplereenroll = (_request, response) => sendCertificates(response, authority.certsOnly('own.pem'))
    assert.equal(store.current().certificate, own)
    assert.ok(!store.acts.includes('next'))
  })

  test('a refusal of the hub is passed on in its own words, with its time to wait', async () => {
    other.simplereenroll = (_request, response) => {
      const problem = { code: 'rate-limited', detail: 'pump-7 asks too often', hint: '' }
      response.writeHead(429, { 'Content-Type': 'application/problem+json', 'Retry-After': '90' })
      response.end(JSON.stringify(problem))
    }
    const error = await refusedAs('rate-limited')
    assert.equal(error.retryAfterSec, 90)
  })

  test('what could not be tried waits, and is tried the next time without another request', async () => {
    gate.answer('silence')
    await refusedAs('hub-unreachable')
    assert.notEqual(store.next(), null)
    gate.answer('admit')
    const { wasWaiting } = await renew(options())
    assert.equal(wasWaiting, true)
    assert.equal(asked('simplereenroll').length, 1)
    assert.equal(store.next(), null)
  })

  test('a gate that has no time for anybody is no verdict about a certificate', async () => {
    gate.answer(0x88)
    await refusedAs('hub-unreachable')
    assert.notEqual(store.next(), null)
    assert.equal(asked('confirm').length, 0)
  })

  test('where a policy lets no connection in, the hub is asked about the certificate itself', async () => {
    gate.answer(0x85)
    await renew(options())
    assert.ok(asked('confirm')[0]?.certificate?.equals(store.current().certificate.raw))
  })

  test('a new certificate that the hub refuses is given up, and the old one goes on', async () => {
    gate.answer(0x87)
    other.confirm = (_request, response) => {
      response.writeHead(401, { 'Content-Type': 'application/problem+json' })
      response.end(JSON.stringify({ code: 'certificate-revoked', detail: 'it was revoked', hint: '' }))
    }
    const error = await refusedAs('agent-proof-refused')
    assert.match(error.message, /it was revoked/)
    assert.deepEqual(store.acts.slice(-2), ['roll back', 'key'])
    assert.equal(store.next(), null)
  })

  test('a hub that has revoked the new certificate is asked with another key the next time, since it takes that one no more', async () => {
    gate.answer(0x87)
    other.confirm = (_request, response) => {
      response.writeHead(401, { 'Content-Type': 'application/problem+json' })
      response.end(JSON.stringify({ code: 'certificate-revoked', detail: 'it was revoked', hint: '' }))
    }
    await refusedAs('agent-proof-refused')
    other = {}
    gate.answer('admit')
    await renew(options())
    const [first, second] = asked('simplereenroll')
    assert.notEqual(keyIn(first), keyIn(second))
  })

  test('a key that the hub does not take is not offered again; a device that must keep its key keeps it', async () => {
    other.simplereenroll = (_request, response) => {
      response.writeHead(403, { 'Content-Type': 'application/problem+json' })
      response.end(JSON.stringify({ code: 'renewal-key-compromised', detail: 'that key is known', hint: '' }))
    }
    for (const isKeyKept of [false, false, true, true]) await refusedAs('renewal-key-compromised', { isKeyKept })
    const keys = asked('simplereenroll').map(keyIn)
    assert.equal(new Set(keys.slice(0, 2)).size, 2)
    assert.equal(new Set(keys.slice(2)).size, 1)
  })

  test('a hub that refuses the device for a while is asked with the same key again, or it would see two', async () => {
    gate.answer(0x87)
    other.confirm = (_request, response) => {
      response.writeHead(403, { 'Content-Type': 'application/problem+json' })
      response.end(JSON.stringify({ code: 'identity-disabled', detail: 'disabled', hint: '' }))
    }
    await refusedAs('agent-proof-refused')
    other = {}
    gate.answer('admit')
    await renew(options())
    const [first, second] = asked('simplereenroll')
    assert.equal(keyIn(first), keyIn(second))
  })

  test('a key of another kind than is wanted now is not used', async () => {
    other.simplereenroll = (_request, response) => response.destroy()
    await refusedAs('hub-unreachable')
    other = {}
    const { certificate } = await renew(options({ keyKind: 'P-384' }))
    assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'secp384r1')
  })

  test('a gate that cannot be reached keeps no device out whose present certificate has ended: the hub is asked', async () => {
    gate.stop()
    await refusedAs('hub-unreachable')
    assert.equal(asked('confirm').length, 0)
    const later = store.current().certificate.validToDate.getTime() - 1
    await refusedAs('hub-unreachable', { nowMs: () => later })
    // Its own key is asked with then; the fake hub signs for ten days from now, which is soon enough.
    const over = store.current().certificate.validToDate.getTime()
    await renew(options({ nowMs: () => over }))
    assert.equal(asked('confirm').length, 1)
  })

  test('a credential that its owner brings meanwhile stays, and what had come is given up', async (t) => {
    const brought = new MemoryStore(temporaryFolder(t), authority, {
      id: 'pump-7',
      httpsPort: hub.port,
      mqttPort: gate.port,
    })
    const truly = honest(authority)
    other.simplereenroll = (request, response) => {
      store.replaceCurrent(brought)
      truly(request, response)
    }
    const error = await renew(options()).then(
      () => assert.fail('it was not refused'),
      (reason: unknown) => reason as HubError,
    )
    assert.equal(error.code, 'credential-changed')
    assert.equal(store.current(), brought.current())
    assert.equal(store.next(), null)
  })

  test('a device that talks to other brokers takes the word of the hub for proof', async () => {
    await renew(options({ proof: 'confirm' }))
    assert.equal(gate.shown.length, 0)
    assert.equal(asked('confirm').length, 1)
  })

  test('roots that do not follow from those that are held are not taken, and nothing is asked of their hub', async () => {
    other.cacerts = (_request, response) => sendCertificates(response, stranger.certsOnly('root.pem', 'issuing.pem'))
    await refusedAs('hub-answer-unexpected')
    assert.equal(asked('simplereenroll').length, 0)
    assert.deepEqual(store.acts, [])
  })

  test('a server that cannot prove itself is told nothing', async () => {
    hub.stop()
    hub = await EstServer.start(stranger.endEntity('other', 'DNS:localhost'), honest(authority))
    store = new MemoryStore(store.path, authority, { id: 'pump-7', httpsPort: hub.port, mqttPort: gate.port })
    await refusedAs('enrolment-tls-untrusted')
    assert.equal(hub.requests.length, 0)
  })
})

function keyIn(request: EstRequest | undefined): string {
  return publicKeyHash(parseCertificateRequest(Buffer.from(request?.body ?? '', 'base64')).publicKey)
}
