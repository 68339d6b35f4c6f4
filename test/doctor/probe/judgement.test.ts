import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { HubError } from '../../../src/core/errors.ts'
import { readCertificate } from '../../../src/core/x509/certificate.ts'
import { oids } from '../../../src/core/x509/oids.ts'
import { judgeRefusal } from '../../../src/doctor/probe/judge-client.ts'
import { judgeDials, judgeNotTls, judgeResolution } from '../../../src/doctor/probe/judge-reach.ts'
import { judgeServer } from '../../../src/doctor/probe/judge-server.ts'
import { judgeConnack, judgeTopic } from '../../../src/doctor/probe/judge-visit.ts'
import { parseTarget } from '../../../src/doctor/probe/target.ts'
import { readServerFlight } from '../../../src/doctor/probe/tls-flight.ts'
import type { Answer, Visit } from '../../../src/doctor/probe/visit.ts'
import { ownCertificate } from '../../support/own-certificate.ts'
import { acme, authority, device, leaf, nowSec } from './bed.ts'

const target = parseTarget('broker.example:8883')
const daySec = 86_400

test('an address is read as people write it', () => {
  const read = (text: string) => {
    const { host, port, isTls, path } = parseTarget(text)
    return [host, port, isTls, path]
  }
  assert.deepEqual(read('broker.example'), ['broker.example', 8883, true, null])
  assert.deepEqual(read('broker.example:1883'), ['broker.example', 1883, false, null])
  assert.deepEqual(read('mqtt://broker.example'), ['broker.example', 1883, false, null])
  assert.deepEqual(read('mqtts://[::1]:99'), ['::1', 99, true, null])
  assert.deepEqual(read('::1'), ['::1', 8883, true, null])
  assert.deepEqual(read('wss://broker.example/ws?x=1'), ['broker.example', 443, true, '/ws?x=1'])
  assert.deepEqual(read('ws://broker.example:8080'), ['broker.example', 8080, false, '/mqtt'])
})

test('what is no address is refused, and a login in it is not repeated', () => {
  for (const text of ['ftp://x', 'a b', 'host:0', 'host:99999', '', 'mqtt://[zz]', 'mqtts://']) {
    assert.throws(
      () => parseTarget(text),
      (error) => error instanceof HubError && error.code === 'usage',
    )
  }
  assert.throws(
    () => parseTarget('ftp://broker.example'),
    (error) => error instanceof HubError && /"ftp" is another protocol/.test(error.message),
  )
  assert.throws(
    () => parseTarget('mqtts://pump:MARKER@broker'),
    (error) => error instanceof HubError && !error.message.includes('MARKER'),
  )
})

test('why a name does not resolve has a code for each cause', () => {
  const codeOf = (code: string) => judgeResolution(target, { kind: 'failed', code })[0]?.code
  assert.equal(codeOf('ENOTFOUND'), 'name-not-found')
  assert.equal(codeOf('EAI_AGAIN'), 'name-not-resolved')
  assert.equal(codeOf('ETIMEOUT'), 'name-not-resolved')
})

test('a port that refuses is told as likely closed, with the firewall that answers the same', () => {
  const [found] = judgeDials(target, [{ address: '192.0.2.1', code: 'ECONNREFUSED', tookMs: 1 }])
  assert.deepEqual([found?.code, found?.certainty], ['port-refused', 'likely'])
  assert.match(found?.evidence ?? '', /nobody listens there; a firewall that rejects with a reset answers the same/)
  assert.equal(judgeDials(target, [{ address: '192.0.2.1', code: 'ETIMEDOUT', tookMs: 1 }])[0]?.certainty, 'certain')
})

test('why a port does not answer has a code for each cause', () => {
  const codeOf = (code: string) => judgeDials(target, [{ address: '192.0.2.1', code, tookMs: 1 }])[0]?.code
  assert.equal(codeOf('ECONNREFUSED'), 'port-refused')
  assert.equal(codeOf('ETIMEDOUT'), 'port-silent')
  assert.equal(codeOf('ENETUNREACH'), 'host-unreachable')
  assert.equal(codeOf('ECONNRESET'), 'connection-reset')
})

test('where one address of several answers, the others are a warning', () => {
  const findings = judgeDials(target, [
    { address: '2001:db8::1', code: 'ENETUNREACH', tookMs: 1 },
    { address: '192.0.2.1', code: null, tookMs: 1 },
  ])
  assert.deepEqual(
    findings.map(({ code, severity }) => [code, severity]),
    [['address-family-fails', 'warning']],
  )
  assert.match(findings[0]?.evidence ?? '', /\[2001:db8::1\]:8883 \(ENETUNREACH\).*192\.0\.2\.1:8883 can/)
})

test('a server that hangs up without a word is told from one that does not answer', () => {
  const flight = readServerFlight(Buffer.alloc(0))
  const codeOf = (code: string) =>
    judgeNotTls(target, { kind: 'failed', flight, code, alert: null }, 'nothing')[0]?.code
  assert.equal(codeOf('ECONNRESET'), 'tls-dropped')
  assert.equal(codeOf('ETIMEDOUT'), 'tls-unanswered')
})

