/** Both ends of a gate link over real TLS; who may come in is said by a fake. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { connect as connectTcp } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as elapse } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { HubError } from '../../src/core/errors.ts'
import type { FailureName } from '../../src/core/failure/catalogue.ts'
import { Secret } from '../../src/core/secret.ts'
import { startEmbeddedUpstream } from '../../src/gate/upstream/embedded/embedded-upstream.ts'
import { openSharedUpstream } from '../../src/gate/upstream/shared/shared-upstream.ts'
import { upstreamHost } from '../../src/gate/upstream/shared/upstream-host.ts'
import type { ClaimedUse } from '../../src/hub/confirm-claimed-use.ts'
import type { Entrant, Refusal } from '../../src/hub/gate-admission.ts'
import type { Judgement } from '../../src/hub/judgement.ts'
import type { HubEvent } from '../../src/hub/ports/events.ts'
import type { Upstream } from '../../src/hub/ports/upstream.ts'
import { encodeFrame, FrameReader } from '../../src/link/frames.ts'
import { GateLink } from '../../src/link/gate-link.ts'
import { linkLimits } from '../../src/link/limits.ts'
import { type LinkServer, startLinkServer } from '../../src/link/link-server.ts'
import { Reports } from '../../src/link/reports.ts'
import { upstreamContract } from '../contract/upstream.ts'
import { UpstreamClient } from '../contract/upstream-client.ts'
import { selfSigned, serverCertificate, type TestCertificate } from '../gate/certificates.ts'
import { FakeAdmission } from '../gate/fake-admission.ts'
import { Attempts } from '../gate/test-gate.ts'
import { freePort } from '../support/free-port.ts'
import { LogBook, ObserverBook } from '../support/hub-parts.ts'

const first = selfSigned('gate-2')
const renewed = selfSigned('gate-2')
const stranger = selfSigned('gate-3')

/** Who may link itself, by certificate. */
class FakeLinkAdmission {
  readonly #fake = new FakeAdmission()
  /** Certificates whose first use was written. */
  readonly used: string[] = []
  #before: () => Promise<void> = async () => {}

  admit(certificate: TestCertificate, id = 'gate-2'): void {
    this.#fake.admit(certificate, id)
  }

  refuse(certificate: TestCertificate, code: FailureName): void {
    this.#fake.refuse(certificate, code, `${code} in full`)
  }

  /** From now on nobody is judged before that. @returns when the first one waits */
  hold(until: Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#before = () => {
      resolve()
      return until
    }
    return promise
  }

  async judge(certificate: Uint8Array | null): Promise<Judgement> {
    await this.#before()
    const judged = await this.#fake.judge({ certificate, listener: 'mqtt', verdict: null })
    if (!judged.admitted) return judged
    const { identity, proof, summary } = judged
    if (proof.kind !== 'issued' || summary === null) throw new Error('a fake without a certificate')
    return { admitted: true, identity, credential: proof.credential, summary }
  }

  async confirmUse(judgement: Judgement & { readonly admitted: true }): Promise<Judgement> {
    this.used.push(judgement.credential.fingerprint)
    return judgement
  }
}

interface Bed {
  readonly server: LinkServer
  readonly admission: FakeLinkAdmission
  readonly attempts: Attempts
  readonly observer: ObserverBook
  readonly broker: Upstream
  readonly uses: ClaimedUse[]
  answer: (use: ClaimedUse) => Promise<Entrant | Refusal>
  /** Reasons of revocations, by fingerprint. */
  readonly reasons: Map<string, string>
  /** Ends the connections of gates to the broker. */
  dropBrokers(): Promise<void>
  stop(): Promise<void>
}

async function bed(port = 0): Promise<Bed> {
  const log = new LogBook()
  const broker = await startEmbeddedUpstream({ log })
  const host = upstreamHost({ upstream: broker, log })
  const [admission, attempts, observer] = [new FakeLinkAdmission(), new Attempts(), new ObserverBook()]
  const reasons = new Map<string, string>()
  const made: Omit<Bed, 'server' | 'stop'> = {
    ...{ admission, attempts, observer, broker, reasons, dropBrokers: () => host.stop() },
    uses: [],
    answer: async () => ({
      admitted: false,
      code: 'pin-removed',
      sentence: 'gone',
      identityId: 'pump-7',
      summary: null,
    }),
  }
  const server = await startLinkServer({
    host: '127.0.0.1',
    port,
    certificate: { key: new Secret(serverCertificate.key), chain: serverCertificate.cert },
    ...{ admission, attempts, observer, log },
    store: {
      credentials: { find: async (name: string) => ({ revocationReason: reasons.get(name) ?? null }) },
    } as never,
    version: '1.2.3',
    registryVersion: 7,
    abilities: () => broker.abilities,
    serveBroker: (socket) => host.serve(socket),
    wantCrl: (anchorId, certificate) => observer.lines.push(`${anchorId} ${Buffer.from(certificate).toString('hex')}`),
    confirmUse: (use) => {
      made.uses.push(use)
      return bedOf.answer(use)
    },
    clock: { nowMs: () => 1_700_000_000_000 },
  })
  admission.admit(first)
  const bedOf: Bed = {
    ...made,
    server,
    async stop() {
      await server.stop()
      await host.stop()
      await broker.stop()
    },
  }
  return bedOf
}

