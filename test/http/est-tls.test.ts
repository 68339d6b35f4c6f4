/** EST over real TLS: who shows a certificate, what that opens, and what a request is bound to. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { limits } from '../../src/core/limits.ts'
import { derUtf8String } from '../../src/core/x509/der-writer.ts'
import { subjectAltName } from '../../src/core/x509/extensions.ts'
import { buildName } from '../../src/core/x509/name.ts'
import { oids } from '../../src/core/x509/oids.ts'
import { encodePem } from '../../src/core/x509/pem.ts'
import { revokeDevice } from '../../src/hub/change-identity.ts'
import { currentServerCertificate } from '../../src/hub/server-certificate.ts'
import { attribute, makeRequest } from '../core/x509/request-support.ts'
import { ecKey, makeRoot, type TestKey } from '../core/x509/support.ts'
import { deviceRequest, noonMs, registered } from '../support/hub-parts.ts'
import { asked, basic, certificateIn, device, listener, once, opened, shownBy } from './est-listener.ts'
import { assertProblem } from './problem.ts'

/** When the certificates of strangers are good. */
const ofToday = { notBeforeSec: noonMs / 1000 - 86_400, notAfterSec: noonMs / 1000 + 86_400 }

const reenrol = '/.well-known/est/simplereenroll'

describe('simplereenroll', () => {
  test('turns the certificate that is shown into its successor, for the same key and for another', async (t) => {
    const est = await listener(t)
    const pump = await device(est, 'pump-7')
    est.hub.clock.advance(86_400_000)
    const { certificateRequest } = deviceRequest('pump-7')
    const next = certificateIn(await once(est, pump.shown, { path: reenrol, body: certificateRequest }))
    assert.equal(next.subject, 'CN=pump-7')
    assert.ok(next.validToDate.getTime() > pump.credential.notAfterSec * 1000)
    const row = await est.hub.store.credentials.findBySerial(next.serialNumber.toLowerCase())
    assert.deepEqual([row?.state, row?.parentSerial], ['pending', pump.credential.serialNumber])
  })

  test('wants a certificate, and a token in its place is none', async (t) => {
    const est = await listener(t)
    const { tokenText } = await registered(est.hub, 'pump-7')
    const { certificateRequest: body } = deviceRequest('pump-7')
    for (const headers of [{}, basic('pump-7', tokenText)]) {
      const answer = await once(est, null, { path: reenrol, body, headers })
      assertProblem(answer, 401, 'certificate-missing')
    }
  })

  test('judges by the registry and not by the handshake: a revoked one is told so on a connection that stood before', async (t) => {
    const est = await listener(t)
    const pump = await device(est, 'pump-7')
    const socket = await opened(est, pump.shown)
    t.after(() => socket.destroy())
    const body = deviceRequest('pump-7').certificateRequest
    certificateIn(await asked(socket, { path: reenrol, body }))
    await revokeDevice(est.hub, est.hub.actor, pump.credential.identityId, 'keyCompromise')
    assertProblem(await asked(socket, { path: reenrol, body }), 401, 'certificate-revoked')
    assert.equal(est.attempts.at(-1)?.identityId, 'pump-7')
    assert.equal(est.attempts.at(-1)?.certificate?.serialNumber, pump.credential.serialNumber)
  })

  test('refuses a certificate that names our device and was made by somebody else, and counts it as a guess', async (t) => {
    const est = await listener(t)
    const pump = await device(est, 'pump-7')
    const key = ecKey()
    const shown = { key: pemOf(key), cert: encodePem('CERTIFICATE', makeRoot(ofToday, key).der) }
    const body = deviceRequest('pump-7').certificateRequest
    for (let tries = 0; tries < limits.authFailuresPerMinuteMax; tries += 1) {
      assertProblem(await once(est, shown, { path: reenrol, body }), 401, 'certificate-self-signed')
    }
    const limited = await once(est, shown, { path: reenrol, body })
    assertProblem(limited, 429, 'rate-limited')
    assert.equal(limited.headers['retry-after'], '2')
    // The plant behind the same address is not stranded.
    certificateIn(await once(est, pump.shown, { path: reenrol, body }))
    assert.equal(est.attempts.find(({ code }) => code === 'certificate-self-signed')?.identityId, null)
  })

  test('does not assume that a certificate is good when the registry cannot say so', async (t) => {
    const est = await listener(t)
    const pump = await device(est, 'pump-7')
    const socket = await opened(est, pump.shown)
    t.after(() => socket.destroy())
    await est.hub.store.close()
    const answer = await asked(socket, { path: reenrol, body: deviceRequest('pump-7').certificateRequest })
    assert.ok(answer.statusCode >= 500, answer.body)
  })

  test('keeps subject and names: others are refused, and those that are left out are filled in', async (t) => {
    const est = await listener(t)
    const pump = await device(est, 'pump-7')
    const other = deviceRequest('pump-8').certificateRequest
    assertProblem(await once(est, pump.shown, { path: reenrol, body: other }), 403, 'renewal-names-differ')
    const named = makeRequest({ extensions: [subjectAltName({ dnsNames: ['hub.plant.example'] }, false)] })
    assertProblem(await once(est, pump.shown, { path: reenrol, body: named }), 403, 'renewal-names-differ')
    const next = certificateIn(await once(est, pump.shown, { path: reenrol, body: makeRequest() }))
    assert.equal(next.subject, 'CN=pump-7')
    assert.equal(next.subjectAltName, 'URI:spiffe://plant.example/device/pump-7')
  })

  test('always wants the proof that the holder has the new key', async (t) => {
    const est = await listener(t)
    const pump = await device(est, 'pump-7')
    const body = Buffer.from(deviceRequest('pump-7').certificateRequest)
    body.writeUInt8(body.readUInt8(body.length - 1) ^ 1, body.length - 1)
    assertProblem(await once(est, pump.shown, { path: reenrol, body }), 400, 'csr-signature-invalid')
  })

  test('slows down an identity that asks in a loop, and says for how long', async (t) => {
    const est = await listener(t)
    const [pump, neighbour] = [await device(est, 'pump-7'), await device(est, 'pump-8')]
    const socket = await opened(est, pump.shown)
    t.after(() => socket.destroy())
    const body = deviceRequest('pump-7').certificateRequest
    for (let tries = 0; tries < limits.enrolmentsAtOnceMax; tries += 1) {
      certificateIn(await asked(socket, { path: reenrol, body }))
    }
    const limited = await asked(socket, { path: reenrol, body })
    assertProblem(limited, 429, 'enrolments-too-many')
    assert.equal(limited.headers['retry-after'], '120')
    const beside = { path: reenrol, body: deviceRequest('pump-8').certificateRequest }
    certificateIn(await once(est, neighbour.shown, beside))
    est.hub.clock.advance(limits.enrolmentEveryMs)
    certificateIn(await asked(socket, { path: reenrol, body }))
  })
})

