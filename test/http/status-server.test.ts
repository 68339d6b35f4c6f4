/** What anybody may read: CRLs and CA certificates over plain HTTP. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { encodePem } from '../../src/core/x509/pem.ts'
import { statusServer } from '../../src/http/status/status-server.ts'
import { currentCrl, fullScope, publishCrl } from '../../src/hub/publish-crl.ts'
import type { ReadinessVerdict } from '../../src/hub/readiness.ts'
import { type HubParts, hubParts } from '../support/hub-parts.ts'
import { assertProblem } from './problem.ts'

function crlPath(authorityId: string): string {
  return `/crl/${authorityId}.crl`
}

const ready: ReadinessVerdict = { isReady: true, reasons: [] }

function serverOf(t: { after(step: () => unknown): void }, hub: HubParts, verdict = ready): FastifyInstance {
  const app = statusServer({
    authorities: hub.authorities,
    crl: (scope) => currentCrl(hub, scope),
    ocsp: { answer: () => Promise.reject(new Error('nobody asks here')) },
    readiness: { judge: async () => verdict },
    clock: hub.clock,
    log: hub.log,
  })
  t.after(() => app.close())
  return app
}

test('a CRL is served in DER with its number as ETag, and may be kept for five minutes at most', async (t) => {
  const hub = await hubParts(t)
  const app = serverOf(t, hub)
  const row = await currentCrl(hub, fullScope(hub.issuing.id))
  const { statusCode, headers, rawPayload } = await app.inject(crlPath(hub.issuing.id))
  assert.equal(statusCode, 200)
  assert.equal(headers['content-type'], 'application/pkix-crl')
  assert.equal(headers.etag, `"${row.number}"`)
  assert.equal(headers['last-modified'], new Date(row.thisUpdateMs).toUTCString())
  assert.equal(headers['cache-control'], 'public, max-age=300')
  assert.deepEqual(new Uint8Array(rawPayload), new Uint8Array(row.crl))
})

test('a reader that has the current CRL is answered 304, and gets the next one in full', async (t) => {
  const hub = await hubParts(t)
  const app = serverOf(t, hub)
  const first = await app.inject(crlPath(hub.issuing.id))
  const again = () =>
    app.inject({ url: crlPath(hub.issuing.id), headers: { 'if-none-match': `"1", W/${first.headers.etag}` } })
  const same = await again()
  assert.equal(same.statusCode, 304)
  assert.equal(same.headers.etag, first.headers.etag)
  assert.equal(same.rawPayload.length, 0)

  await publishCrl(hub, fullScope(hub.issuing.id))
  const next = await again()
  assert.equal(next.statusCode, 200)
  assert.notEqual(next.headers.etag, first.headers.etag)
})

test('CA certificates are served in DER by authority, and the roots in PEM', async (t) => {
  const hub = await hubParts(t)
  const app = serverOf(t, hub)
  for (const { id, certificate } of [hub.authorities.root(), hub.authorities.issuing()]) {
    const { statusCode, headers, rawPayload } = await app.inject(`/ca/${id}.crt`)
    assert.equal(statusCode, 200)
    assert.equal(headers['content-type'], 'application/pkix-cert')
    assert.deepEqual(new Uint8Array(rawPayload), new Uint8Array(certificate))
  }
  const roots = await app.inject('/ca.pem')
  assert.equal(roots.body, encodePem('CERTIFICATE', hub.authorities.root().certificate))
})

test('what does not exist is a problem, whatever the path looks like', async (t) => {
  const hub = await hubParts(t)
  const app = serverOf(t, hub)
  const { id } = hub.issuing
  const paths = ['/', '/crl/', `/crl/${id}`, `/crl/${id}.crt`, '/crl/none.crl', '/ca/none.crt', `/ca/${id}.crl`]
  for (const path of [...paths, '/crl/..%2f..%2fhandfast.db.crl', '/crl/__proto__.crl']) {
    assertProblem(await app.inject(path), 404, 'not-found')
  }
  assertProblem(await app.inject({ method: 'POST', url: crlPath(id), payload: {} }), 405, 'method-not-allowed')
  for (const path of ['/crl/%zz', `/crl/${'a'.repeat(300)}.crl`]) {
    assertProblem(await app.inject(path), 400, 'request-invalid')
  }
})

test('a health check is answered', async (t) => {
  const app = serverOf(t, await hubParts(t))
  assert.deepEqual((await app.inject('/healthz')).json(), { status: 'ok' })
})

test('a stranger learns whether the hub is ready, and not why it is not', async (t) => {
  const hub = await hubParts(t)
  const yes = await serverOf(t, hub).inject('/readyz')
  assert.deepEqual([yes.statusCode, yes.json()], [200, { status: 'ready' }])
  const reasons = [{ code: 'store-unavailable', sentence: 'the registry has refused the last write' }] as const
  const no = await serverOf(t, hub, { isReady: false, reasons }).inject('/readyz')
  assert.deepEqual([no.statusCode, no.json()], [503, { status: 'not ready' }])
  assert.equal(no.headers['cache-control'], 'no-store')
})
