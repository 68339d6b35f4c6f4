/** Verifiers on real TLS servers: what is resumed, and what lives on. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { duplexPair } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { connect, createServer, type SecureVersion, type Server, type TLSSocket } from 'node:tls'
import type { Refused, Verdict } from '../../src/verify/verdict.ts'
import type { Verifier } from '../../src/verify/verifier.ts'
import { Watches } from '../../src/verify/watches.ts'
import { authority } from '../support/anchor-bed.ts'
import { type OwnCertificate, ownCertificate } from '../support/own-certificate.ts'
import { client, outcome, startSec, verifierFor } from './bed.ts'

const acme = authority('acme issuing')
const serverCertificate = ownCertificate('server')

/** @returns what was judged, connection by connection */
async function served(
  t: TestContext,
  verifier: Verifier,
  options: { readonly maxVersion: SecureVersion; readonly tickets?: boolean },
): Promise<{ readonly server: Server; readonly judged: { readonly verdict: Verdict; readonly socket: TLSSocket }[] }> {
  const judged: { verdict: Verdict; socket: TLSSocket }[] = []
  const given = verifier.serverOptions()
  const server = createServer({
    ...given,
    ...{ cert: serverCertificate.pem, key: keyPem(serverCertificate), maxVersion: options.maxVersion },
    ...(options.tickets === true ? { secureOptions: 0 } : {}),
  })
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {})
    void verifier.peer(socket).then((verdict) => {
      judged.push({ verdict, socket })
      socket.end('judged')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { server, judged }
}

function keyPem({ privateKey }: OwnCertificate): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** One connection until the server ends it. @returns the session, and whether one was resumed */
async function visit(server: Server, shown: OwnCertificate | null, session?: Buffer) {
  const { port } = server.address() as AddressInfo
  const socket = connect({
    ...{ port, host: '127.0.0.1', rejectUnauthorized: false },
    ...(shown === null ? {} : { cert: shown.pem, key: keyPem(shown) }),
    ...(session === undefined ? {} : { session }),
  })
  let ticket: Buffer | undefined
  socket.on('session', (given: Buffer) => {
    ticket = given
  })
  socket.resume()
  await once(socket, 'secureConnect')
  const isResumed = socket.isSessionReused()
  await once(socket, 'close')
  return { ticket, isResumed }
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`a session of ${maxVersion} that is resumed is judged again: what has ended meanwhile is refused`, async (t) => {
    let nowSec = startSec
    const verifier = await verifierFor(t, acme, { nowMs: () => nowSec * 1000 })
    const { server, judged } = await served(t, verifier, { maxVersion, tickets: true })
    const pump = client('pump-7', acme, { untilSec: startSec + 60 })
    const { ticket } = await visit(server, pump)
    assert.ok(ticket !== undefined)
    const again = await visit(server, pump, ticket)
    nowSec += 61
    const late = await visit(server, pump, again.ticket ?? ticket)
    assert.deepEqual([again.isResumed, late.isResumed], [true, true])
    assert.deepEqual(
      judged.map(({ verdict }) => outcome(verdict)),
      ['pump-7', 'pump-7', 'certificate-expired'],
    )
  })

  test(`a server of ${maxVersion} with the options of the verifier resumes nothing and asks everybody`, async (t) => {
    const verifier = await verifierFor(t, acme)
    const { server, judged } = await served(t, verifier, { maxVersion })
    const { ticket } = await visit(server, client('pump-7', acme))
    const again = await visit(server, null, ticket)
    assert.equal(again.isResumed, false)
    assert.deepEqual(
      judged.map(({ verdict }) => outcome(verdict)),
      ['pump-7', 'certificate-missing'],
    )
    assert.equal(judged[0]?.socket.authorized, false, 'the verdict of the socket is not the one that counts')
  })
}

test('a connection that no TLS server of this process has made is refused, whatever stands in its headers', async (t) => {
  const verifier = await verifierFor(t, acme)
  const [plain] = duplexPair()
  await assert.rejects(verifier.peer(plain as unknown as TLSSocket), { code: 'verify-settings-invalid' })
})

test('a watched connection ends when who is behind it would not come in any more', async (t) => {
  let nowSec = startSec
  const verifier = await verifierFor(t, acme, { nowMs: () => nowSec * 1000 })
  const watches = new Watches({
    judge: (der) => verifier.judge(der),
    monotonicMs: () => nowSec * 1000,
    silentSecMax: 300,
  })
  const pump = client('pump-7', acme, { untilSec: startSec + 60 })
  const admitted = await verifier.judge(pump.der)
  assert.ok(admitted.admitted)
  const ends: Refused[] = []
  const [one, other] = duplexPair()
  watches.add(one, pump.der, admitted, (refused) => ends.push(refused))
  watches.add(other, pump.der, admitted)
  await watches.look()
  assert.deepEqual([ends.length, other.destroyed], [0, false])
  nowSec += 61
  await watches.look()
  assert.deepEqual([ends.map(({ code }) => code), other.destroyed], [['certificate-expired'], true])
  await watches.look()
  assert.equal(ends.length, 1, 'it is told once')
})