describe('a label selects among what is granted', () => {
  test('and reaches no other profile, whether there is one or not', async (t) => {
    const est = await listener(t)
    const pump = await device(est, 'pump-7')
    const body = deviceRequest('pump-7').certificateRequest
    certificateIn(await once(est, pump.shown, { path: '/.well-known/est/device/simplereenroll', body }))
    for (const label of ['server', 'root', 'nothing']) {
      const answer = await once(est, pump.shown, { path: `/.well-known/est/${label}/simplereenroll`, body })
      assertProblem(answer, 403, 'profile-not-granted')
    }
    const { tokenText } = await registered(est.hub, 'pump-8')
    const request = deviceRequest('pump-8').certificateRequest
    const asks = { body: request, headers: basic('pump-8', tokenText) }
    const refused = await once(est, null, { path: '/.well-known/est/server/simpleenroll', ...asks })
    assertProblem(refused, 403, 'profile-not-granted')
    certificateIn(await once(est, null, { path: '/.well-known/est/device/simpleenroll', ...asks }))
  })
})

test('simpleenroll with a certificate and no token renews; with both, the token says what is wanted', async (t) => {
  const est = await listener(t)
  const pump = await device(est, 'pump-7')
  const path = '/.well-known/est/simpleenroll'
  const body = deviceRequest('pump-7').certificateRequest
  const renewed = certificateIn(await once(est, pump.shown, { path, body }))
  const row = await est.hub.store.credentials.findBySerial(renewed.serialNumber.toLowerCase())
  assert.equal(row?.parentSerial, pump.credential.serialNumber)
  const { tokenText } = await registered(est.hub, 'pump-8')
  const question = { path, body: deviceRequest('pump-8').certificateRequest, headers: basic('pump-8', tokenText) }
  assert.equal(certificateIn(await once(est, pump.shown, question)).subject, 'CN=pump-8')
})