interface TestLink {
  readonly link: GateLink
  readonly log: LogBook
  certificate: TestCertificate
  events: number
}

function gate(port: number, { registryVersion = 7, certificate = first } = {}): TestLink {
  const log = new LogBook()
  const made: TestLink = {
    log,
    certificate,
    events: 0,
    link: new GateLink({
      hub: { host: 'localhost', port },
      trust: () => ({
        key: new Secret(made.certificate.key),
        chain: made.certificate.cert,
        roots: serverCertificate.cert,
      }),
      version: '1.2.3',
      registryVersion,
      openBroker: (way, abilities) => openSharedUpstream({ way, abilities }),
      onEvents: () => made.events++,
      onUp() {},
      random: { bytes: (count) => new Uint8Array(count) },
      log,
    }),
  }
  return made
}

async function linked(t: TestContext): Promise<Bed & { readonly made: TestLink; readonly link: GateLink }> {
  const hub = await bed()
  t.after(() => hub.stop())
  const made = gate(hub.server.address.port)
  t.after(() => made.link.stop())
  assert.equal(await made.link.start(), null)
  return Object.assign(hub, { made, link: made.link })
}

async function until(isTrue: () => boolean, { signal }: { signal: AbortSignal }): Promise<void> {
  while (!isTrue()) await elapse(10, undefined, { signal })
}

function eventOf(identityId: string): HubEvent {
  return { number: 1, atMs: 0, type: 'identity-changed', identityId } as HubEvent
}

upstreamContract('linked', async () => {
  const hub = await bed()
  const { link } = gate(hub.server.address.port)
  await link.start()
  const { upstream } = link
  return {
    abilities: upstream.abilities,
    isAvailable: () => upstream.isAvailable(),
    connect: (client, listener) => upstream.connect(client, listener),
    async stop() {
      await link.stop()
      await hub.stop()
    },
  }
})

