/** What an alert is taken for, from all that is known besides. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FailureName } from '../../src/core/failure/catalogue.ts'
import { isTlsAlert, type TlsAlert, tlsAlerts } from '../../src/core/failure/tls-alerts.ts'
import type { ClientHello } from '../../src/core/tls/client-hello.ts'
import { alertEnding, type HandshakeFacts } from '../../src/gate/client-alert.ts'
import type { ShownCertificate } from '../../src/gate/shown-certificate.ts'

const nowSec = 1_800_000_000
const hello: ClientHello = {
  ...{ legacyVersion: 0x0303, randomSec: 3_333_333_333, cipherSuites: [0xc02b], serverName: 'hub.example' },
  ...{ versions: null, groups: null, signatureSchemes: null, protocols: null },
}
const shown: ShownCertificate = {
  ...{ notBeforeSec: nowSec - 86_400, notAfterSec: nowSec + 86_400, hasRsaKey: false, hasEcKey: true },
  isFor: (name) => name === 'hub.example',
  isForAddress: (address) => address === '192.0.2.1',
}
const facts: HandshakeFacts = { hello, shown, localAddress: '192.0.2.1', nowSec }

function codeOf(alert: TlsAlert, changed: Partial<HandshakeFacts> = {}): FailureName {
  return alertEnding(alert, tlsAlerts[alert], { ...facts, ...changed }).code
}

test('an alert that says its reason is taken at its word', () => {
  assert.equal(codeOf(48), 'hub-untrusted')
  assert.equal(codeOf(45), 'hub-certificate-expired')
  assert.equal(codeOf(44), 'hub-certificate-revoked')
  assert.equal(codeOf(43), 'hub-certificate-unsupported')
  assert.equal(codeOf(70), 'tls-version-unsupported')
})

test('one that gives no reason is told by the name that the client asked for', () => {
  for (const alert of [42, 46] as const) assert.equal(codeOf(alert), 'tls-client-rejected-hub')
  assert.equal(codeOf(80), 'tls-client-alert')
  const elsewhere = { hello: { ...hello, serverName: 'other.example' } }
  for (const alert of [42, 46, 80] as const) assert.equal(codeOf(alert, elsewhere), 'hub-name-mismatch', String(alert))
})

test('or by the address, where it asked for no name', () => {
  const byAddress = { hello: { ...hello, serverName: null } }
  assert.equal(codeOf(42, byAddress), 'tls-client-rejected-hub')
  assert.equal(codeOf(42, { ...byAddress, localAddress: '192.0.2.9' }), 'hub-name-mismatch')
})

test('a clock that was never set is read from the first message, where the library puts it there', () => {
  for (const randomSec of [0, 7 * 86_400, 946_684_805]) {
    const ending = alertEnding(46, 'certificate_unknown', { ...facts, hello: { ...hello, randomSec } })
    assert.equal(ending.code, 'hub-certificate-not-yet-valid', String(randomSec))
    assert.match(ending.sentence, /its clock stands at (1970|2000)-01-/)
  }
  // Chance, a clock that is right, and one that is off by years: they prove nothing.
  for (const randomSec of [3_333_333_333, nowSec, 1_500_000_000]) {
    assert.equal(codeOf(46, { hello: { ...hello, randomSec } }), 'tls-client-rejected-hub', String(randomSec))
  }
  // Whoever does not know the root says so, whatever its clock is.
  assert.equal(codeOf(48, { hello: { ...hello, randomSec: 0 } }), 'hub-untrusted')
})

test('where the certificate of the hub is really out of date, the hub is at fault', () => {
  for (const alert of [42, 45, 46] as const) {
    assert.equal(codeOf(alert, { nowSec: nowSec + 2 * 86_400 }), 'server-certificate-expired', String(alert))
    assert.equal(codeOf(alert, { nowSec: nowSec - 2 * 86_400 }), 'server-certificate-expired', String(alert))
  }
  assert.equal(codeOf(48, { nowSec: nowSec + 2 * 86_400 }), 'hub-untrusted')
})

test('a clock that is ahead is told where it shows, and guessed where it does not', () => {
  const sentenceAt = (randomSec: number) =>
    alertEnding(45, 'certificate_expired', { ...facts, hello: { ...hello, randomSec } }).sentence
  assert.match(sentenceAt(nowSec + 30 * 86_400), /its clock seems to stand at 2027-02-14T/)
  assert.match(sentenceAt(3_333_333_333), /its clock is ahead, or it holds a list of revocations that has ended/)
})

test('every alert has an ending, also where nothing else is known, and one without a number', () => {
  for (const alert of Object.keys(tlsAlerts).map(Number).filter(isTlsAlert)) {
    const { code, sentence } = alertEnding(alert, tlsAlerts[alert], { ...facts, hello: null, shown: null })
    assert.ok(sentence.includes(`${tlsAlerts[alert]} (${alert})`), code)
  }
  const unheard = alertEnding(null, 'unheard_of', facts)
  assert.deepEqual(unheard, { code: 'tls-client-alert', sentence: 'the client sent the alert unheard_of' })
})
