/** Questions to a hub that may be slow, wrong, or somebody else. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createSecureContext, type TLSSocket } from 'node:tls'
import { limits } from '../../src/core/limits.ts'
import { subjectAltName } from '../../src/core/x509/extensions.ts'
import { type HubTls, hubConnection } from '../../src/verify/hub/connection.ts'
import { readActivePolicy, readAnswers, readAuthorityList, readChanges } from '../../src/verify/hub/wire.ts'
import { authority } from '../support/anchor-bed.ts'
import { type OwnCertificate, ownCertificate } from '../support/own-certificate.ts'

const root = authority('root of the hub')
const names = { uris: [], dnsNames: ['localhost'], ipAddresses: [], emails: [] }
const hubCertificate = ownCertificate('hub', { issuer: root, extensions: [subjectAltName(names, false)] })
const [first, second] = [ownCertificate('shop', { issuer: root }), ownCertificate('shop', { issuer: root })]

function keyOf({ privateKey }: OwnCertificate): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function tlsOf(own: OwnCertificate): HubTls & { readonly ca: string } {
  return { ca: root.pem, cert: own.pem, key: keyOf(own) }
}

async function served(t: TestContext, answer: RequestListener, certificate = hubCertificate): Promise<number> {
  const server = createTlsServer(
    { cert: certificate.pem, key: keyOf(certificate), requestCert: true, rejectUnauthorized: false },
    answer,
  )
  server.listen(0, 'localhost')
  await once(server, 'listening')
  t.after(() => server.close().closeAllConnections())
  return (server.address() as AddressInfo).port
}

function connected(t: TestContext, port: number, tls: () => HubTls = () => tlsOf(first), host = 'localhost') {
  const connection = hubConnection({ host, port, tls })
  t.after(() => connection.close())
  return connection
}

test('the hub is asked with the certificate of the moment: after a renewal with the new one, over the same verifier', async (t) => {
  const port = await served(t, (request, response) => {
    const { raw } = (request.socket as TLSSocket).getPeerX509Certificate() ?? {}
    response.end(JSON.stringify({ sawSecond: raw !== undefined && Buffer.compare(raw, second.der) === 0 }))
  })
  let context = createSecureContext(tlsOf(first))
  const connection = connected(t, port, () => ({ secureContext: context }))
  assert.deepEqual(await connection.ask('/', 5_000), { sawSecond: false })
  context = createSecureContext(tlsOf(second))
  assert.deepEqual(await connection.ask('/', 5_000), { sawSecond: true })
})

test('who shows a certificate anew with each question leaves no connections behind', async (t) => {
  const open = new Set<unknown>()
  const port = await served(t, (request, response) => {
    open.add(request.socket)
    request.socket.once('close', () => open.delete(request.socket))
    response.end('{}')
  })
  const connection = connected(t, port, () => ({ secureContext: createSecureContext(tlsOf(first)) }))
  for (let count = 0; count < 6; count++) await connection.ask('/', 5_000)
  assert.ok(open.size <= 3, `${open.size} are open`)
})

test('a hub that is not ours is not believed: another root, another name', async (t) => {
  const stranger = ownCertificate('hub', { issuer: authority('another'), extensions: [subjectAltName(names, false)] })
  const answer: RequestListener = (_, response) => void response.end('{}')
  const port = await served(t, answer, stranger)
  await assert.rejects(connected(t, port).ask('/', 5_000), { code: 'verify-hub-silent' })
  const named = ownCertificate('hub', {
    issuer: root,
    extensions: [subjectAltName({ ...names, dnsNames: ['other.example'] }, false)],
  })
  await assert.rejects(connected(t, await served(t, answer, named)).ask('/', 5_000), { code: 'verify-hub-silent' })
})

test('what the hub refuses is told by its own name, and what no hub says is not taken for an answer', async (t) => {
  const answers: Readonly<Record<string, readonly [number, string]>> = {
    '/refused': [403, JSON.stringify({ code: 'verify-not-granted', detail: 'no' })],
    '/strange': [403, JSON.stringify({ code: 'toString' })],
    '/html': [502, '<html>bad gateway</html>'],
    '/long': [200, ' '.repeat(limits.verifyAnswerBytesMax + 1)],
    '/text': [200, 'hello'],
  }
  const port = await served(t, ({ url = '' }, response) => {
    const [status, body] = answers[url] ?? [404, '']
    response.writeHead(status).end(body)
  })
  const connection = connected(t, port)
  await assert.rejects(connection.ask('/refused', 5_000), { code: 'verify-not-granted' })
  for (const path of ['/strange', '/html', '/long']) {
    await assert.rejects(connection.ask(path, 5_000), { code: 'hub-answer-unexpected' }, path)
  }
  assert.throws(() => readChanges(null), { code: 'hub-answer-unexpected' })
  assert.equal(await connection.ask('/text', 5_000), null)
})

test('a hub that says nothing is given up after the time for a question', async (t) => {
  const port = await served(t, () => {})
  await assert.rejects(connected(t, port).ask('/', 50), { code: 'verify-hub-silent' })
})

test('a port that speaks no TLS, and one where nobody listens, are silence', async (t) => {
  const plain = createServer((_, response) => void response.end('{}')).listen(0, 'localhost')
  await once(plain, 'listening')
  const { port } = plain.address() as AddressInfo
  await assert.rejects(connected(t, port).ask('/', 5_000), { code: 'verify-hub-silent' })
  plain.close()
  await once(plain, 'close')
  await assert.rejects(connected(t, port).ask('/', 5_000), { code: 'verify-hub-silent' })
})

test('an answer with anything else in it than a hub says is no answer', () => {
  const identity = { id: 'pump-7', kind: 'device', group: null, attributes: {}, keyStorage: null }
  const good = { admitted: true, identity, authority: 'issuing-1', profile: 'device', keyOrigin: 'holder', endsAtMs: 1 }
  assert.equal(readAnswers({ answers: [good] }, 1).length, 1)
  const wrong: readonly unknown[] = [
    ...[null, [], 'x', {}, { answers: [] }, { answers: [good, good] }, { answers: [null] }],
    ...[{ id: 'a/b' }, { kind: 'robot' }, { group: 1 }, { attributes: { a: 1 } }, { keyStorage: 'x' }].map((other) => ({
      answers: [{ ...good, identity: { ...identity, ...other } }],
    })),
    ...[{ admitted: 'yes' }, { endsAtMs: '1' }, { keyOrigin: null }, { profile: 0 }].map((other) => ({
      answers: [{ ...good, ...other }],
    })),
    { answers: [{ admitted: false, code: 1 }] },
  ]
  for (const said of wrong)
    assert.throws(() => readAnswers(said, 1), { code: 'hub-answer-unexpected' }, JSON.stringify(said))
  for (const said of [
    null,
    { position: '', changed: null },
    { position: 'a b', changed: [] },
    { position: 'a.1', changed: [1] },
  ]) {
    assert.throws(() => readChanges(said), { code: 'hub-answer-unexpected' })
  }
  assert.throws(() => readAuthorityList({ authorities: [{ id: 1 }] }), { code: 'hub-answer-unexpected' })
  assert.throws(() => readActivePolicy({}), { code: 'hub-answer-unexpected' })
})

test('a reason that this version does not know is a refusal all the same', () => {
  const [answer] = readAnswers({ answers: [{ admitted: false, code: 'newer', sentence: '', identityId: 'a' }] }, 1)
  assert.deepEqual(answer, { admitted: false, code: 'certificate-unknown-serial', sentence: '', id: 'a' })
})