test('what OpenSSL refuses for another reason is told in its word', () => {
  const own = leaf('localhost')
  const seen = {
    subject: 'x',
    name: 'localhost',
    chain: [own.der],
    anchors: [new X509Certificate(acme.pem)],
    isOwnTrust: true,
    nowSec,
  }
  assert.deepEqual(judgeServer({ ...seen, verdict: null }), [])
  assert.deepEqual(
    judgeServer({ ...seen, verdict: 'PATH_LENGTH_EXCEEDED' }).map(({ code }) => code),
    ['server-unverified'],
  )
})

test('an intermediate among the authorities without its root is told, as OpenSSL stops there', () => {
  const [issuing, seen] = chained()
  const [found, another] = judgeServer({
    ...seen,
    anchors: [new X509Certificate(issuing.pem)],
    verdict: 'UNABLE_TO_GET_ISSUER_CERT',
  })
  assert.deepEqual([found?.code, found?.severity, another], ['hub-untrusted', 'fault', undefined])
  assert.match(found?.evidence ?? '', /an intermediate of its chain and not the root/)
})

test('of a server that sends an intermediate, the root is likelier to be unknown than another intermediate to be missing', () => {
  const [, seen] = chained()
  const found = judgeServer({ ...seen, anchors: [], verdict: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' })
  assert.deepEqual(
    found.map(({ code, certainty }) => [code, certainty]),
    [
      ['hub-untrusted', 'likely'],
      ['hub-intermediate-missing', 'possible'],
    ],
  )
})

/** What a server below an intermediate shows. */
function chained() {
  const issuing = authority('ACME issuing', acme)
  const own = leaf('localhost', { issuer: issuing })
  const seen = { subject: 'x', name: 'localhost', chain: [own.der, issuing.der], isOwnTrust: true, nowSec }
  return [issuing, seen] as const
}

test('an authority of the right name and another key has not signed it', () => {
  const own = leaf('localhost', { issuer: authority('ACME') })
  const [found] = judgeServer({
    subject: 'x',
    name: 'localhost',
    chain: [own.der],
    anchors: [new X509Certificate(acme.pem)],
    isOwnTrust: true,
    verdict: null,
    nowSec,
  })
  assert.equal(found?.code, 'hub-untrusted')
  assert.match(found?.evidence ?? '', /another key/)
})

test('the alert of a server and the certificate that was shown tell the cause together', () => {
  const good = device('pump')
  const fields = (own: { readonly der: Uint8Array }) => readCertificate(own.der)
  const [asked, others] = [[fields(acme).subject.der], [fields(authority('Other')).subject.der]]
  const refusal = (
    alert: number | null,
    own: { readonly der: Uint8Array } | null,
    authorities: readonly Uint8Array[] | null = null,
  ) =>
    judgeRefusal(alert, { subject: 'x', shown: own === null ? null : [fields(own)], authorities, nowSec }).map(
      ({ code, certainty }) => `${code} ${certainty}`,
    )
  const expired = device('pump', { validity: { notBeforeSec: 1, notAfterSec: nowSec - daySec } })
  const early = device('pump', { validity: { notBeforeSec: nowSec + daySec, notAfterSec: nowSec + 2 * daySec } })
  assert.deepEqual(refusal(116, null), ['certificate-missing certain'])
  assert.deepEqual(refusal(40, null), ['certificate-missing likely'])
  assert.deepEqual(refusal(45, expired), ['certificate-expired certain'])
  assert.deepEqual(refusal(45, good), ['broker-crl-ended likely', 'certificate-expired possible'])
  // An alert that has other causes as well makes nothing certain.
  assert.deepEqual(refusal(42, expired), ['certificate-expired likely'])
  assert.deepEqual(refusal(48, expired), ['certificate-expired likely', 'certificate-foreign-authority possible'])
  assert.deepEqual(refusal(42, early), ['certificate-not-yet-valid likely'])
  assert.deepEqual(refusal(46, device('pump', { usage: oids.serverAuth })), ['certificate-wrong-usage likely'])
  assert.deepEqual(refusal(42, good), ['certificate-foreign-authority possible', 'certificate-not-yet-valid possible'])
  assert.deepEqual(refusal(43, device('pump', { usage: oids.serverAuth })), ['certificate-wrong-usage certain'])
  assert.deepEqual(refusal(43, device('pump', { keyUsages: ['keyAgreement'] })), ['certificate-cannot-sign certain'])
  assert.deepEqual(refusal(44, good), ['certificate-revoked certain'])
  assert.deepEqual(refusal(48, good), ['certificate-foreign-authority likely'])
  assert.deepEqual(refusal(48, good, others), ['certificate-foreign-authority likely'])
  assert.deepEqual(refusal(48, good, asked), ['broker-crl-missing likely', 'certificate-foreign-authority possible'])
  assert.deepEqual(
    refusal(48, ownCertificate('pump', { validity: { notBeforeSec: 1, notAfterSec: nowSec + daySec } })),
    ['certificate-self-signed likely'],
  )
  assert.deepEqual(refusal(51, good), ['key-certificate-mismatch likely'])
  assert.deepEqual(refusal(80, good), ['broker-refused-unexplained possible'])
  assert.deepEqual(refusal(null, good), ['broker-refused-unexplained possible'])
})

const answer = (code: number): Answer => ({ kind: 'answer', code, reason: null, server: null })
const visited = (version: 4 | 5, connack: Answer, more: Partial<Visit> = {}): Visit => ({
  ...{ version, connack, start: Buffer.alloc(0), suback: null, puback: null, isHeard: false },
  ...more,
})

test('a refusal for want of a name is explained by the certificate', () => {
  const seen = { subject: 'x', clientId: 'c', username: null, isAsked: true }
  const named = readCertificate(device('pump').der)
  const nameless = { ...named, subject: { ...named.subject, attributes: [] } }
  const codesOf = (own: typeof named, isAsked: boolean) =>
    judgeConnack(visited(4, answer(4)), { ...seen, own, isAsked }).map(({ code }) => code)
  assert.deepEqual(codesOf(nameless, true), ['certificate-name-missing'])
  assert.deepEqual(codesOf(named, false), ['mosquitto-certificate-not-requested'])
  assert.deepEqual(codesOf(named, true), ['broker-refused-unexplained'])
})

test('a broker that asked for a certificate and was shown a login alone may want the certificate', () => {
  const seen = { subject: 'x', clientId: 'c', username: 'pump', own: null }
  const told = (version: 4 | 5, code: number, isAsked: boolean | null) =>
    judgeConnack(visited(version, answer(code)), { ...seen, isAsked }).map((each) => `${each.code} ${each.certainty}`)
  const either = ['certificate-missing likely', 'broker-refused-unexplained possible']
  assert.deepEqual(told(4, 5, true), either)
  assert.deepEqual(told(5, 0x87, true), either)
  assert.deepEqual(told(5, 0x87, null), ['broker-refused-unexplained certain'])
  assert.deepEqual(told(5, 0x83, true), ['broker-refused-unexplained certain'])
  assert.deepEqual(told(5, 0x86, true), ['password-wrong likely', 'certificate-missing likely'])
  assert.deepEqual(told(5, 0x86, false), ['password-wrong certain'])
})

test('silence about a topic is not taken for a refusal', () => {
  const late: Answer = { kind: 'none', end: { kind: 'late', code: null, alert: null } }
  const findings = judgeTopic('a/b', visited(5, answer(0), { suback: late }), 'x')
  assert.deepEqual(
    findings.map(({ code }) => code),
    ['topic-unanswered'],
  )
})

/** ServerHello, Certificate, CertificateRequest and an alert, as a server of TLS 1.2 sends them. */
function flightOf(names: readonly Uint8Array[]): Buffer {
  const message = (type: number, body: Buffer): Buffer =>
    Buffer.concat([Buffer.of(type, 0, body.length >> 8, body.length & 255), body])
  const sized = (octets: number, bytes: Uint8Array): Buffer => {
    const length = Buffer.alloc(octets)
    length.writeUIntBE(bytes.length, 0, octets)
    return Buffer.concat([length, bytes])
  }
  const request = Buffer.concat([
    sized(1, Buffer.of(64)),
    sized(2, Buffer.of(4, 3)),
    sized(2, Buffer.concat(names.map((name) => sized(2, name)))),
  ])
  const handshake = Buffer.concat([
    message(2, Buffer.of(3, 3, 9, 9)),
    message(11, sized(3, sized(3, Buffer.from([1, 2, 3])))),
    message(13, request),
  ])
  const record = (type: number, body: Buffer): Buffer => Buffer.concat([Buffer.of(type, 3, 3), sized(2, body)])
  return Buffer.concat([
    record(22, handshake.subarray(0, 11)),
    record(22, handshake.subarray(11)),
    record(21, Buffer.of(2, 40)),
  ])
}

test('what a server says in clear is read across records', () => {
  const name = readCertificate(acme.der).subject.der
  const flight = readServerFlight(flightOf([name]))
  assert.equal(flight.version, 0x0303)
  assert.deepEqual(
    flight.chain?.map((each) => [...each]),
    [[1, 2, 3]],
  )
  assert.deepEqual(
    flight.authorities?.map((each) => Buffer.compare(each, name)),
    [0],
  )
  assert.equal(flight.isTls, true)
})

test('a flight that is cut short, at any length, or is no flight at all, is read as far as it goes', () => {
  const whole = flightOf([readCertificate(acme.der).subject.der, new Uint8Array([48, 0])])
  for (let length = 0; length <= whole.length; length++) readServerFlight(whole.subarray(0, length))
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void readServerFlight(Buffer.from(bytes))))
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, octet) => {
      const changed = Buffer.from(whole)
      changed[at] = octet
      readServerFlight(changed)
    }),
  )
})
