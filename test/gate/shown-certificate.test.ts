/** What a listener shows, asked for names and addresses that strangers choose. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../../src/core/secret.ts'
import { subjectAltName } from '../../src/core/x509/extensions.ts'
import { handshakeFailure } from '../../src/gate/handshake-failure.ts'
import { shownCertificate } from '../../src/gate/shown-certificate.ts'
import { ownCertificate } from '../support/own-certificate.ts'

const own = ownCertificate('hub', {
  extensions: [
    subjectAltName({ uris: [], dnsNames: ['hub.example'], ipAddresses: ['192.0.2.1', 'fe80::1'], emails: [] }, false),
  ],
})
const shown = shownCertificate({ chain: own.pem, key: new Secret('') }) ?? assert.fail()

test('addresses are compared as sockets tell them, and what is none is not in the certificate', () => {
  assert.ok(shown.isForAddress('192.0.2.1'))
  assert.ok(shown.isForAddress('fe80::1%eth0'))
  for (const address of ['192.0.2.2', 'fe80::2%eth0', 'unknown', '']) assert.ok(!shown.isForAddress(address), address)
})

test('names that are none are not in the certificate', () => {
  assert.ok(shown.isFor('hub.example'))
  for (const name of ['', 'other.example', 'hub.example\0.evil', '\u00ff', 'a'.repeat(70_000)]) {
    assert.ok(!shown.isFor(name), name.slice(0, 20))
  }
})

test('an alert of a client that came to a link-local address, or from one that is gone, has an explanation', () => {
  const error = Object.assign(new Error('alert'), { code: 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE' })
  const hello = {
    ...{ legacyVersion: 0x0303, randomSec: 3_333_333_333, cipherSuites: [0xc02b], serverName: null },
    ...{ versions: null, groups: null, signatureSchemes: null, protocols: null },
  }
  const codeAt = (localAddress: string) =>
    handshakeFailure(error, { hello, shown, localAddress, nowSec: Math.floor(Date.now() / 1000) }).code
  assert.equal(codeAt('fe80::1%eth0'), 'tls-client-rejected-hub')
  assert.equal(codeAt('fe80::2%eth0'), 'hub-name-mismatch')
  assert.equal(codeAt('unknown'), 'tls-client-rejected-hub')
})