test('a connection whose certificate speaks for somebody else by now ends', async (t) => {
  const verifier = await verifierFor(t, acme)
  const [pump, press] = await Promise.all(
    [client('pump-7', acme), client('press-1', acme)].map(({ der }) => verifier.judge(der)),
  )
  assert.ok(pump?.admitted && press?.admitted)
  const watches = new Watches({ judge: async () => press, monotonicMs: () => 0, silentSecMax: 300 })
  const [socket] = duplexPair()
  watches.add(socket, null, pump)
  await watches.look()
  assert.equal(socket.destroyed, true)
})

test('silence ends a watched connection only when it has lasted for as long as is stated, other refusals at once', async (t) => {
  const verifier = await verifierFor(t, acme)
  const pump = client('pump-7', acme)
  const admitted = await verifier.judge(pump.der)
  assert.ok(admitted.admitted)
  let said: Verdict = admitted
  let monotonicMs = 0
  const watches = new Watches({ judge: async () => said, monotonicMs: () => monotonicMs, silentSecMax: 60 })
  const [one, other] = duplexPair()
  const ends: string[] = []
  watches.add(one, pump.der, admitted, ({ code }) => ends.push(code))
  const silent = { admitted: false, sentence: '', told: '', certificate: null } as const
  said = { ...silent, code: 'verify-hub-silent' }
  monotonicMs = 60_000
  await watches.look()
  assert.equal(ends.length, 0)
  said = admitted
  await watches.look()
  said = { ...silent, code: 'verify-status-unknown' }
  monotonicMs += 60_000
  await watches.look()
  assert.equal(ends.length, 0, 'it was heard of a minute ago')
  monotonicMs += 1
  await watches.look()
  assert.deepEqual(ends, ['verify-status-unknown'])
  watches.add(other, pump.der, admitted, ({ code }) => ends.push(code))
  said = { ...silent, code: 'verify-hub-stale' }
  await watches.look()
  assert.deepEqual(ends, ['verify-status-unknown', 'verify-hub-stale'])
})

test('what the server itself throws says nothing about a peer: others are looked at, and it ends when that lasts', async (t) => {
  const verifier = await verifierFor(t, acme)
  const pump = client('pump-7', acme)
  const admitted = await verifier.judge(pump.der)
  assert.ok(admitted.admitted)
  let monotonicMs = 0
  const judge = async (der: Uint8Array | null): Promise<Verdict> => {
    if (der === null) throw new Error('the database is away')
    return { admitted: false, code: 'foreign-revoked', sentence: '', told: '', certificate: null }
  }
  const watches = new Watches({ judge, monotonicMs: () => monotonicMs, silentSecMax: 60 })
  const [one, other] = duplexPair()
  const ends: string[] = []
  watches.add(one, null, admitted, ({ code, sentence }) => ends.push(`${code}: ${sentence}`))
  watches.add(other, pump.der, admitted)
  await watches.look()
  assert.deepEqual([ends, other.destroyed], [[], true])
  monotonicMs = 60_001
  await watches.look()
  assert.deepEqual(ends, ['verify-status-unknown: nobody can say who it is: "the database is away"'])
})

test('a connection ends also where the one who is told of it throws', async (t) => {
  const thrown: unknown[] = []
  process.setUncaughtExceptionCaptureCallback((error) => thrown.push(error))
  t.after(() => process.setUncaughtExceptionCaptureCallback(null))
  const verifier = await verifierFor(t, acme)
  const pump = client('pump-7', acme)
  const admitted = await verifier.judge(pump.der)
  assert.ok(admitted.admitted)
  const said: Verdict = { admitted: false, code: 'foreign-revoked', sentence: '', told: '', certificate: null }
  const watches = new Watches({ judge: async () => said, monotonicMs: () => 0, silentSecMax: 60 })
  const [one, other] = duplexPair()
  watches.add(one, pump.der, admitted, () => {
    throw new Error('of the server')
  })
  watches.add(other, pump.der, admitted)
  await watches.look()
  assert.deepEqual([one.destroyed, other.destroyed], [true, true])
  await new Promise(setImmediate)
  assert.deepEqual(thrown.map(String), ['Error: of the server'])
})
