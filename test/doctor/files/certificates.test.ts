import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  basicConstraints,
  type Extension,
  extendedKeyUsage,
  keyUsage,
  subjectAltName,
} from '../../../src/core/x509/extensions.ts'
import { oids } from '../../../src/core/x509/oids.ts'
import { openssl } from '../../support/maker.ts'
import { ownCertificate } from '../../support/own-certificate.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { clientExtensions, codes, day, faults, file, findings, issuing, nowMs, pem, root, validity } from './bed.ts'

const nowSec = nowMs / 1000

/** A device with this certificate below the authority of the tests. */
function holding(extensions: readonly Extension[], more: { validity?: typeof validity; name?: string } = {}) {
  const made = ownCertificate('pump-8', { issuer: issuing, extensions, validity: more.validity ?? validity })
  const name = more.name ?? 'client_cert.pem'
  return [file(name, made.pem + issuing.pem), file('private_key.pem', pem(made.privateKey)), file('ca.pem', root.pem)]
}

test('dates are told with how long ago or how soon, and with the clock they were compared with', () => {
  const ended = holding(clientExtensions, {
    validity: { notBeforeSec: nowSec - 90 * day, notAfterSec: nowSec - 3 * day },
  })
  const [found] = findings(ended)
  assert.equal(found?.code, 'certificate-expired')
  assert.match(
    found?.evidence ?? '',
    /ended at 2026-11-22 00:00:00Z, 3 days ago by the clock of this machine, 2026-11-25 00:00:00Z/,
  )
  const early = holding(clientExtensions, { validity: { notBeforeSec: nowSec + 3600, notAfterSec: nowSec + 90 * day } })
  assert.deepEqual(faults(early), ['certificate-not-yet-valid'])
  const last = holding(clientExtensions, {
    validity: { notBeforeSec: nowSec - 90 * day, notAfterSec: nowSec + 5 * day },
  })
  assert.deepEqual(codes(last), ['certificate-ends-soon'])
  assert.deepEqual(faults(last), [])
})

test('a certificate that is not for clients is told as surely as its name says that it is for one', () => {
  const server = [
    keyUsage(['digitalSignature']),
    extendedKeyUsage([oids.serverAuth]),
    subjectAltName({ dnsNames: ['broker.example'] }, false),
  ]
  assert.deepEqual(faults(holding(server)), ['certificate-wrong-usage'])
  assert.deepEqual(codes(holding(server, { name: 'server.pem' })), [])
  const [unnamed] = findings(holding(server, { name: 'x.pem' }))
  assert.deepEqual(
    [unnamed?.code, unnamed?.severity, unnamed?.certainty],
    ['certificate-wrong-usage', 'warning', 'possible'],
  )
})

test('key usage without digitalSignature, and the certificate of an authority, keep a device out', () => {
  assert.deepEqual(faults(holding([keyUsage(['keyEncipherment']), extendedKeyUsage([oids.clientAuth])])), [
    'certificate-cannot-sign',
  ])
  assert.deepEqual(faults(holding([basicConstraints(0), ...clientExtensions])), ['certificate-is-authority'])
})

test('an authority is no fault where nothing says that a device should stand there', () => {
  assert.deepEqual(codes([file('plant.pem', issuing.pem)], { isFolder: false }), [])
  assert.deepEqual(codes([file('chain.pem', issuing.pem + root.pem)], { isFolder: false }), [])
  assert.deepEqual(codes([...holding(clientExtensions), file('fullchain.crt', issuing.pem)]), [])
  assert.deepEqual(codes([...holding(clientExtensions), file('upper-cert.pem', root.pem)]), [])
  assert.deepEqual(faults([file('client_cert.pem', issuing.pem)], { isFolder: false }), [
    'certificate-is-authority',
    'certificate-cannot-sign',
  ])
})

test('a server that has no alternative name, or addresses alone, is told', () => {
  const server = [keyUsage(['digitalSignature']), extendedKeyUsage([oids.serverAuth])]
  assert.deepEqual(codes(holding(server, { name: 'server.pem' })), ['server-names-missing'])
  const addresses = [...server, subjectAltName({ ipAddresses: ['10.3.0.11'] }, false)]
  assert.deepEqual(codes(holding(addresses, { name: 'server.pem' })), ['server-names-unread'])
})

test('a certificate that has signed itself gets in only where it is pinned', () => {
  const own = ownCertificate('pump-9', { extensions: clientExtensions, validity })
  const found = findings([file('client_cert.pem', own.pem), file('private_key.pem', pem(own.privateKey))])
  assert.deepEqual(
    found.map(({ code, severity }) => [code, severity]),
    [['certificate-self-signed', 'note']],
  )
})

test('certificates that OpenSSL makes when it is asked for old things are told for them', async (t) => {
  const folder = temporaryFolder(t)
  const path = (name: string): string => join(folder, name)
  const of = async (key: readonly string[], ...more: readonly string[]) => {
    await openssl('req', '-x509', '-nodes', ...key, '-keyout', path('k'), '-out', path('c'), '-days', '30', ...more)
    const files = [file('device.pem', readFileSync(path('c'))), file('device.key', readFileSync(path('k')))]
    return codes(files, { nowMs: Date.now() }).filter((code) => code !== 'certificate-self-signed')
  }
  const ec = (curve: string) => ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${curve}`]
  const name = ['-subj', '/CN=old', '-addext', 'basicConstraints=CA:FALSE']
  assert.deepEqual(await of(ec('P-256'), ...name, '-sha1'), ['certificate-hash-weak'])
  assert.deepEqual(await of(['-newkey', 'rsa:1024'], ...name), ['certificate-key-weak'])
  assert.deepEqual(await of(ec('secp256k1'), ...name), ['key-curve-unfit'])
  assert.deepEqual(await of(ec('P-256'), '-subj', '/O=Plant', '-addext', 'basicConstraints=CA:FALSE'), [
    'certificate-name-missing',
  ])
  await openssl('genpkey', '-algorithm', 'ed448', '-out', path('e'))
  await openssl('req', '-x509', '-key', path('e'), '-out', path('c'), '-days', '30', ...name)
  const unfit = codes([file('device.pem', readFileSync(path('c')))], { isFolder: false, nowMs: Date.now() })
  assert.ok(unfit.includes('key-kind-unfit'), unfit.join())
  await openssl('genpkey', '-algorithm', 'ed25519', '-out', path('e'))
  await openssl('req', '-x509', '-key', path('e'), '-out', path('c'), '-days', '30', ...name)
  const byEd25519 = [file('device.pem', readFileSync(path('c'))), file('device.key', readFileSync(path('e')))]
  const unread = codes(byEd25519, { nowMs: Date.now(), platform: 'mbedtls' })
  assert.ok(unread.includes('certificate-signature-unread') && unread.includes('key-type-unsupported'), unread.join())
})
