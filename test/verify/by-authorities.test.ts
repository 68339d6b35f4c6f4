import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { HubError } from '../../src/core/errors.ts'
import { type FailureName, failure } from '../../src/core/failure/catalogue.ts'
import type { TopicFilter } from '../../src/core/mqtt/filter.ts'
import type { TopicName } from '../../src/core/mqtt/topic.ts'
import { authorityInfoAccess, basicConstraints, crlDistributionPoint } from '../../src/core/x509/extensions.ts'
import { oids } from '../../src/core/x509/oids.ts'
import { encodePem } from '../../src/core/x509/pem.ts'
import type { AuthoritiesOptions } from '../../src/verify/by-authorities.ts'
import { verifyByAuthorities } from '../../src/verify/by-authorities.ts'
import { authority, crlOf, FakeNetwork, responderOf, serialOf } from '../support/anchor-bed.ts'
import { type OwnCertificate, ownCertificate } from '../support/own-certificate.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { client, outcome, policy, startSec, verifierFor } from './bed.ts'

const acme = authority('acme issuing')

test('a client of the authority is who its rule says, with the topics that the policy gives', async (t) => {
  const verifier = await verifierFor(t, acme)
  const verdict = await verifier.judge(client('pump-7', acme).der)
  assert.equal(verdict.admitted, true)
  assert.ok(verdict.admitted)
  assert.equal(verdict.peer.identity.id, 'pump-7')
  assert.equal(verdict.peer.endsAtMs, (startSec + 86_401) * 1000)
  const rights = verdict.rights({ clientId: 'pump-7' })
  assert.equal(rights.mayPublish('devices/pump-7/x' as TopicName), true)
  assert.equal(rights.mayPublish('devices/pump-8/x' as TopicName), false)
  assert.equal(rights.maySubscribe('devices/#' as TopicFilter), false)
})

test('a renewed certificate is the same identity: no list has to be kept', async (t) => {
  const verifier = await verifierFor(t, acme)
  const [first, second] = [client('pump-7', acme), client('pump-7', acme)]
  assert.notDeepEqual(first.der, second.der)
  assert.equal(outcome(await verifier.judge(first.der)), outcome(await verifier.judge(second.der)))
})

const impostor = authority('acme issuing')
const below = authority('acme line 4', acme)
const strangers: readonly (readonly [string, () => OwnCertificate | null, FailureName])[] = [
  ['that shows no certificate', () => null, 'certificate-missing'],
  ['of another authority', () => client('pump-7', authority('other')), 'certificate-foreign-authority'],
  ['that signed itself', () => client('pump-7', undefined), 'certificate-self-signed'],
  ['of an authority with the same name and another key', () => client('pump-7', impostor), 'foreign-issuer-rekeyed'],
  ['of an authority below that is not listed', () => client('pump-7', below), 'certificate-foreign-authority'],
  ['that is over', () => client('pump-7', acme, { untilSec: startSec - 1 }), 'certificate-expired'],
  ['that is for servers', () => client('pump-7', acme, { purposes: [oids.serverAuth] }), 'certificate-wrong-usage'],
  ['that is an authority', () => client('pump-7', acme, { more: [basicConstraints(0)] }), 'certificate-is-authority'],
  [
    'with two names',
    () => client('a', acme, { uris: ['urn:acme:device:a', 'urn:acme:device:b'] }),
    'identification-unfit',
  ],
  ['with no name that a rule reads', () => client('pump-7', acme, { uris: [] }), 'identification-none'],
  [
    'with a name that would reach into topics',
    () => client('a', acme, { uris: ['urn:acme:device:a/#'] }),
    'identification-none',
  ],
]

for (const [words, made, code] of strangers) {
  test(`a client ${words} is refused: ${code}`, async (t) => {
    const verifier = await verifierFor(t, acme)
    const verdict = await verifier.judge(made()?.der ?? null)
    assert.equal(outcome(verdict), code)
    assert.ok(!verdict.admitted)
    const mayKnow = failure(code).told === 'cause'
    assert.equal(/pump-7/.test(verdict.told), mayKnow, 'a stranger is told nothing')
  })
}