describe('a gate link', () => {
  test('brings events to the gate, and what the gate counts to the hub', async (t) => {
    const { server, link, observer, made } = await linked(t)
    assert.deepEqual(
      server.gates().map(({ id }) => id),
      ['gate-2'],
    )
    server.noted(eventOf('pump-7'))
    server.noted(eventOf('pump-8'))
    // The clock of the gate is another: that is no fault, and says nothing.
    link.say({ kind: 'revoked', afterMs: 86_400_000 })
    link.say({ kind: 'revoked', afterMs: 12 })
    link.say({ kind: 'told', attempts: [], counted: [['packetDenied', 'publish-denied']] })
    link.say({ kind: 'crl-wanted', anchorId: 'maker', certificate: Buffer.from('3003', 'hex').toString('base64') })
    await until(() => observer.lines.length === 3, t)
    assert.deepEqual(observer.lines, ['revocationApplied gate 12', 'packetDenied publish-denied', 'maker 3003'])
    assert.ok(made.log.lines.some(({ message }) => message === 'the link to the hub stands'))
  })

  test('has a first use written by the hub, which is told names alone', async (t) => {
    const hub = await linked(t)
    const entrant = { admitted: true, identity: { id: 'pump-7' }, summary: null }
    const proof = { kind: 'pinned', slot: 'primary', fingerprint: 'ab'.repeat(32), notAfterSec: null }
    const refused = await hub.link.confirmUse({ ...entrant, proof } as never)
    assert.deepEqual(refused, { admitted: false, code: 'pin-removed', sentence: 'gone', identityId: 'pump-7' })
    assert.deepEqual(hub.uses, [{ identityId: 'pump-7', proof: { kind: 'pinned', fingerprint: 'ab'.repeat(32) } }])
    hub.answer = async () => ({ ...entrant, proof }) as never
    assert.deepEqual(await hub.link.confirmUse({ ...entrant, proof } as never), { admitted: true })
    hub.answer = async () => {
      throw new Error('the disk is full')
    }
    assert.partialDeepStrictEqual(await hub.link.confirmUse({ ...entrant, proof } as never), { failed: 'internal' })
  })

  test('is not cut by a reason that is too long, or ends within a character', async (t) => {
    const hub = await linked(t)
    const proof = { kind: 'password', passwordId: 'p' }
    const asked = () => hub.link.confirmUse({ identity: { id: 'pump-7' }, proof } as never)
    const wild = `\u0000${'x'.repeat(linkLimits.textCharsMax - 2)}\u{1f600}`
    const refusal = { admitted: false, code: 'pin-removed', sentence: wild, identityId: null } as const
    hub.answer = async () => ({ ...refusal, summary: null })
    assert.partialDeepStrictEqual(await asked(), { code: 'pin-removed' })
    hub.answer = async () => {
      throw new HubError('store-unavailable', wild, { hint: wild })
    }
    assert.partialDeepStrictEqual(await asked(), { failed: 'store-unavailable' })
    assert.equal(hub.link.isUp, true)
  })

  test('ends at once with its sessions when the gate may not be there any more', async (t) => {
    const { server, link, admission, attempts } = await linked(t)
    const client = new UpstreamClient(link.upstream, 5)
    await client.connect({ clientId: 'pump-7/a' })
    admission.refuse(first, 'identity-disabled')
    server.noted(eventOf('gate-2'))
    await until(() => client.ended === true, t)
    assert.equal(link.upstream.isAvailable(), false)
    assert.throws(() => link.upstream.connect({} as never, {} as never), { code: 'upstream-unavailable' })
    // It asks again, and is told why not.
    await attempts.with('identity-disabled')
    assert.deepEqual(server.gates(), [])
  })

  test('goes over to a renewed certificate without ending a session, and outlives the old one', async (t) => {
    const hub = await linked(t)
    const { server, link, admission } = hub
    const client = new UpstreamClient(link.upstream, 5)
    await client.connect({ clientId: 'pump-7/a' })
    admission.admit(renewed)
    hub.made.certificate = renewed
    await link.takeUpTrust()
    assert.equal(admission.used.at(-1), renewed.fingerprint)
    admission.refuse(first, 'certificate-revoked')
    hub.reasons.set(first.fingerprint, 'superseded')
    server.noted(eventOf('gate-2'))
    await server.sweep()
    assert.equal(client.ended, null)
    assert.equal(link.isUp, true)
    // In any other way it may not end.
    hub.reasons.set(first.fingerprint, 'keyCompromise')
    await server.sweep()
    await until(() => client.ended === true, t)
  })

  test('stays as it is where the hub does not take the renewed certificate', async (t) => {
    const hub = await linked(t)
    hub.made.certificate = stranger
    await assert.rejects(hub.link.takeUpTrust(), { code: 'gate-link-refused' })
    assert.equal(hub.link.isUp, true)
    assert.equal(hub.link.upstream.isAvailable(), true)
  })

  test('is refused to whoever is no gate, with the reason as far as it may be known', async (t) => {
    const hub = await bed()
    t.after(() => hub.stop())
    const other = gate(hub.server.address.port, { certificate: stranger })
    await assert.rejects(other.link.start(), { code: 'gate-link-refused' })
    assert.partialDeepStrictEqual(await hub.attempts.with('certificate-foreign-authority'), { listener: 'gate-link' })
  })

  test('of a certificate that was copied to other machines puts the first of three out, and says so', async (t) => {
    const hub = await bed()
    t.after(() => hub.stop())
    const heard: object[] = []
    for (let n = 0; n < 3; n++) {
      const socket = connectTls({
        ...{ port: hub.server.address.port, host: '127.0.0.1', servername: 'localhost' },
        ...{ ca: serverCertificate.cert, key: first.key, cert: first.cert, ALPNProtocols: ['handfast-gate/1'] },
      })
      t.after(() => socket.destroy())
      const frames = new FrameReader()
      socket.on('data', (piece: Buffer) => heard.push(...(frames.push(piece) as Iterable<object>)))
      socket.write(encodeFrame({ kind: 'hello', version: '1.2.3' }))
      await until(() => heard.filter((message) => 'kind' in message && message.kind === 'welcome').length > n, t)
    }
    const refusal = () => heard.find((message) => 'kind' in message && message.kind === 'refused')
    await until(() => refusal() !== undefined, t)
    assert.partialDeepStrictEqual(refusal(), { code: 'gate-link-replaced' })
  })

  test('is not used by a gate that knows other tables', async (t) => {
    const hub = await bed()
    t.after(() => hub.stop())
    await assert.rejects(gate(hub.server.address.port, { registryVersion: 6 }).link.start(), {
      code: 'gate-version-differs',
    })
  })

  test('is not believed where the server is another', async (t) => {
    const hub = await bed()
    t.after(() => hub.stop())
    const made = gate(hub.server.address.port)
    hub.server.setCertificate({ key: new Secret(stranger.key), chain: stranger.cert })
    await assert.rejects(made.link.start(), { code: 'gate-link-untrusted' })
  })

  test('comes back by itself after the hub was away', async (t) => {
    const port = await freePort()
    const made = gate(port)
    t.after(() => made.link.stop())
    assert.equal((await made.link.start())?.code, 'gate-link-unreachable')
    assert.equal(made.link.upstream.isAvailable(), false)
    const hub = await bed(port)
    await until(() => made.link.upstream.isAvailable(), t)
    await hub.stop()
    await until(() => !made.link.upstream.isAvailable(), t)
    assert.ok(made.log.lines.some(({ level, fields }) => level === 'error' && fields.code === 'gate-link-broken'))
    const again = await bed(port)
    t.after(() => again.stop())
    await until(() => made.link.upstream.isAvailable(), t)
  })

  test('bears what a gate had to keep while it was down, and is not cut by it', async (t) => {
    const { link, attempts, made } = await linked(t)
    const reports = new Reports((told) => link.tell(told))
    const long = '\u8a9e'.repeat(linkLimits.textCharsMax)
    for (let atMs = 0; atMs < 2_000; atMs++) {
      reports.record({
        ...{ atMs, listener: 'mqtt', address: '::1', stage: 'certificate', outcome: 'refused', sentence: long },
        ...{ code: 'certificate-missing', identityId: null, clientId: null, tlsVersion: null, mqttVersion: null },
        certificate: null,
      })
    }
    reports.flush()
    await until(() => attempts.all.filter(({ listener }) => listener === 'mqtt@gate-2').length === 2_000, t)
    assert.equal(link.isUp, true)
    assert.equal(made.log.lines.filter(({ message }) => message.includes('is down')).length, 0)
  })

  test('comes back by itself also where its credential cannot be read for a moment', async (t) => {
    const { link, made, dropBrokers } = await linked(t)
    made.certificate = null as never
    await dropBrokers()
    await until(() => made.log.lines.some(({ message }) => message.includes('cannot be tried')), t)
    made.certificate = first
    await until(() => link.isUp, t)
  })

  test('stays down where the gate stops while it comes up', async (t) => {
    const hub = await linked(t)
    const { promise: isJudged, resolve: judge } = Promise.withResolvers<void>()
    const asked = hub.admission.hold(isJudged)
    await hub.dropBrokers()
    await asked
    const stopped = hub.link.stop()
    judge()
    await stopped
    assert.equal(hub.link.isUp, false)
    await until(() => hub.server.gates().length === 0, t)
  })

  test('is cut where a gate says what is no message, and the hub goes on', async (t) => {
    const hub = await bed()
    t.after(() => hub.stop())
    for (const wrong of [{ kind: 'beat' }, { kind: 'figures' }, { kind: 'hello', version: 7 }]) {
      const socket = connectTls({
        ...{ port: hub.server.address.port, host: '127.0.0.1', servername: 'localhost' },
        ...{ ca: serverCertificate.cert, key: first.key, cert: first.cert, ALPNProtocols: ['handfast-gate/1'] },
      })
      socket.on('error', () => {})
      socket.write(encodeFrame(wrong))
      socket.resume()
      await new Promise((resolve) => socket.once('close', resolve))
    }
    const made = gate(hub.server.address.port)
    t.after(() => made.link.stop())
    assert.equal(await made.link.start(), null)
  })

  test('gives the way to the broker to no gate that has no control connection', async (t) => {
    const hub = await bed()
    t.after(() => hub.stop())
    const socket = connectTls({
      ...{ port: hub.server.address.port, host: '127.0.0.1', servername: 'localhost' },
      ...{ ca: serverCertificate.cert, key: first.key, cert: first.cert, ALPNProtocols: ['handfast-broker/1'] },
    })
    socket.on('error', () => {})
    let bytes = 0
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    await new Promise((resolve) => socket.once('close', resolve))
    assert.equal(bytes, 0)
  })

  test('keeps room for gates while strangers hold connections open', async (t) => {
    const hub = await bed()
    t.after(() => hub.stop())
    const { port } = hub.server.address
    const idle = Array.from({ length: linkLimits.pendingPerAddressMax - 1 }, () =>
      connectTcp({ port, host: '127.0.0.1' }).on('error', () => {}),
    )
    t.after(() => {
      for (const socket of idle) socket.destroy()
    })
    const made = gate(port)
    t.after(() => made.link.stop())
    assert.equal(await made.link.start(), null)
  })

  test('a certificate that two machines show belongs to the one that came last', async (t) => {
    const hub = await linked(t)
    const others = [gate(hub.server.address.port), gate(hub.server.address.port)]
    for (const { link } of others) {
      t.after(() => link.stop())
      await link.start()
    }
    await until(() => !hub.link.isUp, t)
  })
})

test('the certificates of these tests are those of different keys', () => {
  assert.notEqual(new X509Certificate(first.cert).fingerprint256, new X509Certificate(renewed.cert).fingerprint256)
})
