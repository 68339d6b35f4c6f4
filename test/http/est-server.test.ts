/** EST over injected requests: what is answered, refused and recorded. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { limits } from '../../src/core/limits.ts'
import { Secret } from '../../src/core/secret.ts'
import { readCertsOnly } from '../../src/core/x509/pkcs7.ts'
import { estServer } from '../../src/http/est/est-server.ts'
import { registryAdmission } from '../../src/hub/admit.ts'
import { changeDeviceState, revokeDevice } from '../../src/hub/change-identity.ts'
import { FailureLimiter } from '../../src/hub/failure-limiter.ts'
import { ownAttempts } from '../../src/hub/own-attempts.ts'
import type { NewAttempt } from '../../src/hub/ports/attempts.ts'
import { profileNamed } from '../../src/hub/profiles.ts'
import { registryRenewal } from '../../src/hub/renew.ts'
import { noteRoots } from '../../src/hub/roll-over/acknowledge.ts'
import { currentServerCertificate } from '../../src/hub/server-certificate.ts'
import { deviceRequest, type HubParts, hubParts, registered } from '../support/hub-parts.ts'
import { assertAsDocumented } from './api-parts.ts'
import { type Answer, assertProblem } from './problem.ts'

interface EstParts {
  readonly hub: HubParts
  readonly app: FastifyInstance
  readonly attempts: NewAttempt[]
}

async function estParts(t: { after(step: () => unknown): void }): Promise<EstParts> {
  const hub = await hubParts(t)
  const attempts: NewAttempt[] = []
  const app = estServer({
    hub,
    caCertificates: () => hub.authorities.caCertificates(),
    renewal: registryRenewal({ ...hub, attempts: { record() {} } }),
    ownAttempts: (shown, onKnown) => ownAttempts(hub, registryAdmission(hub), shown, onKnown),
    rootsKept: { noteRoots: (id, roots) => noteRoots(hub, id, roots) },
    profileNamed: (name) => profileNamed(hub.store, name),
    limiter: new FailureLimiter(hub.clock),
    attempts: { record: (attempt) => attempts.push(attempt) },
    log: hub.log,
    tls: await currentServerCertificate(hub, { dnsNames: ['localhost'], ipAddresses: [] }),
  })
  t.after(() => app.close())
  return { hub, app, attempts }
}

interface EnrolmentCall {
  readonly user?: string
  /** The token's text, or null to send no Authorization at all. */
  readonly token: Secret | string | null
  readonly body: string | Uint8Array
  readonly contentType?: string
}

/** `POST simpleenroll` as a stock client sends it. */
async function simpleEnrol({ app }: EstParts, call: EnrolmentCall): Promise<Answer> {
  const { user = '', token, body, contentType = 'application/pkcs10' } = call
  const password = token instanceof Secret ? token.reveal() : token
  const basic = Buffer.from(`${user}:${password}`).toString('base64')
  const answer = await app.inject({
    method: 'POST',
    url: '/.well-known/est/simpleenroll',
    headers: { 'content-type': contentType, ...(token === null ? {} : { authorization: `Basic ${basic}` }) },
    payload: typeof body === 'string' ? body : Buffer.from(body),
  })
  assertAsDocumented('POST', '/.well-known/est/simpleenroll', answer)
  return answer
}

function base64(der: Uint8Array): string {
  return Buffer.from(der).toString('base64')
}

function certificatesIn(answer: Answer): Uint8Array[] {
  assert.equal(answer.statusCode, 200, answer.body)
  return readCertsOnly(Buffer.from(answer.body, 'base64'))
}

test('cacerts hands out the root and then the issuing authority, without Content-Transfer-Encoding', async (t) => {
  const est = await estParts(t)
  const answer = await est.app.inject('/.well-known/est/cacerts')
  assert.equal(answer.headers['content-type'], 'application/pkcs7-mime')
  assert.equal(answer.headers['content-transfer-encoding'], undefined)
  const { authorities } = est.hub
  const found = certificatesIn(answer).map((der) => new X509Certificate(der).fingerprint256)
  assert.deepEqual(
    found,
    [authorities.root(), authorities.issuing()].map(
      ({ certificate }) => new X509Certificate(certificate).fingerprint256,
    ),
  )
})