test('a certificate that begins later is told apart from one that is over', async (t) => {
  const verifier = await verifierFor(t, acme, { nowMs: () => (startSec - 86_401) * 1000 })
  assert.equal(outcome(await verifier.judge(client('pump-7', acme).der)), 'foreign-not-yet-valid')
})

test('an authority that is over vouches for nobody', async (t) => {
  const old = ownCertificate('old', {
    validity: { notBeforeSec: 1_600_000_000, notAfterSec: startSec - 1 },
    extensions: [basicConstraints(0)],
  })
  const verifier = await verifierFor(t, old, { authorities: { acme: old.pem } })
  assert.equal(outcome(await verifier.judge(client('pump-7', old).der)), 'foreign-authority-out-of-date')
})

test('an authority that does not list itself is trusted by its own certificate, whatever stands above it', async (t) => {
  const verifier = await verifierFor(t, below)
  assert.equal(outcome(await verifier.judge(client('pump-7', below).der)), 'pump-7')
  assert.equal(outcome(await verifier.judge(client('pump-7', acme).der)), 'certificate-foreign-authority')
})

test('who is not known is refused, and who is in another group than the rule says', async (t) => {
  const inGroup = policy.replace("identity: '${id}'", "identity: '${id}'\n    group: line-4")
  const facts: Record<string, { group?: string; attributes?: Record<string, string> } | null> = {
    a: { group: 'line-4', attributes: { site: 'north' } },
    b: { group: 'line-5' },
  }
  const verifier = await verifierFor(t, acme, { policy: inGroup, identityOf: (id) => facts[id] ?? null })
  const judged = async (id: string) => outcome(await verifier.judge(client(id, acme).der))
  assert.equal(await judged('a'), 'a')
  assert.equal(await judged('b'), 'identification-outside')
  assert.equal(await judged('c'), 'identification-unknown')
})

test('cut anywhere, a certificate is unreadable and ends nothing', async (t) => {
  const verifier = await verifierFor(t, acme)
  const { der } = client('pump-7', acme)
  for (let length = 0; length < der.length; length++) {
    assert.equal(outcome(await verifier.judge(der.subarray(0, length))), 'certificate-unreadable', String(length))
  }
})

test('with any octet changed, a certificate opens nothing', async (t) => {
  const verifier = await verifierFor(t, acme)
  const { der } = client('pump-7', acme)
  await fc.assert(
    fc.asyncProperty(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const changed = Uint8Array.from(der)
      changed[at] = (changed[at] ?? 0) ^ flip
      assert.equal((await verifier.judge(changed)).admitted, false)
    }),
    { numRuns: 300 },
  )
})

test('a CRL in a file takes access away when it is read again', async (t: TestContext) => {
  const file = join(temporaryFolder(t), 'acme.crl')
  const [good, bad] = [client('pump-7', acme), client('pump-8', acme)]
  const write = (revoked: readonly string[], thisUpdateSec: number): void =>
    writeFileSync(file, encodePem('X509 CRL', crlOf(acme, revoked, { thisUpdateSec })))
  write([], startSec - 200)
  t.mock.timers.enable({ apis: ['setInterval'] })
  const verifier = await verifierFor(t, acme, { revocation: { crl: { from: [file] } } })
  assert.equal(outcome(await verifier.judge(bad.der)), 'pump-8')
  write([serialOf(bad)], startSec - 100)
  t.mock.timers.tick(60_000)
  await eventually(t.signal, async () => outcome(await verifier.judge(bad.der)) === 'foreign-revoked')
  assert.equal(outcome(await verifier.judge(good.der)), 'pump-7')
})