describe('a confirmation', () => {
  test('is the first use of the certificate that is shown: it becomes active and its parent superseded', async (t) => {
    const est = await listener(t)
    const pump = await device(est, 'pump-7')
    await once(est, pump.shown, { path: '/device/confirm' })
    const next = deviceRequest('pump-7')
    const successor = certificateIn(await once(est, pump.shown, { path: reenrol, body: next.certificateRequest }))
    const shown = shownBy(next.key, successor.raw)
    const answer = await once(est, shown, { path: '/device/confirm' })
    assert.equal(answer.statusCode, 200, answer.body)
    assert.equal(JSON.parse(answer.body).state, 'active')
    assert.equal((await est.hub.store.credentials.find(pump.credential.fingerprint))?.state, 'superseded')
    assert.equal((await once(est, shown, { path: '/device/confirm' })).statusCode, 200)
  })

  test('is nothing without a certificate of ours', async (t) => {
    const est = await listener(t)
    assertProblem(await once(est, null, { path: '/device/confirm' }), 401, 'certificate-missing')
  })
})

describe('a request that is bound to its connection', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`passes over ${version} on that connection, and on no other`, async (t) => {
      const est = await listener(t)
      const pump = await device(est, 'pump-7')
      const socket = await opened(est, pump.shown, version)
      const thief = await opened(est, pump.shown, version)
      for (const each of [socket, thief]) t.after(() => each.destroy())
      const body = bound(bindingOf(socket, version))
      assertProblem(await asked(thief, { path: reenrol, body }), 403, 'channel-binding-mismatch')
      certificateIn(await asked(socket, { path: reenrol, body }))
      const { tokenText } = await registered(est.hub, 'pump-8')
      const headers = basic('pump-8', tokenText)
      const first = {
        path: '/.well-known/est/simpleenroll',
        body: bound(bindingOf(socket, version), 'pump-8'),
        headers,
      }
      assertProblem(await asked(thief, first), 403, 'channel-binding-mismatch')
      certificateIn(await asked(socket, first))
    })
  }

  test('is refused over TLS 1.3 where it holds a tls-unique, which does not exist there', async (t) => {
    const est = await listener(t)
    const pump = await device(est, 'pump-7')
    const socket = await opened(est, pump.shown, 'TLSv1.3')
    t.after(() => socket.destroy())
    const body = bound(socket.getFinished() ?? Buffer.alloc(0))
    const { hint } = assertProblem(await asked(socket, { path: reenrol, body }), 403, 'channel-binding-mismatch')
    assert.match(hint, /RFC 9266/)
  })
})

test('no session of this listener is resumed, so no certificate of an earlier connection speaks for a later one', async (t) => {
  const est = await listener(t)
  const pump = await device(est, 'pump-7')
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const first = await opened(est, pump.shown, version)
    const sessions: Buffer[] = []
    first.on('session', (session) => sessions.push(session))
    await asked(first, { path: '/device/confirm' })
    const session = sessions.at(-1) ?? first.getSession()
    first.destroy()
    const socket = await new Promise<TLSSocket>((resolve, reject) => {
      const again = connect({
        ...{ host: '127.0.0.1', port: est.port, rejectUnauthorized: false, minVersion: version, maxVersion: version },
        ...(session === undefined ? {} : { session }),
      })
      again.once('secureConnect', () => resolve(again))
      again.once('error', reject)
    })
    t.after(() => socket.destroy())
    assert.equal(socket.isSessionReused(), false)
    assertProblem(await asked(socket, { path: '/device/confirm' }), 401, 'certificate-missing')
  }
})

test('the certificate of the listener can be exchanged, and clients are still asked for theirs', async (t) => {
  const est = await listener(t)
  const pump = await device(est, 'pump-7')
  const { tlsOptions } = await import('../../src/http/listen.ts')
  const renewed = await currentServerCertificate(est.hub, { dnsNames: ['localhost', 'hub'], ipAddresses: [] })
  ;(est.app.server as unknown as { setSecureContext(options: object): void }).setSecureContext(tlsOptions(renewed))
  assert.equal((await once(est, pump.shown, { path: '/device/confirm' })).statusCode, 200)
})

function bindingOf(socket: TLSSocket, version: 'TLSv1.2' | 'TLSv1.3'): Buffer {
  if (version === 'TLSv1.3') return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
  return socket.getFinished() ?? Buffer.alloc(0)
}

function bound(binding: Buffer, id = 'pump-7'): Uint8Array {
  return makeRequest({
    subject: buildName(id),
    attributes: [attribute(oids.challengePassword, derUtf8String(binding.toString('base64')))],
  })
}

function pemOf({ privateKey }: TestKey): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** The two parts of an answer, read as MIME. */
