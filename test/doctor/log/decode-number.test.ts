import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failureNames } from '../../../src/core/failure/catalogue.ts'
import { decodeNumber, isNumeral } from '../../../src/doctor/log/decode-number.ts'

/** A number, the readings that it has, and the code that comes first. */
const numbers: readonly (readonly [text: string, readings: readonly string[], first: string])[] = [
  ['-0x2E80', ['mbedTLS'], 'key-encryption-unsupported'],
  ['-11904', ['mbedTLS'], 'key-encryption-unsupported'],
  ['-0x2700', ['mbedTLS'], 'hub-untrusted'],
  ['-9984', ['mbedTLS'], 'hub-untrusted'],
  ['-0x7780', ['mbedTLS'], 'certificate-missing'],
  ['-0x3D66', ['mbedTLS'], 'file-unrecognised'],
  ['-0x112C', ['mbedTLS'], 'pem-text-damaged'],
  ['-4352', ['mbedTLS'], 'pem-text-damaged'],
  ['-0x5D80', ['mbedTLS'], 'hub-name-unset'],
  ['-0x3C80', ['mbedTLS'], 'key-type-unsupported'],
  ['-0x0052', ['mbedTLS'], 'name-not-found'],
  ['0x2700', ['mbedTLS'], 'hub-untrusted'],
  ['0x8019', ['ESP-IDF'], 'file-unrecognised'],
  ['0x8001', ['ESP-IDF'], 'name-not-found'],
  ['32769', ['ESP-IDF'], 'name-not-found'],
  ['0x8', ['verify flags of mbedTLS'], 'hub-untrusted'],
  ['0x200', ['verify flags of mbedTLS'], 'hub-certificate-not-yet-valid'],
  ['-188', ['wolfSSL'], 'hub-untrusted'],
  ['-151', ['wolfSSL'], 'hub-certificate-expired'],
  ['-60', ['GnuTLS'], 'key-certificate-mismatch'],
  ['0A000086', ['OpenSSL'], 'hub-untrusted'],
  ['0A000415', ['OpenSSL'], 'certificate-expired'],
  ['1416F086', ['OpenSSL'], 'hub-untrusted'],
  ['05800074', ['OpenSSL'], 'key-certificate-mismatch'],
  ['48', ['a TLS alert'], 'certificate-foreign-authority'],
  ['116', ['a TLS alert'], 'certificate-missing'],
  ['10', ['a TLS alert', 'a verdict of OpenSSL'], 'tls-failed'],
  ['20', ['a TLS alert', 'a verdict of OpenSSL'], 'tls-record-damaged'],
  ['111', ['a TLS alert', 'an errno of Linux'], 'tls-failed'],
  ['138', ['a reason code of MQTT 5'], 'client-banned'],
  ['0x8A', ['a reason code of MQTT 5'], 'client-banned'],
  ['0x8E', ['a reason code of MQTT 5'], 'session-taken-over'],
  ['156', ['a reason code of MQTT 5'], 'broker-elsewhere'],
  ['60', ['a TLS alert', 'an exit status of curl'], 'tls-failed'],
]

for (const [text, readings, first] of numbers) {
  test(`${text} is read as ${readings.join(' and as ')}`, () => {
    const { facts, findings } = decodeNumber(text)
    const names = [...new Set(facts.map(({ name }) => name))]
    assert.deepEqual(
      names.filter((name) => readings.includes(name)),
      readings,
    )
    assert.equal(findings[0]?.code, first)
  })
}

test('a number with several readings makes nothing certain', () => {
  const { facts, findings } = decodeNumber('10')
  assert.ok(new Set(facts.map(({ name }) => name)).size > 1)
  assert.ok(findings.every(({ certainty }) => certainty === 'possible'))
})

test('a number that nobody has given a meaning is unknown', () => {
  for (const text of ['12345', '-77777', '0xFFFFFFFF', '-1', '0', '4294967296']) {
    assert.deepEqual(
      decodeNumber(text).findings.map(({ code }) => code),
      ['log-line-unknown'],
    )
  }
})

test('no number makes the decoder throw or name a failure that there is not', () => {
  for (let number = -0x8000; number <= 0x8100; number++) {
    for (const { code } of decodeNumber(String(number)).findings) assert.ok(failureNames.includes(code))
  }
})

test('only a number alone is taken for one', () => {
  for (const text of ['-0x2700', '45', '+45', '0A000086', '1E08010C']) assert.ok(isNumeral(text), text)
  for (const text of ['', '-', '0x', '4.5', '45 ', 'rc=5', '0xZZ', '-0x123456789', '99999999999']) {
    assert.ok(!isNumeral(text), text)
  }
})