test('an older CRL does not give back what a newer one has taken', async (t) => {
  const folder = temporaryFolder(t)
  const pump = client('pump-7', acme)
  const [newer, older] = [join(folder, 'newer.crl'), join(folder, 'older.crl')]
  writeFileSync(newer, crlOf(acme, [serialOf(pump)], { thisUpdateSec: startSec - 100 }))
  writeFileSync(older, crlOf(acme, [], { thisUpdateSec: startSec - 200 }))
  const verifier = await verifierFor(t, acme, { revocation: { crl: { from: [newer, older] } } })
  assert.equal(outcome(await verifier.judge(pump.der)), 'foreign-revoked')
})

test('once the CRL is over nobody comes in: what is not known counts as revoked', async (t) => {
  const network = new FakeNetwork()
  network.answers.set('http://crl.example/acme', () => crlOf(acme, [], { thisUpdateSec: startSec - 10 }))
  let nowSec = startSec
  const verifier = await verifierFor(t, acme, {
    ...{ nowMs: () => nowSec * 1000, revocation: { crl: { from: ['http://crl.example/acme'] } } },
    fetch: (asked) => network.fetch({ ...asked, hosts: new Set() }),
  })
  const pump = client('pump-7', acme, { untilSec: startSec + 10 * 86_400 })
  assert.equal(outcome(await verifier.judge(pump.der)), 'pump-7')
  nowSec += 86_400
  assert.equal(outcome(await verifier.judge(pump.der)), 'verify-status-unknown')
})

test('a part of a CRL speaks of the certificates that name it, and of no others', async (t) => {
  const url = 'http://crl.example/acme/3'
  const network = new FakeNetwork()
  network.answers.set(url, () => crlOf(acme, [], { thisUpdateSec: startSec - 10, part: url }))
  const verifier = await verifierFor(t, acme, {
    revocation: { crl: { from: [url] } },
    fetch: (asked) => network.fetch({ ...asked, hosts: new Set() }),
  })
  const named = client('pump-7', acme, { more: [crlDistributionPoint(url)] })
  assert.equal(outcome(await verifier.judge(named.der)), 'pump-7')
  assert.equal(outcome(await verifier.judge(client('pump-8', acme).der)), 'verify-status-unknown')
})

test('a CRL that cannot be had, or of another authority, stops the start and not the server later', async (t) => {
  const network = new FakeNetwork()
  const options = {
    revocation: { crl: { from: ['http://crl.example/acme'] } },
    fetch: (asked: { url: string; question: Uint8Array | null; bytesMax: number; timeMs: number }) =>
      network.fetch({ ...asked, hosts: new Set() }),
  }
  await assert.rejects(verifierFor(t, acme, options), { code: 'status-fetch-failed' })
  network.answers.set('http://crl.example/acme', () => crlOf(impostor, [], { thisUpdateSec: startSec }))
  await assert.rejects(verifierFor(t, acme, options), { code: 'anchor-crl-unfit' })
})

test('a responder is asked once a minute about a certificate, and who gets no answer is not let in', async (t) => {
  const network = new FakeNetwork()
  const url = 'http://ocsp.example/'
  const good = { kind: 'good' } as const
  const revoked = { kind: 'revoked', atMs: (startSec - 60) * 1000, reason: 'keyCompromise' } as const
  network.answers.set(url, responderOf(acme, good, { thisUpdateSec: startSec - 60 }))
  let nowSec = startSec
  const warnings: unknown[] = []
  const verifier = await verifierFor(t, acme, {
    ...{ nowMs: () => nowSec * 1000, revocation: { ocsp: {} }, warn: (error: unknown) => warnings.push(error) },
    fetch: (asked) => network.fetch({ ...asked, hosts: new Set() }),
  })
  const pump = client('pump-7', acme, {
    more: [authorityInfoAccess({ ocspUrl: url, caIssuersUrl: 'http://ca.example/' })],
  })
  const judged = async () => outcome(await verifier.judge(pump.der))
  assert.deepEqual(await Promise.all([judged(), judged()]), ['pump-7', 'pump-7'])
  assert.equal(network.asked.length, 1)
  network.answers.set(url, responderOf(acme, revoked, { thisUpdateSec: startSec - 60 }))
  nowSec += 59
  assert.equal(await judged(), 'pump-7')
  nowSec += 1
  assert.equal(await judged(), 'foreign-revoked')
  network.answers.clear()
  nowSec += 60
  assert.equal(await judged(), 'verify-status-unknown')
  assert.ok(warnings[0] instanceof HubError && warnings[0].code === 'status-fetch-failed')
  assert.equal(
    outcome(await verifier.judge(client('pump-8', acme).der)),
    'verify-status-unknown',
    'it names no responder',
  )
})

