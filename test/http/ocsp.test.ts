/** OCSP over plain HTTP. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { limits } from '../../src/core/limits.ts'
import { requestIn } from '../../src/http/status/ocsp-routes.ts'
import { statusServer } from '../../src/http/status/status-server.ts'
import type { OcspAnswer } from '../../src/hub/answer-ocsp.ts'
import { currentCrl } from '../../src/hub/publish-crl.ts'
import { type HubParts, hubParts, noonMs } from '../support/hub-parts.ts'
import { assertProblem } from './problem.ts'

const kept = {
  body: Buffer.from('the answer'),
  thisUpdateMs: noonMs - 300_000,
  nextUpdateMs: noonMs + 3_600_000,
  tag: 'a1',
}

/** A server whose answerer says what it was asked, in hexadecimal, after `nothing`. */
function serverOf(t: { after(step: () => unknown): void }, hub: HubParts, answer?: OcspAnswer): FastifyInstance {
  const app = statusServer({
    authorities: hub.authorities,
    crl: (scope) => currentCrl(hub, scope),
    ocsp: {
      answer: async (der) => answer ?? { body: Buffer.from(Buffer.from(der).toString('hex')), kept: null },
    },
    readiness: { judge: async () => ({ isReady: true, reasons: [] }) },
    clock: hub.clock,
    log: hub.log,
  })
  t.after(() => app.close())
  return app
}

const type = 'application/ocsp-request'

test('an OCSP request is posted as it is, of its own type and of bounded length', async (t) => {
  const app = serverOf(t, await hubParts(t))
  const post = (payload: Buffer, contentType = type) =>
    app.inject({ method: 'POST', url: '/ocsp', payload, headers: { 'content-type': contentType } })
  const answer = await post(Buffer.from('3003ff', 'hex'))
  assert.equal(answer.statusCode, 200)
  assert.equal(answer.headers['content-type'], 'application/ocsp-response')
  assert.equal(answer.body, '3003ff')
  assertProblem(await post(Buffer.from('30', 'hex'), 'application/json'), 415, 'media-type-unsupported')
  assertProblem(await post(Buffer.alloc(limits.ocspRequestBytesMax + 1)), 413, 'request-too-large')
  assertProblem(await app.inject({ method: 'PUT', url: '/ocsp', payload: {} }), 405, 'method-not-allowed')
})

test('a request in the path is found whatever a client has made of its base64', async (t) => {
  const app = serverOf(t, await hubParts(t))
  // Its base64 holds every trap: "//", "+", "/" and padding.
  const der = Buffer.from('30fbffffbff0', 'hex')
  const text = der.toString('base64')
  const padded = Buffer.from('30fbffffbf', 'hex')
  assert.match(text, /\/\//)
  assert.match(padded.toString('base64'), /=$/)
  const asked = async (path: string): Promise<string> => (await app.inject(`/ocsp/${path}`)).body
  for (const path of [text, encodeURIComponent(text), `/${text}`, text.replaceAll('/', '%2f')]) {
    assert.equal(await asked(path), der.toString('hex'), path)
  }
  for (const path of [padded.toString('base64'), padded.toString('base64').replace(/=+$/, '')]) {
    assert.equal(await asked(path), padded.toString('hex'), path)
  }
  assert.equal(await asked(encodeURIComponent(padded.toString('base64'))), padded.toString('hex'))
  const plus = Buffer.from('300fbe', 'hex')
  assert.match(plus.toString('base64'), /\+/)
  for (const path of [plus.toString('base64'), plus.toString('base64').replaceAll('+', '%20')]) {
    assert.equal(await asked(path), plus.toString('hex'), path)
  }
})

test('what is no base64, or longer than a path may be, is asked as nothing, which no answerer can read', () => {
  const longest = `/ocsp/${'M'.repeat(limits.ocspGetCharsMax - '/ocsp/'.length)}`
  assert.notEqual(requestIn(longest).length, 0)
  for (const url of [`${longest}M`, '/ocsp/', '/ocsp/MA-_', '/ocsp/%zz', '/ocsp/M=A=', '/ocsp/MAA%00']) {
    assert.equal(requestIn(url).length, 0, url)
  }
})

test('what may be kept says so to caches, for five minutes at most, and never "no-cache"', async (t) => {
  const hub = await hubParts(t)
  const app = serverOf(t, hub, { body: kept.body, kept })
  const { headers, rawPayload } = await app.inject('/ocsp/MAA=')
  assert.equal(headers.etag, '"a1"')
  assert.equal(headers['last-modified'], new Date(kept.thisUpdateMs).toUTCString())
  assert.equal(headers.expires, new Date(kept.nextUpdateMs).toUTCString())
  assert.equal(headers['cache-control'], 'max-age=300, public, no-transform, must-revalidate')
  assert.equal(rawPayload.length, Number(headers['content-length']))
  const again = await app.inject({ url: '/ocsp/MAA=', headers: { 'if-none-match': '"a1"' } })
  assert.deepEqual([again.statusCode, again.rawPayload.length], [304, 0])
  hub.clock.advance(3_600_000 - 10_000)
  const late = await app.inject('/ocsp/MAA=')
  assert.match(`${late.headers['cache-control']}`, /^max-age=10,/)
})

test('an error, or an answer to a nonce, is kept by nobody', async (t) => {
  const app = serverOf(t, await hubParts(t))
  const { headers } = await app.inject('/ocsp/MAA=')
  assert.equal(headers['cache-control'], 'no-store')
  assert.equal(headers.etag, undefined)
})