describe('simpleenroll answers with the one certificate to a request in', () => {
  const forms: Readonly<Record<string, (der: Uint8Array) => string | Uint8Array>> = {
    'base64 on one line': base64,
    'base64 in lines of 64 that end with CR LF': (der) => base64(der).replaceAll(/.{64}/g, '$&\r\n'),
    'base64 with a line feed at its end': (der) => `${base64(der)}\n`,
    'bare DER': (der) => der,
  }
  for (const [name, form] of Object.entries(forms)) {
    test(name, async (t) => {
      const est = await estParts(t)
      const { tokenText } = await registered(est.hub, 'pump-7')
      const body = form(deviceRequest('pump-7').certificateRequest)
      const answer = await simpleEnrol(est, { user: 'pump-7', token: tokenText, body })
      assert.equal(answer.headers['content-type'], 'application/pkcs7-mime; smime-type=certs-only')
      const [leaf, ...others] = certificatesIn(answer)
      assert.ok(leaf !== undefined)
      assert.deepEqual(others, [])
      assert.equal(new X509Certificate(leaf).subject, 'CN=pump-7')
    })
  }
})

describe('simpleenroll refuses, with a challenge,', () => {
  const challenge = 'Basic realm="handfast", charset="UTF-8"'
  const body = base64(deviceRequest('pump-7').certificateRequest)

  test('a request without a token', async (t) => {
    const est = await estParts(t)
    const answer = await simpleEnrol(est, { token: null, body })
    assertProblem(answer, 401, 'token-missing')
    assert.equal(answer.headers['www-authenticate'], challenge)
  })

  test('a wrong token, and says no more than that', async (t) => {
    const est = await estParts(t)
    const { tokenText } = await registered(est.hub, 'pump-7')
    const right = tokenText.reveal()
    const wrong = [`${right.slice(0, -1)}${right.endsWith('A') ? 'B' : 'A'}`, 'nonsense', '']
    for (const token of wrong) {
      const answer = await simpleEnrol(est, { user: 'pump-7', token, body })
      assert.equal(assertProblem(answer, 401, 'token-invalid').detail, 'the enrolment token is not valid')
      assert.equal(answer.headers['www-authenticate'], challenge)
    }
  })

  test('a token with another device as user name', async (t) => {
    const est = await estParts(t)
    const { tokenText } = await registered(est.hub, 'pump-7')
    await registered(est.hub, 'pump-8')
    assertProblem(await simpleEnrol(est, { user: 'pump-8', token: tokenText, body }), 401, 'token-invalid')
  })

  test('another scheme than Basic, and Basic without a colon', async (t) => {
    const est = await estParts(t)
    const token = (await registered(est.hub, 'pump-7')).tokenText.reveal()
    for (const authorization of [`Bearer ${token}`, `Basic ${base64(Buffer.from(token))}`, 'Basic %%%']) {
      const answer = await est.app.inject({
        method: 'POST',
        url: '/.well-known/est/simpleenroll',
        headers: { 'content-type': 'application/pkcs10', authorization },
        payload: body,
      })
      assertProblem(answer, 401, 'token-missing')
    }
  })

  test('a token that was used with another key', async (t) => {
    const est = await estParts(t)
    const { tokenText } = await registered(est.hub, 'pump-7')
    certificatesIn(await simpleEnrol(est, { token: tokenText, body }))
    const other = base64(deviceRequest('pump-7').certificateRequest)
    const answer = await simpleEnrol(est, { token: tokenText, body: other })
    assertProblem(answer, 401, 'token-used')
    assert.equal(answer.headers['www-authenticate'], challenge)
  })

  test('a token of a revoked device, and an expired one', async (t) => {
    const est = await estParts(t)
    const { tokenText, identity } = await registered(est.hub, 'pump-7')
    const late = await registered(est.hub, 'pump-8')
    await revokeDevice(est.hub, est.hub.actor, identity.id, 'keyCompromise')
    assertProblem(await simpleEnrol(est, { token: tokenText, body }), 401, 'token-revoked')
    est.hub.clock.advance(86_400_000)
    assertProblem(await simpleEnrol(est, { token: late.tokenText, body }), 401, 'token-expired')
  })
})

test('a disabled device reads that word and nothing else', async (t) => {
  const est = await estParts(t)
  const { tokenText, identity } = await registered(est.hub, 'pump-7')
  await changeDeviceState(est.hub, est.hub.actor, identity.id, 'disabled')
  const body = base64(deviceRequest('pump-7').certificateRequest)
  const problem = assertProblem(await simpleEnrol(est, { token: tokenText, body }), 403, 'identity-disabled')
  assert.equal(problem.title, 'disabled')
  assert.equal(problem.detail, 'disabled')
  assert.equal(problem.hint, 'ask the operator of this hub')
})

