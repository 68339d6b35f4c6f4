import assert from 'node:assert/strict'
import { test } from 'node:test'
import { thingOf } from '../../src/cli/doctor/thing.ts'

const cases: readonly (readonly [text: string, kind: 'path' | 'address' | 'log'])[] = [
  ['-0x2E80', 'log'],
  ['-9984', 'log'],
  ['45', 'log'],
  ['CERT_HAS_EXPIRED', 'log'],
  ['Error: socket hang up', 'log'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'log'],
  ['error:0A000086:SSL routines::certificate verify failed', 'log'],
  ['javax.net.ssl.SSLHandshakeException', 'log'],
  ['', 'log'],
  ['broker.example:8883', 'address'],
  ['[::1]:8883', 'address'],
  ['127.0.0.1', 'address'],
  ['::1', 'address'],
  ['localhost', 'address'],
  ['mqtts://broker.example', 'address'],
  ['wss://broker.example/mqtt', 'address'],
  ['plant.example', 'address'],
  ['mqtts://', 'address'],
  ['ftp://broker.example', 'address'],
  ['client_cert.pem', 'path'],
  ['ca.pem', 'path'],
  ['mosquitto.conf', 'path'],
  ['mosquitto.log', 'path'],
  ['./pump-7', 'path'],
  ['/etc/mosquitto', 'path'],
]

for (const [text, kind] of cases) {
  test(`${JSON.stringify(text)} is taken for ${kind === 'address' ? 'an address' : `a ${kind}`}`, () => {
    assert.equal(thingOf(text, () => false).kind, kind)
  })
}

test('what is there is a file, whatever it looks like', () => {
  assert.deepEqual(
    thingOf('45', () => true),
    { kind: 'path', path: '45', isThere: true },
  )
})