test('a responder that nobody reaches refuses the client, also where the one who is told of it throws', async (t) => {
  const thrown: unknown[] = []
  process.setUncaughtExceptionCaptureCallback((error) => thrown.push(error))
  t.after(() => process.setUncaughtExceptionCaptureCallback(null))
  const verifier = await verifierFor(t, acme, {
    revocation: { ocsp: { responder: 'http://ocsp.example/' } },
    fetch: async () => {
      throw new HubError('status-fetch-failed', 'silence')
    },
    warn: () => {
      throw new Error('of the server')
    },
  })
  assert.equal(outcome(await verifier.judge(client('pump-7', acme).der)), 'verify-status-unknown')
  await new Promise(setImmediate)
  assert.deepEqual(thrown.map(String), ['Error: of the server'])
})

const wrongSettings: readonly (readonly [string, Partial<AuthoritiesOptions>, FailureName])[] = [
  ['a policy without a rule', { policy: 'bindings: []\n' }, 'verify-settings-invalid'],
  [
    'a rule about an authority that is not given',
    { policy: policy.replace('[acme]', '[other]') },
    'verify-settings-invalid',
  ],
  [
    'a rule that registers',
    { policy: policy.replace("identity: '${id}'", "identity: '${id}'\n    onUnknown: create") },
    'verify-settings-invalid',
  ],
  ['a policy that cannot be read', { policy: 'identify: [' }, 'policy-invalid'],
  ['no authority', { authorities: {} }, 'verify-settings-invalid'],
  ['an id that is none', { authorities: { 'ACME CA': acme.pem } }, 'verify-settings-invalid'],
  ['a client in the place of an authority', { authorities: { acme: client('x', acme).pem } }, 'verify-authority-unfit'],
  ['a text without a certificate', { authorities: { acme: 'acme' } }, 'verify-authority-unfit'],
  ['no place of a CRL', { revocation: { crl: { from: [] } } }, 'verify-settings-invalid'],
  [
    'a CRL read without a pause',
    { revocation: { crl: { from: ['x'], everySec: Number.NaN } } },
    'verify-settings-invalid',
  ],
  ['no word on revocation', { revocation: {} as never }, 'verify-settings-invalid'],
]

for (const [words, options, code] of wrongSettings) {
  test(`${words} is refused before the server starts: ${code}`, async () => {
    const whole = { authorities: { acme: acme.pem }, policy, revocation: 'none' as const, ...options }
    await assert.rejects(verifyByAuthorities(whole), { code })
  })
}

test('an authority with a bound that is not heeded cannot be listed', async () => {
  const nameConstraints = { oid: '2.5.29.30', critical: true, value: new Uint8Array([0x30, 0]) }
  const bounded = ownCertificate('bounded', { extensions: [basicConstraints(0), nameConstraints] })
  const forServers = ownCertificate('servers', {
    extensions: [
      basicConstraints(0),
      { oid: oids.extendedKeyUsage, critical: false, value: Buffer.from('300a06082b06010505070301', 'hex') },
    ],
  })
  for (const { pem } of [bounded, forServers]) {
    const options = { authorities: { acme: pem }, policy, revocation: 'none' as const }
    await assert.rejects(verifyByAuthorities(options), { code: 'verify-authority-unfit' })
  }
})

/** Turns of the event loop, until it is so: files are read on other threads. */
async function eventually(signal: AbortSignal, isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) {
    signal.throwIfAborted()
    await new Promise((resolve) => setImmediate(resolve))
  }
}