describe('simpleenroll names what is wrong with a body', () => {
  const der = deviceRequest('pump-7').certificateRequest
  const cases: readonly [name: string, code: string, status: number, body: string | Uint8Array][] = [
    ['PEM', 'csr-unreadable', 400, `-----BEGIN CERTIFICATE REQUEST-----\n${base64(der)}\n`],
    ['nothing', 'csr-unreadable', 400, ''],
    ['neither base64 nor DER', 'csr-unreadable', 400, '{"csr":true}'],
    ['base64 of something else', 'csr-unreadable', 400, base64(Buffer.from('hello'))],
    ['cut short', 'csr-unreadable', 400, der.subarray(0, -1)],
    ['with bytes after its end', 'csr-unreadable', 400, Buffer.concat([der, Buffer.from([0])])],
    ['a damaged signature', 'csr-signature-invalid', 400, withLastBitFlipped(der)],
    ['another id', 'csr-asks-too-much', 403, base64(deviceRequest('pump-8').certificateRequest)],
    ['too large', 'request-too-large', 413, 'A'.repeat(limits.estBodyBytesMax + 1)],
  ]
  for (const [name, code, status, body] of cases) {
    test(name, async (t) => {
      const est = await estParts(t)
      const { tokenText, identity } = await registered(est.hub, 'pump-7')
      assertProblem(await simpleEnrol(est, { token: tokenText, body }), status, code)
      const { items } = await est.hub.store.credentials.listOfIdentity(identity.id, { after: null, limit: 1 })
      assert.deepEqual(items, [])
    })
  }

  test('another type', async (t) => {
    const est = await estParts(t)
    const { tokenText } = await registered(est.hub, 'pump-7')
    for (const contentType of ['application/x-www-form-urlencoded', 'application/json', 'text/plain']) {
      const answer = await simpleEnrol(est, { token: tokenText, body: base64(der), contentType })
      assert.match(assertProblem(answer, 400, 'csr-unreadable').detail, /no body of type application\/pkcs10/)
    }
  })
})

test('a refusal becomes an attempt, and only a proved token puts it into the history of a device', async (t) => {
  const est = await estParts(t)
  const { tokenText } = await registered(est.hub, 'pump-7')
  const body = base64(deviceRequest('pump-8').certificateRequest)
  await simpleEnrol(est, { user: 'pump-7', token: 'nonsense', body })
  await simpleEnrol(est, { user: 'pump-7', token: tokenText, body })
  assert.deepEqual(
    est.attempts.map(({ listener, stage, code, identityId }) => ({ listener, stage, code, identityId })),
    [
      { listener: 'est', stage: 'enrolment', code: 'token-invalid', identityId: null },
      { listener: 'est', stage: 'enrolment', code: 'csr-asks-too-much', identityId: 'pump-7' },
    ],
  )
  assert.ok(est.attempts.every(({ sentence }) => !sentence.includes(tokenText.reveal())))
})

test('wrong tokens are answered 429 after too many of them, and a right one from the same address passes', async (t) => {
  const est = await estParts(t)
  const { tokenText } = await registered(est.hub, 'pump-7')
  const body = base64(deviceRequest('pump-7').certificateRequest)
  for (let failures = 0; failures < limits.authFailuresPerMinuteMax; failures += 1) {
    assertProblem(await simpleEnrol(est, { token: 'nonsense', body }), 401, 'token-invalid')
  }
  const answer = await simpleEnrol(est, { token: 'nonsense', body })
  assertProblem(answer, 429, 'rate-limited')
  assert.equal(answer.headers['retry-after'], '2')
  assert.equal((await est.app.inject('/.well-known/est/cacerts')).statusCode, 200)
  certificatesIn(await simpleEnrol(est, { token: tokenText, body }))
  est.hub.clock.advance(60_000)
  assertProblem(await simpleEnrol(est, { token: 'nonsense', body }), 401, 'token-invalid')
})

test('operations that are left out do not exist', async (t) => {
  const { app } = await estParts(t)
  for (const operation of ['fullcmc', 'device/fullcmc', 'device/more/simpleenroll']) {
    const answer = await app.inject({ method: 'POST', url: `/.well-known/est/${operation}`, payload: '' })
    assertProblem(answer, 404, 'not-found')
  }
  const get = await app.inject('/.well-known/est/simpleenroll')
  assertProblem(get, 405, 'method-not-allowed')
  assert.equal(get.headers.allow, 'POST')
  assertProblem(await app.inject('/api/v1/devices'), 404, 'not-found')
})

/** The last byte belongs to the signature. */
function withLastBitFlipped(der: Uint8Array): Uint8Array {
  const copy = Buffer.from(der)
  copy.writeUInt8(copy.readUInt8(copy.length - 1) ^ 1, copy.length - 1)
  return copy
}
